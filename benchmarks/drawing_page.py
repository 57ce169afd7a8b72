"""A page of an export, measured in Chromium: parity, drawings, latency.

    python -m benchmarks.drawing_page RUN...

Of every run, all its test images in JavaScript beside the classifier; 200 seeded drawings, prepared
and merely resized; ten digits drawn with a pointer; the time from a pointer's move to the answer,
and the longest that a move waits while the worker is busy.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

import mnistlab as ml
from benchmarks.drawn_digits import DIGITS, Drawing, drawings
from mnistlab.evaluation import tempered
from mnistlab.runs.folder import dataset_of, recorded_parts

CHROMIUM = "/usr/bin/chromium"
N_DRAWINGS = 200
SEED = 20_261_130
AT_ONCE = 500  # images handed to the browser

LOAD = """async () => {
  const facts = JSON.parse(byId("facts").textContent);
  globalThis.everything = loaded({ facts, buffer: await unpacked(byId("arrays").textContent) });
  return facts.networks.map((network) => network.name);
}"""
ANSWERS = """([k, images]) =>
  images.map((image) => everything.networks[k].probabilities(Uint8Array.from(image)))"""
DRAWN = """(all) => all.map(({ strokes, width, is_dark_on_light }) => {
  const canvas = made("canvas", { width: DRAWING_SIDE, height: DRAWING_SIDE });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const [ground, ink] = is_dark_on_light ? ["#fff", "#000"] : ["#000", "#fff"];
  context.fillStyle = ground;
  context.fillRect(0, 0, DRAWING_SIDE, DRAWING_SIDE);
  context.strokeStyle = ink;
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = width * DRAWING_SIDE;
  for (const points of strokes) {
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x * DRAWING_SIDE, y * DRAWING_SIDE);
    context.stroke();
  }
  const picture = pictureIn(shrunk(canvas));
  const plain = Uint8Array.from(scaled(picture, SIDE).levels);
  const light = is_dark_on_light ? plain.map((level) => 255 - level) : plain;
  return everything.networks.map((network) =>
    [prepareDigit(picture), plain, light].map((image) => argmax(network.probabilities(image))));
})"""
LATENCY = """async () => {
  const canvas = byId("drawing");
  const box = canvas.getBoundingClientRect();
  canvas.setPointerCapture = () => {};
  const send = (name, x, y) => canvas.dispatchEvent(new PointerEvent(name,
    { clientX: box.left + x, clientY: box.top + y, pointerId: 1, bubbles: true, button: 0 }));
  const [answers, moves] = [[], []];
  send("pointerdown", 80, 80);
  for (let i = 0; i < 60; i++) {
    const asked = Number(document.body.dataset.answer);
    const start = performance.now();
    send("pointermove", 80 + 3 * i, 80 + 2 * i + 20 * Math.sin(i / 4));
    moves.push(performance.now() - start);
    await new Promise((done) => {
      const look = () => Number(document.body.dataset.answer) > asked ? done() : setTimeout(look);
      look();
    });
    answers.push(performance.now() - start);
  }
  send("pointerup", 80, 80);
  await new Promise((done) => setTimeout(done, 400)); // the worker has begun its slow work
  send("pointerdown", 300, 80);
  const frames = [];
  for (let i = 0; i < 40; i++) {
    const start = performance.now();
    send("pointermove", 300 - 3 * i, 80 + 4 * i);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    frames.push(performance.now() - start);
  }
  send("pointerup", 80, 80);
  const of = (times) => {
    times.sort((a, b) => a - b);
    const at = (part) => times[Math.floor(part * (times.length - 1))];
    return { median: at(0.5), p95: at(0.95), most: at(1) };
  };
  return { answer_ms: of(answers), move_ms: of(moves), frame_ms: of(frames) };
}"""


def parity(page: Page, number: int, run: ml.Run) -> dict[str, Any]:
    """The run's test images in JavaScript beside its classifier."""
    dataset = dataset_of(run)
    test = recorded_parts(run.path, run.recipe, run.data, dataset).test
    images = np.asarray(test.images)
    rows = []
    for start in range(0, len(images), AT_ONCE):
        block = images[start : start + AT_ONCE].reshape(-1, images[0].size)
        rows += page.evaluate(ANSWERS, [number, block.tolist()])
    theirs = np.array(rows)
    p = run.classifier("cpu").predict_proba(images)
    ours = tempered(p, run.result.get("temperature") or 1.0)
    return {
        "n": len(images),
        "labels_that_differ": int((theirs.argmax(1) != ours.argmax(1)).sum()),
        "largest_difference": float(np.abs(theirs - ours).max()),
    }


def accuracy_of(page: Page, names: list[str], made: list[Drawing]) -> dict[str, Any]:
    """Fractions right: prepared, merely resized, and resized with the right polarity."""
    given = [
        each._asdict() | {"strokes": [points.tolist() for points in each.strokes]} for each in made
    ]
    answers = np.array(page.evaluate(DRAWN, given))  # (drawings, networks, ways)
    right = answers == np.array([each.digit for each in made])[:, None, None]
    ways = ("prepared", "resized", "resized, polarity right")
    means = right.mean(axis=0)
    return {name: dict(zip(ways, means[k].tolist(), strict=True)) for k, name in enumerate(names)}


def by_pointer(page: Page) -> list[str]:
    """What the page says of ten digits drawn with the mouse."""
    box = page.locator("#drawing").bounding_box()
    assert box is not None
    said = []
    for digit, strokes in DIGITS.items():
        page.locator("#clear").click()
        for points in strokes:
            at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
            page.mouse.move(*at[0])
            page.mouse.down()
            for point in at[1:]:
                page.mouse.move(*point)
            page.mouse.up()
        page.wait_for_timeout(200)
        said.append(f"{digit}: {page.locator('#verdict').inner_text()}")
    return said


def measured(paths: list[Path]) -> dict[str, Any]:
    """Everything of the page that these runs make."""
    runs = [ml.open_run(path) for path in paths]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "page.html"
        written = ml.export_page(runs, file)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True).new_page()
        messages: list[str] = []
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(file.as_uri())
        page.locator("#images button").first.wait_for()
        page.wait_for_timeout(5000)  # training images are compared first
        names = page.evaluate(LOAD)
        found = {
            "bytes": written.n_bytes,
            "latency": page.evaluate(LATENCY),
            "pointer": by_pointer(page),
            "drawings": accuracy_of(page, names, drawings(N_DRAWINGS, SEED)),
            "parity": {name: parity(page, k, runs[k]) for k, name in enumerate(names)},
            "messages": messages,
        }
        browser.close()
    return found


if __name__ == "__main__":
    print(json.dumps(measured([Path(argument) for argument in sys.argv[1:]]), indent=2))
