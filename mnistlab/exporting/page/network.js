// A trained network, step by step: mnistlab/exporting/program.py says what the steps are.
//
// Between steps the image is { channels, height, width, data }, data channel by channel in a
// Float32Array: 32 bits, as the network was trained with, so that its answers are the same.
"use strict";

// Grey levels of one image, row by row, to the probabilities of the classes.
function probabilities(program, levels) {
  return softmax(logits(program, levels).data, program.temperature);
}

function logits({ steps, arrays, padding, height, width }, levels) {
  const image = { channels: 1, height, width, data: Float32Array.from(levels) };
  return runSteps(steps, padded(image, padding), arrays);
}

function runSteps(steps, image, arrays) {
  return steps.reduce((before, step) => OPERATIONS[step.op](before, step, arrays), image);
}

const OPERATIONS = {
  scale(image, step, arrays) {
    const [shift, scale] = [arrays[step.shift], arrays[step.scale]];
    // One number for all pixels, or one for each.
    const of = (values, i) => values[values.length === 1 ? 0 : i];
    return mapped(image, (value, i) => (value - of(shift, i)) / of(scale, i));
  },
  relu: (image, { slope }) => mapped(image, (value) => (value > 0 ? value : slope * value)),
  tanh: (image) => mapped(image, Math.tanh),
  sigmoid: (image) => mapped(image, sigmoid),
  flatten: (image) => vector(image.data),
  residual(image, step, arrays) {
    const change = runSteps(step.steps, image, arrays).data;
    return mapped(image, (value, i) => value + change[i]);
  },
  normalise(image, step, arrays) {
    const [factor, offset] = [arrays[step.factor], arrays[step.offset]];
    const area = image.height * image.width;
    return mapped(image, (value, i) => {
      const channel = Math.floor(i / area);
      return value * factor[channel] + offset[channel];
    });
  },
  linear(image, step, arrays) {
    const [weight, bias] = [arrays[step.weight], arrays[step.bias]];
    const n = image.data.length;
    const sums = new Float32Array(weight.length / n);
    for (let row = 0; row < sums.length; row++) {
      let sum = bias ? bias[row] : 0;
      for (let i = 0, at = row * n; i < n; i++, at++) sum += weight[at] * image.data[i];
      sums[row] = sum;
    }
    return vector(sums);
  },
  convolution,
  "max-pool": maxPool,
  "support-vectors": supportVectors,
};

function convolution(image, step, arrays) {
  const { stride, kernel, channels } = step;
  const [weight, bias] = [arrays[step.weight], arrays[step.bias]];
  const [down, right] = step.padding;
  const input = padded(image, [right, right, down, down]);
  const height = Math.floor((input.height - kernel[0]) / stride[0]) + 1;
  const width = Math.floor((input.width - kernel[1]) / stride[1]) + 1;
  const data = new Float32Array(channels * height * width);
  let w = 0; // weights lie in the order in which they are used here
  for (let channel = 0; channel < channels; channel++) {
    const out = data.subarray(channel * height * width, (channel + 1) * height * width);
    if (bias) out.fill(bias[channel]);
    for (let from = 0; from < image.channels; from++)
      for (let i = 0; i < kernel[0]; i++)
        for (let j = 0; j < kernel[1]; j++) {
          const factor = weight[w++];
          for (let y = 0, at = 0; y < height; y++) {
            let source = (from * input.height + y * stride[0] + i) * input.width + j;
            for (let x = 0; x < width; x++, at++, source += stride[1])
              out[at] += factor * input.data[source];
          }
        }
  }
  return { channels, height, width, data };
}

function maxPool(image, { kernel }) {
  const height = Math.floor(image.height / kernel[0]);
  const width = Math.floor(image.width / kernel[1]);
  const data = new Float32Array(image.channels * height * width).fill(-Infinity);
  for (let channel = 0, at = 0; channel < image.channels; channel++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++, at++)
        for (let i = 0; i < kernel[0]; i++)
          for (let j = 0; j < kernel[1]; j++) {
            const row = channel * image.height + y * kernel[0] + i;
            data[at] = Math.max(data[at], image.data[row * image.width + x * kernel[1] + j]);
          }
  return { channels: image.channels, height, width, data };
}

// One against one, then votes, then a sigmoid for each class: CalibratedMachine in modules.py.
function supportVectors(image, step, arrays) {
  const of = (name, i) => arrays[step[name]][arrays[step[name]].length === 1 ? 0 : i];
  const row = image.data.map((value, i) => (value - of("shift", i)) * of("inverse", i));
  const half = row.reduce((sum, value) => sum + value * value, 0) / 2;
  const [vectors, halves] = [arrays[step.vectors], arrays[step.half_squares]];
  const [coefficients, intercepts] = [arrays[step.coefficients], arrays[step.intercepts]];
  const pairs = Float64Array.from(intercepts);
  for (let s = 0, at = 0; s < halves.length; s++) {
    let product = 0;
    for (let i = 0; i < row.length; i++, at++) product += vectors[at] * row[i];
    const value = Math.exp(Math.min(2 * step.gamma * (product - halves[s] - half), 0));
    for (let p = 0; p < pairs.length; p++) pairs[p] += value * coefficients[s * pairs.length + p];
  }
  const p = calibrated(pairs, arrays[step.sigmoids]);
  return vector(Float32Array.from(p, (value) => Math.log(Math.max(value, 1.1754944e-38))));
}

function calibrated(pairs, sigmoids) {
  if (sigmoids.length === 2) {
    const second = sigmoid(-(pairs[0] * sigmoids[0] + sigmoids[1]));
    return [1 - second, second];
  }
  const n = sigmoids.length / 2;
  const [votes, sums] = [new Array(n).fill(0), new Array(n).fill(0)];
  for (let first = 0, p = 0; first < n; first++)
    for (let second = first + 1; second < n; second++, p++) {
      votes[pairs[p] > 0 ? first : second] += 1;
      sums[first] += pairs[p];
      sums[second] -= pairs[p];
    }
  const p = votes.map((vote, k) => {
    const decision = vote + sums[k] / (3 * (Math.abs(sums[k]) + 1));
    return sigmoid(-(decision * sigmoids[2 * k] + sigmoids[2 * k + 1]));
  });
  const total = p.reduce((sum, value) => sum + value, 0);
  return p.map((value) => value / total);
}

function softmax(values, temperature) {
  const most = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const powers = Array.from(values, (value) => Math.exp((value - most) / temperature));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

// With zeros around: left, right, top, bottom.
function padded(image, [left, right, top, bottom]) {
  if (!(left || right || top || bottom)) return image;
  const [height, width] = [image.height + top + bottom, image.width + left + right];
  const data = new Float32Array(image.channels * height * width);
  for (let channel = 0; channel < image.channels; channel++)
    for (let y = 0; y < image.height; y++) {
      const from = (channel * image.height + y) * image.width;
      const to = (channel * height + top + y) * width + left;
      data.set(image.data.subarray(from, from + image.width), to);
    }
  return { channels: image.channels, height, width, data };
}

const sigmoid = (value) => 1 / (1 + Math.exp(-value));
const mapped = (image, change) => ({ ...image, data: image.data.map(change) });
const vector = (data) => ({ channels: data.length, height: 1, width: 1, data });
