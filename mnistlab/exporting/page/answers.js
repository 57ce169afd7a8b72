// What every network answers: a card for each, and in large letters what most of them say.
"use strict";

function answerCards(page) {
  const cards = page.networks.map((network) => card(network, page.classes));
  byId("networks").append(...cards.map((each) => each.element));
  const answers = (answers) => {
    const names = cards.map((each, i) => each.show(answers && answers[i].probabilities));
    byId("verdict").replaceChildren(...(answers ? verdict(names) : ["–"]));
  };
  const unlike = (isUnlike) => cards.forEach((each, i) => each.warn(isUnlike[i]));
  return { answers, unlike };
}

// What most networks say, and how many of them; of equal numbers the first.
function verdict(names) {
  const votes = (name) => names.filter((other) => other === name).length;
  const most = names.reduce((best, name) => (votes(name) > votes(best) ? name : best));
  if (names.length === 1) return [most];
  return [most, made("small", { textContent: ` ${votes(most)} of ${names.length} networks` })];
}

// In words, for those who hear the page.
function spoken(page, answers) {
  const said = answers.map(({ probabilities: p }, i) => {
    const best = argmax(p);
    return `${page.networks[i].name}: ${page.classes[best]}, ${percent(p[best])}`;
  });
  return said.join("; ");
}

function card(network, classes) {
  const [said, bars] = [made("p", { className: "said" }), made("ul", { className: "bars" })];
  if (classes.every((name) => name.length < 3)) bars.classList.add("short");
  const rows = classes.map((name) => {
    const bar = made("span", { className: "bar" }, made("i"));
    return made("li", {}, made("span", { textContent: name, title: name }), bar, made("span"));
  });
  bars.append(...rows);
  const facts = made("p", { className: "facts", textContent: accuracyText(network) });
  const title = made("h3", { textContent: network.name });
  const warning = made("p", { className: "unlike", hidden: true });
  warning.textContent = "Unlike its training images";
  const element = made("article", {}, title, facts, said, warning, bars);
  const warn = (isUnlike) => (warning.hidden = !isUnlike);
  const show = (p) => {
    const best = p ? argmax(p) : -1;
    said.textContent = p ? classes[best] : "–";
    if (p) said.append(made("small", { textContent: ` ${percent(p[best])}` }));
    if (!p) warn(false);
    rows.forEach((row, k) => {
      row.className = k === best ? "best" : "";
      row.querySelector("i").style.transform = `scaleX(${p ? p[k] : 0})`;
      row.lastChild.textContent = p ? percent(p[k]) : "";
    });
    return p ? classes[best] : "";
  };
  return { element, show, warn };
}

function accuracyText({ accuracy, interval }) {
  if (accuracy === null) return "not measured on test images";
  const ends = interval ? ` (${interval.map((end) => (100 * end).toFixed(1)).join(" to ")})` : "";
  return `${(100 * accuracy).toFixed(1)} % of test images right${ends}`;
}
