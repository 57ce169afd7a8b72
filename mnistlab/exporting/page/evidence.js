// What the networks see, what in it speaks for the answer, and which training images are near.
"use strict";

function evidence(page, arrayOf) {
  const { height, width, classes } = page;
  const blank = new Uint8Array(height * width).fill(page.ground);
  let seen = blank;
  const clearMap = () => {
    paint(byId("map"), seen, height, width);
    byId("map-text").textContent = "";
  };
  const forget = () => {
    byId("nearest").replaceChildren();
    byId("nearest-text").textContent = byId("notice").textContent = "";
  };
  const showSeen = (image, isBlank, label) => {
    seen = image;
    paint(byId("seen"), image, height, width);
    clearMap();
    if (isBlank) forget();
    byId("seen-text").textContent = isBlank
      ? "Draw something."
      : `${height} × ${width} pixels` + (label === null ? "" : `, labelled ${classes[label]}`);
  };
  const showMap = ({ map, best, correlation, chosen }) => {
    paintSigned(byId("map"), map, height, width, seen);
    byId("map-text").textContent = mapText(classes[best], correlation, page.networks[chosen].name);
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
      return made("div", {}, canvas, name);
    });
    byId("nearest").replaceChildren(...images);
    byId("nearest-text").textContent =
      `to ${networks[chosen].name}, among ${count(references.labels.length)}` +
      (isOfPixels ? ", pixel by pixel" : "");
    byId("notice").textContent = isUnlike ? unlikeText(networks[chosen].name) : "";
  };
}

const unlikeText = (name) =>
  `This is unlike the images that ${name} was trained on: they are further away than they are ` +
  `from 99 of 100 real images. Do not trust the answer.`;

function mapText(name, correlation, network) {
  const r = correlation.toFixed(2);
  const check =
    Math.abs(correlation) < 0.5
      ? `so the map shows what the network has learnt`
      : `so the map says more about the picture than about what the network has learnt`;
  return (
    `Blue speaks for ${name}, orange against it: by how much ${network} is less sure where a ` +
    `small square is covered. Check: with shuffled weights in its last layer the map has a ` +
    `correlation of ${r} with this one, ${check}.`
  );
}
