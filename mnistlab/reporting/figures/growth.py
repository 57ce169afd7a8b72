"""How an accuracy or a cost changes with one number: training images, a setting, a severity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    RULE,
    SMALL,
    Drawing,
    Words,
    figure,
    short_number,
    shorten,
    text_width,
)
from mnistlab.reporting.figures.charts import Panel, chart, log_ticks, scale
from mnistlab.reporting.figures.checks import arms_in_order, check_numbers, check_seeds, require
from mnistlab.reporting.figures.marks import Mark, mark_of

Array = NDArray[np.float64]
Law = tuple[float, float]  # exponent and the half-width of its interval


@figure("growth", "Growth")
def growth_curves(
    arms: Sequence[str],
    sizes: Mapping[str, Sequence[float]],
    values: Mapping[str, Sequence[Array]],
    laws: Mapping[str, Law],
    *,
    y_title: str,
    unit: str,
    x_title: str = "Training images",
    logarithmic: bool = True,
    **words: Unpack[Words],
) -> Drawing:
    """A mark per seed over an axis of training images or seconds, the mean stronger.

    For each arm shown its sizes (S,) and as many arrays of values, a number per seed. With laws,
    the power laws of the means, the values' axis is logarithmic too and each law a dashed
    line; without, the means are joined. logarithmic: the axis of sizes; otherwise they are whole
    numbers, such as epochs. Raises ValueError for an unknown arm or for numbers
    that such axes cannot hold.
    """
    shown = arms_in_order(arms, values)
    _check_growth(sizes, values, laws)
    legend = [(shorten(a, 18) + _exponent(laws.get(a)), mark_of(arms, a)) for a in shown]
    means = {arm: np.array([seeds.mean() for seeds in values[arm]]) for arm in shown}

    def draw(axes: Axes) -> None:
        reached: list[Array] = []
        for arm, (_, mark) in zip(shown, legend, strict=True):
            x, line = np.array(sizes[arm]), _line(np.array(sizes[arm]), means[arm], laws.get(arm))
            _draw_seeds(axes, sizes[arm], values[arm], mark)
            axes.plot(x, line, "--" if laws else "-", color=mark.colour, linewidth=1.8)
            reached += [line, *values[arm]]
        _scale_y(axes, reached, bool(laws))
        every_size = [size for arm in shown for size in sizes[arm]]
        if logarithmic:
            _scale_sizes(axes, every_size)
        else:
            scale(axes, "x", min(every_size) - 0.3, max(every_size) + 0.3, whole=True)

    parts = "; ".join(
        f"{label}: {means[arm][0]:.3g} {unit} at {_plain(sizes[arm][0])} and {means[arm][-1]:.3g} "
        f"{unit} at {_plain(sizes[arm][-1])}"
        for arm, (label, _) in zip(shown, legend, strict=True)
    )
    panel = Panel(f"{y_title}, {unit}", draw, x_title + " (log scale)" * logarithmic)
    alt = f"{y_title} by {x_title.lower()}. {parts}."
    return Drawing(chart([panel], legend=legend), alt, half=True)


@figure("setting", "Setting")
def setting_curve(
    settings: Sequence[float],
    values: Sequence[Array],
    *,
    x_title: str,
    y_title: str,
    unit: str,
    from_zero: bool = False,
    **words: Unpack[Words],
) -> Drawing:
    """A mark per seed for each setting, evenly spaced and in their order, the means joined.

    settings (S,) and as many arrays of values, a number per seed, in the colours of steps.
    Raises ValueError for arrays that are empty or not finite, or another number of them.
    """
    n = len(settings)
    require(n and n == len(values), f"{len(values)} arrays for {n} settings")
    check_seeds("every setting", values)
    steps = [str(place) for place in range(n)]
    means = [float(seeds.mean()) for seeds in values]

    def draw(axes: Axes) -> None:
        axes.plot(range(n), means, color=MUTED, linewidth=1.6)
        for place, step in enumerate(steps):
            _draw_seeds(axes, [place], [values[place]], mark_of(steps, step, ordered=True))
        _scale_y(axes, values, logarithmic=False, from_zero=from_zero)
        axes.set_xlim(-0.5, n - 0.5)
        axes.set_xticks(range(n), [f"{setting:g}" for setting in settings])

    parts = [f"{mean:.4g} {unit} at {s:g}" for s, mean in zip(settings, means, strict=True)]
    alt = f"{y_title} by {x_title}: {'; '.join(parts)}."
    return Drawing(chart([Panel(f"{y_title}, {unit}", draw, x_title)]), alt, half=True)


@figure("severities", "Accuracy by severity")
def severity_curves(
    clean: float, accuracies: Mapping[str, NDArray[np.float64]], **words: Unpack[Words]
) -> Drawing:
    """A line for every family of corruptions from the images as they are on; their mean stronger.

    clean: accuracy on images as they are. accuracies: of each family its corruptions' (C, S),
    fractions of images, severity 1 first. The strong line is the mean over all corruptions, each
    alike. Raises ValueError for arrays that are empty, of several lengths or not from 0 to 1.
    """
    shapes = {np.shape(each)[1:] for each in accuracies.values()}
    filled = all(np.ndim(each) == 2 and each.size for each in accuracies.values())
    same = len(shapes) == 1 and filled
    require(same, "every family needs accuracies at the same severities")
    known = np.r_[clean, np.concatenate([np.ravel(each) for each in accuracies.values()])]
    check_numbers("accuracies", known, known.shape, 0, 1)
    families = list(accuracies)
    lines = {family: np.r_[clean, each.mean(0)] for family, each in accuracies.items()}
    overall = np.r_[clean, np.concatenate(list(accuracies.values())).mean(0)]
    legend = [(family, mark_of(families, family)) for family in families]
    legend.append(("mean over corruptions", Mark(INK, "o")))

    def draw(axes: Axes) -> None:
        steps = range(len(overall))
        for line, (_, mark) in zip([*lines.values(), overall], legend, strict=True):
            strong = line is overall
            size, width = (7, 3) if strong else (5, 1.6)
            axes.plot(steps, 100 * line, mark.shape + "-", color=mark.colour, ms=size, lw=width)
        scale(axes, "y", *axes.get_ylim())
        axes.set_xlim(-0.2, len(overall) - 0.8)
        axes.set_xticks(steps, ["as is", *map(str, steps[1:])])

    ends = ", ".join(f"{100 * line[-1]:.1f} % under {family}" for family, line in lines.items())
    alt = (
        f"Accuracy {100 * clean:.1f} % on images as they are; at the greatest severity {ends}, "
        f"{100 * overall[-1]:.1f} % on average."
    )
    return Drawing(chart([Panel("Accuracy, %", draw, "Severity")], legend=legend), alt, half=True)


def _plain(size: float) -> str:
    """Such as "49,000" images, or "2.31" seconds."""
    return f"{size:,.0f}" if size >= 100 else f"{size:.3g}"


def _exponent(law: Law | None) -> str:
    if law is None:
        return ""
    exponent = f"{law[0]:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")
    return f", exponent {exponent} ± {law[1]:.2f}"


def _line(sizes: NDArray[np.int64], means: Array, law: Law | None) -> Array:
    """Where the law passes through the middle of the means; without one the means."""
    if law is None:
        return means
    level = np.exp(np.mean(np.log(means) - law[0] * np.log(sizes)))
    return np.asarray(level * np.power(sizes.astype(float), law[0]))


def _draw_seeds(axes: Axes, places: Sequence[float], values: Sequence[Array], mark: Mark) -> None:
    """At each place a mark per seed and, stronger, one for their mean."""
    for x, seeds in zip(places, values, strict=True):
        if len(seeds) > 1:
            at = np.full(len(seeds), x)
            axes.plot(at, seeds, mark.shape, color=mark.colour, markersize=5, alpha=0.45)
        axes.plot(x, seeds.mean(), mark.shape, color=mark.colour, markersize=7.5)


def _scale_y(
    axes: Axes, values: Sequence[Array], logarithmic: bool, from_zero: bool = False
) -> None:
    everything = np.concatenate(values)
    low, high = float(everything.min()), float(everything.max())
    if logarithmic:
        room = max(1.15, (high / low) ** 0.06)
        scale(axes, "y", low / room, high * room, logarithmic=True)
    else:
        room = 0.08 * (high - low) or 0.5 * (abs(high) or 1.0) * (1 if from_zero else 0.01)
        scale(axes, "y", 0 if from_zero else low - room, high + room)


def _scale_sizes(axes: Axes, sizes: Sequence[float]) -> None:
    """A logarithmic axis whose ticks are sizes measured, the largest first where they crowd.

    Sizes that are no whole numbers, such as seconds, would be odd ticks: round ones then.
    """
    low, high = min(sizes), max(sizes)
    room = max(1.1, (high / low) ** 0.05)
    axes.set(xscale="log", xlim=(low / room, high * room))
    pixels_each = axes.get_window_extent().width / math.log(high * room / (low / room))
    ticks: list[float] = []
    are_whole = all(float(size).is_integer() for size in sizes)
    wanted = sizes if are_whole else log_ticks(low / room, high * room)
    for size in sorted(set(wanted), reverse=True):
        if not ticks or math.log(ticks[-1] / size) * pixels_each > 6 + text_width(
            short_number(ticks[-1]), SMALL
        ):
            ticks.append(size)
    axes.set_xticks(ticks, [short_number(size) for size in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="x", color=RULE, linewidth=0.8)


def _check_growth(
    sizes: Mapping[str, Sequence[float]],
    values: Mapping[str, Sequence[Array]],
    laws: Mapping[str, Law],
) -> None:
    for arm, by_size in values.items():
        known = sizes.get(arm, ())
        fits = by_size and len(by_size) == len(known) and min(known) > 0
        require(fits, f"{arm!r} needs values for each of its positive sizes")
        check_seeds(repr(arm), by_size)
        lawful = not laws or (arm in laws and min(float(seeds.min()) for seeds in by_size) > 0)
        require(lawful, f"{arm!r} needs a law and positive values")
