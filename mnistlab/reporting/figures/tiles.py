"""The tile kit: images in rows with words above and below, each image a picture of its pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import (
    MUTED,
    NARROW,
    PAPER,
    SMALL,
    TEXT,
    canvas,
    shorten,
    text_width,
)
from mnistlab.reporting.figures.charts import Draw
from mnistlab.reporting.figures.marks import write
from mnistlab.reporting.figures.mosaic import Mosaic, Style
from mnistlab.reporting.palette import light

WRONG = light("wrong")
MARGIN, GAP = 6.0, 10.0  # pixels beside all tiles, for words a little wider; and between tiles
SIDE = 40  # pixels of an image worth keeping where it is shown no larger than a thumb


class Said(NamedTuple):
    """Words below a picture."""

    text: str
    colour: str = MUTED
    bold: bool = False


class Tile(NamedTuple):
    """A picture, uint8 (H, W) in a square or (H, W, 4) as it is, and words.

    below: rows, of which each is spread evenly over the width. part: of the width, which the
    picture takes. wrong: framed and crossed.
    """

    picture: NDArray[np.uint8]
    above: str = ""
    below: Sequence[Sequence[Said]] = ()
    part: float = 1.0
    wrong: bool = False

    @property
    def aspect(self) -> float:
        """Height by width, of the picture in its place."""
        height, width = self.picture.shape[:2]
        return self.part * height / width if self.picture.ndim == 3 else 1.0


def tiles(
    every: Sequence[Tile], columns: tuple[int, int], *, heading: str = "", largest: float = math.inf
) -> Draw:
    """Tiles in so many columns, the second number on a phone.

    heading: of a grid of predictions, before the key of what is wrong. largest: pixels of a tile.
    """
    above = 18.0 if any(tile.above for tile in every) else 0.0
    n_below = max(len(tile.below) for tile in every)

    def draw(width: int) -> Canvas:
        n = columns[width == NARROW]
        cell = min((width - 2 * MARGIN) / n, largest + GAP)
        side, size = cell - GAP, 9.5 if cell < 70 else SMALL
        line = size + 4
        height = above + side * max(tile.aspect for tile in every) + n_below * line + 12
        top = 30.0 if heading else 0.0
        blank, sheet = canvas(width, top + -(-len(every) // n) * height)
        mosaic = Mosaic(blank)
        wrong = []  # left, top
        for index, tile in enumerate(every):
            x, y = MARGIN + index % n * cell + GAP / 2, top + index // n * height
            if tile.above:
                text = _fitting(tile.above, cell, SMALL)
                style: dict[str, Any] = {"va": "center_baseline", "size": SMALL, "color": MUTED}
                blank.text(x, y + 9, text, transform=sheet.transData, **style)
            _place_picture(mosaic, tile, x, y + above, side)
            if tile.wrong:
                wrong.append((x, y + above))
            for row, texts in enumerate(tile.below):
                bottom = y + above + side * tile.aspect + (row + 1) * line
                for place, said in enumerate(texts):
                    middle = x + side * tile.part * (place + 0.5) / len(texts)
                    text = _fitting(said.text, (cell - 4) / len(texts), size)
                    weight = "bold" if said.bold else "normal"
                    mosaic.word(middle, bottom, text, Style(said.colour, size, weight))
        _cross(sheet, wrong, side)
        if heading:
            _key(sheet, heading)
        return blank

    return draw


def joined(images: NDArray[Any], *, axis: int = 1, brightest: float = 255) -> NDArray[np.uint8]:
    """Grey images (N, H, W) side by side, or one below the other (axis 0), as one picture.

    Black at 0; NaN and the gaps are left blank. Less markup than a picture per image.
    """
    gap = max(1, round(0.06 * images.shape[2]))
    shown = np.isfinite(images)
    grey = np.clip(np.round(np.where(shown, images, 0) * (255 / brightest)), 0, 255)
    pixels = np.stack([grey, grey, grey, 255 * shown], axis=-1).astype(np.uint8)
    gaps = [(0, 0), (0, gap if axis == 0 else 0), (0, gap if axis == 1 else 0), (0, 0)]
    return np.concatenate(list(np.pad(pixels, gaps)), axis=axis)


def shrunk(images: NDArray[Any], side: int = SIDE) -> NDArray[Any]:
    """Images (N, H, W) averaged over squares of pixels until no side is longer than `side`."""
    n, height, width = images.shape
    factor = -(-max(height, width) // side)
    if factor == 1:
        return images
    height, width = max(1, height // factor), max(1, width // factor)
    cut = images[:, : height * factor, : width * factor]
    squares = cut.reshape(n, height, min(factor, cut.shape[1]), width, min(factor, cut.shape[2]))
    return np.asarray(squares.mean(axis=(2, 4)))


def _fitting(text: str, room: float, size: float) -> str:
    return shorten(text, int(room / (0.59 * size)))


def _place_picture(mosaic: Mosaic, tile: Tile, x: float, y: float, side: float) -> None:
    height, width = tile.picture.shape[:2]
    scale = side * tile.part / width
    left, top = x, y
    if tile.picture.ndim == 2:
        scale = side / max(height, width)
        left, top = x + (side - width * scale) / 2, y + (side - height * scale) / 2
        if height != width:
            mosaic.rectangle((x, y, side, side), "#000000")
    mosaic.picture((left, top, width * scale, height * scale), tile.picture)


def _cross(sheet: Axes, wrong: Sequence[tuple[float, float]], side: float) -> None:
    """Frame and cross pictures of that side, by their left top corners, all at once."""
    if not wrong:
        return
    frames = [Rectangle(corner, side, side) for corner in wrong]
    sheet.add_collection(
        PatchCollection(frames, facecolor="none", edgecolor=WRONG, linewidth=2.5), autolim=False
    )
    corners = np.add(wrong, (side - 1, 1))
    _badges(sheet, corners[:, 0], corners[:, 1])


def _badges(sheet: Axes, x: Any, y: Any) -> None:
    style: dict[str, Any] = {"linestyle": "none", "clip_on": False}
    sheet.plot(x, y, marker="o", color=WRONG, markersize=14, markeredgecolor=PAPER, **style)
    sheet.plot(x, y, marker="x", color=PAPER, markersize=6, markeredgewidth=2, **style)


def _key(sheet: Axes, heading: str) -> None:
    write(sheet, 5, 12, heading, weight="bold")
    x = 32 + text_width(heading, TEXT) * 1.1  # bold runs wider
    _badges(sheet, x, 12)
    write(sheet, x + 12, 12, "wrong: predicted, then true class", size=SMALL, color=MUTED)
