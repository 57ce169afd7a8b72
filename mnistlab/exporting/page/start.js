// The page begins: arrays are unpacked, the worker is started, and the parts are put together.
"use strict";

const LATE_MS = 1000; // after which answers are said without what the training images add

async function startPage() {
  const page = JSON.parse(byId("facts").textContent);
  describe(page);
  if (typeof DecompressionStream === "undefined") {
    warn("This page needs a newer browser: Chrome 80, Firefox 113, Safari 16.4.");
    return;
  }
  const buffer = await unpacked(byId("arrays").textContent);
  const arrayOf = (place) => arrayAt(buffer, place);
  const parts = {
    ...answerTable(page),
    times: modelCards(page),
    inside: insideOf(page),
    ...evidence(page, arrayOf),
  };
  const ask = asking(page, buffer, parts);
  const easel = drawingArea(page, (picture, isUnfinished) => {
    pressOnly(null);
    ask({ picture, isUnfinished });
  });
  acceptPictures(easel);
  acceptCamera(easel);
  const pick = (image, label, button) => {
    pressOnly(button);
    easel.lay(paint(made("canvas"), image, page.height, page.width));
    ask({ image, label });
  };
  listImages(page, arrayOf(page.images.pixels), pick);
  ask({ image: new Uint8Array(page.height * page.width).fill(page.ground) });
  const go = startTabs((tab) => ask({ isInside: tab === "inside" }));
  mistakeTiles(page, arrayOf, (...picked) => {
    pick(...picked);
    go("draw");
    byId("tab-draw").focus();
  });
  chooseNetwork(page, (chosen) => ask({ chosen }));
  watchScrollers();
}

// A function that asks for answers to what has changed, and shows what comes back.
function asking(page, buffer, parts) {
  let asked = { id: 0, chosen: mostAccurate(page.networks), label: null, isInside: false };
  const labels = new Map(); // of the requests that may still be answered
  const tell = announcer(page);
  const announce = (...what) => asked.isUnfinished || tell(asked.image ?? asked.picture, ...what);
  let answers = null; // of the newest drawing
  let late;
  const show = (reply) => {
    const isNewest = reply.id === asked.id;
    if (reply.kind === "answers") {
      const { image, id } = reply;
      answers = reply.answers;
      parts.showSeen(image, !answers, labels.get(id) ?? null);
      parts.answers(answers);
      if (answers) parts.times(answers);
      for (const older of labels.keys()) if (older < id) labels.delete(older);
      document.body.classList.toggle("answered", answers !== null);
      document.body.dataset.answer = id;
    } else if (reply.kind === "rested" && isNewest) {
      // What comes of the training images is said together with the answers, unless it is late.
      if (!reply.answers || !page.references) announce(reply.answers);
      else late = setTimeout(() => announce(reply.answers), LATE_MS);
      document.body.dataset.rested = reply.id; // for tests
    } else if (reply.kind === "near" && isNewest) {
      clearTimeout(late);
      announce(answers, parts.showNear(reply));
    } else if (reply.kind === "unlike" && isNewest) parts.unlike(reply.isUnlike);
    else if (reply.kind === "speaks" && isNewest) {
      parts.showMap(reply);
      document.body.dataset.mapped = reply.id; // for tests
    }
    else if (reply.kind === "inside" && isNewest) parts.inside(reply);
  };
  const send = engine(page, buffer, show);
  return (change) => {
    if ("picture" in change) Object.assign(asked, { image: undefined, label: null });
    if ("image" in change) Object.assign(asked, { picture: undefined, label: null, isUnfinished: false });
    clearTimeout(late);
    asked = { ...asked, ...change, id: asked.id + (change.isInside === false ? 0 : 1) };
    labels.set(asked.id, asked.label);
    document.body.dataset.asked = asked.id;
    if (change.isInside !== false) send(asked); // to leave the inside asks nothing new
  };
}

// The scripts that compute, in a worker; on this page itself where the browser allows none.
function engine(facts, buffer, show) {
  const load = { kind: "load", facts, buffer };
  let last = null;
  let send;
  const stayHere = () => {
    send = answering(show);
    send(load);
    if (last) send(last);
  };
  try {
    const source = new Blob([byId("engine").textContent], { type: "text/javascript" });
    const worker = new Worker(URL.createObjectURL(source));
    worker.onmessage = ({ data }) => show(data);
    worker.onerror = stayHere;
    worker.postMessage(load);
    send = (request) => worker.postMessage(request);
  } catch {
    stayHere();
  }
  return (request) => send((last = request));
}

const mostAccurate = (networks) => argmax(networks.map(({ accuracy }) => accuracy ?? 0));

// The network that is looked into: the same list on two tabs.
function chooseNetwork(page, onChoice) {
  const selects = [...document.querySelectorAll(".chosen-network")];
  for (const select of selects) {
    page.networks.forEach(({ name }, i) => select.append(new Option(name, i)));
    select.value = mostAccurate(page.networks);
    select.addEventListener("change", () => {
      for (const other of selects) other.value = select.value;
      onChoice(Number(select.value));
    });
  }
}

function listImages(page, all, pick) {
  const size = page.height * page.width;
  const buttons = page.images.labels.map((label, i) => {
    const image = all.slice(i * size, (i + 1) * size);
    const name = `Test image ${i + 1}, ${page.classes[label]}`;
    const button = imageButton(image, page, name, () => pick(image, label, button));
    return button;
  });
  byId("images").append(...buttons);
  byId("images").parentElement.hidden = buttons.length === 0;
}

function describe(page) {
  const many = page.networks.length > 1 ? `${page.networks.length} networks` : "A network";
  const verb = page.networks.length > 1 ? "were" : "was";
  byId("about").textContent =
    `${many} ${verb} trained on ${page.data} to tell ${page.classes.length} classes apart. ` +
    "Everything on this page is computed in your browser; nothing leaves it.";
  byId("footer").textContent = `Made with mnistlab ${page.version}.`;
  byId("source").textContent =
    `The data: ${page.data}${page.provenance ? `, ${page.provenance}` : ""}. ` +
    `Their licence: ${page.licence}.`;
  document.title = `Draw - ${page.data}`;
}

startPage();
