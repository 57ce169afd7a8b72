"""Scores over a grid of two settings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mnistlab.errors import DataError
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    SMALL,
    TEXT,
    canvas,
    compose,
    shorten,
    text_width,
)
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import light

_CELL_HEIGHT, _CELL_WIDTH = 56.0, 150.0
_WEAKEST, _STRONGEST = 0.04, 0.4  # opacity: the ink on top must stay readable


def score_grid(
    rows: Sequence[object],
    columns: Sequence[object],
    scores: NDArray[np.float64],
    *,
    row_title: str,
    column_title: str,
    best: tuple[int, int],
    caption: str,
    command: str,
    name: str = "score-grid",
    title: str = "Scores",
) -> Figure:
    """A cell a setting with its score, the darker the better, the best one framed.

    scores: float64 (R, C) of fractions. Raises DataError for another shape or a score that
    is not finite.
    """
    if scores.shape != (len(rows), len(columns)) or not scores.size:
        raise DataError(f"figure {name}: scores {scores.shape} for {len(rows)} x {len(columns)}")
    if not np.isfinite(scores).all():
        raise DataError(f"figure {name}: a score is not finite")
    row_names, column_names = ([shorten(str(v), 14) for v in values] for values in (rows, columns))
    left = 16 + max(text_width(label, TEXT) for label in (*row_names, f"{row_title} ↓"))
    spread = float(np.ptp(scores)) or 1.0

    def draw(width: int) -> Canvas:
        cell = min(_CELL_WIDTH, (width - left - 4) / len(columns))
        blank, sheet = canvas(width, 52 + _CELL_HEIGHT * len(rows) + 4)
        sheet.text(left, 12, f"{column_title} →", color=MUTED, fontsize=SMALL)
        sheet.text(left - 12, 38, f"{row_title} ↓", color=MUTED, fontsize=SMALL, ha="right")
        for column, label in enumerate(column_names):
            sheet.text(left + (column + 0.5) * cell, 38, label, ha="center")
        for row, label in enumerate(row_names):
            y = 52 + (row + 0.5) * _CELL_HEIGHT
            sheet.text(left - 12, y, label, ha="right", va="center_baseline")
        for (row, column), score in np.ndenumerate(scores):
            x, y = left + column * cell, 52 + row * _CELL_HEIGHT
            strength = _WEAKEST + (_STRONGEST - _WEAKEST) * (score - scores.min()) / spread
            box, place = (cell - 4, _CELL_HEIGHT - 4), (x + 2, y + 2)
            sheet.add_patch(
                Rectangle(place, *box, color=light("accent"), alpha=strength, linewidth=0)
            )
            if (row, column) == best:
                sheet.add_patch(Rectangle(place, *box, fill=False, edgecolor=INK, linewidth=2))
            sheet.text(
                x + cell / 2,
                y + _CELL_HEIGHT / 2,
                f"{100 * score:.2f} %",
                ha="center",
                va="center_baseline",
                fontweight="bold" if (row, column) == best else "normal",
            )
        return blank

    i, j = best
    alt = (
        f"{len(rows)} values of {row_title} by {len(columns)} of {column_title}: best "
        f"{scores[i, j]:.2%} at {row_title} {rows[i]}, {column_title} {columns[j]}; worst "
        f"{scores.min():.2%}."
    )
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)
