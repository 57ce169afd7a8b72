// The drawing area: what is drawn with mouse, finger, pen or keys, or lies there as a picture.
"use strict";

const DRAWING_SIDE = 560; // pixels of the drawing itself, whatever its size on the screen
const READ_SIDE = 280; // pixels of it that are read: a quarter of the work, ten times what is seen
const KEY_STEP = 14; // of the pen moved by arrow keys
const MIDDLE = [DRAWING_SIDE / 2, DRAWING_SIDE / 2]; // where keys begin

// The drawing: a list of strokes, drawn anew at every change, so that each can be taken back.
function drawingArea(page, onChange) {
  const canvas = byId("drawing");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const [ground, ink] = page.ground > 127 ? ["#fff", "#000"] : ["#000", "#fff"];
  canvas.classList.toggle("paper", page.ground > 127);
  const state = { strokes: [], picture: null, stroke: null, key: null, isAsked: false, isNew: false };

  const draw = () => {
    // Beside a picture that is not square lies its own ground: black there would be ink.
    context.fillStyle = state.picture ? state.pictureGround : ground;
    context.fillRect(0, 0, DRAWING_SIDE, DRAWING_SIDE);
    if (state.picture) drawWhole(context, state.picture);
    context.strokeStyle = context.fillStyle = ink;
    context.lineCap = context.lineJoin = "round";
    for (const { width, points } of state.strokes) {
      context.lineWidth = width;
      context.beginPath();
      points.forEach(([x, y]) => context.lineTo(x, y));
      if (points.length === 1) context.lineTo(points[0][0] + 0.01, points[0][1]);
      context.stroke();
    }
  };
  const frame = () => {
    state.isAsked = false;
    draw();
    // Before the cursor, which is no ink. A stroke of keys is not finished while the pen is down.
    if (state.isNew) onChange(pictureIn(shrunk(canvas)), state.key !== null && state.stroke !== null);
    state.isNew = false;
    if (state.key) drawCursor(context, state.key);
  };
  // The pen has moved: the cursor is drawn anew, but no network is asked again.
  const moved = () => {
    // At most once a frame, so that the pen is never behind the hand.
    if (!state.isAsked) requestAnimationFrame(frame);
    state.isAsked = true;
  };
  const changed = () => {
    state.isNew = true;
    moved();
  };
  const begin = (point) => {
    state.stroke = { width: Number(byId("pen").value), points: [point] };
    state.strokes.push(state.stroke);
    changed();
  };
  const extend = (point) => {
    state.stroke.points.push(point);
    changed();
  };
  const undo = () => {
    if (state.strokes.length) state.strokes.pop();
    else state.picture = null;
    state.stroke = null; // a stroke that is taken back cannot go on
    changed();
  };
  const clear = () => {
    [state.strokes, state.picture, state.stroke] = [[], null, null];
    changed();
  };
  const place = (picture) => {
    [state.strokes, state.picture, state.stroke] = [[], picture, null];
    state.pictureGround = groundOf(picture);
    changed();
  };
  // A picture whose answers are asked for elsewhere, as it is.
  const lay = (picture) => {
    [state.strokes, state.picture, state.stroke] = [[], picture, null];
    state.pictureGround = groundOf(picture);
    draw();
  };
  listenToPointer(canvas, state, begin, extend);
  listenToKeys(canvas, state, { begin, extend, undo, clear, moved, changed });
  byId("undo").addEventListener("click", undo);
  byId("clear").addEventListener("click", clear);
  draw();
  return { canvas, place, lay, changed };
}

function listenToPointer(canvas, state, begin, extend) {
  const pointOf = (event) => {
    const box = canvas.getBoundingClientRect();
    const factor = DRAWING_SIDE / box.width;
    return [(event.clientX - box.left) * factor, (event.clientY - box.top) * factor];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return; // a second finger draws nothing
    canvas.setPointerCapture(event.pointerId);
    begin(pointOf(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!state.stroke || !event.isPrimary) return;
    const all = event.getCoalescedEvents?.() ?? []; // those between two frames too
    for (const each of all.length ? all : [event]) extend(pointOf(each));
  });
  for (const name of ["pointerup", "pointercancel"])
    canvas.addEventListener(name, ({ isPrimary }) => isPrimary && (state.stroke = null));
}

// To screen readers the drawing area is a slider: they pass the arrow keys of a slider to the page,
// which some do not for an "application", and say its value when it changes.
function listenToKeys(canvas, state, { begin, extend, undo, clear, moved, changed }) {
  const tell = () => {
    const at = state.key ?? MIDDLE;
    const [column, row] = at.map((place) => Math.round(place / KEY_STEP));
    // One number for each value: what has the same number as before is not said.
    const place = row * (DRAWING_SIDE / KEY_STEP + 1) + column;
    canvas.setAttribute("aria-valuenow", 2 * place + (state.stroke ? 1 : 0));
    const [across, down] = at.map((place) => Math.round((100 * place) / DRAWING_SIDE));
    const pen = state.stroke ? "down" : "up";
    canvas.setAttribute("aria-valuetext", `${across} % across, ${down} % down, pen ${pen}`);
  };
  tell();
  const easel = canvas.closest(".easel");
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const [x, y] = state.key ?? MIDDLE;
    const move = moves[event.key];
    if (move) {
      const inside = (place) => Math.min(Math.max(place, 0), DRAWING_SIDE);
      state.key = [inside(x + move[0] * KEY_STEP), inside(y + move[1] * KEY_STEP)];
      if (state.stroke) extend(state.key);
      else moved();
    } else if (event.key === " ") {
      state.key = [x, y];
      if (!state.stroke) begin(state.key);
      else {
        state.stroke = null;
        changed();
      }
    } else if (event.key === "z" || event.key === "Z") undo();
    else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return;
    event.preventDefault();
    tell();
  });
  canvas.addEventListener("focus", () => {
    if (!canvas.matches(":focus-visible")) return; // a mouse has a pointer of its own
    easel.classList.add("keyed"); // its hint says what the keys do
    state.key = MIDDLE;
    moved();
  });
  canvas.addEventListener("blur", () => {
    easel.classList.remove("keyed");
    if (state.key === null) return;
    if (state.stroke) changed();
    else moved();
    [state.key, state.stroke] = [null, null];
    tell();
  });
}

function drawCursor(context, [x, y]) {
  context.strokeStyle = "#86b6f2";
  context.lineWidth = 3;
  context.beginPath();
  context.arc(x, y, 14, 0, 2 * Math.PI);
  context.stroke();
}

function drawWhole(context, picture) {
  const factor = Math.min(DRAWING_SIDE / picture.width, DRAWING_SIDE / picture.height);
  context.imageSmoothingEnabled = factor < 4; // a small image shows its pixels
  const [width, height] = [picture.width * factor, picture.height * factor];
  context.drawImage(picture, (DRAWING_SIDE - width) / 2, (DRAWING_SIDE - height) / 2, width, height);
}

// The grey levels of what a canvas shows, weighted as eyes weigh colours (ITU-R 601).
function pictureIn(context) {
  const { width, height } = context.canvas;
  const { data } = context.getImageData(0, 0, width, height);
  const levels = new Uint8Array(height * width);
  for (let i = 0; i < levels.length; i++)
    levels[i] = Math.round(0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]);
  return { height, width, levels };
}

function shrunk(canvas) {
  const small = document.createElement("canvas");
  small.width = small.height = READ_SIDE;
  const context = small.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, READ_SIDE, READ_SIDE);
  return context;
}

// Of a copy: to read a canvas once makes browsers keep it where drawing is slow.
function groundOf(canvas) {
  const copy = made("canvas", { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const level = groundLevel(pictureIn(context));
  return `rgb(${level}, ${level}, ${level})`;
}

