"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    NARROW,
    RULE,
    SMALL,
    canvas,
    compose,
    shorten,
    text_width,
)
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import light

_CORNER = ("predicted →", "true ↓")
_SMALLEST_CELL = 13.0  # pixels; below it class names would run into each other
_SMALLEST_WRITTEN = 24.0  # below it a count of four digits does not fit


def confusion_matrix(
    counts: NDArray[np.int64],
    class_names: Sequence[str],
    *,
    caption: str,
    command: str,
    name: str = "confusion-matrix",
    title: str = "Confusion matrix",
) -> Figure:
    """Images by true class (rows) and predicted class (columns), as counts and as row shares.

    counts: int64 (K, K). Raises ValueError for another shape, a negative count
    or a wrong number of names.
    """
    n_classes = len(class_names)
    if counts.shape != (n_classes, n_classes) or not n_classes:
        raise ValueError(f"figure {name}: counts {counts.shape} for {n_classes} class names")
    if counts.min() < 0:
        raise ValueError(f"figure {name}: counts hold a negative number")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [shorten(class_name, 14) for class_name in class_names]
    margin = 16 + max(text_width(label, SMALL) for label in (*names, _CORNER[0]))
    texts = (
        ("Images", [[str(n) for n in row] for row in counts]),
        ("Share of the true class, %", [[f"{100 * s:.1f}" for s in row] for row in shares]),
    )

    def draw(width: int) -> Canvas:
        stacked = width == NARROW
        available = width if stacked else (width - 40) / 2
        cell = max(_SMALLEST_CELL, (available - margin - 2) / n_classes)
        panel_width, panel_height = margin + n_classes * cell, 30 + margin + n_classes * cell + 4
        if stacked:
            size, offsets = (panel_width + 2, 2 * panel_height + 24), (0.0, panel_height + 24)
        else:
            size, offsets = (2 * panel_width + 42, panel_height), (0.0, panel_width + 40)
        blank, sheet = canvas(*size)
        for offset, (heading, written) in zip(offsets, texts, strict=True):
            x, y = (0.0, offset) if stacked else (offset, 0.0)
            sheet.text(x, y + 14, heading, fontweight="bold")
            _matrix(sheet, x + margin, y + 30 + margin, cell, shares, written)
            _names(sheet, x + margin, y + 30 + margin, cell, names)
        return blank

    return compose(
        draw,
        name=name,
        title=title,
        alt=_alt(counts, class_names),
        caption=caption,
        command=command,
    )


def _matrix(
    sheet: Axes,
    left: float,
    top: float,
    cell: float,
    shares: NDArray[np.float64],
    written: list[list[str]],
) -> None:
    size = min(SMALL, cell * 0.36)
    for (row, column), share in np.ndenumerate(shares):
        x, y = left + column * cell, top + row * cell
        right = row == column
        # The root lifts rare mistakes into view; the ceiling keeps the ink on top readable.
        strength = 0.08 + 0.24 * share if right else min(0.5, 0.8 * share**0.5)
        if share or right:
            colour = light("accent" if right else "wrong")
            box = Rectangle((x, y), cell - 1, cell - 1, color=colour, alpha=strength, linewidth=0)
            sheet.add_patch(box)
        if share and cell >= _SMALLEST_WRITTEN:
            sheet.text(
                x + cell / 2,
                y + cell / 2,
                written[row][column],
                ha="center",
                va="center_baseline",
                fontsize=size,
                color=INK,
                fontweight="bold" if right else "normal",
            )
    end = left + len(shares) * cell
    for index in range(len(shares) + 1):
        y = top + index * cell - 0.5
        sheet.plot([left, end], [y, y], color=RULE, linewidth=0.6, zorder=0)


def _names(sheet: Axes, left: float, top: float, cell: float, names: list[str]) -> None:
    size = min(SMALL, cell * 0.8)
    muted: dict[str, Any] = {"color": MUTED, "fontsize": size}
    for index, name in enumerate(names):
        middle = (index + 0.5) * cell
        sheet.text(left - 8, top + middle, name, ha="right", va="center_baseline", **muted)
        sheet.text(left + middle, top - 8, name, rotation=90, ha="center", va="bottom", **muted)
    sheet.text(left - 8, top - 22, _CORNER[0], ha="right", va="bottom", **muted)
    sheet.text(left - 8, top - 8, _CORNER[1], ha="right", va="bottom", **muted)


def _alt(counts: NDArray[np.int64], class_names: Sequence[str]) -> str:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    total, n_right = int(counts.sum()), int(np.trace(counts))
    start = f"{n_right} of {total} images on the diagonal"
    if not wrong.any():
        return f"{start}; no mistakes."
    row, column = divmod(int(wrong.argmax()), len(class_names))
    return (
        f"{start}; the most frequent mistake is {class_names[row]} "
        f"taken for {class_names[column]}, {wrong[row, column]} times."
    )
