"""How many images each class has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mnistlab.reporting.bounds import MOST_CLASSES, extremes, with_left_out
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    RULE,
    SMALL,
    TEXT,
    canvas,
    compose,
    panel,
    shorten,
    text_width,
)
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import light

_STRENGTHS = (0.8, 0.35, 0.55)  # opacity of the parts: train, test, or train, validation, test
_MANY = 20  # classes: more are written smaller


def class_balance(
    counts: NDArray[np.int64],
    parts: Sequence[str],
    class_names: Sequence[str],
    *,
    caption: str,
    command: str,
    name: str = "class-balance",
    title: str = "Class balance",
) -> Figure:
    """A bar a class as long as it has images, one part after the other; number and share beside.

    counts: int64 (P, K) of one part, two or three. Of very many classes the most frequent and the
    rarest. Raises ValueError for another shape or no images.
    """
    if counts.shape != (len(parts), len(class_names)) or len(parts) not in (1, 2, 3):
        raise ValueError(f"figure {name}: counts {counts.shape} for {len(class_names)} classes")
    totals = counts.sum(axis=0)
    if counts.min() < 0 or not totals.any():
        raise ValueError(f"figure {name}: there are no images to count")
    alt = f"Images by class: {_told(totals, class_names)}."
    chosen = extremes(totals, MOST_CLASSES)
    caption = with_left_out(
        caption, len(chosen), len(class_names), "most frequent and rarest, half each"
    )
    shares = totals[chosen] / totals.sum()
    counts, totals = counts[:, chosen], totals[chosen]
    numbers = [f"{n:,}" for n in totals]
    percents = [f"{share:.1%}".replace("%", " %") for share in shares]
    names = [shorten(class_names[k], 16) for k in chosen]

    def draw(width: int) -> Canvas:
        size, row = row_size(len(names))
        left = 12 + max(text_width(label, size) for label in names)
        room = [max(text_width(text, size) for text in texts) for texts in (numbers, percents)]
        top, height = 30.0 if len(parts) > 1 else 4.0, row * len(names)
        blank, sheet = canvas(width, top + height + 34)
        axes = panel(blank, left, top, width - left - sum(room) - 24, height)
        _bars(axes, counts, names, size)
        for index, (number, percent) in enumerate(zip(numbers, percents, strict=True)):
            y = top + (index + 0.5) * row
            for text, x in ((percent, width - 2), (number, width - 14 - room[1])):
                sheet.text(x, y, text, ha="right", va="center_baseline", fontsize=size)
        if len(parts) > 1:
            key(
                sheet,
                [(p, light("accent"), a) for p, a in zip(parts, _STRENGTHS, strict=False)],
            )
        axes.set_xlabel("Images", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    return compose(
        draw, name=name, title=title, alt=alt, caption=caption, command=command, half=True
    )


def row_size(n_rows: int) -> tuple[float, float]:
    """Size of type and height of a row for so many of them."""
    return (SMALL, 17.0) if n_rows > _MANY else (TEXT, 26.0)


def key(sheet: Axes, entries: Sequence[tuple[str, str, float]]) -> None:
    """Squares of a colour and an opacity and what they stand for, at the top of the sheet."""
    x = 2.0
    for label, colour, strength in entries:
        square = Rectangle((x, 5), 11, 11, color=colour, alpha=strength, linewidth=0)
        sheet.add_patch(square)
        sheet.text(x + 18, 11, label, va="center_baseline", fontsize=SMALL, color=MUTED)
        x += 34 + text_width(label, SMALL)


def _bars(axes: Axes, counts: NDArray[np.int64], names: Sequence[str], size: float) -> None:
    rows, start = np.arange(len(names)), np.zeros(len(names), dtype=np.int64)
    for part, strength in zip(counts, _STRENGTHS, strict=False):
        axes.barh(rows, part, left=start, height=0.7, color=light("accent"), alpha=strength)
        start = start + part
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(rows, names, color=INK, fontsize=size)
    axes.set_xlim(0, float(start.max()) * 1.01)
    axes.locator_params(axis="x", nbins=4, integer=True)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color=RULE, linewidth=0.8)


def _told(totals: NDArray[np.int64], class_names: Sequence[str]) -> str:
    if len(set(totals)) == 1:
        return f"{totals[0]:,} of each of {len(totals)}"
    order = np.argsort(-totals, kind="stable")
    if len(totals) > _MANY:
        most, least = order[0], order[-1]
        return (
            f"from {totals[most]:,} of {class_names[most]} down to {totals[least]:,} of "
            f"{class_names[least]}, {len(totals)} classes"
        )
    return ", ".join(f"{totals[k]:,} {class_names[k]}" for k in order)
