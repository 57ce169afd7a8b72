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
  const unlike = (isUnlike) => columns.forEach((each, i) => each.warn(isUnlike[i]));
  return { answers, unlike };
}

// What most networks say, and how many of them; where they are equally many, what the most accurate
// one says. Of one network its probability.
function verdict(found, expert) {
  const votes = (name) => found.filter((other) => other.name === name).length;
  const names = found.map(({ name }) => name);
  const more = (best, name) => (votes(name) > votes(best) ? name : best);
  const most = names.reduce(more, names[expert]);
  const share = `${votes(most)} of ${found.length} networks`;
  const beside = found.length === 1 ? percent(found[0].p) : share;
  return [most, made("small", { textContent: ` ${beside}` })];
}

// In words, for those who hear the page.
function spoken(page, answers) {
  const said = answers.map(({ probabilities: p }, i) => {
    const best = argmax(p);
    return `${page.networks[i].name}: ${page.classes[best]}, ${percent(p[best])}`;
  });
  return said.join("; ");
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
  const warn = (isUnlike) => (warning.hidden = !isUnlike);
  const show = (p) => {
    const best = p ? argmax(p) : -1;
    name.textContent = p ? classes[best] : "–";
    if (!p) warn(false);
    cells.forEach((cell, k) => {
      cell.className = k === best ? "best" : "";
      cell.querySelector("i").style.transform = `scaleX(${p ? p[k] : 0})`;
      cell.querySelector(".cell").lastChild.textContent = p ? percent(p[k]) : "";
    });
    return p && { name: classes[best], p: p[best] };
  };
  return { heading, said, cells, show, warn };
}

function accuracyText({ accuracy }) {
  return accuracy === null ? "not measured" : `${(100 * accuracy).toFixed(1)} % right`;
}
