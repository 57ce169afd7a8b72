// The page: what is drawn, dropped or picked becomes an image, and every network answers.
"use strict";

const byId = (id) => document.getElementById(id);
const DRAWING_SIDE = 560; // pixels of the drawing itself, whatever its size on the screen
const READ_SIDE = 280; // pixels of it that are read: a quarter of the work, ten times what is seen
const KEY_STEP = 14; // of the pen moved by arrow keys

function startPage(page) {
  for (const network of page.networks) {
    network.arrays = network.arrays.map(unpacked);
    [network.height, network.width] = [page.height, page.width];
  }
  const show = showing(page);
  const easel = drawingArea(page, (picture) => show(inputOf(page, picture), null));
  acceptPictures(easel);
  listImages(page, easel, show);
  describe(page);
  show(new Uint8Array(page.height * page.width), null);
}

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// float32 numbers, or whole numbers of 16 bits times a factor for each row.
function unpacked({ data, factors }) {
  if (factors === undefined) return new Float32Array(bytesOf(data).buffer);
  const levels = new Int16Array(bytesOf(data).buffer);
  const by = new Float32Array(bytesOf(factors).buffer);
  const perRow = levels.length / by.length;
  return Float32Array.from(levels, (level, i) => level * by[Math.floor(i / perRow)]);
}

// As the makers of the data prepared theirs; of other data the picture scaled to its size.
function inputOf(page, picture) {
  if (page.preparation === "digit") return prepareDigit(picture);
  if (page.preparation === "garment") return prepareGarment(picture);
  const image = new Uint8Array(page.height * page.width);
  const { height, width, levels } = scaled(picture, Math.max(page.height, page.width));
  const [top, left] = [(page.height - height) >> 1, (page.width - width) >> 1];
  for (let y = Math.max(0, -top); y < Math.min(height, page.height - top); y++)
    for (let x = Math.max(0, -left); x < Math.min(width, page.width - left); x++)
      image[(top + y) * page.width + left + x] = levels[y * width + x];
  return image;
}

// A function that shows an image and the answers to it; label: its true class, null where unknown.
function showing(page) {
  const cards = page.networks.map((network) => card(network, page.classes));
  byId("networks").append(...cards.map((each) => each.element));
  return (image, label) => {
    paint(byId("seen"), image, page.height, page.width);
    const isBlank = image.every((level) => level === image[0]);
    byId("seen-text").textContent = isBlank
      ? `The networks see ${page.height} × ${page.width} pixels. Draw something.`
      : `This is what the networks see: ${page.height} × ${page.width} pixels.` +
        (label === null ? "" : ` It is labelled ${page.classes[label]}.`);
    const said = cards.map((each, i) =>
      each.show(isBlank ? null : probabilities(page.networks[i], image)),
    );
    byId("spoken").textContent = isBlank ? "" : said.map((each) => each.text).join("; ");
    byId("verdict").textContent = isBlank ? "–" : verdict(said.map((each) => each.name));
  };
}

// What most networks say, and how many of them; of equal numbers the first.
function verdict(names) {
  const votes = (name) => names.filter((other) => other === name).length;
  const most = names.reduce((best, name) => (votes(name) > votes(best) ? name : best));
  return names.length === 1 ? most : `${most}, say ${votes(most)} of ${names.length} networks`;
}

function card(network, classes) {
  const element = document.createElement("article");
  const [title, facts, said, bars] = ["h3", "p", "p", "ul"].map((tag) => document.createElement(tag));
  [facts.className, said.className, bars.className] = ["facts", "said", "bars"];
  if (classes.every((name) => name.length < 3)) bars.classList.add("short");
  title.textContent = network.name;
  facts.textContent = accuracyText(network);
  const rows = classes.map((name) => {
    const row = document.createElement("li");
    row.innerHTML = '<span></span><span class="bar"><i></i></span><span></span>';
    row.firstChild.textContent = row.firstChild.title = name;
    return row;
  });
  bars.append(...rows);
  element.append(title, facts, said, bars);
  const show = (p) => {
    const best = p === null ? -1 : p.indexOf(Math.max(...p));
    said.textContent = best < 0 ? "–" : classes[best];
    if (best >= 0) {
      const small = document.createElement("small");
      small.textContent = ` ${percent(p[best])}`;
      said.append(small);
    }
    rows.forEach((row, k) => {
      row.className = k === best ? "best" : "";
      row.querySelector("i").style.width = p === null ? "0" : `${100 * p[k]}%`;
      row.lastChild.textContent = p === null ? "" : percent(p[k]);
    });
    if (best < 0) return { name: "", text: "" };
    return { name: classes[best], text: `${network.name}: ${classes[best]}, ${percent(p[best])}` };
  };
  return { element, show };
}

const percent = (fraction) => `${(100 * fraction).toFixed(fraction < 0.9995 ? 1 : 0)} %`;

function accuracyText({ accuracy, interval, nTest, nParameters }) {
  const size = `${nParameters.toLocaleString("en")} parameters`;
  if (accuracy === null) return `${size}; not measured on test images`;
  const [low, high] = interval.map((end) => (100 * end).toFixed(1));
  const tested = `${nTest.toLocaleString("en")} test images`;
  return `${(100 * accuracy).toFixed(1)} % of ${tested} right (${low} to ${high}); ${size}`;
}

function paint(canvas, image, height, width) {
  [canvas.width, canvas.height] = [width, height];
  const pixels = new ImageData(width, height);
  image.forEach((level, i) => pixels.data.set([level, level, level, 255], 4 * i));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

// The drawing: a list of strokes, drawn anew at every change, so that each can be taken back.
function drawingArea(page, onChange) {
  const canvas = byId("drawing");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const [ground, ink] = page.darkInk ? ["#fff", "#000"] : ["#000", "#fff"];
  canvas.classList.toggle("paper", page.darkInk);
  const state = { strokes: [], picture: null, stroke: null, key: null, isAsked: false };

  const draw = () => {
    // Beside a picture that is not square lies its own ground: black there would be ink.
    context.fillStyle = state.picture ? groundOf(state.picture) : ground;
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
  const answer = () => {
    state.isAsked = false;
    draw(); // without the cursor
    onChange(pictureIn(shrunk(canvas)));
    if (state.key) drawCursor(context, state.key);
  };
  const changed = () => {
    draw();
    if (state.key) drawCursor(context, state.key);
    for (const each of document.querySelectorAll("#images button"))
      each.setAttribute("aria-pressed", "false");
    // At most once a frame, so that the pen is never behind the hand.
    if (!state.isAsked) requestAnimationFrame(answer);
    state.isAsked = true;
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
    changed();
  };
  const clear = () => {
    [state.strokes, state.picture, state.stroke] = [[], null, null];
    changed();
  };
  const place = (picture) => {
    [state.strokes, state.picture] = [[], picture];
    changed();
  };
  const wipe = () => {
    [state.strokes, state.picture, state.stroke] = [[], null, null];
    draw();
  };
  listenToPointer(canvas, state, begin, extend);
  listenToKeys(canvas, state, { begin, extend, undo, clear, changed });
  byId("undo").addEventListener("click", undo);
  byId("clear").addEventListener("click", clear);
  draw();
  return { canvas, place, wipe };
}

function listenToPointer(canvas, state, begin, extend) {
  const pointOf = (event) => {
    const box = canvas.getBoundingClientRect();
    const factor = DRAWING_SIDE / box.width;
    return [(event.clientX - box.left) * factor, (event.clientY - box.top) * factor];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    begin(pointOf(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (state.stroke) extend(pointOf(event));
  });
  for (const name of ["pointerup", "pointercancel"])
    canvas.addEventListener(name, () => (state.stroke = null));
}

function listenToKeys(canvas, state, { begin, extend, undo, clear, changed }) {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const middle = DRAWING_SIDE / 2;
    const [x, y] = state.key ?? [middle, middle];
    const move = moves[event.key];
    if (move) {
      const inside = (place) => Math.min(Math.max(place, 0), DRAWING_SIDE);
      state.key = [inside(x + move[0] * KEY_STEP), inside(y + move[1] * KEY_STEP)];
      if (state.stroke) extend(state.key);
      else changed();
    } else if (event.key === " ") {
      state.key = [x, y];
      if (state.stroke) state.stroke = null;
      else begin(state.key);
    } else if (event.key === "z" || event.key === "Z") undo();
    else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("blur", () => {
    if (state.key === null) return;
    [state.key, state.stroke] = [null, null];
    changed();
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

function groundOf(canvas) {
  const level = groundLevel(pictureIn(canvas.getContext("2d")));
  return `rgb(${level}, ${level}, ${level})`;
}

// Pictures that are dropped, pasted or opened; transparent parts show the paper.
function acceptPictures({ canvas, place }) {
  const read = async (file) => {
    if (!file || !file.type.startsWith("image/")) return;
    try {
      place(await onWhite(await createImageBitmap(file)));
    } catch {
      byId("seen-text").textContent = `${file.name || "The picture"} cannot be read as a picture.`;
    }
  };
  document.addEventListener("paste", (event) => read(event.clipboardData.files[0]));
  byId("file").addEventListener("change", (event) => read(event.target.files[0]));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    canvas.classList.add("over");
  });
  document.addEventListener("dragleave", () => canvas.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    canvas.classList.remove("over");
    read(event.dataTransfer.files[0]);
  });
}

async function onWhite(picture) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0);
  return canvas;
}

function listImages(page, easel, show) {
  const all = bytesOf(page.images.data);
  const size = page.height * page.width;
  const buttons = page.images.labels.map((label, i) => {
    const [button, canvas] = [document.createElement("button"), document.createElement("canvas")];
    const image = all.slice(i * size, (i + 1) * size);
    paint(canvas, image, page.height, page.width);
    button.type = "button";
    button.setAttribute("aria-label", `Test image ${i + 1}, ${page.classes[label]}`);
    button.setAttribute("aria-pressed", "false");
    button.append(canvas);
    button.addEventListener("click", () => {
      easel.wipe();
      for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
      show(image, label);
    });
    return button;
  });
  byId("images").append(...buttons);
}

function describe(page) {
  const many = page.networks.length > 1 ? `${page.networks.length} networks` : "A network";
  const verb = page.networks.length > 1 ? "were" : "was";
  byId("about").textContent =
    `${many} ${verb} trained on ${page.data} to tell ${page.classes.length} classes apart. ` +
    "Everything on this page is computed in your browser; nothing leaves it.";
  byId("footer").textContent = `Made with mnistlab ${page.version}.`;
  document.title = `Draw - ${page.data}`;
}
