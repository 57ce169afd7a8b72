// A calibrated support vector machine, one class against one: CalibratedMachine in modules.py.
"use strict";

function supportVectors(shape, step, arrays) {
  const n = sizeOf(shape);
  const [coefficients, intercepts] = [arrays[step.coefficients], arrays[step.intercepts]];
  const nVectors = coefficients.length / intercepts.length;
  const scaled = scaledRows(n, step, arrays);
  const vectors = step.areLevels ? scaled(arrays[step.vectors]) : arrays[step.vectors];
  const halves = halfSquares(vectors, nVectors);
  const nClasses = Math.max(arrays[step.sigmoids].length / 2, 2);
  const out = new Float32Array(nClasses);
  const kernel = new Float64Array(nVectors);
  const run = (levels) => {
    const row = scaled(levels);
    const half = halfSquares(row, 1)[0];
    for (let s = 0, at = 0; s < nVectors; s++) {
      let product = 0;
      for (let i = 0; i < n; i++) product += vectors[at++] * row[i];
      kernel[s] = Math.exp(Math.min(2 * step.gamma * (product - halves[s] - half), 0));
    }
    const pairs = Float64Array.from(intercepts, (intercept, pair) => {
      let sum = intercept;
      for (let s = 0, at = pair * nVectors; s < nVectors; s++) sum += kernel[s] * coefficients[at++];
      return sum;
    });
    const p = calibrated(pairs, arrays[step.sigmoids]);
    out.set(p.map((value) => Math.log(Math.max(value, LEAST))));
    return out;
  };
  return { shape: flat(nClasses), run };
}

// Grey levels to what the machine was trained on; one shift for all pixels, or one for each.
function scaledRows(n, step, arrays) {
  const [shift, inverse] = [arrays[step.shift], arrays[step.inverse]];
  const of = (values, i) => values[values.length === 1 ? 0 : i % n];
  return (levels) => {
    const rows = new Float32Array(levels.length);
    for (let i = 0; i < rows.length; i++) rows[i] = (levels[i] - of(shift, i)) * of(inverse, i);
    return rows;
  };
}

function halfSquares(rows, nRows) {
  const n = rows.length / nRows;
  return Float64Array.from({ length: nRows }, (_, row) => {
    let sum = 0;
    for (let i = row * n; i < (row + 1) * n; i++) sum += rows[i] * rows[i];
    return sum / 2;
  });
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
