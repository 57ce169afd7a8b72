"""Grey levels: how often each comes, and how many pixels are black."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from mnistlab.reporting.bounds import MOST_CLASSES, extremes, with_left_out
from mnistlab.reporting.figures.balance import key, row_size
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    RULE,
    SMALL,
    canvas,
    compose,
    haloed,
    panel,
    shorten,
    text_width,
)
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import light

_DECADES_APART = 30  # times the lowest share: from here on the axis is logarithmic


def grey_levels(
    levels: NDArray[np.int64],
    black: int,
    *,
    caption: str,
    command: str,
    name: str = "grey-levels",
    title: str = "Grey levels",
) -> Figure:
    """Share of the pixels with each of 256 levels; those at `black` at most stand on grey.

    levels: int64 (256,), pixels. The axis is logarithmic where shares lie far apart. Raises
    ValueError for another shape or no pixels.
    """
    if levels.shape != (256,) or levels.min() < 0 or not levels.any():
        raise ValueError(f"figure {name}: {levels.shape} is no histogram of 256 levels")
    shares = 100 * levels / levels.sum()
    present = shares[shares > 0]
    logarithmic = present.max() > _DECADES_APART * present.min()

    def draw(width: int) -> Canvas:
        blank, _ = canvas(width, 300)
        heading = "Share of pixels, %" + (" (log scale)" if logarithmic else "")
        axes = panel(blank, 52, 34, width - 66, 216, heading=heading)
        low = _scale(axes, present, logarithmic)
        axes.axvspan(-0.5, black + 0.5, color=RULE, linewidth=0, zorder=0)
        edges = np.arange(257) - 0.5
        axes.stairs(
            np.maximum(shares, low),
            edges,
            baseline=low,
            fill=True,
            color=light("accent"),
            alpha=0.8,
        )
        words = f"black: {100 * levels[: black + 1].sum() / levels.sum():.1f} %"
        haloed(axes.text(black + 5, axes.get_ylim()[1], words, va="top", color=INK))
        axes.set_xlim(-0.5, 255.5)
        axes.set_xticks([0, 64, 128, 192, 255])
        axes.set_xlabel("Grey level", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    top = int(levels.argmax())
    alt = (
        f"Histogram of grey levels: {shares[: black + 1].sum():.1f} % of the pixels are at {black} "
        f"at most, {shares[128:].sum():.1f} % at 128 or above, {shares[255]:.2f} % at 255; the "
        f"commonest level is {top} with {shares[top]:.1f} %."
    )
    return compose(
        draw, name=name, title=title, alt=alt, caption=caption, command=command, half=True
    )


def black_pixels(
    shares: NDArray[np.float64],
    class_names: Sequence[str],
    *,
    caption: str,
    command: str,
    name: str = "black-pixels",
    title: str = "Black and other pixels",
) -> Figure:
    """A bar for all images and one a class: the share of black pixels, then that of the others.

    shares: float64 (1 + K,) of fractions, all images first; NaN for a class without pixels.
    Of very many classes those with the most and the fewest. Raises ValueError for another shape or
    what is no share.
    """
    known = np.isfinite(shares)
    if shares.shape != (1 + len(class_names),) or not known[0]:
        raise ValueError(f"figure {name}: shares {shares.shape} for {len(class_names)} classes")
    if shares[known].min() < 0 or shares[known].max() > 1:
        raise ValueError(f"figure {name}: a share is not between 0 and 1")
    most, least = int(np.nanargmax(shares[1:])), int(np.nanargmin(shares[1:]))
    alt = (
        f"Black pixels: {_percent(shares[0])} of all; by class from "
        f"{_percent(shares[1 + least])} of {class_names[least]} to {_percent(shares[1 + most])} of "
        f"{class_names[most]}."
    )
    chosen = extremes(shares[1:], MOST_CLASSES)
    caption = with_left_out(
        caption, len(chosen), len(class_names), "with the most and the fewest, half each"
    )
    names = ["all images", *(shorten(class_names[k], 16) for k in chosen)]
    shares = np.concatenate([shares[:1], shares[1:][chosen]])
    known = np.isfinite(shares)
    texts = [_percent(share) for share in shares]

    def draw(width: int) -> Canvas:
        size, row = row_size(len(names))
        left = 12 + max(text_width(label, size) for label in names)
        room, height = max(text_width(text, size) for text in texts), row * len(names)
        blank, sheet = canvas(width, 30 + height + 34)
        key(sheet, [("black", MUTED, 0.75), ("other", light("accent"), 0.35)])
        axes = panel(blank, left, 30, width - left - room - 12, height)
        _shares(axes, 100 * np.where(known, shares, np.nan), names, size)
        for index, text in enumerate(texts):
            y = 30 + (index + 0.5) * row
            weight = "bold" if index == 0 else "normal"
            sheet.text(
                width - 2,
                y,
                text,
                ha="right",
                va="center_baseline",
                fontsize=size,
                fontweight=weight,
            )
        axes.set_xlabel("Pixels, %", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    return compose(
        draw, name=name, title=title, alt=alt, caption=caption, command=command, half=True
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if np.isfinite(share) else "–"


def _scale(axes: Axes, present: NDArray[np.float64], logarithmic: bool) -> float:
    """Scale the axis of shares, all in percent; where it starts."""
    high = float(present.max())
    if not logarithmic:
        axes.set_ylim(0, 1.08 * high)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        return 0.0
    low = float(present.min()) / 2
    exponents = range(math.ceil(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [10.0**e for e in exponents][:: -(-len(exponents) // 6)]
    axes.set_yscale("log")
    axes.set_ylim(low, max(1.5 * high, 1.01 * ticks[-1]))
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return low


def _shares(axes: Axes, black: NDArray[np.float64], names: Sequence[str], size: float) -> None:
    rows = np.arange(len(names))
    axes.barh(rows, black, height=0.7, color=MUTED, alpha=0.75)
    axes.barh(rows, 100 - black, left=black, height=0.7, color=light("accent"), alpha=0.35)
    axes.set_ylim(len(names) - 0.5, -0.5)
    labels = axes.set_yticks(rows, names, color=INK, fontsize=size)
    labels[0].label1.set_fontweight("bold")
    axes.set_xlim(0, 100)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.grid(axis="y", visible=False)
