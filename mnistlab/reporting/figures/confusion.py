"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mnistlab.reporting.bounds import MOST_CLASSES, highest
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

    counts: int64 (K, K). Of very many classes those with the most mistakes are shown, and all
    others together as the last row and column. Raises ValueError for another shape, a negative
    count or a wrong number of names.
    """
    n_classes = len(class_names)
    if counts.shape != (n_classes, n_classes) or not n_classes:
        raise ValueError(f"figure {name}: counts {counts.shape} for {n_classes} class names")
    if counts.min() < 0:
        raise ValueError(f"figure {name}: counts hold a negative number")
    alt = _alt(counts, class_names)
    named = _most_confused(counts)
    if len(named) < n_classes:
        counts = _others_together(counts, named)
        caption = (
            f"{caption} Of {n_classes:,} classes the {len(named)} with the most mistakes; the last "
            f"row and column are the {n_classes - len(named):,} others together."
        )
    names = [shorten(class_names[k], 14) for k in named]
    names += ["all others"] * (len(named) < n_classes)
    n_classes, n_named = len(names), len(named)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
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
            _matrix(sheet, x + margin, y + 30 + margin, cell, shares, written, n_named)
            _names(sheet, x + margin, y + 30 + margin, cell, names)
        return blank

    return compose(
        draw,
        name=name,
        title=title,
        alt=alt,
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
    n_named: int,
) -> None:
    """The cells of one matrix; the last is of several classes where fewer have names."""
    size = min(SMALL, cell * 0.36)
    for (row, column), share in np.ndenumerate(shares):
        x, y = left + column * cell, top + row * cell
        right = row == column
        # The root lifts rare mistakes into view; the ceiling keeps the ink on top readable.
        if row == column == n_named:  # right and wrong together
            continue
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


def _most_confused(counts: NDArray[np.int64]) -> NDArray[np.intp]:
    """The classes to name: all, or of very many those with the most mistakes."""
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diagonal(counts)
    return highest(mistakes, MOST_CLASSES if len(counts) <= MOST_CLASSES else MOST_CLASSES // 2)


def _others_together(counts: NDArray[np.int64], named: NDArray[np.intp]) -> NDArray[np.int64]:
    """(n + 1, n + 1): the named classes, and one more that is all others."""
    place = np.full(len(counts), len(named))
    place[named] = np.arange(len(named))
    merged = np.zeros((len(named) + 1,) * 2, dtype=np.int64)
    rows, columns = np.nonzero(counts)
    np.add.at(merged, (place[rows], place[columns]), counts[rows, columns])
    return merged


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
