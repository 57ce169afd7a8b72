// From any picture to the image a network was trained on: mnistlab/data/preparing.py, pixel for pixel.
//
// A picture is { height, width, levels }, levels row by row from 0 to 255. All numbers are whole and
// far below 2^53, so that they are exact here as they are in NumPy.
"use strict";

const SIDE = 28; // of MNIST's and Fashion-MNIST's images
const DIGIT_SIDE = 20; // longest side of a digit
const CENTRE = 14; // the pixel on which a digit's centre of mass is placed
const INK = 32; // a level from which on a pixel belongs to what is shown
const LEAST_CONTRAST = 16; // a picture with less shows nothing

function prepareDigit(picture) {
  const digit = scaledInk(picture, DIGIT_SIDE);
  if (digit === null) return new Uint8Array(SIDE * SIDE);
  const rows = new Array(digit.height).fill(0);
  const columns = new Array(digit.width).fill(0);
  digit.levels.forEach((level, place) => {
    rows[Math.floor(place / digit.width)] += level;
    columns[place % digit.width] += level;
  });
  return placed(digit, start(rows), start(columns));
}

function prepareGarment(picture) {
  const garment = scaledInk(picture, SIDE);
  if (garment === null) return new Uint8Array(SIDE * SIDE);
  const { height, width } = garment;
  return placed(garment, Math.floor((SIDE - height) / 2), Math.floor((SIDE - width) / 2));
}

// The ink of a picture, cut out and scaled; null where there is none.
function scaledInk(picture, side) {
  const ink = inkOf(picture);
  const box = boxOf(ink);
  return box === null ? null : scaled(cut(ink, box), side);
}

function inkOf(picture) {
  const { height, width, levels } = picture;
  const border = groundLevel(picture);
  const ground = border > 127 ? 255 - border : border;
  const ink = new Int32Array(levels.length);
  let most = 0;
  for (let i = 0; i < ink.length; i++) {
    ink[i] = border > 127 ? 255 - levels[i] : levels[i];
    if (ink[i] > most) most = ink[i];
  }
  const contrast = most - ground;
  if (contrast < LEAST_CONTRAST) ink.fill(0);
  else
    for (let i = 0; i < ink.length; i++)
      ink[i] = ink[i] > ground ? Math.floor(((ink[i] - ground) * 255) / contrast) : 0;
  return { height, width, levels: ink };
}

// The lower median of the outermost pixels.
function groundLevel({ height, width, levels }) {
  const border = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (isOutermost(y, height) || isOutermost(x, width)) border.push(levels[y * width + x]);
  border.sort((a, b) => a - b);
  return border[Math.floor((border.length - 1) / 2)];
}

const isOutermost = (place, side) => place === 0 || place === side - 1;

function boxOf({ height, width, levels }) {
  let [top, left, bottom, right] = [height, width, 0, 0];
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (levels[i++] < INK) continue;
      top = Math.min(top, y);
      left = Math.min(left, x);
      bottom = y + 1;
      right = Math.max(right, x + 1);
    }
  return bottom === 0 ? null : { top, left, bottom, right };
}

function cut({ width, levels }, { top, left, bottom, right }) {
  const inside = [];
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) inside.push(levels[y * width + x]);
  return { height: bottom - top, width: right - left, levels: inside };
}

// The mean of areas, in proportion, the longest side `side`; halves are rounded upwards.
function scaled({ height, width, levels }, side) {
  const longest = Math.max(height, width);
  const newSide = (old) => Math.max(1, Math.floor((2 * side * old + longest) / (2 * longest)));
  const [rows, columns] = [coverage(newSide(height), height), coverage(newSide(width), width)];
  const area = height * width;
  const means = [];
  for (const row of rows)
    for (const column of columns) {
      let sum = 0;
      for (const [y, high] of row)
        for (const [x, wide] of column) sum += high * wide * levels[y * width + x];
      means.push(Math.floor((2 * sum + area) / (2 * area)));
    }
  return { height: rows.length, width: columns.length, levels: means };
}

// For each of n new pixels the old ones it covers, and by how many n-ths of a pixel.
function coverage(nNew, nOld) {
  return Array.from({ length: nNew }, (_, i) => {
    const covered = [];
    for (let j = Math.floor((i * nOld) / nNew); j < nOld && j * nNew < (i + 1) * nOld; j++) {
      const end = Math.min((i + 1) * nOld, (j + 1) * nNew);
      const part = end - Math.max(i * nOld, j * nNew);
      if (part > 0) covered.push([j, part]);
    }
    return covered;
  });
}

// Where the first row must lie for the rows' centre of mass to lie on CENTRE.
function start(sums) {
  const mass = sums.reduce((total, sum) => total + sum, 0);
  const moment = sums.reduce((total, sum, place) => total + sum * place, 0);
  const first = Math.floor((2 * (CENTRE * mass - moment) + mass) / (2 * mass));
  return Math.min(Math.max(first, 0), SIDE - sums.length);
}

function placed({ height, width, levels }, top, left) {
  const image = new Uint8Array(SIDE * SIDE);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) image[(top + y) * SIDE + left + x] = levels[y * width + x];
  return image;
}
