"""Accuracies as dots: by class, and against the number of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from mnistlab.reporting.bounds import MOST_CLASSES, highest, with_left_out
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    NARROW,
    RULE,
    SMALL,
    TEXT,
    canvas,
    compose,
    legend,
    legend_height,
    mark_of,
    panel,
    short_number,
    shorten,
    text_width,
)
from mnistlab.reporting.page import Figure

TALLEST = 1700.0  # pixels of the rows together

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]  # left, bottom, right, top


def per_class_accuracy(
    arms: Sequence[str],
    accuracy: Mapping[str, Array],
    class_names: Sequence[str],
    *,
    caption: str,
    command: str,
    name: str = "per-class-accuracy",
    title: str = "Accuracy by class",
) -> Figure:
    """A row a class, the easiest first, a dot an arm.

    accuracy: for each arm shown, float64 (K,) of fractions; NaN where a class
    has no images. Raises ValueError for an unknown arm or another shape.
    """
    shown = _shown(name, arms, accuracy)
    for arm in shown:
        if accuracy[arm].shape != (len(class_names),):
            raise ValueError(
                f"figure {name}: {arm!r} has {accuracy[arm].shape} accuracies "
                f"for {len(class_names)} class names"
            )
    table = np.stack([accuracy[arm] * 100 for arm in shown])  # (A, K)
    if not np.isfinite(table).any():
        raise ValueError(f"figure {name}: no accuracy is finite")
    known = np.isfinite(table)
    mean = np.where(known, table, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    measured = known.any(axis=0)
    mean = np.where(measured, mean, np.inf)  # a class without images is not the hardest
    row = max(30.0, 7.0 * len(shown) + 12)
    hardest = highest(-mean, min(MOST_CLASSES, max(5, int(TALLEST // row))))
    caption = with_left_out(caption, len(hardest), len(class_names), "with the lowest accuracy")
    order = hardest[np.argsort(-mean[hardest], kind="stable")]
    if not measured.all():
        caption += " Without a dot: no image of the class."
    names = [shorten(class_names[index], 16) for index in order]

    def draw(width: int) -> Canvas:
        left = 16 + max(text_width(label, TEXT) for label in names)
        top = legend_height(shown, width) + 14
        blank, sheet = canvas(width, top + row * len(names) + 52)
        legend(sheet, shown, [mark_of(arms, arm) for arm in shown])
        axes = panel(blank, left, top, width - left - 12, row * len(names))
        _dot_rows(axes, arms, shown, table[:, order])
        axes.set_yticks(range(len(names)), names, color=INK, fontsize=TEXT)
        axes.set_xlabel("Accuracy, %", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    lowest = int(order[-1])
    alt = "Accuracy by class. Hardest: " + "; ".join(
        f"{arm} {accuracy[arm][lowest]:.1%} on {class_names[lowest]}" for arm in shown
    )
    return compose(draw, name=name, title=title, alt=f"{alt}.", caption=caption, command=command)


def accuracy_against_parameters(
    arms: Sequence[str],
    n_parameters: Mapping[str, int],
    accuracy: Mapping[str, Array],
    *,
    caption: str,
    command: str,
    name: str = "accuracy-against-parameters",
    title: str = "Accuracy against parameters",
) -> Figure:
    """A dot a seed, a bar at their mean, the arm's name beside it; parameters on a log scale.

    n_parameters: at least 1 for each arm shown. accuracy: for each arm shown,
    float64 (S,) of fractions. Raises ValueError for an unknown arm, a missing or
    impossible number of parameters, or an accuracy that is not finite.
    """
    shown = _shown(name, arms, accuracy)
    for arm in shown:
        if n_parameters.get(arm, 0) < 1:
            raise ValueError(f"figure {name}: {arm!r} has no number of parameters")
        if (
            accuracy[arm].ndim != 1
            or not accuracy[arm].size
            or not np.isfinite(accuracy[arm]).all()
        ):
            raise ValueError(f"figure {name}: {arm!r} needs finite accuracies of shape (S,)")

    def draw(width: int) -> Canvas:
        height = 360 if width == NARROW else 400
        blank, _ = canvas(width, height)
        box = (44.0, 34.0, width - 60.0, height - 84.0)
        axes = panel(blank, *box, heading="Test accuracy, %")
        _scatter(axes, arms, shown, n_parameters, accuracy)
        _label_arms(axes, box[2:], shown, n_parameters, accuracy)
        return blank

    alt = "Test accuracy against parameters: " + "; ".join(
        f"{arm}, {n_parameters[arm]:,} parameters, {accuracy[arm].mean():.1%}" for arm in shown
    )
    return compose(draw, name=name, title=title, alt=f"{alt}.", caption=caption, command=command)


def _dot_rows(axes: Axes, arms: Sequence[str], shown: list[str], table: Array) -> None:
    n_arms, n_classes = table.shape
    # Dots of one row stand a little apart, or equal arms would hide each other.
    shifts = (np.arange(n_arms) - (n_arms - 1) / 2) * min(0.2, 0.62 / n_arms)
    rows = np.arange(n_classes)
    some = np.isfinite(table).any(axis=0)
    ends = np.nanmin(table[:, some], axis=0), np.nanmax(table[:, some], axis=0)
    axes.hlines(rows[some], *ends, color=RULE, linewidth=3)
    for arm, shift, values in zip(shown, shifts, table, strict=True):
        colour, shape = mark_of(arms, arm)
        axes.plot(values, rows + shift, shape, color=colour, markersize=7.5)
    axes.set_ylim(n_classes - 0.5, -0.5)
    low = float(np.nanmin(table))
    axes.set_xlim(low - max(1.0, (100 - low) * 0.06), 100 + max(0.3, (100 - low) * 0.03))
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color=RULE, linewidth=0.8)
    axes.hlines(rows[1:] - 0.5, *axes.get_xlim(), color=RULE, linewidth=0.8, zorder=0)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))


def _scatter(
    axes: Axes,
    arms: Sequence[str],
    shown: list[str],
    n_parameters: Mapping[str, int],
    accuracy: Mapping[str, Array],
) -> None:
    axes.set_xscale("log")
    for arm in shown:
        x, values, (colour, shape) = n_parameters[arm], accuracy[arm] * 100, mark_of(arms, arm)
        axes.plot(np.full(len(values), x), values, shape, color=colour, markersize=8, alpha=0.5)
        axes.plot(x, values.mean(), "_", color=colour, markersize=26, markeredgewidth=2.5)
    sizes = [n_parameters[arm] for arm in shown]
    everything = np.concatenate([accuracy[arm] for arm in shown]) * 100
    low, high = float(everything.min()), float(everything.max())
    pad = (high - low) * 0.12 or 0.5
    axes.set_ylim(low - pad, high + pad)
    axes.set_xlim(min(sizes) / 1.8, max(sizes) * 1.8)
    ticks = [m * 10.0**e for e in range(10) for m in (1, 2, 5)]
    inside = [t for t in ticks if min(sizes) / 1.8 <= t <= max(sizes) * 1.8]
    wide_range = [t for t in inside if str(t)[0] == "1"]
    axes.xaxis.set_major_locator(FixedLocator(wide_range if len(wide_range) > 2 else inside))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
    axes.set_xlabel("Parameters (log scale)", loc="right", color=MUTED, fontsize=SMALL)


def _label_arms(
    axes: Axes,
    size: tuple[float, float],
    shown: list[str],
    n_parameters: Mapping[str, int],
    accuracy: Mapping[str, Array],
) -> None:
    """Write each name near its mean, where it covers the least of what is there already."""
    to_pixels = axes.transData.transform
    taken: list[Box] = []
    for arm in shown:
        dots = to_pixels([(n_parameters[arm], 100 * value) for value in accuracy[arm]])
        taken += [(x - 6, y - 6, x + 6, y + 6) for x, y in dots]
    frame = axes.get_window_extent()
    for arm in shown:
        label = shorten(arm, 28)
        width = text_width(label, TEXT) * 0.95
        x, y = to_pixels((n_parameters[arm], 100 * accuracy[arm].mean()))
        boxes = [
            (x + dx, y + dy - 8, x + dx + width, y + dy + 8)
            for dy in (0, 16, -16, 32, -32, 48, -48)
            for dx in (18, -18 - width, -width / 2)
        ]
        best = min(boxes, key=lambda box: _overlap(box, taken, frame.extents))
        taken.append(best)
        axes.annotate(
            label,
            (best[0] - frame.x0, best[1] - frame.y0 + 8),
            xycoords="axes points",
            va="center_baseline",
            color=INK,
        )


def _overlap(box: Box, taken: list[Box], frame: Box) -> float:
    """Square pixels of `box` over boxes already taken; much more for any outside the frame."""
    left, bottom, right, top = box
    covered = sum(
        max(0.0, min(right, r) - max(left, x)) * max(0.0, min(top, t) - max(bottom, y))
        for x, y, r, t in taken
    )
    outside = max(0, frame[0] - left, right - frame[2]) + max(0, frame[1] - bottom, top - frame[3])
    return covered + 100 * outside


def _shown(name: str, arms: Sequence[str], accuracy: Mapping[str, Array]) -> list[str]:
    if not accuracy:
        raise ValueError(f"figure {name}: there are no arms to show")
    for arm in accuracy:
        if arm not in arms:
            raise ValueError(f"figure {name}: {arm!r} is no arm of the study")
    return [arm for arm in arms if arm in accuracy]
