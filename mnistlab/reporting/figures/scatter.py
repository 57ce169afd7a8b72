"""Points with names beside them: accuracy by size of network, images by their components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from mnistlab.reporting.bounds import MOST_CLASSES, enumerated, highest, with_left_out
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    NARROW,
    TEXT,
    Drawing,
    Words,
    canvas,
    figure,
    short_number,
    shorten,
    text_width,
)
from mnistlab.reporting.figures.charts import Panel, chart, scale
from mnistlab.reporting.figures.checks import (
    arms_in_order,
    check_named,
    check_numbers,
    check_seeds,
    require,
)
from mnistlab.reporting.figures.marks import mark_of, write
from mnistlab.reporting.figures.theme import HALO
from mnistlab.reporting.palette import ARMS, light

_MARGIN = 14.0
_HALF_LINE = 8.0  # pixels, of a label
_POINTED_OUT = (0.5, 0.8, 0.9)  # fractions of the variance
# Strokes about the dot, in dots: round ends, then, once the colours are used up, dashes.
_STROKES = ((0.005, 0.0), (0.6, 0.0), (0.0, 0.6), (0.45, 0.45))

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]  # left, bottom, right, top


@figure("accuracy-against-parameters", "Accuracy against parameters")
def accuracy_against_parameters(
    arms: Sequence[str],
    n_parameters: Mapping[str, int],
    accuracy: Mapping[str, Array],
    **words: Unpack[Words],
) -> Drawing:
    """A dot per seed, a bar at their mean, the arm's name beside it; parameters on a log scale.

    n_parameters: at least 1 for each arm shown. accuracy: for each arm shown, float64 (S,) of
    fractions. Raises ValueError for an unknown arm, a missing or impossible number of parameters,
    or an accuracy that is not finite.
    """
    shown = arms_in_order(arms, accuracy)
    for arm in shown:
        require(n_parameters.get(arm, 0) >= 1, f"{arm!r} has no number of parameters")
        check_seeds(repr(arm), [accuracy[arm]])
    seeds = {arm: [(n_parameters[arm], 100 * value) for value in accuracy[arm]] for arm in shown}
    means = {arm: (n_parameters[arm], 100 * accuracy[arm].mean()) for arm in shown}
    points = np.concatenate(list(seeds.values()))

    def draw(axes: Axes) -> None:
        (left, low), (right, high) = points.min(axis=0), points.max(axis=0)
        pad = (high - low) * 0.12 or 0.5
        scale(axes, "y", low - pad, high + pad)
        scale(axes, "x", left / 1.8, right * 1.8, logarithmic=True)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
        for arm in shown:
            mark = mark_of(arms, arm)
            x, y = np.transpose(seeds[arm])
            axes.plot(x, y, mark.shape, color=mark.colour, markersize=8, alpha=0.5)
            axes.plot(*means[arm], "_", color=mark.colour, markersize=26, markeredgewidth=2.5)
        _label_arms(axes, seeds, means)

    drawn = chart([Panel("Test accuracy, %", draw, "Parameters (log scale)")], heights=(310, 276))
    parts = [f"{a}, {n_parameters[a]:,} parameters, {accuracy[a].mean():.1%}" for a in shown]
    return Drawing(drawn, f"Test accuracy against parameters: {'; '.join(parts)}.")


@figure("embedding-map", "Map of the images")
def embedding_map(
    points: NDArray[np.floating],
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    **words: Unpack[Words],
) -> Drawing:
    """A mark per image in its class's colour, each class's name where most of it lies.

    points: (N, 2), drawn to one scale. labels: int64 (N,). With more classes than colours,
    colours come again in other shapes. Raises ValueError for other shapes or a point that is
    not finite.
    """
    check_numbers("points", points, (len(labels), 2))
    check_named(labels, len(class_names))
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    extent = np.ptp(points, axis=0)
    present = np.unique(labels)
    counts = np.bincount(labels, minlength=len(class_names))
    named = present[highest(counts[present], MOST_CLASSES)]
    note = "Neighbours on it are alike in their pixels; distances between groups mean little."
    if len(class_names) > len(ARMS):
        note += " Dashes are classes whose colour is that of a class of dots."
    note = with_left_out(note, len(named), len(present), "of the most images have a name")

    def draw(width: int) -> Canvas:
        size = np.array([width, width if width == NARROW else 680])
        blank, sheet = canvas(*map(float, size))
        room = size - 2 * _MARGIN
        ratio = min(room[extent > 0] / extent[extent > 0], default=1.0)
        places = np.round(size / 2 + ratio * (points - middle), 1)
        for label in present:
            _draw_dots(sheet, places[labels == label], label, 3.0 if width == NARROW else 4.4)
        medians = [np.median(places[labels == label], axis=0) for label in named]
        _name_classes(sheet, [shorten(class_names[label], 16) for label in named], medians)
        return blank

    parts = enumerated([f"{counts[label]} {class_names[label]}" for label in present])
    alt = f"{len(labels)} images as points in two dimensions, coloured by class: {parts}."
    return Drawing(draw, alt, note)


@figure("explained-variance", "Variance explained by principal components")
def variance_curve(fractions: NDArray[np.float64], **words: Unpack[Words]) -> Drawing:
    """Fraction of the variance in the first n components as a line; that of each alone as bars.

    fractions: float64 (C,), each component's own, largest first. Raises ValueError where they
    cannot be fractions of one whole.
    """
    total = np.cumsum(fractions)
    fits = len(fractions) and np.all(fractions >= 0) and total[-1] <= 1 + 1e-6
    require(fits, "these are no fractions of a variance")
    n = len(fractions)
    reached = {m: int(np.searchsorted(total, m)) + 1 for m in _POINTED_OUT if total[-1] >= m}

    def draw(axes: Axes) -> None:
        numbers, accent = np.arange(1, n + 1), light("accent")
        axes.bar(numbers, 100 * fractions, color=accent, alpha=0.35, width=0.8)
        axes.plot(numbers, 100 * total, "o-" if n == 1 else "-", color=accent, linewidth=2.4)
        # Where one component is enough for several marks, the last says it all.
        for place, mark in {place: mark for mark, place in reached.items()}.items():
            _point_out(axes, place, 100 * total[place - 1], mark, n)
        axes.set_ylim(0, 100)
        scale(axes, "x", 0.4, n + 0.6, whole=True)

    parts = [f"{place} components for {mark:.0%}" for mark, place in reached.items()]
    alt = f"Variance explained: {', '.join([*parts, f'{n} for {total[-1]:.1%}'])}."
    note = "Bars: each component alone. Line: all up to it."
    panel = Panel("Variance explained, %", draw, "Components")
    return Drawing(chart([panel]), alt, note, half=True)


def _point_out(axes: Axes, n: int, height: float, mark: float, last: int) -> None:
    """A dot on the curve, and words under it or, where the right is near, over it."""
    axes.plot([n, n], [0, height], color=MUTED, linewidth=1, linestyle=":")
    axes.plot(n, height, "o", color=light("accent"), markersize=7)
    under = n <= 0.6 * last
    axes.annotate(
        f"{n} for {100 * mark:.0f} %",
        (n, 100 * mark - 7 if under else 100 * mark + 2),  # at marks, which lie apart
        (8 if under else -8, 0),
        textcoords="offset points",
        ha="left" if under else "right",
        gid=HALO,
    )


def _draw_dots(sheet: Axes, places: NDArray[np.floating], label: int, size: float) -> None:
    """All marks as one path of short strokes: markup stays small, colours live."""
    turn, colour = divmod(int(label), len(ARMS))
    stroke = np.array(_STROKES[turn % len(_STROKES)]) * size
    ends = np.stack([places - stroke, places + stroke], axis=1).reshape(-1, 2)
    path = Path(ends, np.tile([Path.MOVETO, Path.LINETO], len(places)))
    look = {"fill": False, "edgecolor": ARMS[colour][0], "alpha": 0.55, "capstyle": "round"}
    # Not snapped to whole pixels, where the two ends would fall together; and add_patch would
    # widen the axes' limits, which are set.
    width = size * (1 if turn == 0 else 0.5)
    sheet.add_artist(PathPatch(path, linewidth=width, snap=False, **look))


def _name_classes(sheet: Axes, names: Sequence[str], places: Sequence[Array]) -> None:
    """Each name at its place, or the least bit above or below where another is already.

    Of very many classes some find no place, and are named in the alternative text alone.
    """
    frame = (2.0, 2.0, sheet.get_xlim()[1] - 2, sheet.get_ylim()[0] - 2)
    taken: list[Box] = []
    for name, (x, y) in sorted(zip(names, places, strict=True), key=lambda named: named[1][1]):
        width = text_width(name, TEXT + 1)
        left = min(max(float(x) - width / 2, 2.0), frame[2] - width)
        best = _least_covered([left], y, width, taken, frame)
        if not _covered(best, taken, frame):
            taken.append(best)
            style = {"ha": "center", "weight": "bold", "size": TEXT + 1, "gid": HALO}
            write(sheet, left + width / 2, best[1] + _HALF_LINE, name, **style)


def _label_arms(
    axes: Axes,
    seeds: Mapping[str, Sequence[tuple[float, float]]],
    means: Mapping[str, tuple[float, float]],
) -> None:
    """Write each name near its mean, where it covers the least of what is there already."""
    to_pixels = axes.transData.transform
    frame = axes.get_window_extent()
    dots = to_pixels([point for points in seeds.values() for point in points])
    taken: list[Box] = [(x - 6, y - 6, x + 6, y + 6) for x, y in dots]
    for arm, mean in means.items():
        label = shorten(arm, 28)
        width, (x, y) = text_width(label, TEXT) * 0.95, to_pixels(mean)
        lefts = (x + 18, x - 18 - width, x - width / 2)
        best = _least_covered(lefts, y, width, taken, frame.extents)
        taken.append(best)
        place = (best[0] - frame.x0, best[1] - frame.y0 + _HALF_LINE)
        axes.annotate(label, place, xycoords="axes points", va="center_baseline", color=INK)


def _least_covered(
    lefts: Sequence[float], y: float, width: float, taken: Sequence[Box], frame: Box
) -> Box:
    """The place of a label on the line of y, or as near above or below as keeps it clear."""
    boxes = [
        (left, y + dy - _HALF_LINE, left + width, y + dy + _HALF_LINE)
        for dy in (0, 16, -16, 32, -32, 48, -48, 64, -64)
        for left in lefts
    ]
    return min(boxes, key=lambda box: _covered(box, taken, frame))


def _covered(box: Box, taken: Sequence[Box], frame: Box) -> float:
    """Square pixels of `box` over boxes already taken; much more for any outside the frame."""
    left, bottom, right, top = box
    covered = sum(
        max(0.0, min(right, r) - max(left, x)) * max(0.0, min(top, t) - max(bottom, y))
        for x, y, r, t in taken
    )
    outside = max(0, frame[0] - left, right - frame[2]) + max(0, frame[1] - bottom, top - frame[3])
    return covered + 100 * outside
