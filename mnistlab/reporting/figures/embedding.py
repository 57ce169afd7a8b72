"""Images as points: variance by principal component, and a map in two dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mnistlab.errors import DataError
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    NARROW,
    PAPER,
    SMALL,
    TEXT,
    canvas,
    compose,
    panel,
    shorten,
    text_width,
)
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import ARMS, light

_MARKS = (0.5, 0.8, 0.9)  # shares of the variance worth pointing out


def variance_curve(
    shares: NDArray[np.float64],
    *,
    caption: str,
    command: str,
    name: str = "explained-variance",
    title: str = "Variance explained by principal components",
) -> Figure:
    """Share of the variance in the first n components, n from 1 on.

    shares: float64 (C,), each component's own share, largest first. Raises DataError where
    they cannot be shares of one whole.
    """
    total = np.cumsum(shares)
    if not len(shares) or np.any(shares < 0) or not total[-1] <= 1 + 1e-6:
        raise DataError(f"figure {name}: these are no shares of a variance")
    numbers = np.arange(1, len(shares) + 1)
    reached = {m: int(np.searchsorted(total, m)) + 1 for m in _MARKS if total[-1] >= m}

    def draw(width: int) -> Canvas:
        height = 300 if width == NARROW else 340
        blank, _ = canvas(width, height)
        axes = panel(blank, 44, 34, width - 60, height - 84, heading="Variance explained, %")
        axes.bar(numbers, 100 * shares, color=light("accent"), alpha=0.35, width=0.8)
        axes.plot(numbers, 100 * total, color=light("accent"), linewidth=2.4)
        for mark, n in reached.items():
            axes.plot([n, n], [0, 100 * total[n - 1]], color=MUTED, linewidth=1, linestyle=":")
            axes.plot(n, 100 * total[n - 1], "o", color=light("accent"), markersize=7)
            axes.text(n + 0.6, 100 * mark - 7, f"{n} for {100 * mark:.0f} %", color=INK)
        axes.set_ylim(0, 100)
        axes.set_xlim(0, len(shares) + 1)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.set_xlabel("Components", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    parts = [f"{n} components for {mark:.0%}" for mark, n in reached.items()]
    alt = f"Variance explained: {', '.join([*parts, f'{len(shares)} for {total[-1]:.1%}'])}."
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)


def embedding_map(
    points: NDArray[np.floating],
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    *,
    caption: str,
    command: str,
    name: str = "embedding-map",
    title: str = "Map of the images",
) -> Figure:
    """A dot an image in its class's colour, each class's name where most of it lies.

    points: (N, 2). labels: int64 (N,). With more classes than colours, colours come again
    and the names tell. Raises DataError for other shapes or a point that is not finite.
    """
    if points.shape != (len(labels), 2) or not len(labels) or not np.isfinite(points).all():
        raise DataError(f"figure {name}: {points.shape} points for {len(labels)} labels")
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise DataError(f"figure {name}: a class has no name")
    low, high = points.min(axis=0), points.max(axis=0)
    unit = (points - low) / np.where(high > low, high - low, 1)  # into 0..1, each axis its own

    def draw(width: int) -> Canvas:
        height = width if width == NARROW else 700
        blank, sheet = canvas(width, height)
        dot = 3.0 if width == NARROW else 4.4
        places = np.round(12 + unit * (np.array([width, height]) - 24), 1)
        for label in np.unique(labels):
            _dots(sheet, places[labels == label], ARMS[label % len(ARMS)][0], dot)
        for label in np.unique(labels):
            x, y = np.median(places[labels == label], axis=0)
            text = shorten(class_names[label], 16)
            half = text_width(text, TEXT) / 2
            x = min(max(x, half), width - half)
            written = sheet.text(
                x, y, text, ha="center", va="center_baseline", fontweight="bold", fontsize=TEXT + 1
            )
            written.set_path_effects([withStroke(linewidth=4, foreground=PAPER)])
        return blank

    counts = np.bincount(labels, minlength=len(class_names))
    parts = ", ".join(f"{n} {class_names[label]}" for label, n in enumerate(counts) if n)
    alt = f"{len(labels)} images as points in two dimensions, coloured by class: {parts}."
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)


def _dots(sheet: Axes, places: NDArray[np.floating], colour: str, size: float) -> None:
    """All dots as one path of tiny strokes with round ends: markup stays small, colours live."""
    ends = np.repeat(places, 2, axis=0)
    ends[1::2, 0] += 0.01
    codes = np.tile([Path.MOVETO, Path.LINETO], len(places))
    sheet.add_patch(
        PathPatch(
            Path(ends, codes),
            fill=False,
            edgecolor=colour,
            linewidth=size,
            capstyle="round",
            alpha=0.55,
        )
    )
