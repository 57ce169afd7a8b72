// What the networks see, what in it speaks for the answer, and which training images are near.
"use strict";

function evidence(page) {
  const { height, width, classes } = page;
  const blank = new Uint8Array(height * width).fill(page.ground);
  let seen = blank;
  const clearMap = () => {
    paint(byId("map"), seen, height, width);
    byId("map-text").textContent = "";
  };
  const showSeen = (image, isBlank, label) => {
    seen = image;
    paint(byId("seen"), image, height, width);
    clearMap();
    byId("seen-text").textContent = isBlank
      ? "Draw something."
      : `${height} × ${width} pixels` + (label === null ? "" : `, labelled ${classes[label]}`);
  };
  const showMap = ({ map, best, correlation, chosen }) => {
    paintSigned(byId("map"), map, height, width, seen);
    byId("map-text").textContent = mapText(classes[best], correlation, page.networks[chosen].name);
  };
  return { showSeen, showMap };
}

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
