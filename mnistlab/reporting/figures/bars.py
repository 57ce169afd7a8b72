"""Best accuracies as bars on a broken axis (write-up C's summary)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

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
    mark_of,
    panel,
    shorten,
    text_width,
)
from mnistlab.reporting.page import Figure

Array = NDArray[np.float64]

ROW, BREAK = 30.0, 0.06  # pixels of an arm's row; where the axis breaks, a share of its width
ROOM_BELOW = 0.15  # between the break and the lowest accuracy, a share of the spread


def accuracy_bars(
    arms: Sequence[str],
    accuracy: Mapping[str, Array],
    *,
    caption: str,
    command: str,
    name: str = "best-accuracies",
    title: str = "Best accuracies",
    quantity: str = "Best validation accuracy, %",
) -> Figure:
    """A bar an arm up to the mean of its seeds, a dot a seed; the axis leaves out what all share.

    accuracy: for each arm shown, float64 (S,) of fractions. Raises ValueError for an unknown arm
    or an accuracy that is not finite.
    """
    shown = [arm for arm in arms if arm in accuracy]
    if not shown or len(shown) != len(accuracy):
        raise ValueError(f"figure {name}: arms to show are {list(accuracy)}, of {list(arms)}")
    for arm in shown:
        values = accuracy[arm]
        if values.ndim != 1 or not values.size or not np.isfinite(values).all():
            raise ValueError(f"figure {name}: {arm!r} needs finite accuracies of shape (S,)")
    everything = 100 * np.concatenate([accuracy[arm] for arm in shown])
    low, high = _ends(everything)
    labels = [shorten(arm, 24) for arm in shown]

    def draw(width: int) -> Canvas:
        left = 12 + max(text_width(label, TEXT) for label in labels)
        if width == NARROW:
            left = min(left, 0.45 * width)
        height = ROW * len(shown)
        blank, _ = canvas(width, height + 76)
        axes = panel(blank, left, 34, width - left - 62, height, heading=quantity)
        axes.set_xlim(low - BREAK * (high - low) / (1 - BREAK), high)
        for row, arm in enumerate(shown):
            _bar(axes, row, 100 * accuracy[arm], mark_of(arms, arm).colour)
        _break(axes, len(shown), low)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_yticks(range(len(shown)), labels, color=INK, fontsize=TEXT)
        axes.set_xticks(
            [tick for tick in axes.get_xticks() if low <= tick <= high],
        )
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x", color=RULE, linewidth=0.8)
        axes.set_xlabel("axis broken", loc="left", color=MUTED, fontsize=SMALL)
        return blank

    means = [f"{arm} {accuracy[arm].mean():.1%}" for arm in shown]
    alt = f"{quantity.removesuffix(', %')} by arm, mean of seeds: {'; '.join(means)}."
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)


def _ends(values: Array) -> tuple[float, float]:
    """Where the broken part ends and the axis ends, percent."""
    spread = max(float(np.ptp(values)), 0.5)
    low = max(0.0, math.floor(2 * (float(values.min()) - ROOM_BELOW * spread)) / 2)
    return low, min(100.0, float(values.max()) + 0.05 * spread)


def _bar(axes: Axes, row: int, values: Array, colour: str) -> None:
    start = axes.get_xlim()[0]
    mean = float(values.mean())
    axes.barh(row, mean - start, left=start, height=0.62, color=colour, alpha=0.3)
    axes.plot([mean, mean], [row - 0.31, row + 0.31], color=colour, linewidth=2.4)
    axes.plot(values, np.full(len(values), row), "o", color=colour, markersize=5.5)
    axes.annotate(
        f"{mean:.2f}",
        (1, row),
        (10, 0),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        va="center_baseline",
        color=INK,
        fontsize=TEXT,
        annotation_clip=False,
    )


def _break(axes: Axes, n_rows: int, low: float) -> None:
    """A strip of paper across all bars where numbers are left out."""
    start = axes.get_xlim()[0]
    middle, half = start + 0.6 * (low - start), 0.12 * (low - start)
    for shift, colour, width in ((0.0, PAPER, 5.0), (-half, MUTED, 1.0), (half, MUTED, 1.0)):
        axes.plot(
            [middle + shift - half, middle + shift + half],
            [n_rows - 0.5, -0.5],
            color=colour,
            linewidth=width,
            clip_on=False,
        )
