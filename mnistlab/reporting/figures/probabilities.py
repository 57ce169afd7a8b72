"""Distributions: ROC curves, reliability of probabilities, and grey levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from mnistlab.evaluation import Reliability, Roc
from mnistlab.reporting.bounds import spread, with_left_out
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    RULE,
    Drawing,
    Words,
    figure,
    short_number,
    shorten,
)
from mnistlab.reporting.figures.charts import Panel, chart, scale
from mnistlab.reporting.figures.checks import require
from mnistlab.reporting.figures.marks import Mark, mark_of
from mnistlab.reporting.figures.theme import HALO
from mnistlab.reporting.palette import light

MOST_CURVES, MOST_POINTS = 12, 150
CORNER = (0.1, 0.8)  # the zoom: up to this rate of false positives, from this one of true ones
_DECADES_APART = 30  # times the lowest fraction: from here on the axis is logarithmic


@figure("roc", "One class against the rest")
def roc_curves(
    class_names: Sequence[str], curves: Sequence[Roc | None], **words: Unpack[Words]
) -> Drawing:
    """The curve of every class, whole and in the corner that matters, the smallest area first.

    Of many classes the twelve with the smallest areas. Raises ValueError for another number of
    curves than of names, or where no class has a curve.
    """
    fits = len(curves) == len(class_names) and any(curves)
    require(fits, f"{len(curves)} curves for {len(class_names)} classes")
    known = [(name, curve) for name, curve in zip(class_names, curves, strict=True) if curve]
    shown = sorted(known, key=lambda of_class: of_class[1].area)[:MOST_CURVES]
    note = with_left_out("", len(shown), len(known), "with the smallest areas")
    names = [name for name, _ in shown]
    areas = [f"{shorten(name, 16)} {curve.area:.4f}" for name, curve in shown]
    legend = [(area, mark_of(names, name)) for area, name in zip(areas, names, strict=True)]

    def panel(heading: str, right: float, low: float) -> Panel:
        def draw(axes: Axes) -> None:
            for (_, curve), (_, mark) in zip(shown, legend, strict=True):
                _draw_roc(axes, curve, mark, right)
            axes.set(xlim=(0, right), ylim=(low, 1.005))

        return Panel(heading, draw, "False positive rate")

    whole, corner = panel("True positive rate", 1.0, 0.0), panel("The corner", *CORNER)
    worst = ", ".join(f"{name} {curve.area:.4f}" for name, curve in shown[:3])
    alt = f"Curves of {len(shown)} classes against the rest; smallest areas under them: {worst}."
    return Drawing(chart([whole], [corner], legend=legend, heights=(360, 288)), alt, note)


@figure("reliability", "Reliability")
def reliability_diagram(kinds: Mapping[str, Reliability], **words: Unpack[Words]) -> Drawing:
    """Accuracy against confidence, bin by bin, and how many images each bin holds.

    kinds: such as {"as it is": ..., "with temperature 1.4": ...}. Bins without images are left
    out. Raises ValueError where there is none.
    """
    require(kinds, "there is nothing to show")
    legend = [(label, mark_of(list(kinds), label)) for label in kinds]

    def accuracies(axes: Axes) -> None:
        axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1, linestyle="--")
        for of_kind, (_, mark) in zip(kinds.values(), legend, strict=True):
            full = of_kind.n > 0
            x, y = 100 * of_kind.confidence[full], 100 * of_kind.accuracy[full]
            axes.plot(x, y, mark.shape + "-", color=mark.colour, markersize=6, linewidth=1.6)
        axes.set(xlim=(0, 100), ylim=(0, 102))

    def counts(axes: Axes) -> None:
        for of_kind, (_, mark) in zip(kinds.values(), legend, strict=True):
            axes.stairs(of_kind.n, 100 * of_kind.edges, color=mark.colour, linewidth=1.8)
        axes.set_yscale("log")
        scale(axes, "y", *axes.get_ylim(), logarithmic=True)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
        axes.set_xlim(0, 100)

    drawn = {"Accuracy, %": accuracies, "Images": counts}
    panels = [[Panel(heading, draw, "Confidence, %")] for heading, draw in drawn.items()]
    parts = [f"{label}: calibration error {of_kind.ece:.4f}" for label, of_kind in kinds.items()]
    alt = f"Accuracy against confidence. {'; '.join(parts)}."
    return Drawing(chart(*panels, legend=legend, heights=(330, 288)), alt)


@figure("grey-levels", "Grey levels")
def grey_levels(levels: NDArray[np.int64], black: int, **words: Unpack[Words]) -> Drawing:
    """How many of the pixels have each of 256 levels; those at `black` at most stand on grey.

    levels: int64 (256,), pixels. The axis is logarithmic where the counts lie far apart. Raises
    ValueError for another shape or no pixels.
    """
    fits = levels.shape == (256,) and levels.min() >= 0 and levels.any()
    require(fits, f"{levels.shape} is no histogram of 256 levels")
    percent = 100 * levels / levels.sum()
    lowest, highest = float(percent[percent > 0].min()), float(percent.max())
    logarithmic = highest > _DECADES_APART * lowest
    n_black = percent[: black + 1].sum()

    def draw(axes: Axes) -> None:
        low = lowest / 2 if logarithmic else 0.0
        scale(axes, "y", low, (1.5 if logarithmic else 1.08) * highest, logarithmic=logarithmic)
        axes.axvspan(-0.5, black + 0.5, color=RULE, linewidth=0, zorder=0)
        heights, edges = np.maximum(percent, low), np.arange(257) - 0.5
        accent = light("accent")
        axes.stairs(heights, edges, baseline=low, fill=True, color=accent, alpha=0.8)
        place = (black + 5, axes.get_ylim()[1])
        axes.text(*place, f"black: {n_black:.1f} %", va="top", color=INK, gid=HALO)
        axes.set(xlim=(-0.5, 255.5), xticks=[0, 64, 128, 192, 255])

    heading = "Pixels, %" + " (log scale)" * logarithmic
    top = int(levels.argmax())
    alt = (
        f"Histogram of grey levels: {n_black:.1f} % of the pixels are at {black} "
        f"at most, {percent[128:].sum():.1f} % at 128 or above, {percent[255]:.2f} % at 255; the "
        f"commonest level is {top} with {percent[top]:.1f} %."
    )
    return Drawing(chart([Panel(heading, draw, "Grey level")]), alt, half=True)


def _draw_roc(axes: Axes, curve: Roc, mark: Mark, right: float) -> None:
    """At most so many points, where the curve is seen."""
    x, y = curve.false_positive_rate, curve.true_positive_rate
    n_seen = int((x <= right).sum())  # and one more, to which the last line leads
    chosen = np.minimum(spread(n_seen + 1, MOST_POINTS), len(x) - 1)
    axes.plot(
        x[chosen],
        y[chosen],
        mark.shape + "-",
        color=mark.colour,
        markersize=5,
        markevery=0.12,  # of the diagonal: a few, to tell curves of one colour apart
        linewidth=1.4,
        drawstyle="steps-post",
    )
