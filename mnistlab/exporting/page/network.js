// A trained network: mnistlab/exporting/program.py says what its steps are. An ensemble of them is in
// ensemble.js.
//
// It is made once for one size of images; every layer has its own buffer, so that an answer
// allocates next to nothing. What a function returns is overwritten by the next call.
"use strict";

const LAST_STEPS = ["linear", "support-vectors"]; // what enters the last of them are the features

function networkOf(program, arrays, height, width) {
  const frame = framed(height, width, program.padding);
  const nBefore = program.steps.findLastIndex((step) => LAST_STEPS.includes(step.op));
  const before = layersOf(program.steps.slice(0, nBefore), frame.shape, arrays);
  const inner = before.length ? before.at(-1).shape : frame.shape;
  const after = layersOf(program.steps.slice(nBefore), inner, arrays);
  const views = viewsOf(program.views, frame.shape);
  const { temperature } = program;
  // Where nothing is learnt before the last layer, images are compared by their pixels.
  const isOfPixels = before.every(({ op }) => ["scale", "flatten"].includes(op));

  // Grey levels of one image, row by row, to what enters the last layer.
  const features = (levels) => run(before, frame.run(levels));
  const head = (values) => run(after, values);
  const probabilities = (levels) => {
    const image = frame.run(levels);
    if (views.length === 1) return softmax(head(run(before, image)), temperature);
    const seen = views.map((view) => softmax(head(run(before, view(image))), 1));
    const mean = weightedMean(seen, views.map(() => 1 / views.length));
    return softmax(logsOf(mean), temperature);
  };
  // A function from grey levels to the network's logits, then those of the same network with the
  // weights of its head in random orders: what these answer says nothing of the classes.
  const besideShuffled = () => {
    const { weight, coefficients } = program.steps[nBefore];
    const at = weight ?? coefficients;
    const shuffled = Array.from({ length: weight === undefined ? 1 : N_SHUFFLED }, (_, seed) => {
      const mixed = arrays.with(at, shuffledCopy(arrays[at], seed));
      return layersOf(program.steps.slice(nBefore), inner, mixed);
    });
    return (levels) => {
      const values = features(levels).slice();
      return [after, ...shuffled].map((layers) => Array.from(run(layers, values)));
    };
  };
  const activations = (levels) => {
    let values = frame.run(levels);
    return [...before, ...after].map((layer) => {
      values = layer.run(values);
      return { op: layer.op, shape: layer.shape, values: values.slice() };
    });
  };
  return { features, probabilities, besideShuffled, activations, isOfPixels, temperature };
}

const N_SHUFFLED = 8; // of a machine one, which takes as long as eight
const LEAST = 1.1754944e-38; // the smallest float32

function layersOf(steps, shape, arrays) {
  return steps.map((step) => {
    const layer = LAYERS[step.op](shape, step, arrays);
    shape = layer.shape;
    return { op: step.op, ...layer };
  });
}

function run(layers, values) {
  for (const layer of layers) values = layer.run(values);
  return values;
}

// Levels as float32 with zeros around: left, right, top, bottom.
function framed(height, width, [left, right, top, bottom]) {
  const shape = { channels: 1, height: height + top + bottom, width: width + left + right };
  const out = new Float32Array(shape.height * shape.width);
  return {
    shape,
    run(levels) {
      for (let y = 0, i = 0; y < height; y++)
        for (let x = 0, at = (top + y) * shape.width + left; x < width; x++) out[at++] = levels[i++];
      return out;
    },
  };
}

// Every combination of the named views: training/fixed_views.py. A moved image has zeros behind.
const VIEWS = { flip: [[-1, 0, 0]], shift: [[1, -1, 0], [1, 1, 0], [1, 0, -1], [1, 0, 1]] };

function viewsOf(names, { height, width }) {
  let views = [(image) => image];
  for (const name of names)
    for (const first of [...views])
      for (const move of VIEWS[name]) {
        const then = moved(move, height, width);
        views.push((image) => then(first(image)));
      }
  return views;
}

function moved([direction, down, right], height, width) {
  const out = new Float32Array(height * width);
  return (image) => {
    out.fill(0);
    for (let y = Math.max(0, down); y < height + Math.min(0, down); y++)
      for (let x = Math.max(0, right); x < width + Math.min(0, right); x++) {
        const from = direction < 0 ? width - 1 - x : x - right;
        out[y * width + x] = image[(y - down) * width + from];
      }
    return out;
  };
}

const weightedMean = (all, weights) =>
  all[0].map((_, k) => all.reduce((sum, p, i) => sum + weights[i] * p[k], 0));

const logsOf = (probabilities) => probabilities.map((p) => Math.log(Math.max(p, LEAST)));

function softmax(logits, temperature) {
  const most = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  const powers = Array.from(logits, (value) => Math.exp((value - most) / temperature));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

// The same order each time (Numerical Recipes' generator; Fisher and Yates' shuffle).
function shuffledCopy(values, seed) {
  const copy = values.slice();
  let state = seed + 1;
  for (let i = copy.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}
