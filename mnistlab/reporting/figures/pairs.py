"""Images of different classes that are alike, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import MUTED, NARROW, SMALL, TEXT, canvas, compose, shorten
from mnistlab.reporting.figures.strips import draw_strip, layout, shrunk
from mnistlab.reporting.page import Figure

_SIDE = 64  # pixels: here details count


def alike_pairs(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    distances: Sequence[float],
    class_names: Sequence[str],
    *,
    caption: str,
    command: str,
    name: str = "alike-pairs",
    title: str = "Nearest pairs of different classes",
) -> Figure:
    """Pairs in the order given, each numbered, with their distance and under each image its class.

    images: uint8 (P, 2, H, W). labels: int64 (P, 2). distances: P of them, in grey levels.
    Raises ValueError for other shapes or a class without a name.
    """
    n_pairs = len(distances)
    if not n_pairs or images.shape[:2] != (n_pairs, 2) or labels.shape != (n_pairs, 2):
        raise ValueError(f"figure {name}: {images.shape} images for {n_pairs} distances")
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise ValueError(f"figure {name}: a class has no name")
    shape = images.shape[2:]
    small = shrunk(images.reshape(-1, *shape), _SIDE)
    small = small.reshape(n_pairs, 2, *small.shape[1:])

    def draw(width: int) -> Canvas:
        columns = 2 if width == NARROW else 4
        cell = width / columns
        half = (cell - 16) / 2
        strip = layout(small.shape[2:], half, side=min(120, half - 6))
        names = [shorten(c, int(strip.pitch / (0.6 * SMALL))) for c in class_names]
        row = 28 + strip.height + 16 + 22
        blank, sheet = canvas(width, row * -(-n_pairs // columns))
        for index, (pair, classes, distance) in enumerate(
            zip(small, labels, distances, strict=True)
        ):
            x, y = (index % columns) * cell + 2, (index // columns) * row
            sheet.text(x, y + 16, str(index + 1), fontweight="bold", fontsize=TEXT)
            sheet.text(x + 24, y + 16, _apart(distance), fontsize=SMALL, color=MUTED)
            draw_strip(sheet, pair, x, y + 28, strip)
            for side, label in enumerate(classes):
                centre = x + side * strip.pitch + strip.width / 2
                sheet.text(
                    centre, y + 28 + strip.height + 16, names[label], ha="center", fontsize=SMALL
                )
        return blank

    pairs = [
        f"{class_names[first]} and {class_names[second]}, {_apart(distance)}"
        for (first, second), distance in zip(labels, distances, strict=True)
    ]
    alt = f"{n_pairs} pairs of images that are alike and labelled differently: {'; '.join(pairs)}."
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)


def _apart(distance: float) -> str:
    return f"{distance:.1f} grey levels apart" if distance else "the same pixels"
