"""One image in the fixed views that a recipe trains on (write-up C's figure)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import NARROW, TEXT, canvas, compose, shorten
from mnistlab.reporting.figures.images import draw_tile
from mnistlab.reporting.page import Figure

_LARGEST = 200.0  # pixels of a page, the side of an image


def views_row(
    views: NDArray[np.uint8],
    names: Sequence[str],
    *,
    alt: str,
    caption: str,
    command: str,
    name: str = "views",
    title: str = "One image in every view",
) -> Figure:
    """The views (V, H, W) side by side, two in a row on a phone, each named above.

    Raises ValueError for another number of names than views.
    """
    if views.ndim != 3 or not views.size or len(views) != len(names):
        raise ValueError(f"figure {name}: views {views.shape} for {len(names)} names")

    def draw(width: int) -> Canvas:
        columns = min(len(views), 2 if width == NARROW else 5)
        cell = min(width / columns, _LARGEST + 24)
        side = cell - 24
        row = side + 40
        blank, sheet = canvas(width, row * -(-len(views) // columns))
        for index, (view, label) in enumerate(zip(views, names, strict=True)):
            x, y = (index % columns) * cell + 2, (index // columns) * row
            sheet.text(x, y + 16, shorten(label, int(cell / (0.6 * TEXT))), fontsize=TEXT)
            draw_tile(sheet, view, x, y + 26, side)
        return blank

    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)
