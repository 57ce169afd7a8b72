// What is known of each network, and how long its answers take here.
"use strict";

const N_TIMES = 30; // latest answers of which the median time is shown

function modelCards(page) {
  const scale = accuracyScale(page.networks);
  const cards = page.networks.map((network) => modelCard(page, network, scale));
  byId("model-cards").append(...cards.map((each) => each.element));
  return (answers) => answers.forEach(({ ms }, i) => cards[i].addTime(ms));
}

function modelCard(page, network, scale) {
  const times = [];
  const time = made("dd", { textContent: "draw something" });
  const facts = [
    ["Time per answer, here", time],
    ["Parameters", count(network.nParameters)],
    ["Size in this page", `${count(Math.round(network.nBytes / 1000))} kB`],
    ["Training images", `${count(network.nTrain)} of ${page.data}`],
    ["Test-time views", network.views.length ? network.views.join(", ") : "the image alone"],
    ...(network.members.length > 1 ? [["Weighted mean of", memberList(network.members)]] : []),
  ];
  const list = made("dl", {});
  for (const [name, value] of facts)
    list.append(
      made("dt", { textContent: name }),
      value === time ? time : made("dd", { textContent: value }),
    );
  const title = made("h2", { textContent: network.name });
  const summary = made("p", { className: "facts", textContent: network.summary });
  const element = made("article", {}, title, summary, accuracyLine(network, scale), list);
  const addTime = (ms) => {
    times.push(ms);
    if (times.length > N_TIMES) times.shift();
    const median = [...times].sort((a, b) => a - b)[times.length >> 1];
    time.textContent = median < 0.1 ? "below 0.1 ms" : `${median.toFixed(median < 10 ? 1 : 0)} ms`;
  };
  return { element, addTime };
}

const memberList = (members) =>
  members.map(({ name, weight }) => `${name} ${percent(weight)}`).join(", ");

// One scale for all networks: from the least end of an interval, rounded down, to 100 %.
function accuracyScale(networks) {
  const ends = networks.flatMap(({ accuracy, interval }) => interval ?? accuracy ?? []);
  return Math.floor(20 * Math.min(1, ...ends)) / 20;
}

function accuracyLine({ accuracy, interval, nTest }, least) {
  if (accuracy === null)
    return made("p", { className: "accuracy", textContent: "Not measured on test images" });
  const place = (value) => (100 * (value - least)) / (1 - least || 1);
  const [low, high] = interval ?? [accuracy, accuracy];
  const whisker = made("i");
  whisker.style.left = `${place(low)}%`;
  whisker.style.width = `${place(high) - place(low)}%`;
  const dot = made("b");
  dot.style.left = `${place(accuracy)}%`;
  const number = made("strong", { textContent: `${(100 * accuracy).toFixed(2)} %` });
  const ends = `95\u00a0% interval ${(100 * low).toFixed(2)} to ${(100 * high).toFixed(2)}`;
  const text = made("span", { textContent: ` of ${count(nTest)} test images right; ${ends}` });
  const track = made("div", { className: "track" }, whisker, dot);
  track.setAttribute("aria-hidden", "true");
  const axis = made("div", { className: "axis" });
  axis.append(made("span", { textContent: `${Math.round(100 * least)} %` }));
  axis.append(made("span", { textContent: "100 %" }));
  axis.setAttribute("aria-hidden", "true");
  return made("div", { className: "accuracy" }, made("p", {}, number, text), track, axis);
}
