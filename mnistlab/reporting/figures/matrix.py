"""Tables of shaded cells: which classes are taken for which, and scores over two settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

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
    shorten,
    text_width,
)
from mnistlab.reporting.figures.checks import check_numbers
from mnistlab.reporting.figures.marks import write
from mnistlab.reporting.figures.mosaic import HALF_DIGIT, Box, Mosaic, Style
from mnistlab.reporting.palette import light

_CORNER = ("predicted →", "true ↓")
_SMALLEST_CELL = 13.0  # pixels; below it class names would run into each other
_SMALLEST_WRITTEN = 24.0  # below it a count of four digits does not fit
_CELL_HEIGHT, _WIDEST_CELL, _NARROWEST_CELL = 58.0, 150.0, 64.0  # of a grid of scores
_WEAKEST, _STRONGEST = 0.04, 0.32  # opacity: the ink on top must stay readable
_TOP, _GAP = 52.0, 40.0

Counts = NDArray[np.int64]
Array = NDArray[np.float64]


@figure("confusion-matrix", "Confusion matrix")
def confusion_matrix(counts: Counts, class_names: Sequence[str], **words: Unpack[Words]) -> Drawing:
    """Images by true class (rows) and predicted class (columns), as counts and in percent of rows.

    counts: int64 (K, K). Of very many classes those with the most mistakes are shown, and all
    others together as the last row and column. Raises ValueError for another shape, a negative
    count or a wrong number of names.
    """
    n = len(class_names)
    check_numbers("counts", counts, (n, n), least=0)
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
    check_numbers("scores", scores, (len(rows), len(columns)))
    if deviations is not None:
        check_numbers("deviations", deviations, scores.shape)
    row_names = [shorten(str(value), 14) for value in rows]
    corner = f"{shorten(row_title, 14)} ↓", f"{shorten(column_title, 20)} →"
    left = 16 + max(text_width(label, TEXT) for label in (*row_names, corner[0]))
    spread = float(np.ptp(scores)) or 1.0
    strengths = _WEAKEST + (_STRONGEST - _WEAKEST) * (scores - scores.min()) / spread

    def draw(width: int) -> Canvas:
        across = min(_WIDEST_CELL, max(_NARROWEST_CELL, (width - left - 4) / len(columns)))
        size = (max(width, left + across * len(columns) + 4), _TOP + _CELL_HEIGHT * len(rows) + 4)
        blank, sheet = canvas(*size)
        mosaic = Mosaic(blank)
        _name_scores(sheet, (left, across), corner, row_names, columns)
        for place in np.ndindex(scores.shape):
            x, y = left + place[1] * across + 2, _TOP + place[0] * _CELL_HEIGHT + 2
            box = (x, y, across - 4, _CELL_HEIGHT - 4)
            if place == best:
                sheet.add_patch(Rectangle(box[:2], *box[2:], fill=False, edgecolor=INK, lw=2))
            weight = "bold" if place == best else "normal"
            texts = [(f"{100 * scores[place]:.2f} %", Style(INK, TEXT, weight))]
            if deviations is not None:
                texts.append((f"± {100 * deviations[place]:.2f}", Style(INK, SMALL)))
            _draw_cell(mosaic, box, light("accent"), strengths[place], texts)
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


def _draw_cell(
    mosaic: Mosaic, box: Box, colour: str, strength: float, texts: Sequence[tuple[str, Style]]
) -> None:
    """A shaded rectangle with a text in its middle, or two, one below the other."""
    left, top, width, height = box
    mosaic.rectangle(box, colour, strength)
    shifts = (0.0,) if len(texts) == 1 else (-8.0, 11.0)
    for (text, style), shift in zip(texts, shifts, strict=False):
        base = top + height / 2 + shift + HALF_DIGIT * style.size
        mosaic.word(left + width / 2, base, text, style)


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
    is_written = side >= _SMALLEST_WRITTEN
    for (row, column), fraction in np.ndenumerate(fractions):
        right = row == column
        if row == column == n_named or not (fraction or right):  # right and wrong together
            continue
        # The root lifts rare mistakes into view; the ceiling keeps the ink on top readable.
        strength = 0.08 + 0.24 * fraction if right else min(0.5, 0.8 * fraction**0.5)
        style = Style(INK, size, "bold" if right else "normal")
        texts = [(written[row][column], style)] if fraction and is_written else []
        box = (left + column * side, top + row * side, side - 1, side - 1)
        _draw_cell(mosaic, box, light("accent" if right else "wrong"), strength, texts)
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
    are_in = np.eye(len(named) + 1, dtype=np.int64)[place]  # (K, n + 1): which class is in which
    return np.asarray(are_in.T @ counts @ are_in)


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
