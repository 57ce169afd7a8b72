"""Tables of shaded cells: which classes are taken for which, and scores over two settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mnistlab.reporting.bounds import MOST_CLASSES, highest
from mnistlab.reporting.figures.canvas import (
    HALF,
    INK,
    MUTED,
    NARROW,
    RULE,
    SMALL,
    TEXT,
    Drawing,
    Words,
    canvas,
    figure,
    require,
    shorten,
    text_width,
)
from mnistlab.reporting.figures.marks import write
from mnistlab.reporting.figures.mosaic import Mosaic, Style
from mnistlab.reporting.palette import light

_CORNER = ("predicted →", "true ↓")
_SMALLEST_CELL = 13.0  # pixels; below it class names would run into each other
_SMALLEST_WRITTEN = 24.0  # below it a count of four digits does not fit
_CELL_HEIGHT, _WIDEST_CELL, _NARROWEST_CELL = 58.0, 150.0, 64.0  # of a grid of scores
_WEAKEST, _STRONGEST = 0.04, 0.32  # opacity: the ink on top must stay readable
_TOP, _GAP = 52.0, 40.0

Counts = NDArray[np.int64]
Array = NDArray[np.float64]


class Cell(NamedTuple):
    """A shaded rectangle with texts, one below the other, and how large each is."""

    colour: str
    strength: float
    texts: Sequence[tuple[str, float]]
    bold: bool = False
    framed: bool = False


@figure("confusion-matrix", "Confusion matrix")
def confusion_matrix(counts: Counts, class_names: Sequence[str], **words: Unpack[Words]) -> Drawing:
    """Images by true class (rows) and predicted class (columns), as counts and in percent of rows.

    counts: int64 (K, K). Of very many classes those with the most mistakes are shown, and all
    others together as the last row and column. Raises ValueError for another shape, a negative
    count or a wrong number of names.
    """
    n = len(class_names)
    require(counts.shape == (n, n) and n, f"counts {counts.shape} for {n} class names")
    require(counts.min() >= 0, "counts hold a negative number")
    alt, note, named = _confusion_alt(counts, class_names), "", _most_confused(counts)
    names = [shorten(class_names[k], 14) for k in named]
    if len(named) < n:
        counts = _others_together(counts, named)
        names.append("all others")
        note = (
            f"Of {n:,} classes the {len(named)} with the most mistakes; the last "
            f"row and column are the {n - len(named):,} others together."
        )
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    margin = 16 + max(text_width(label, SMALL) for label in (*names, _CORNER[0]))
    texts = (
        ("Images", [[str(count) for count in row] for row in counts]),
        ("Percent of the true class", [[f"{100 * f:.1f}" for f in row] for row in fractions]),
    )

    def draw(width: int) -> Canvas:
        n_across = 1 if width == NARROW else 2
        room = (width - _GAP * (n_across - 1)) / n_across
        cell = max(_SMALLEST_CELL, (room - margin - 2) / len(names))
        size = margin + len(names) * cell + 2
        pitch = (size + _GAP, size + 60)
        blank, sheet = canvas(pitch[0] * n_across - _GAP, pitch[1] * (3 - n_across) - 28)
        mosaic = Mosaic(blank)
        for place, (heading, written) in enumerate(texts):
            x, y = (0.0, place * pitch[1]) if width == NARROW else (place * pitch[0], 0.0)
            write(sheet, x, y + 10, heading, weight="bold")
            corner = (x + margin, y + 30 + margin)
            _draw_confusion(sheet, mosaic, corner, cell, fractions, written, len(named))
            _name_classes(sheet, corner, cell, names)
        return blank

    return Drawing(draw, alt, note)


@figure("score-grid", "Scores")
def score_grid(
    rows: Sequence[object],
    columns: Sequence[object],
    scores: Array,
    deviations: Array | None = None,
    *,
    row_title: str,
    column_title: str,
    best: tuple[int, int],
    **words: Unpack[Words],
) -> Drawing:
    """A cell per setting with its score, the more colour the better, the best one framed.

    scores: float64 (R, C) of fractions. deviations: (R, C), written under them. Raises
    ValueError for another shape or a number that is not finite.
    """
    _check_scores((len(rows), len(columns)), scores=scores, deviations=deviations)
    row_names = [shorten(str(value), 14) for value in rows]
    corner = f"{shorten(row_title, 14)} ↓", f"{shorten(column_title, 20)} →"
    left = 16 + max(text_width(label, TEXT) for label in (*row_names, corner[0]))
    spread = float(np.ptp(scores)) or 1.0
    strengths = _WEAKEST + (_STRONGEST - _WEAKEST) * (scores - scores.min()) / spread

    def cell_at(place: tuple[int, ...]) -> Cell:
        texts = [(f"{100 * scores[place]:.2f} %", TEXT)]
        if deviations is not None:
            texts.append((f"± {100 * deviations[place]:.2f}", SMALL))
        is_best = place == best
        return Cell(light("accent"), strengths[place], texts, bold=is_best, framed=is_best)

    def draw(width: int) -> Canvas:
        across = min(_WIDEST_CELL, max(_NARROWEST_CELL, (width - left - 4) / len(columns)))
        size = (max(width, left + across * len(columns) + 4), _TOP + _CELL_HEIGHT * len(rows) + 4)
        blank, sheet = canvas(*size)
        mosaic = Mosaic(blank)
        _name_scores(sheet, (left, across), corner, row_names, columns)
        for row, column in np.ndindex(scores.shape):
            place = (left + column * across + 2, _TOP + row * _CELL_HEIGHT + 2)
            draw_cell(sheet, mosaic, place, (across - 4, _CELL_HEIGHT - 4), cell_at((row, column)))
        return blank

    setting = f"{row_title} {rows[best[0]]}, {column_title} {columns[best[1]]}"
    alt = (
        f"{len(rows)} values of {row_title} by {len(columns)} of {column_title}: best "
        f"{scores[best]:.2%} at {setting}; worst {scores.min():.2%}."
    )
    return Drawing(draw, alt, half=left + _NARROWEST_CELL * len(columns) + 4 <= HALF)


def _name_scores(
    sheet: Axes,
    across: tuple[float, float],
    corner: tuple[str, str],
    row_names: Sequence[str],
    columns: Sequence[object],
) -> None:
    """What rows and columns are; across: where the cells begin, and the width of each."""
    left, width = across
    write(sheet, left, 10, corner[1], color=MUTED, size=SMALL)
    write(sheet, left - 12, 34, corner[0], color=MUTED, size=SMALL, ha="right")
    for column, value in enumerate(columns):
        label = shorten(str(value), int(width / (0.6 * TEXT)))
        write(sheet, left + (column + 0.5) * width, 34, label, ha="center")
    for row, name in enumerate(row_names):
        write(sheet, left - 12, _TOP + (row + 0.5) * _CELL_HEIGHT, name, ha="right")


def draw_cell(
    sheet: Axes, mosaic: Mosaic, place: tuple[float, float], size: tuple[float, float], cell: Cell
) -> None:
    """A cell whose left upper corner is at `place`."""
    mosaic.rectangle((*place, *size), cell.colour, cell.strength)
    if cell.framed:
        sheet.add_patch(Rectangle(place, *size, fill=False, edgecolor=INK, linewidth=2))
    x, middle = place[0] + size[0] / 2, place[1] + size[1] / 2
    shifts = (0.0,) if len(cell.texts) == 1 else (-8.0, 11.0)
    for (text, fontsize), shift in zip(cell.texts, shifts, strict=False):
        weight = "bold" if cell.bold and not shift > 0 else "normal"
        mosaic.word(x, middle + shift, text, Style(INK, fontsize, weight), middle=True)


def _draw_confusion(
    sheet: Axes,
    mosaic: Mosaic,
    corner: tuple[float, float],
    side: float,
    fractions: Array,
    written: list[list[str]],
    n_named: int,
) -> None:
    """The cells of one matrix; the last is of several classes where fewer have names."""
    (left, top), n = corner, len(fractions)
    size = min(SMALL, side * 0.36)
    for (row, column), fraction in np.ndenumerate(fractions):
        right = row == column
        if row == column == n_named or not (fraction or right):  # right and wrong together
            continue
        # The root lifts rare mistakes into view; the ceiling keeps the ink on top readable.
        strength = 0.08 + 0.24 * fraction if right else min(0.5, 0.8 * fraction**0.5)
        shown = fraction and side >= _SMALLEST_WRITTEN
        texts = [(written[row][column], size)] if shown else []
        cell = Cell(light("accent" if right else "wrong"), strength, texts, bold=right)
        draw_cell(
            sheet, mosaic, (left + column * side, top + row * side), (side - 1, side - 1), cell
        )
    rules = [[(left, y), (left + n * side, y)] for y in top + side * np.arange(n + 1) - 0.5]
    sheet.add_collection(LineCollection(rules, colors=RULE, linewidths=0.6, zorder=0), False)


def _name_classes(
    sheet: Axes, corner: tuple[float, float], side: float, names: Sequence[str]
) -> None:
    left, top = corner
    style = {"color": MUTED, "size": min(SMALL, side * 0.8)}
    for index, name in enumerate(names):
        middle = (index + 0.5) * side
        write(sheet, left - 8, top + middle, name, ha="right", **style)
        above = {"rotation": 90, "ha": "center", "va": "bottom"}
        write(sheet, left + middle, top - 8, name, **above, **style)
    for text, y in zip(_CORNER, (top - 22, top - 8), strict=True):
        write(sheet, left - 8, y, text, ha="right", va="bottom", **style)


def _most_confused(counts: Counts) -> NDArray[np.intp]:
    """The classes to name: all, or of very many those with the most mistakes."""
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diagonal(counts)
    return highest(mistakes, MOST_CLASSES if len(counts) <= MOST_CLASSES else MOST_CLASSES // 2)


def _others_together(counts: Counts, named: NDArray[np.intp]) -> Counts:
    """(n + 1, n + 1): the named classes, and one more that is all others."""
    place = np.full(len(counts), len(named))
    place[named] = np.arange(len(named))
    merged = np.zeros((len(named) + 1,) * 2, dtype=np.int64)
    rows, columns = np.nonzero(counts)
    np.add.at(merged, (place[rows], place[columns]), counts[rows, columns])
    return merged


def _confusion_alt(counts: Counts, class_names: Sequence[str]) -> str:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    start = f"{np.trace(counts)} of {counts.sum()} images on the diagonal"
    if not wrong.any():
        return f"{start}; no mistakes."
    row, column = divmod(int(wrong.argmax()), len(class_names))
    return (
        f"{start}; the most frequent mistake is {class_names[row]} "
        f"taken for {class_names[column]}, {wrong[row, column]} times."
    )


def _check_scores(shape: tuple[int, int], **numbers: Array | None) -> None:
    for what, of_cells in numbers.items():
        if of_cells is not None:
            fits = of_cells.shape == shape and of_cells.size
            require(fits, f"{what} {of_cells.shape} for {shape[0]} x {shape[1]}")
            require(np.isfinite(of_cells).all(), f"{what} hold a number that is not finite")
