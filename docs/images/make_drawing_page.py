"""Makes drawing-page.png, the picture in docs/drawing-page.md: its page of clothes, in a browser.

python docs/images/make_drawing_page.py   # trains into runs/ unless they are there; needs chromium
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

import mnistlab as ml

PICTURE = Path(__file__).with_name("drawing-page.png")
WIDTH, HEIGHT = 1180, 1040
TROUSERS = [  # strokes, points from (0, 0), top left, to (1, 1)
    [(0.36, 0.14), (0.64, 0.14), (0.7, 0.86), (0.57, 0.86), (0.5, 0.34), (0.43, 0.86)],
    [(0.43, 0.86), (0.3, 0.86), (0.36, 0.14)],
    [(0.4, 0.2), (0.61, 0.2), (0.64, 0.8)],
    [(0.4, 0.2), (0.36, 0.8)],
]


def main() -> None:
    """Draw trousers, and wait for all that the page says of them."""
    recipes = [ml.get_recipe(name) for name in ("softmax-tuned", "simple-cnn")]
    runs = [ml.evaluate(ml.train(recipe, ml.load("fashion-mini"))) for recipe in recipes]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "clothes.html"
        ml.export_page(runs, file)
        chromium = shutil.which("chromium") or "chromium"
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(file.as_uri())
        box = page.locator("#drawing").bounding_box()
        assert box is not None
        for stroke in TROUSERS:
            at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
            page.mouse.move(*at[0])
            page.mouse.down()
            for point in at[1:]:
                page.mouse.move(*point, steps=5)
            page.mouse.up()
        expect(page.locator("#map-text")).to_contain_text("less sure", timeout=120_000)
        picture = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    picture.convert("RGB").quantize(128).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
