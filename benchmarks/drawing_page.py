"""A page to draw on, measured in Chromium: the same numbers, drawings recognised, time per stroke.

python -m benchmarks.drawing_page runs/softmax-mnist-* runs/resnet-small-mnist-* --record

Of every run, JavaScript's answers to all test images beside the classifier's; 200 seeded drawings,
prepared as the data were and merely resized; ten digits drawn with a pointer; the time from a
pointer's move to the answer, and how long a move holds up the page. The runs are of MNIST.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, expect, sync_playwright

import mnistlab as ml
from benchmarks.drawn_digits import DIGITS, Drawing, drawings
from benchmarks.ledger import run_benchmark
from mnistlab.evaluation import tempered
from mnistlab.exporting.references import evenly
from mnistlab.runs.run_data import dataset_of, recorded_parts

CHROMIUM = "/usr/bin/chromium"
N_DRAWINGS = 200
SEED = 20_261_130
AT_ONCE = 500  # images handed to the browser
PATIENCE_MS = 120_000

LOAD = """async () => {
  const facts = JSON.parse(byId("facts").textContent);
  globalThis.everything = loaded({ facts, buffer: await unpacked(byId("arrays").textContent) });
  return facts.networks.map((network) => network.name);
}"""
ANSWERS = """([k, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const area = everything.height * everything.width;
  return Array.from({ length: bytes.length / area }, (_, i) =>
    everything.networks[k].probabilities(bytes.subarray(i * area, (i + 1) * area)));
}"""
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
  const prepared = prepareDigit(picture);
  const { thresholds } = everything.references ?? {};
  return everything.networks.map((network, i) => [
    ...[prepared, plain, light].map((image) => argmax(network.probabilities(image))),
    thresholds && last(everything.references.near(network, prepared)).distance > thresholds[i],
  ]);
})"""
LAST = """() => {
  globalThis.last = (work) => {
    let step = work.next();
    while (!step.done) step = work.next();
    return step.value;
  };
}"""
LATENCY = """async () => {
  const canvas = byId("drawing");
  const box = canvas.getBoundingClientRect();
  canvas.setPointerCapture = () => {};
  const send = (name, x, y) => canvas.dispatchEvent(new PointerEvent(name,
    { clientX: box.left + x, clientY: box.top + y, pointerId: 1, isPrimary: true, bubbles: true,
      button: 0 }));
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


def parity(page: Page, number: int, run: ml.Run, n: int | None) -> dict[str, Any]:
    """JavaScript's answers beside the classifier's, to the published test images or n of them."""
    images = published_test_images(run)
    images = images if n is None else images[evenly(len(images), n)]
    rows = []
    for start in range(0, len(images), AT_ONCE):
        # As one text: Playwright takes seconds for lists of numbers.
        text = base64.b64encode(images[start : start + AT_ONCE].tobytes()).decode()
        rows += page.evaluate(ANSWERS, [number, text])
    theirs = np.array(rows)
    p = run.classifier("cpu").predict_proba(images)
    ours = tempered(p, run.result.get("temperature") or 1.0)
    return {
        "n_images": len(images),
        "n_equal": int((theirs.argmax(1) == ours.argmax(1)).sum()),
        "largest_difference": float(np.abs(theirs - ours).max()),
    }


def published_test_images(run: ml.Run) -> NDArray[np.uint8]:
    """Of a published set its test images, whatever the run itself was tested on."""
    dataset = dataset_of(run)
    if "test" in dataset.official_splits:
        return np.asarray(dataset.take(dataset.official_splits["test"]).images)
    return np.asarray(recorded_parts(run.path, run.recipe, run.data, dataset).test.images)


def of_drawings(page: Page, names: list[str], made: list[Drawing]) -> dict[str, Any]:
    """Fractions right: prepared, merely resized, and resized with the polarity put right.

    "unlike": the fraction that the page marks as unlike the training images, None without any.
    """
    given = [
        each._asdict() | {"strokes": [points.tolist() for points in each.strokes]} for each in made
    ]
    answers = page.evaluate(DRAWN, given)  # (drawings, networks, 3 answers and unlike)
    found = {}
    for k, name in enumerate(names):
        *ways, unlike = zip(*(of_drawing[k] for of_drawing in answers), strict=True)
        right = [
            sum(a == each.digit for a, each in zip(way, made, strict=True)) / len(made)
            for way in ways
        ]
        found[name] = dict(zip(("prepared", "resized", "resized_light"), right, strict=True)) | {
            "unlike": None if unlike[0] is None else sum(unlike) / len(made)
        }
    return found


def by_pointer(page: Page) -> dict[str, str]:
    """What the page says, in large letters, of ten digits drawn with the mouse."""
    box = page.locator("#drawing").bounding_box()
    assert box is not None
    said = {}
    for digit, strokes in DIGITS.items():
        page.locator("#clear").click()
        for points in strokes:
            at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
            page.mouse.move(*at[0])
            page.mouse.down()
            for point in at[1:]:
                page.mouse.move(*point)
            page.mouse.up()
        settle(page)
        said[str(digit)] = page.locator("#verdict").inner_text()
    return said


def settle(page: Page) -> None:
    """Wait until the newest drawing is answered and its map is made."""
    page.evaluate("() => new Promise((r) => requestAnimationFrame(() => setTimeout(r)))")
    asked = page.locator("body").get_attribute("data-asked") or ""
    expect(page.locator("body")).to_have_attribute("data-mapped", asked, timeout=PATIENCE_MS)


@contextmanager
def opened(file: Path) -> Iterator[tuple[Page, list[str]]]:
    """The page in Chromium with the network off, and all that it says in the console."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
        page, messages = context.new_page(), list[str]()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(file.as_uri())
        page.locator("#images button").first.click()
        settle(page)  # training images are compared first
        yield page, messages
        browser.close()


def measured(
    runs: list[ml.Run], n_drawings: int = N_DRAWINGS, n_parity: int | None = None
) -> dict[str, Any]:
    """Everything of the page that these runs make; n_parity: of the test images, None all."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        written = ml.export_page(runs, file)
        with opened(file) as (page, messages):
            names = page.evaluate(LOAD)
            page.evaluate(LAST)
            pointer = by_pointer(page)
            of_made = of_drawings(page, names, drawings(n_drawings, SEED))
            compared = [parity(page, k, run, n_parity) for k, run in enumerate(runs)]
            load = os.getloadavg()[0]
            latency = page.evaluate(LATENCY)
    return {
        "n_bytes": written.n_bytes,
        "n_drawings": n_drawings,
        "pointer": pointer,
        "pointer_right": sum(said.split()[0] == digit for digit, said in pointer.items()),
        "runs": [
            {
                "recipe": run.recipe.name,
                "data": run.data["name"],
                "n_bytes": written.of_runs[name],
                **of_made[name],
                **of_parity,
            }
            for run, name, of_parity in zip(runs, names, compared, strict=True)
        ],
        "latency": latency | {"load": load},
        "messages": messages,
    }


def bench() -> dict[str, Any]:
    """Of the runs named on the command line, on one page; SystemExit where none is."""
    folders = [Path(word) for word in sys.argv[1:] if not word.startswith("--")]
    if not folders:
        raise SystemExit("name the folders of trained runs of MNIST")
    return measured([ml.open_run(folder) for folder in folders])


if __name__ == "__main__":
    run_benchmark("drawing_page", bench)
