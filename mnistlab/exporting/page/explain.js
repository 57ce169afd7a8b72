// What speaks for an answer, which training images are near, and what the layers make of an image.
//
// Slow work is a generator that yields often, so that a newer drawing can take its place.
"use strict";

const argmax = (values) => values.reduce((best, value, k) => (value > values[best] ? k : best), 0);

// Occlusion (Zeiler and Fergus 2014): a small square of the image is covered with its ground, and
// the answer's log odds fall by what the square spoke for it. Each pixel has the mean over the
// squares that cover it. The sanity check (Adebayo et al. 2018): the same of networks whose last
// weights are shuffled, and the size of their correlations with it over all squares, on average; a
// map that depends on what was learnt has a low one.
function* occlusion(network, image, { height, width, ground }) {
  const logitsOf = network.besideShuffled();
  const best = argmax(logitsOf(image)[0]);
  const scores = (levels) => logitsOf(levels).map((logits) => logOdds(logits, best));
  const whole = scores(image);
  const drops = [];
  const side = Math.max(2, Math.round(Math.max(height, width) / 7));
  for (const square of squares(height, width, side)) {
    if (square.every((i) => image[i] === ground)) continue;
    const covered = image.slice();
    for (const i of square) covered[i] = ground;
    drops.push({ square, fall: scores(covered).map((score, h) => whole[h] - score) });
    yield;
  }
  const [trained, ...shuffled] = whole.map((_, h) => drops.map(({ fall }) => fall[h]));
  const sizes = shuffled.map((of) => Math.abs(correlation(trained, of)));
  const map = new Float32Array(height * width);
  const nTimes = new Float32Array(height * width);
  for (const { square, fall } of drops)
    for (const i of square) [map[i], nTimes[i]] = [map[i] + fall[0], nTimes[i] + 1];
  return {
    best,
    map: map.map((sum, i) => sum / Math.max(nTimes[i], 1)),
    likeness: sizes.reduce((sum, size) => sum + size, 0) / sizes.length,
  };
}

// The pixels of each square, half a square apart.
function* squares(height, width, side) {
  const step = Math.max(1, side >> 1);
  for (let top = step - side; top < height; top += step)
    for (let left = step - side; left < width; left += step) {
      const pixels = [];
      for (let y = Math.max(top, 0); y < Math.min(top + side, height); y++)
        for (let x = Math.max(left, 0); x < Math.min(left + side, width); x++)
          pixels.push(y * width + x);
      yield pixels;
    }
}

function logOdds(logits, k) {
  const others = logits.filter((_, i) => i !== k);
  const most = others.reduce((most, value) => Math.max(most, value), -Infinity);
  return logits[k] - most - Math.log(others.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

// Pearson's; 0 where one of them does not vary.
function correlation(a, b) {
  const centred = (values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.map((value) => value - mean);
  };
  const product = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  const [x, y] = [centred(a), centred(b)];
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y)) || 0;
}

const N_SHOWN = 5; // nearest training images

// Training images as every network sees them: mnistlab/evaluation/neighbours.py.
function neighbours({ references, height, width }, pixels) {
  const { thresholds, labels, nNearest } = references;
  const area = height * width;
  const known = new Map(); // of a network, the features of the images seen so far
  const featuresOf = (network, image) =>
    ofLengthOne(network.isOfPixels ? Float32Array.from(image) : network.features(image).slice());
  function* prepare(network) {
    if (!known.has(network)) known.set(network, []);
    const rows = known.get(network);
    while (rows.length < labels.length) {
      const start = rows.length * area;
      rows.push(featuresOf(network, pixels.subarray(start, start + area)));
      yield;
    }
    return rows;
  }
  function* near(network, image) {
    const rows = yield* prepare(network);
    const own = featuresOf(network, image);
    const found = rows.map((row, i) => ({ apart: distance(own, row), i }));
    found.sort((a, b) => a.apart - b.apart);
    const sum = found.slice(0, nNearest).reduce((total, { apart }) => total + apart, 0);
    const shown = found.slice(0, N_SHOWN).map(({ i }) => i);
    return { distance: sum / Math.min(nNearest, rows.length), shown };
  }
  return { thresholds, prepare, near };
}

function ofLengthOne(values) {
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)) || 1;
  return values.map((value) => value / length);
}

const distance = (a, b) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return Math.sqrt(sum);
};

// The weights of softmax regression, an image for each class; null of other networks.
function weightImages({ steps }, arrays, { height, width }) {
  const real = steps.filter((step) => !["scale", "flatten"].includes(step.op));
  if (real.length !== 1 || real[0].op !== "linear") return null;
  const weight = arrays[real[0].weight];
  return weight.length % (height * width) === 0 ? weight : null;
}
