"""Pictures of a figure's tiles, as they lie in its PNG file and in its SVG."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from mnistlab.reporting.figures import image_grid

pytestmark = pytest.mark.drawn
WHITE_TOP, GREY_LEFT = 255, 119  # levels that nothing else in the figure has side by side


@pytest.fixture(scope="module")
def figure() -> tuple[np.ndarray, bytes, str]:
    """One black image whose first column is grey but for a white corner at the top left."""
    image = np.zeros((6, 6), np.uint8)
    image[:, 0] = GREY_LEFT
    image[0, 0] = WHITE_TOP
    codes = np.zeros(1, np.int64)
    made = image_grid(image[None], codes, codes, ("a", "b"), caption="", name="one", title="One")
    return image, made.png, made.svg


def test_in_the_png_a_picture_is_upright_and_not_mirrored(
    figure: tuple[np.ndarray, bytes, str],
) -> None:
    _, png, _ = figure
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    rows, columns = np.nonzero((pixels == 0).all(axis=2))
    top, left, bottom = rows.min(), columns.min(), rows.max()
    grey_rows, grey_columns = np.nonzero((pixels == GREY_LEFT).all(axis=2))
    side = bottom - top + 1
    assert grey_columns.max() == left - 1
    assert grey_rows.max() == bottom
    assert grey_rows.min() == pytest.approx(top + side / 6, abs=1)  # the corner above is white


def test_in_the_svg_a_picture_is_as_it_was_read(figure: tuple[np.ndarray, bytes, str]) -> None:
    image, _, svg = figure
    (shown,) = re.findall('href="data:image/png;base64,([^"]*)"', svg)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown))).convert("L"))
    np.testing.assert_array_equal(pixels, image)
    ((across, _, _, down),) = re.findall(r"matrix\(([-\d.]+) ([-\d.]+) ([-\d.]+) ([-\d.]+)", svg)
    assert float(across) > 0
    assert float(down) > 0
