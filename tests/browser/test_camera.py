"""The camera of a page to draw on: Chromium's own stand-in for one plays a film of one picture."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import ARGUMENTS, CHROMIUM
from drawing import PATIENCE_MS, seen
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from mnistlab.data.preparing import prepare

pytestmark = pytest.mark.slow

HEIGHT, WIDTH = 480, 640


def filmed() -> np.ndarray:
    """A dark coat on a bright table, to the left of which lies something that is cut off."""
    picture = np.full((HEIGHT, WIDTH), 230, np.uint8)
    picture[100:380, 260:380] = 40
    picture[:, :60] = 0
    return picture


@pytest.fixture(scope="module")
def camera(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser with a camera, which its user lets every page have."""
    film, frame = tmp_path_factory.mktemp("camera") / "film.mjpeg", io.BytesIO()
    Image.fromarray(filmed()).convert("RGB").save(frame, "JPEG", quality=98)
    film.write_bytes(frame.getvalue() * 3)
    arguments = [
        *ARGUMENTS,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    chromium = browser.browser_type.launch(executable_path=CHROMIUM, args=arguments)
    yield chromium.new_context(viewport={"width": 390, "height": 900}, offline=True)
    chromium.close()


def opened(context: BrowserContext, path: Path) -> Page:
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(path.as_uri())
    page.locator("#images button").first.wait_for()
    return page


def test_a_picture_is_taken_and_prepared_as_the_training_was(
    camera: BrowserContext, drawing_path: Path
) -> None:
    page = opened(camera, drawing_path)
    page.locator("#camera").click()
    expect(page.locator("#camera")).to_have_text("Take the picture", timeout=PATIENCE_MS)
    expect(page.locator("#video")).to_be_visible()
    page.locator("#camera").click()
    expect(page.locator("#verdict small")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#video")).to_be_hidden()
    assert page.evaluate("byId('video').srcObject") is None  # the camera's light is off
    middle = filmed()[:, (WIDTH - HEIGHT) // 2 : (WIDTH + HEIGHT) // 2]
    expected = prepare([middle], "garment")[0].astype(int)
    assert expected.any()
    # The film is compressed: its levels differ a little, which moves the brightest one.
    assert np.corrcoef(seen(page).ravel(), expected.ravel())[0, 1] > 0.99
    np.testing.assert_array_equal(seen(page) > 128, expected > 128)


def test_a_page_that_gets_no_camera_says_so(drawing: Page) -> None:
    drawing.locator("#camera").click()
    notice = "The browser gives this page no camera. Open a picture instead."
    expect(drawing.locator("#notice")).to_have_text(notice, timeout=PATIENCE_MS)
    expect(drawing.locator("#camera")).to_have_text("Camera")
