"""The chart kit: panels with axes, and rows of names with bars, dots or intervals.

A figure declares what is drawn in each panel; where panels, legend and labels lie at either width
is decided here alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, Locator, MaxNLocator, NullLocator

from mnistlab.reporting.figures.canvas import (
    MUTED,
    NARROW,
    RULE,
    SMALL,
    TEXT,
    canvas,
    shorten,
    text_width,
)
from mnistlab.reporting.figures.marks import Legend, draw_legend, legend_height, write

LEFT, RIGHT, HEADING, BELOW = 48.0, 14.0, 34.0, 44.0  # pixels around a panel
ROOM_OF_NAMES = 0.45  # of the width, at most, for the names of rows
MANY_ROWS = 20  # more are written smaller
STEPS = [1, 2, 2.5, 5, 10]  # between ticks, times a power of ten

Draw = Callable[[int], Canvas]  # by the width


class Panel(NamedTuple):
    """A quantity, written above the axes, what is drawn on them, and the quantity of the x axis."""

    heading: str
    draw: Callable[[Axes], object]
    x_title: str = ""


def chart(
    *columns: Sequence[Panel | None],
    legend: Legend = (),
    heights: tuple[float, float] = (216.0, 216.0),
) -> Draw:
    """Panels in columns, each of the first height in all; on a phone one below the other.

    Panels of a column share its height; None leaves a place free. heights: the second is that of
    each panel on a phone.
    """

    def draw(width: int) -> Canvas:
        stacked = [panel for across in zip_longest(*columns) for panel in across if panel]
        groups = [stacked] if width == NARROW else columns
        height, gap = heights[0], HEADING + BELOW
        if width == NARROW:
            height = len(stacked) * (heights[1] + gap) - gap
        top = legend_height(legend, width) + HEADING
        blank, sheet = canvas(width, top + height + BELOW)
        draw_legend(sheet, legend)
        across = width / len(groups)
        for place, group in enumerate(groups):
            each = (height + gap) / len(group)
            for row, panel in enumerate(group):
                if panel:
                    box = (place * across + LEFT, top + row * each)
                    size = (across - LEFT - RIGHT, each - gap)
                    axes = axes_at(blank, box, size, panel.heading)
                    panel.draw(axes)
                    if panel.x_title:
                        title_x(axes, panel.x_title)
        return blank

    return draw


def rows(
    names: Sequence[str],
    draw: Callable[[Axes], object],
    *,
    heading: str = "",
    texts: Sequence[Sequence[str]] = (),
    legend: Legend = (),
    row: float = 0.0,
    longest: int = 24,
) -> Draw:
    """A row per name: the name, what is drawn at y = 0, 1, 2 and so on, and columns of texts.

    longest: characters of a name. row: pixels, otherwise by how many rows there are.
    """
    many = len(names) > MANY_ROWS
    size = SMALL if many else TEXT
    pitch = row or (17.0 if many else 26.0)

    def drawn(width: int) -> Canvas:
        most = min(longest, int(ROOM_OF_NAMES * width / text_width("m", size)))
        labels = [shorten(name, most) for name in names]
        left = 12 + max(text_width(label, size) for label in labels)
        rooms = [14 + max(text_width(text, size) for text in column) for column in texts]
        top = legend_height(legend, width) + (HEADING if heading else 8)
        blank, sheet = canvas(width, top + pitch * len(names) + BELOW)
        draw_legend(sheet, legend)
        across = width - left - sum(rooms) - (0 if texts else RIGHT)
        axes = axes_at(blank, (left, top), (across, pitch * len(names)), heading)
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x", color=RULE, linewidth=0.8)
        axes.set(ylim=(len(names) - 0.5, -0.5), yticks=[])
        draw(axes)
        for place, label in enumerate(labels):
            y = top + (place + 0.5) * pitch
            write(sheet, left - 8, y, label, ha="right", size=size)
            for column, texts_of in enumerate(texts):
                x = width - 2 - sum(rooms[column + 1 :])
                write(sheet, x, y, texts_of[place], ha="right", size=size)
        return blank

    return drawn


def axes_at(
    blank: Canvas, place: tuple[float, float], size: tuple[float, float], heading: str = ""
) -> Axes:
    """Quiet axes of a size in pixels: a base line, a light grid, the quantity named above."""
    full_width, full_height = blank.get_size_inches() * 72
    (left, top), (width, height) = place, size
    bottom = 1 - (top + height) / full_height
    axes = blank.add_axes((left / full_width, bottom, width / full_width, height / full_height))
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.spines["bottom"].set(color=MUTED, linewidth=1)
    axes.tick_params(length=0, pad=6, colors=MUTED, labelsize=SMALL)
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    if heading:
        axes.text(0, 1 + 14 / height, heading, transform=axes.transAxes, fontweight="bold")
    return axes


def title_x(axes: Axes, title: str, loc: str = "right") -> None:
    """Name the quantity of the x axis."""
    axes.set_xlabel(title, loc=loc, color=MUTED, fontsize=SMALL)  # type: ignore[arg-type]


def scale(
    axes: Axes,
    which: str,
    low: float,
    high: float,
    *,
    logarithmic: bool = False,
    whole: bool = False,
) -> None:
    """Let the axis `which` ("x" or "y") run from low to high, with round ticks.

    whole: ticks at whole numbers alone.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    if logarithmic:
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    locator: Locator = MaxNLocator(6, steps=STEPS)
    if whole:
        locator = MaxNLocator(7, integer=True, min_n_ticks=1)
    if logarithmic:
        locator = FixedLocator(log_ticks(low, high))
    axes.set(**{f"{which}lim": (low, high)})
    axis.set_major_locator(locator)
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if whole else f"{value:g}")
    )


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two positive ones: powers of ten, or finer where these are few."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for digits in ((1,), (1, 2, 5), range(1, 10)):
        ticks = [float(f"{digit}e{e}") for e in exponents for digit in digits]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= 3:
            return ticks[:: 1 + len(ticks) // 8]
    return [tick for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= high]
