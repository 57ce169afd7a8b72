// Each layer as { shape, run }: run takes a Float32Array, channel by channel, and fills its own.
//
// Numbers between layers have 32 bits, as the network was trained with; sums within have 64.
"use strict";

const LAYERS = {
  scale,
  convolution,
  residual,
  normalise,
  linear,
  softmax: (shape) => {
    const out = new Float32Array(sizeOf(shape));
    return { shape, run: (values) => (out.set(softmax(values, 1)), out) };
  },
  relu: (shape, { slope }) => pointwise(shape, (value) => (value > 0 ? value : slope * value)),
  tanh: (shape) => pointwise(shape, Math.tanh),
  sigmoid: (shape) => pointwise(shape, sigmoid),
  flatten: (shape) => ({ shape: flat(sizeOf(shape)), run: (values) => values }),
  "max-pool": maxPool,
  "support-vectors": supportVectors,
};

const sizeOf = ({ channels, height, width }) => channels * height * width;
const flat = (n) => ({ channels: n, height: 1, width: 1 });
const sigmoid = (value) => 1 / (1 + Math.exp(-value));

function pointwise(shape, change) {
  const out = new Float32Array(sizeOf(shape));
  const run = (values) => {
    for (let i = 0; i < out.length; i++) out[i] = change(values[i]);
    return out;
  };
  return { shape, run };
}

// One number for all pixels, or one for each.
function scale(shape, step, arrays) {
  const spread = (values) =>
    values.length === 1 ? new Float32Array(sizeOf(shape)).fill(values[0]) : values;
  const [shift, divisor] = [spread(arrays[step.shift]), spread(arrays[step.scale])];
  const out = new Float32Array(sizeOf(shape));
  const run = (values) => {
    for (let i = 0; i < out.length; i++) out[i] = (values[i] - shift[i]) / divisor[i];
    return out;
  };
  return { shape, run };
}

function normalise(shape, step, arrays) {
  const [factor, offset, slope] = [arrays[step.factor], arrays[step.offset], step.slope ?? 1];
  const [out, area] = [new Float32Array(sizeOf(shape)), shape.height * shape.width];
  const run = (values) => {
    for (let channel = 0, i = 0; channel < shape.channels; channel++)
      for (let end = i + area; i < end; i++) {
        const value = values[i] * factor[channel] + offset[channel];
        out[i] = value > 0 ? value : slope * value;
      }
    return out;
  };
  return { shape, run };
}

function residual(shape, step, arrays) {
  const layers = layersOf(step.steps, shape, arrays);
  const out = new Float32Array(sizeOf(shape));
  return {
    shape,
    run(values) {
      const change = run(layers, values);
      for (let i = 0; i < out.length; i++) out[i] = values[i] + change[i];
      return out;
    },
  };
}

function linear(shape, step, arrays) {
  const [weight, bias, slope] = [arrays[step.weight], arrays[step.bias], step.slope ?? 1];
  const n = sizeOf(shape);
  const out = new Float32Array(weight.length / n);
  const run = (values) => {
    for (let row = 0, at = 0; row < out.length; row++) {
      let sum = bias ? bias[row] : 0;
      for (let i = 0; i < n; i++) sum += weight[at++] * values[i];
      out[row] = sum > 0 ? sum : slope * sum;
    }
    return out;
  };
  return { shape: flat(out.length), run };
}

// One matrix product: weights (channels, depth) by what each place sees (depth, places).
// Both lie so that the product's inner loop reads them one after the other, two channels and
// four places at a time: eight sums stay in registers.
function convolution(shape, step, arrays) {
  const { channels } = step;
  const sides = ["height", "width"].map((side, i) =>
    Math.floor((shape[side] + 2 * step.padding[i] - step.kernel[i]) / step.stride[i]) + 1,
  );
  const [height, width] = sides;
  const depth = shape.channels * step.kernel[0] * step.kernel[1];
  const weights = inPairs(arrays[step.weight], channels, depth);
  const bias = step.bias === undefined ? new Float32Array(channels) : arrays[step.bias];
  const sources = placesSeen(shape, step, height, width);
  const columns = new Float64Array(sources.length);
  const out = new Float32Array(channels * height * width);
  const slope = step.slope ?? 1;
  const run = (values) => {
    for (let i = 0; i < sources.length; i++) columns[i] = sources[i] < 0 ? 0 : values[sources[i]];
    multiply(weights, columns, depth, bias, slope, out);
    return out;
  };
  return { shape: { channels, height, width }, run };
}

// (channels, depth) to (channels / 2, depth, 2), zeros where a channel is missing.
function inPairs(weight, channels, depth) {
  const pairs = new Float64Array(2 * Math.ceil(channels / 2) * depth);
  for (let channel = 0, i = 0; channel < channels; channel++)
    for (let k = 0; k < depth; k++)
      pairs[(channel - (channel % 2)) * depth + 2 * k + (channel % 2)] = weight[i++];
  return pairs;
}

// For each place of the result the pixels that its filter covers, -1 for those outside:
// (places / 4, depth, 4).
function placesSeen(shape, { kernel, stride, padding }, height, width) {
  const depth = shape.channels * kernel[0] * kernel[1];
  const seen = new Int32Array(4 * Math.ceil((height * width) / 4) * depth).fill(-1);
  for (let place = 0; place < height * width; place++) {
    const top = Math.floor(place / width) * stride[0] - padding[0];
    const left = (place % width) * stride[1] - padding[1];
    let at = (place - (place % 4)) * depth + (place % 4);
    for (let channel = 0; channel < shape.channels; channel++)
      for (let y = top; y < top + kernel[0]; y++)
        for (let x = left; x < left + kernel[1]; x++, at += 4)
          if (y >= 0 && y < shape.height && x >= 0 && x < shape.width)
            seen[at] = (channel * shape.height + y) * shape.width + x;
  }
  return seen;
}

// No arrays are made in here and nothing is destructured: that costs three times the product.
function multiply(weights, columns, depth, bias, slope, out) {
  const area = out.length / bias.length;
  for (let place = 0; place < area; place += 4)
    for (let channel = 0; channel < bias.length; channel += 2) {
      let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
      for (let k = 0, w = channel * depth, c = place * depth; k < depth; k++, w += 2, c += 4) {
        const c0 = columns[c], c1 = columns[c + 1], c2 = columns[c + 2], c3 = columns[c + 3];
        const first = weights[w], second = weights[w + 1];
        a0 += first * c0;
        a1 += first * c1;
        a2 += first * c2;
        a3 += first * c3;
        b0 += second * c0;
        b1 += second * c1;
        b2 += second * c2;
        b3 += second * c3;
      }
      const n = Math.min(4, area - place);
      store(out, channel * area + place, n, bias[channel], slope, a0, a1, a2, a3);
      if (channel + 1 < bias.length)
        store(out, (channel + 1) * area + place, n, bias[channel + 1], slope, b0, b1, b2, b3);
    }
}

function store(out, at, n, bias, slope, s0, s1, s2, s3) {
  out[at] = rectified(s0 + bias, slope);
  if (n > 1) out[at + 1] = rectified(s1 + bias, slope);
  if (n > 2) out[at + 2] = rectified(s2 + bias, slope);
  if (n > 3) out[at + 3] = rectified(s3 + bias, slope);
}

const rectified = (value, slope) => (value > 0 ? value : slope * value);

function maxPool(shape, { kernel }) {
  const { channels } = shape;
  const height = Math.floor(shape.height / kernel[0]);
  const width = Math.floor(shape.width / kernel[1]);
  const out = new Float32Array(channels * height * width);
  const run = (values) => {
    for (let channel = 0, at = 0; channel < channels; channel++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const corner = (channel * shape.height + y * kernel[0]) * shape.width + x * kernel[1];
          let most = values[corner];
          for (let i = 0; i < kernel[0]; i++)
            for (let j = corner + i * shape.width, end = j + kernel[1]; j < end; j++)
              if (values[j] > most) most = values[j];
          out[at++] = most;
        }
    return out;
  };
  return { shape: { channels, height, width }, run };
}
