"""What probabilities are worth: receiver operating characteristics, and reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, NullLocator

from mnistlab.evaluation import Reliability, Roc
from mnistlab.reporting.bounds import with_left_out
from mnistlab.reporting.figures.canvas import (
    MUTED,
    NARROW,
    SMALL,
    Mark,
    canvas,
    compose,
    legend,
    legend_height,
    mark_of,
    panel,
    short_number,
    shorten,
)
from mnistlab.reporting.page import Figure

Place = tuple[float, float, float, float]

MOST_CURVES, MOST_POINTS = 12, 150
CORNER = (0.1, 0.8)  # the zoom: up to this rate of false positives, from this one of true ones
_LEFT, _RIGHT, _BELOW = 44.0, 16.0, 44.0


def roc_curves(
    class_names: Sequence[str],
    curves: Sequence[Roc | None],
    *,
    caption: str,
    command: str,
    name: str = "roc",
    title: str = "One class against the rest",
) -> Figure:
    """The curve of every class, whole and in the corner that matters, the smallest area first.

    Of many classes the twelve with the smallest areas. Raises ValueError for another number of
    curves than of names, or where no class has a curve.
    """
    if len(curves) != len(class_names) or not any(curves):
        raise ValueError(f"figure {name}: {len(curves)} curves for {len(class_names)} classes")
    told = {class_names[k]: curve for k, curve in enumerate(curves) if curve is not None}
    shown = sorted(told, key=lambda class_name: told[class_name].area)[:MOST_CURVES]
    caption = with_left_out(caption, len(shown), len(told), "with the smallest areas")
    labels = [f"{shorten(class_name, 16)} {told[class_name].area:.4f}" for class_name in shown]
    marks = [mark_of(shown, class_name) for class_name in shown]

    def draw(width: int) -> Canvas:
        top = legend_height(labels, width) + 34
        places, height = _two_panels(width, top, 360.0)
        blank, sheet = canvas(width, height)
        legend(sheet, labels, marks)
        whole = panel(blank, *places[0], heading="True positives, share")
        corner = panel(blank, *places[1], heading="The corner")
        for axes, (right, low) in ((whole, (1.0, 0.0)), (corner, CORNER)):
            for class_name, mark in zip(shown, marks, strict=True):
                _curve(axes, told[class_name], mark, right)
            axes.set_xlim(0, right)
            axes.set_ylim(low, 1.005)
            axes.set_xlabel("False positives, share", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    worst = ", ".join(f"{class_name} {told[class_name].area:.4f}" for class_name in shown[:3])
    alt = f"Curves of {len(shown)} classes against the rest; smallest areas under them: {worst}."
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)


def _curve(axes: Axes, curve: Roc, mark: Mark, right: float) -> None:
    """At most so many points, where the curve is seen."""
    x, y = curve.false_positive_rate, curve.true_positive_rate
    seen = np.flatnonzero(x <= right)
    chosen = np.unique(np.linspace(0, len(seen), min(len(seen) + 1, MOST_POINTS)).astype(int))
    chosen = np.minimum(chosen, len(x) - 1)
    axes.plot(
        x[chosen],
        y[chosen],
        color=mark.colour,
        marker=mark.shape,
        markersize=5,
        markevery=0.12,  # of the diagonal: a few, to tell curves of one colour apart
        linewidth=1.4,
        drawstyle="steps-post",
    )


def reliability_diagram(
    kinds: Mapping[str, Reliability],
    *,
    caption: str,
    command: str,
    name: str = "reliability",
    title: str = "Reliability",
) -> Figure:
    """Accuracy against confidence, bin by bin, and how many images each bin holds.

    kinds: such as {"as it is": ..., "with temperature 1.4": ...}. Bins without images are left
    out. Raises ValueError where there is none.
    """
    if not kinds:
        raise ValueError(f"figure {name}: there is nothing to show")
    labels = list(kinds)
    marks = [mark_of(labels, label) for label in labels]

    def draw(width: int) -> Canvas:
        top = legend_height(labels, width) + 34
        places, height = _two_panels(width, top, 330.0)
        blank, sheet = canvas(width, height)
        legend(sheet, labels, marks)
        axes = panel(blank, *places[0], heading="Accuracy, %")
        counts = panel(blank, *places[1], heading="Images")
        axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1, linestyle="--")
        for of_kind, mark in zip(kinds.values(), marks, strict=True):
            _reliability(axes, of_kind, mark)
            counts.stairs(of_kind.n, 100 * of_kind.edges, color=mark.colour, linewidth=1.8)
        axes.set_ylim(0, 102)
        counts.set_yscale("log")
        counts.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
        counts.yaxis.set_minor_locator(NullLocator())
        for each in (axes, counts):
            each.set_xlim(0, 100)
            each.set_xlabel("Confidence, %", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    told = [f"{label}: calibration error {of_kind.ece:.4f}" for label, of_kind in kinds.items()]
    alt = f"Accuracy against confidence. {'; '.join(told)}."
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)


def _reliability(axes: Axes, of_kind: Reliability, mark: Mark) -> None:
    full = of_kind.n > 0
    axes.plot(
        100 * of_kind.confidence[full],
        100 * of_kind.accuracy[full],
        color=mark.colour,
        marker=mark.shape,
        markersize=6,
        linewidth=1.6,
    )


def _two_panels(width: float, top: float, tallest: float) -> tuple[list[Place], float]:
    """Left, top, width and height of two panels, side by side or stacked, and the height of all."""
    if width == NARROW:
        wide = width - _LEFT - _RIGHT
        tall = min(wide, tallest)
        below = top + tall + _BELOW + 30
        return [(_LEFT, top, wide, tall), (_LEFT, below, wide, tall)], below + tall + _BELOW
    wide = (width - 2 * (_LEFT + _RIGHT)) / 2
    places = [(_LEFT, top, wide, tallest), (2 * _LEFT + wide + _RIGHT, top, wide, tallest)]
    return places, top + tallest + _BELOW
