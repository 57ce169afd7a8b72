// Answers requests, the newest first of all: older ones are dropped. In a worker where there is
// one, so that strokes never wait; else in small pieces beside them.
"use strict";

const SLICE_MS = 12; // of work, after which newer requests are looked for
const REST_MS = 250; // of a pen at rest, before what takes longer begins

function answering(post) {
  let page = null;
  let newest = null;
  let isBusy = false;
  let wake = () => {};
  const pause = (ms) => new Promise((done) => ((wake = done), setTimeout(done, ms)));
  const answer = async (request) => {
    let since = performance.now();
    for (const reply of stages(page, request)) {
      if (reply) post({ id: request.id, ...reply });
      if (!reply?.rest && performance.now() - since < SLICE_MS) continue;
      await pause(reply?.rest ?? 0);
      if (newest) return;
      since = performance.now();
    }
  };
  return async (message) => {
    if (message.kind === "load") {
      page = loaded(message);
      return;
    }
    newest = message;
    wake();
    if (isBusy) return;
    isBusy = true;
    while (newest) {
      const request = newest;
      newest = null;
      await answer(request);
    }
    isBusy = false;
  };
}

function loaded({ facts, buffer }) {
  const networks = facts.networks.map((network) => runnable(network, buffer, facts));
  const references = facts.references && neighbours(facts, arrayAt(buffer, facts.references.pixels));
  return { ...facts, networks, references };
}

// A run of the page as something that answers: its network, or the mean of its members.
function runnable({ members, temperature }, buffer, facts) {
  const made = members.map((program) => {
    const arrays = program.arrays.map((place) => arrayAt(buffer, place));
    const weights = weightImages(program, arrays, facts);
    return { weights, ...networkOf(program, arrays, facts.height, facts.width) };
  });
  if (made.length === 1 && temperature === 1) return made[0];
  return ensembleOf(made, members.map(({ weight }) => weight), temperature);
}

// The replies to one request: answers at once, then, of the chosen network, what takes longer.
function* stages(page, { picture, image, chosen, isInside }) {
  const seen = image ?? inputOf(page, picture);
  const isBlank = seen.every((level) => level === seen[0]);
  const answers = isBlank ? null : page.networks.map((network) => timed(network, seen));
  yield { kind: "answers", image: seen, answers, rest: picture ? REST_MS : 1 };
  yield { kind: "rested", answers };
  const network = page.networks[chosen];
  if (isInside) {
    const layers = network.activations(seen);
    yield { kind: "inside", chosen, layers, weights: network.weights };
  }
  if (isBlank) {
    if (page.references) for (const each of page.networks) yield* page.references.prepare(each);
    return;
  }
  if (page.references) yield* comparisons(page, seen, chosen);
  const found = yield* occlusion(network, seen, page);
  yield { kind: "speaks", chosen, ...found };
}

// First the images near for the chosen network, then which networks find the image unlike theirs.
function* comparisons({ networks, references }, image, chosen) {
  const { thresholds } = references;
  const near = yield* references.near(networks[chosen], image);
  const { isOfPixels } = networks[chosen];
  yield { kind: "near", chosen, ...near, isOfPixels, isUnlike: near.distance > thresholds[chosen] };
  const isUnlike = [];
  for (const [i, network] of networks.entries()) {
    const { distance } = yield* references.near(network, image);
    isUnlike.push(distance > thresholds[i]);
  }
  yield { kind: "unlike", isUnlike };
}

function timed(network, image) {
  const start = performance.now();
  const probabilities = network.probabilities(image);
  return { probabilities, ms: performance.now() - start };
}

// As the makers of the data prepared theirs; of other data the picture scaled to its size.
function inputOf({ preparation, height, width }, picture) {
  if (preparation === "digit") return prepareDigit(picture);
  if (preparation === "garment") return prepareGarment(picture);
  const image = new Uint8Array(height * width);
  const small = scaled(picture, Math.max(height, width));
  const [top, left] = [(height - small.height) >> 1, (width - small.width) >> 1];
  for (let y = Math.max(0, -top); y < Math.min(small.height, height - top); y++)
    for (let x = Math.max(0, -left); x < Math.min(small.width, width - left); x++)
      image[(top + y) * width + left + x] = small.levels[y * small.width + x];
  return image;
}

if (typeof document === "undefined") {
  const answer = answering((reply) => postMessage(reply));
  onmessage = ({ data }) => answer(data);
}
