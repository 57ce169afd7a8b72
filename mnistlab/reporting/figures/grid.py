"""Scores over a grid of two settings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import (
    HALF,
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

_CELL_HEIGHT, _WIDEST_CELL, _NARROWEST_CELL = 58.0, 150.0, 64.0
_TOP = 52.0
_WEAKEST, _STRONGEST = 0.04, 0.32  # opacity: the ink on top must stay readable


def score_grid(
    rows: Sequence[object],
    columns: Sequence[object],
    scores: NDArray[np.float64],
    deviations: NDArray[np.float64] | None = None,
    *,
    row_title: str,
    column_title: str,
    best: tuple[int, int],
    caption: str,
    command: str,
    name: str = "score-grid",
    title: str = "Scores",
) -> Figure:
    """A cell a setting with its score, the more colour the better, the best one framed.

    scores: float64 (R, C) of fractions. deviations: (R, C), written under them. Raises
    ValueError for another shape or a number that is not finite.
    """
    _check(name, rows, columns, scores, deviations)
    row_names = [shorten(str(value), 14) for value in rows]
    corner = f"{shorten(row_title, 14)} ↓"
    left = 16 + max(text_width(label, TEXT) for label in (*row_names, corner))
    spread = float(np.ptp(scores)) or 1.0

    def draw(width: int) -> Canvas:
        cell = min(_WIDEST_CELL, max(_NARROWEST_CELL, (width - left - 4) / len(columns)))
        blank, sheet = canvas(
            max(width, left + cell * len(columns) + 4), _TOP + _CELL_HEIGHT * len(rows) + 4
        )
        sheet.text(left, 12, f"{shorten(column_title, 20)} →", color=MUTED, fontsize=SMALL)
        sheet.text(left - 12, 38, corner, color=MUTED, fontsize=SMALL, ha="right")
        for column, value in enumerate(columns):
            label = shorten(str(value), int(cell / (0.6 * TEXT)))
            sheet.text(left + (column + 0.5) * cell, 38, label, ha="center")
        for row, label in enumerate(row_names):
            y = _TOP + (row + 0.5) * _CELL_HEIGHT
            sheet.text(left - 12, y, label, ha="right", va="center_baseline")
        for (row, column), score in np.ndenumerate(scores):
            texts = [f"{100 * score:.2f} %"]
            if deviations is not None:
                texts.append(f"± {100 * deviations[row, column]:.2f}")
            _cell(
                sheet,
                (left + column * cell + 2, _TOP + row * _CELL_HEIGHT + 2),
                (cell - 4, _CELL_HEIGHT - 4),
                strength=_WEAKEST + (_STRONGEST - _WEAKEST) * (score - scores.min()) / spread,
                texts=texts,
                best=(row, column) == best,
            )
        return blank

    i, j = best
    alt = (
        f"{len(rows)} values of {row_title} by {len(columns)} of {column_title}: best "
        f"{scores[i, j]:.2%} at {row_title} {rows[i]}, {column_title} {columns[j]}; worst "
        f"{scores.min():.2%}."
    )
    return compose(
        draw,
        name=name,
        title=title,
        alt=alt,
        caption=caption,
        command=command,
        half=left + _NARROWEST_CELL * len(columns) + 4 <= HALF,
    )


def _cell(
    sheet: Axes,
    place: tuple[float, float],
    size: tuple[float, float],
    *,
    strength: float,
    texts: Sequence[str],
    best: bool,
) -> None:
    sheet.add_patch(Rectangle(place, *size, color=light("accent"), alpha=strength, linewidth=0))
    if best:
        sheet.add_patch(Rectangle(place, *size, fill=False, edgecolor=INK, linewidth=2))
    x, middle = place[0] + size[0] / 2, place[1] + size[1] / 2
    for text, y, fontsize in zip(
        texts,
        (middle,) if len(texts) == 1 else (middle - 8, middle + 11),
        (TEXT, SMALL),
        strict=False,
    ):
        sheet.text(
            x,
            y,
            text,
            ha="center",
            va="center_baseline",
            fontsize=fontsize,
            fontweight="bold" if best and fontsize == TEXT else "normal",
        )


def _check(
    name: str,
    rows: Sequence[object],
    columns: Sequence[object],
    scores: NDArray[np.float64],
    deviations: NDArray[np.float64] | None,
) -> None:
    shape = (len(rows), len(columns))
    for what, numbers in (("scores", scores), ("deviations", deviations)):
        if numbers is None:
            continue
        if numbers.shape != shape or not numbers.size:
            raise ValueError(f"figure {name}: {what} {numbers.shape} for {shape[0]} x {shape[1]}")
        if not np.isfinite(numbers).all():
            raise ValueError(f"figure {name}: {what} hold a number that is not finite")
