"""Differences with their intervals, a row each, beside the line of no difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from mnistlab.reporting.bounds import MOST_CLASSES, with_left_out
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    NARROW,
    PAPER,
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
from mnistlab.reporting.palette import ARMS

ROW = 34.0  # pixels


class Row(NamedTuple):
    """A difference in points, its interval, and whether it is shown to be one."""

    label: str
    mean: float
    low: float
    high: float
    is_shown: bool


def differences(
    rows: Sequence[Row],
    *,
    caption: str,
    command: str,
    name: str = "differences",
    title: str = "Differences",
    quantity: str = "Difference, points",
) -> Figure:
    """A filled dot where a difference is shown, a hollow one where not; the line is its interval.

    Raises ValueError without rows, or where the middle of one is not finite. An interval without
    end is drawn to the border.
    """
    if not rows or not all(math.isfinite(row.mean) for row in rows):
        raise ValueError(f"figure {name}: needs rows with finite differences")
    caption = with_left_out(caption, MOST_CLASSES, len(rows), "first", "comparisons")
    rows = rows[:MOST_CLASSES]
    labels = [shorten(row.label, 44) for row in rows]
    narrow_labels = [shorten(row.label, 24) for row in rows]
    ends = [end for row in rows for end in (row.mean, row.low, row.high) if math.isfinite(end)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    room = 0.06 * (high - low) or 0.1

    def draw(width: int) -> Canvas:
        told = narrow_labels if width == NARROW else labels
        left = 12 + max(text_width(label, TEXT) for label in told)
        if width == NARROW:
            left = min(left, 0.5 * width)
        height = ROW * len(rows)
        blank, _ = canvas(width, height + 76)
        axes = panel(blank, left, 34, width - left - 62, height, heading=quantity)
        axes.set_xlim(low - room, high + room)
        for place, row in enumerate(rows):
            _row(axes, place, row)
        axes.axvline(0, color=MUTED, linewidth=1.2)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), told, color=INK, fontsize=TEXT)
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x", color=RULE, linewidth=0.8)
        axes.set_xlabel("filled: shown", loc="left", color=MUTED, fontsize=SMALL)
        return blank

    told = [f"{row.label} {row.mean:.2f}{'' if row.is_shown else ' (not shown)'}" for row in rows]
    alt = f"{quantity}: {'; '.join(told)}."
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)


def _row(axes: Axes, place: int, row: Row) -> None:
    left, right = axes.get_xlim()
    colour = ARMS[0][0]
    axes.plot([max(row.low, left), min(row.high, right)], [place, place], color=colour, lw=2)
    filled = colour if row.is_shown else PAPER
    axes.plot(row.mean, place, "o", color=colour, markerfacecolor=filled, markersize=8)
    axes.annotate(
        f"{row.mean:+.2f}".replace("-", "\N{MINUS SIGN}"),
        (1, place),
        (10, 0),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        va="center_baseline",
        color=INK,
        fontsize=TEXT,
        annotation_clip=False,
    )
