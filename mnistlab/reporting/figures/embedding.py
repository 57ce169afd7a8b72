"""Images as points: variance by principal component, and a map in two dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mnistlab.reporting.bounds import MOST_CLASSES, enumerated, highest, with_left_out
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    NARROW,
    SMALL,
    TEXT,
    canvas,
    compose,
    haloed,
    panel,
    shorten,
    text_width,
)
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import ARMS, light

_MARKS = (0.5, 0.8, 0.9)  # shares of the variance worth pointing out
_MARGIN = 14.0
# Strokes about the dot, in dots: round ends, then, once the colours are used up, dashes.
_STROKES = ((0.005, 0.0), (0.6, 0.0), (0.0, 0.6), (0.45, 0.45))


def variance_curve(
    shares: NDArray[np.float64],
    *,
    caption: str,
    command: str,
    name: str = "explained-variance",
    title: str = "Variance explained by principal components",
) -> Figure:
    """Share of the variance in the first n components, n from 1 on, as a line; own shares as bars.

    shares: float64 (C,), each component's own share, largest first. Raises ValueError where
    they cannot be shares of one whole.
    """
    total = np.cumsum(shares)
    if not len(shares) or not np.all(shares >= 0) or not total[-1] <= 1 + 1e-6:
        raise ValueError(f"figure {name}: these are no shares of a variance")
    numbers = np.arange(1, len(shares) + 1)
    reached = {m: int(np.searchsorted(total, m)) + 1 for m in _MARKS if total[-1] >= m}

    def draw(width: int) -> Canvas:
        blank, _ = canvas(width, 300)
        axes = panel(blank, 40, 34, width - 56, 216, heading="Variance explained, %")
        axes.bar(numbers, 100 * shares, color=light("accent"), alpha=0.35, width=0.8)
        marker = "o" if len(shares) == 1 else None
        axes.plot(numbers, 100 * total, color=light("accent"), linewidth=2.4, marker=marker)
        # Where one component is enough for several marks, the last says it all.
        for n, mark in {n: mark for mark, n in reached.items()}.items():
            _point_out(axes, n, 100 * total[n - 1], mark, len(shares))
        axes.set_ylim(0, 100)
        axes.set_xlim(0.4, len(shares) + 0.6)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.set_xlabel("Components", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    parts = [f"{n} components for {mark:.0%}" for mark, n in reached.items()]
    alt = f"Variance explained: {', '.join([*parts, f'{len(shares)} for {total[-1]:.1%}'])}."
    return compose(
        draw, name=name, title=title, alt=alt, caption=caption, command=command, half=True
    )


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
    """A mark an image in its class's colour, each class's name where most of it lies.

    points: (N, 2), drawn to one scale. labels: int64 (N,). With more classes than colours,
    colours come again in other shapes. Raises ValueError for other shapes or a point that is
    not finite.
    """
    if points.shape != (len(labels), 2) or not len(labels) or not np.isfinite(points).all():
        raise ValueError(f"figure {name}: {points.shape} points for {len(labels)} labels")
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise ValueError(f"figure {name}: a class has no name")
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    extent = np.ptp(points, axis=0)
    present = np.unique(labels)
    counts = np.bincount(labels, minlength=len(class_names))
    named = present[highest(counts[present], MOST_CLASSES)]
    caption = with_left_out(caption, len(named), len(present), "of the most images have a name")

    def draw(width: int) -> Canvas:
        size = np.array([width, width if width == NARROW else 680])
        blank, sheet = canvas(*map(float, size))
        room = size - 2 * _MARGIN
        scale = min(room[extent > 0] / extent[extent > 0], default=1.0)
        places = np.round(size / 2 + scale * (points - middle), 1)
        for label in present:
            of_class = places[labels == label]
            _dots(sheet, of_class, int(label), 3.0 if width == NARROW else 4.4)
        medians = [np.median(places[labels == label], axis=0) for label in named]
        _write_names(sheet, [shorten(class_names[label], 16) for label in named], medians, width)
        return blank

    parts = enumerated([f"{counts[label]} {class_names[label]}" for label in present])
    alt = f"{len(labels)} images as points in two dimensions, coloured by class: {parts}."
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)


def _point_out(axes: Axes, n: int, height: float, mark: float, last: int) -> None:
    """A dot on the curve, and words under it or, where the right is near, over it."""
    axes.plot([n, n], [0, height], color=MUTED, linewidth=1, linestyle=":")
    axes.plot(n, height, "o", color=light("accent"), markersize=7)
    under = n <= 0.6 * last
    haloed(
        axes.annotate(
            f"{n} for {100 * mark:.0f} %",
            (n, 100 * mark - 7 if under else 100 * mark + 2),  # at marks, which lie apart
            (8 if under else -8, 0),
            textcoords="offset points",
            ha="left" if under else "right",
            color=INK,
        )
    )


def _dots(sheet: Axes, places: NDArray[np.floating], label: int, size: float) -> None:
    """All marks as one path of short strokes: markup stays small, colours live."""
    turn, colour = divmod(label, len(ARMS))
    stroke = np.array(_STROKES[turn % len(_STROKES)]) * size
    ends = np.repeat(places, 2, axis=0)
    ends[::2] -= stroke
    ends[1::2] += stroke
    sheet.add_artist(  # add_patch would widen the axes' limits, which are set
        PathPatch(
            Path(ends, np.tile([Path.MOVETO, Path.LINETO], len(places))),
            fill=False,
            edgecolor=ARMS[colour][0],
            linewidth=size * (1 if turn == 0 else 0.5),
            capstyle="round",
            alpha=0.55,
            snap=False,  # to whole pixels, where the two ends would fall together
        )
    )


def _write_names(
    sheet: Axes, names: Sequence[str], places: Sequence[NDArray[np.floating]], width: float
) -> None:
    """Each name at its place, or the least bit above or below where another is already.

    Of very many classes some find no place, and are named in the alternative text alone.
    """
    height = sheet.get_ylim()[0]
    taken: list[tuple[float, float, float]] = []  # middle x, y, half a width
    for name, (x, y) in sorted(
        zip(names, places, strict=True), key=lambda named: float(named[1][1])
    ):
        half = text_width(name, TEXT + 1) / 2
        x = min(max(float(x), half + 2), width - half - 2)
        free = [
            y + shift
            for shift in (0, 16, -16, 32, -32, 48, -48, 64, -64)
            if 10 < y + shift < height - 10
            and not any(abs(y + shift - b) < 16 and abs(x - a) < half + h for a, b, h in taken)
        ]
        if not free:
            continue
        y = free[0]
        taken.append((x, y, half))
        haloed(
            sheet.text(
                x, y, name, ha="center", va="center_baseline", fontweight="bold", fontsize=TEXT + 1
            )
        )
