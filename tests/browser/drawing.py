"""What the tests of a page to draw on share: its runs, a pen, and what the page shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

import mnistlab as ml

SMALL: dict[str, dict[str, str]] = {
    "softmax-tuned": {},
    "scratch-cnn": {"batch_size": "32"},
    "resnet-small": {
        "channels": "[4,8]",
        "blocks": "[0,1]",
        "min_steps": "0",
        "test_time_augmentation": '["flip","shift"]',
    },
    "svm": {"calibrated": "true", "n_train": "150"},
    "conv-norm": {},  # padded, and a linear layer with batch normalisation
}
ON_PAGE = [name for name in SMALL if name != "conv-norm"]  # too large for 2 MB
PATIENCE_MS = 60_000  # of a page whose machine is busy with other tests


def small_runs(out: Path) -> dict[str, ml.Run]:
    """One small run of each kind of network, on the embedded clothes."""
    made = {}
    for name, changes in SMALL.items():
        fields = {"n_train": "300", "split": "auto"} | changes
        recipe = ml.set_fields(ml.get_recipe(name), fields)
        if recipe.phases:
            recipe = ml.set_fields(recipe, {"epochs": "1"})
        run = ml.train(recipe, "fashion-mini", out=out, threads=1)
        made[name] = ml.evaluate(run) if name in ON_PAGE else run
    return made


def settle(page: Page) -> None:
    """Wait until the newest request is answered."""
    # A change asks once in the next frame; what that frame asked is known after it.
    page.evaluate("() => new Promise((r) => requestAnimationFrame(() => setTimeout(r)))")
    asked = page.locator("body").get_attribute("data-asked")
    assert asked is not None
    expect(page.locator("body")).to_have_attribute("data-answer", asked, timeout=PATIENCE_MS)


SEEN = """() => {
  const canvas = byId("seen");
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.height, canvas.width, Array.from(data).filter((_, i) => i % 4 === 0)];
}"""


def seen(page: Page) -> NDArray[Any]:
    """The image that the page says the networks see, (H, W)."""
    settle(page)
    height, width, levels = page.evaluate(SEEN)
    return np.array(levels).reshape(height, width)


def drag(page: Page, points: list[tuple[float, float]]) -> None:
    """A stroke with the mouse; points from (0, 0), top left, to (1, 1)."""
    box = page.locator("#drawing").bounding_box()
    assert box is not None
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for point in at[1:]:
        page.mouse.move(*point, steps=3)
    page.mouse.up()
