"""Makes run-page.png, the picture in README.md: the page of README's first run, in a browser.

python docs/images/make_run_page.py     # trains into runs/ unless the run is there; needs chromium
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import mnistlab as ml

PICTURE = Path(__file__).with_name("run-page.png")
WIDTH, HEIGHT = 720, 800


def main() -> None:
    """Put the top of the page and its predictions side by side."""
    run = ml.evaluate(ml.train(ml.get_recipe("simple-cnn"), ml.load("fashion-mini")))
    page = ml.report(run).resolve().as_uri()
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or "chromium"
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        tab.goto(page)
        top = Image.open(io.BytesIO(tab.screenshot()))
        figure = Image.open(io.BytesIO(tab.locator("#figure-predictions").screenshot()))
        browser.close()
    images = figure.resize((figure.width * HEIGHT // figure.height, HEIGHT))
    picture = Image.new("RGB", (WIDTH + images.width, HEIGHT))
    picture.paste(top, (0, 0))
    picture.paste(images, (WIDTH, 0))
    picture.quantize(128).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
