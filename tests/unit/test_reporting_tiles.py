"""Pictures of a figure's tiles, as they lie in its PNG file and in its SVG."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from PIL import Image

from mnistlab.reporting.figures.canvas import INK, _pixels, _svg, canvas
from mnistlab.reporting.figures.images import image_grid
from mnistlab.reporting.figures.marks import write
from mnistlab.reporting.figures.mosaic import Mosaic, Style
from mnistlab.reporting.figures.theme import themed

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


def test_a_mosaic_is_drawn_as_its_parts_would_be_by_themselves() -> None:
    def png(as_artists: bool) -> np.ndarray:
        blank, sheet = canvas(160, 60)
        if as_artists:
            box = Rectangle((10, 8), 40, 20, color="#1d57a6", alpha=0.3, linewidth=0)
            sheet.add_patch(box)
            bold = {"va": "baseline", "ha": "center", "size": 10.5, "weight": "bold"}
            write(sheet, 80, 34, "Seven 97.3", **bold)
            style = {"ha": "center", "size": 9.5, "color": "#b4281f"}
            blank.text(130, 50, "gjp", transform=sheet.transData, **style)
        else:
            mosaic = Mosaic(blank)
            mosaic.rectangle((10, 8, 40, 20), "#1d57a6", 0.3)
            mosaic.word(80, 34, "Seven 97.3", Style(INK, 10.5, "bold"))
            mosaic.word(130, 50, "gjp", Style("#b4281f", 9.5))
        return np.asarray(_pixels(blank)[0])

    np.testing.assert_array_equal(png(as_artists=False), png(as_artists=True))


def test_a_mosaic_lies_below_all_else_and_its_words_are_text() -> None:
    blank, sheet = canvas(100, 50)
    sheet.plot([0, 100], [0, 50])
    mosaic = Mosaic(blank)
    mosaic.word(50, 20, "<b> & c", Style(INK, 12))
    mosaic.word(50, 30, "", Style(INK, 12))
    mosaic.rectangle((1, 2, 3, 4), "#000000")
    root = ElementTree.fromstring(themed(_svg(blank), "one", 1))
    assert [element.tag for element in root][:3] == ["rect", "text", "g"]
    (word,) = root.iter("text")
    assert (word.text, word.attrib["x"], word.attrib["y"]) == ("<b> & c", "50", "20")
    assert word.attrib["style"] == "text-anchor: middle; font-size: 12px; fill: var(--ink)"
