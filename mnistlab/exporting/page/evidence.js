// What the networks see, what in it speaks for the answer, and which training images are near.
"use strict";

const SEEN_LABEL = "The image that the networks see";
const MAP_LABEL = "The same image, coloured by what speaks for the answer";

function evidence(page, arrayOf) {
  const { height, width, classes } = page;
  const blank = new Uint8Array(height * width).fill(page.ground);
  let seen = blank;
  const clearMap = () => {
    paint(byId("map"), seen, height, width);
    byId("map").ariaLabel = MAP_LABEL;
    byId("map-text").textContent = "";
  };
  const forget = () => {
    byId("nearest").replaceChildren();
    byId("nearest-text").textContent = byId("notice").textContent = "";
  };
  const showSeen = (image, isBlank, label) => {
    seen = image;
    paint(byId("seen"), image, height, width);
    byId("seen").ariaLabel = isBlank ? SEEN_LABEL : `${SEEN_LABEL}: ${inkText(page, image)}`;
    clearMap();
    if (isBlank) forget();
    else byId("map-text").textContent = "What speaks for the answer is computed when the pen rests.";
    byId("seen-text").textContent = isBlank
      ? "Draw something."
      : `${height} × ${width} pixels` + (label === null ? "" : `, labelled ${classes[label]}`);
  };
  const showMap = ({ map, best, likeness, chosen }) => {
    paintSigned(byId("map"), map, height, width, seen);
    byId("map").ariaLabel = `${MAP_LABEL}, ${classes[best]}: ${placesText(map, height, width)}`;
    byId("map-text").textContent = mapText(classes[best], likeness, page.networks[chosen].name);
  };
  return { showSeen, showMap, showNear: nearestImages(page, arrayOf) };
}

function nearestImages(page, arrayOf) {
  const { references, height, width, classes, networks } = page;
  byId("near").hidden = references === null;
  if (references === null) return () => {};
  const all = arrayOf(references.pixels);
  return ({ shown, isUnlike, isOfPixels, chosen }) => {
    const images = shown.map((i) => {
      const image = all.subarray(i * height * width, (i + 1) * height * width);
      const canvas = paint(made("canvas"), image, height, width);
      const name = classes[references.labels[i]];
      return made("div", { role: "listitem" }, canvas, name);
    });
    byId("nearest").replaceChildren(...images);
    byId("nearest-text").textContent =
      `to ${networks[chosen].name}, among ${count(references.labels.length)}` +
      (isOfPixels ? ", pixel by pixel" : "");
    return (byId("notice").textContent = isUnlike ? unlikeText(networks[chosen].name) : "");
  };
}

// In words what the two images show: where there is ink, and where it counts.
function inkText({ height, width, ground }, image) {
  const rows = [];
  const columns = [];
  image.forEach((level, i) => {
    if (Math.abs(level - ground) < LEAST_INK) return;
    rows.push(Math.floor(i / width));
    columns.push(i % width);
  });
  const range = (places, n) =>
    `${Math.round((100 * Math.min(...places)) / n)} to ${Math.round((100 * (Math.max(...places) + 1)) / n)} %`;
  return rows.length
    ? `ink from ${range(columns, width)} across and ${range(rows, height)} down`
    : "hardly any ink";
}

const LEAST_INK = 32; // levels from the ground, of 255
const PLACES = ["top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom", "bottom right"];

function placesText(map, height, width) {
  const sums = new Float64Array(PLACES.length);
  map.forEach((value, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    sums[3 * Math.floor((3 * row) / height) + Math.floor((3 * column) / width)] += value;
  });
  const worst = argmax(sums.map((sum) => -sum));
  const against = sums[worst] < 0 ? `, most against it: ${PLACES[worst]}` : "";
  return `most for it: ${PLACES[argmax(sums)]}${against}`;
}

const unlikeText = (name) =>
  `This is unlike the images that ${name} was trained on: it is further from them than 99 of 100 ` +
  "real images are. Do not trust the answer.";

function mapText(name, likeness, network) {
  const check =
    likeness < 0.5
      ? "The map shows what the network has learnt"
      : "The map says more about the drawing than about what the network has learnt";
  return (
    `By how much less sure ${network} is of ${name} where a small square is covered. ${check}: ` +
    `maps of the same network with its last weights shuffled have a correlation of ` +
    `${likeness.toFixed(2)} with it, on average and whatever the sign.`
  );
}
