// Small images on canvases, and other small things that every part of the page uses.
"use strict";

const byId = (id) => document.getElementById(id);
const percent = (fraction) => `${(100 * fraction).toFixed(fraction < 0.9995 ? 1 : 0)} %`;
const count = (n) => n.toLocaleString("en");
// Colours that are seen on black and on white: for, against.
const SIGNS = [
  [72, 160, 255],
  [255, 128, 48],
];

// An element with properties and children.
function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function painted(canvas, height, width, colour) {
  [canvas.width, canvas.height] = [width, height];
  const pixels = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) pixels.data.set([...colour(i), 255], 4 * i);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

// Grey levels from 0 to 255.
function paint(canvas, image, height, width) {
  return painted(canvas, height, width, (i) => [image[i], image[i], image[i]]);
}

// Numbers of any size: black is 0, blue above, orange below; an image under them where given.
function paintSigned(canvas, values, height, width, image = null) {
  const most = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  return painted(canvas, height, width, (i) => {
    const part = Math.abs(values[i]) / most;
    const under = image ? 0.55 * image[i] : 0;
    return SIGNS[values[i] >= 0 ? 0 : 1].map((full) => under * (1 - part) + full * part);
  });
}

// Activations from the least, black, to the greatest, white.
function paintRange(canvas, values, height, width) {
  const [least, most] = [Math.min(...values, 0), Math.max(...values)];
  return painted(canvas, height, width, (i) => {
    const level = (255 * (values[i] - least)) / (most - least || 1);
    return [level, level, level];
  });
}

// A button with an image on it.
function imageButton(image, { height, width }, label, onPick) {
  const canvas = paint(made("canvas"), image, height, width);
  const button = made("button", { type: "button", title: label, onclick: onPick }, canvas);
  button.setAttribute("aria-label", label);
  button.setAttribute("aria-pressed", "false");
  return button;
}

function pressOnly(chosen) {
  for (const button of document.querySelectorAll('[aria-pressed="true"]'))
    if (button !== chosen) button.setAttribute("aria-pressed", "false");
  chosen?.setAttribute("aria-pressed", "true");
}
