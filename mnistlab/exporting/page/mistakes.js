// Test images that a network classified wrongly, by network, true and predicted class.
"use strict";

const MOST_CLASSES = 26; // a larger table of confusions cannot be read

function mistakeTiles(page, arrayOf, onPick) {
  const all = arrayOf(page.mistakes.pixels);
  const area = page.height * page.width;
  const filters = ["mistaken-network", "mistaken-true", "mistaken-predicted"].map(byId);
  const [network, actual, predicted] = filters;
  page.networks.forEach((each, i) => {
    if (page.mistakes.confusion[i]) network.append(new Option(each.name, i));
  });
  network.value = mostAccurate(page.networks);
  for (const select of [actual, predicted]) {
    select.append(new Option("any class", ""));
    page.classes.forEach((name, k) => select.append(new Option(name, k)));
  }
  const show = () => {
    const rows = page.mistakes.wrong.filter(
      ([i, image, guess]) =>
        i === Number(network.value) &&
        (actual.value === "" || page.mistakes.labels[image] === Number(actual.value)) &&
        (predicted.value === "" || guess === Number(predicted.value)),
    );
    byId("mistake-tiles").replaceChildren(
      ...rows.map(([, image, guess, p]) => {
        const pixels = all.slice(image * area, (image + 1) * area);
        return mistakeTile(page, pixels, page.mistakes.labels[image], guess, p, onPick);
      }),
    );
    byId("mistakes-count").textContent = `Shown: ${count(rows.length)}. Choose one to see the answers to it.`;
    showConfusion(page, Number(network.value), actual, predicted);
  };
  for (const select of filters)
    select.addEventListener("change", () => {
      show();
      say(byId("mistakes-count").textContent);
    });
  byId("mistakes-text").textContent = network.options.length
    ? mistakesText(page)
    : page.images.labels.length
      ? "None of these networks was measured on test images."
      : "This page has no test images.";
  if (network.options.length) return show();
  for (const each of [network.closest(".tools"), byId("confusion").closest("section")])
    each.hidden = true;
}

function mistakesText({ mistakes }) {
  const sampled = mistakes.labels.length < mistakes.nFound;
  return sampled
    ? `This page has ${count(mistakes.labels.length)} of the ${count(mistakes.nFound)} test images ` +
      "that some network got wrong, as many of each network."
    : "";
}

function mistakeTile(page, image, label, guess, p, onPick) {
  const [actual, said] = [page.classes[label], page.classes[guess]];
  const words = `${actual}, taken for ${said}${p === null ? "" : ` with ${percent(p)}`}`;
  const button = imageButton(image, page, words, () => onPick(image, label, button));
  const text = made("span", {}, `${actual} → `, made("b", { textContent: said }));
  text.setAttribute("aria-hidden", "true");
  button.append(text);
  return button;
}

// All mistakes of one network, counted: a row for each true class, a column for each predicted.
function showConfusion({ classes, mistakes }, network, actual, predicted) {
  const table = byId("confusion");
  table.parentElement.hidden = classes.length > MOST_CLASSES;
  if (table.parentElement.hidden) return;
  table.classList.toggle("short", classes.every((name) => name.length < 3));
  const counts = new Map(mistakes.confusion[network].map(([t, p, n]) => [`${t} ${p}`, n]));
  const most = Math.max(1, ...counts.values());
  const heading = (name, scope) => made("th", { scope, textContent: name, title: name });
  const first = made("tr", {}, made("td"), ...classes.map((name) => heading(name, "col")));
  const rows = classes.map((name, t) => {
    const cells = classes.map((_, p) => {
      const n = counts.get(`${t} ${p}`) ?? 0;
      const cell = made("td", { className: t === p ? "right" : "" });
      if (!n) return cell;
      const words = `${n} of ${name} taken for ${classes[p]}`;
      // The two lists above do the same by keyboard.
      const button = made("button", { type: "button", textContent: n, title: words, tabIndex: -1 });
      button.style.setProperty("--part", 0.08 + (0.37 * n) / most); // the number stays readable
      button.addEventListener("click", () => {
        [actual.value, predicted.value] = [t, p];
        actual.dispatchEvent(new Event("change"));
      });
      cell.append(button);
      return cell;
    });
    return made("tr", {}, heading(name, "row"), ...cells);
  });
  table.replaceChildren(first, ...rows);
}
