// What every network answers, side by side in one table, and in large letters what most say.
"use strict";

function answerTable(page) {
  const columns = page.networks.map((network) => column(network, page.classes));
  const row = (kind, heading, cell) =>
    made("tr", { className: kind }, heading, ...columns.map(cell));
  const classRow = (name, k) =>
    row("", made("th", { scope: "row", textContent: name, title: name }), (each) => each.cells[k]);
  byId("answers").append(
    made("thead", {}, row("", made("td"), (each) => each.heading)),
    made(
      "tbody",
      {},
      row("says", made("th", { scope: "row", textContent: "Answer" }), (each) => each.said),
      ...page.classes.map(classRow),
    ),
  );
  byId("answers").style.setProperty("--n", columns.length);
  if (page.classes.every((name) => name.length < 3)) byId("answers").classList.add("short");
  const answers = (answers) => {
    const found = columns.map((each, i) => each.show(answers && answers[i].probabilities));
    byId("verdict").replaceChildren(...(answers ? verdict(found, mostAccurate(page.networks)) : ["–"]));
  };
  const unlike = (isUnlike) => columns.forEach((each, i) => each.mark(isUnlike[i]));
  return { answers, unlike };
}

// What most networks say, and how many of them; where they are equally many, what the most accurate
// one says. Of one network its probability.
function verdict(found, expert) {
  const [most, share] = majority(found, expert);
  const [by, beside] = found.length === 1 ? [",", percent(found[0].p)] : [", by", share];
  const heard = made("span", { className: "unseen", textContent: by }); // else "7 3 of 3 networks"
  return [most, heard, made("small", { textContent: ` ${beside}` })];
}

function majority(found, expert) {
  const votes = (name) => found.filter((other) => other.name === name).length;
  const names = found.map(({ name }) => name);
  const more = (best, name) => (votes(name) > votes(best) ? name : best);
  const most = names.reduce(more, names[expert]);
  return [most, `${votes(most)} of ${found.length} networks`];
}

// The status of the page is said aloud by screen readers, which pass over what it says already. It
// lies outside the tabs' panels: what is in one is said anew whenever its tab is opened.
function say(words) {
  const status = byId("spoken");
  status.textContent = status.textContent === words ? `${words}\u00a0` : words;
}

// What is wrong, for the eye and for the ear.
function warn(words) {
  byId("notice").textContent = words;
  say(words);
}

const NOTHING = "Nothing is drawn.";

// Says everything that is known of a drawing at once, when the pen rests, and nothing twice.
function announcer(page) {
  let [last, lastWords] = [null, NOTHING]; // the page opens without a word
  return (image, answers, warning = "") => {
    const words = answers ? `${spoken(page, answers)}${warning && `. ${warning}`}` : NOTHING;
    if (words !== lastWords || (last !== null && last !== image)) say(words);
    [last, lastWords] = [image, words];
  };
}

// In words, for those who hear the page: what most say, then what each says.
function spoken(page, answers) {
  const found = answers.map(({ probabilities: p }) => ({ name: page.classes[argmax(p)] }));
  const [most, beside] = majority(found, mostAccurate(page.networks));
  const first = found.length > 1 ? `${most}, by ${beside}. ` : "";
  const said = answers.map(({ probabilities: p }, i) => {
    const best = argmax(p);
    return `${page.networks[i].name}: ${page.classes[best]}, ${percent(p[best])}`;
  });
  return first + said.join("; ");
}

function column(network, classes) {
  const accuracy = made("small", { textContent: accuracyText(network) });
  const heading = made("th", { scope: "col" }, network.name, accuracy);
  const [name, warning] = [made("b"), made("small", { className: "unlike", hidden: true })];
  warning.textContent = "unlike its training images";
  const said = made("td", {}, name, warning);
  const cells = classes.map(() => {
    const bar = made("span", { className: "bar" }, made("i"));
    return made("td", {}, made("span", { className: "cell" }, bar, made("span")));
  });
  const mark = (isUnlike) => (warning.hidden = !isUnlike);
  const show = (p) => {
    const best = p ? argmax(p) : -1;
    name.textContent = p ? classes[best] : "–";
    if (!p) mark(false);
    cells.forEach((cell, k) => {
      cell.className = k === best ? "best" : "";
      cell.querySelector("i").style.transform = `scaleX(${p ? p[k] : 0})`;
      cell.querySelector(".cell").lastChild.textContent = p ? percent(p[k]) : "";
    });
    return p && { name: classes[best], p: p[best] };
  };
  return { heading, said, cells, show, mark };
}

function accuracyText({ accuracy }) {
  return accuracy === null ? "not measured" : `${(100 * accuracy).toFixed(1)} % right`;
}
