// What the layers of one network make of the image, and what softmax regression has learnt.
"use strict";

const MOST_IMAGES = 32; // of one layer
const LAYER_NAMES = {
  scale: "scaled",
  convolution: "convolution",
  residual: "residual block",
  normalise: "batch normalisation",
  linear: "linear",
  relu: "ReLU",
  tanh: "tanh",
  sigmoid: "sigmoid",
  softmax: "softmax",
  flatten: "flattened",
  "max-pool": "max-pool",
  "support-vectors": "support vector machine",
};

function insideOf(page) {
  return ({ layers, weights, chosen }) => {
    const { members } = page.networks[chosen];
    byId("inside-member").hidden = members.length === 1;
    byId("inside-member").textContent =
      `Of an ensemble, the member that counts most is shown: ${members[0].name}.`;
    const shown = layers.filter(({ op }) => op !== "flatten");
    byId("layers").replaceChildren(
      ...shown.map((layer, i) => layerFigure(page, layer, page.networks[chosen], i === shown.length - 1)),
    );
    byId("weights").hidden = weights === null;
    if (weights) byId("weight-images").replaceChildren(...weightFigures(page, weights));
  };
}

function layerFigure(page, { op, shape, values }, network, isLast) {
  const { channels, height, width } = shape;
  const isVector = height * width === 1;
  const size = isVector ? `${count(channels)} numbers` : `${channels} × ${height} × ${width}`;
  const title = made("h3", {}, LAYER_NAMES[op], made("small", { textContent: ` ${size}` }));
  const figure = made("div", { className: "layer" }, title);
  if (isLast) figure.append(logitBars(page.classes, values));
  else if (isVector) figure.append(strip(values));
  else {
    const n = Math.min(channels, MOST_IMAGES);
    const images = Array.from({ length: n }, (_, channel) => {
      const part = values.subarray(channel * height * width, (channel + 1) * height * width);
      return paintRange(made("canvas"), part, height, width);
    });
    const row = made("div", { className: "maps" }, ...images);
    row.setAttribute("role", "img");
    row.setAttribute("aria-label", `${n} of the ${channels} images of this layer`);
    figure.append(row);
    if (n < channels)
      figure.append(made("p", { className: "facts", textContent: `${n} of ${channels} are shown.` }));
  }
  return figure;
}

// One number after the other, in rows, as a picture.
function strip(values) {
  const width = Math.min(values.length, 64);
  const height = Math.ceil(values.length / width);
  const full = new Float32Array(height * width);
  full.set(values);
  const canvas = paintRange(made("canvas", { className: "strip" }), full, height, width);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${values.length} numbers from black, least, to white, most`);
  return canvas;
}

function logitBars(classes, values) {
  const most = Math.max(...values.map(Math.abs)) || 1;
  const rows = classes.map((name, k) => {
    const bar = made("i", { className: values[k] < 0 ? "below" : "" });
    bar.style.width = `${(50 * Math.abs(values[k])) / most}%`;
    const box = made("span", { className: "bar signed" }, bar);
    const number = made("span", { textContent: values[k].toFixed(1) });
    return made("li", {}, made("span", { textContent: name, title: name }), box, number);
  });
  const short = classes.every((name) => name.length < 3) ? " short" : "";
  return made("ul", { className: `bars${short}` }, ...rows);
}

function weightFigures({ classes, height, width }, weights) {
  return classes.map((name, k) => {
    const part = weights.subarray(k * height * width, (k + 1) * height * width);
    const canvas = paintSigned(made("canvas"), part, height, width);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Weights of ${name}`);
    return made("figure", {}, canvas, made("figcaption", { textContent: name }));
  });
}
