"""How an accuracy or a cost changes with one number: training images, or a setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import (
    MUTED,
    RULE,
    SMALL,
    canvas,
    compose,
    legend,
    legend_height,
    log_ticks,
    mark_of,
    panel,
    short_number,
    shorten,
    text_width,
)
from mnistlab.reporting.page import Figure

Array = NDArray[np.float64]
Law = tuple[float, float]  # exponent and the half-width of its interval

_LEFT, _RIGHT, _PLOT, _BELOW = 48.0, 14.0, 216.0, 48.0


def growth_curves(
    arms: Sequence[str],
    sizes: Mapping[str, Sequence[float]],
    values: Mapping[str, Sequence[Array]],
    laws: Mapping[str, Law],
    *,
    x_title: str = "Training images",
    y_title: str,
    unit: str,
    caption: str,
    command: str,
    name: str = "growth",
    title: str = "Growth",
    x_scale: str = "log",
) -> Figure:
    """A mark a seed over a logarithmic axis of training images or seconds, the mean stronger.

    x_scale: "log", or "linear" for whole numbers, such as epochs.

    For each arm shown its sizes (S,) and as many arrays of values, a number a seed. With laws,
    the power laws of the means, the values' axis is logarithmic too and each law a dashed
    line; without, the means are joined. Raises ValueError for an unknown arm or for numbers
    that such axes cannot hold.
    """
    shown = [arm for arm in arms if arm in values]
    _check_growth(name, arms, sizes, values, laws)
    labels = [shorten(arm, 18) + _exponent(laws.get(arm)) for arm in shown]
    means = {arm: np.array([seeds.mean() for seeds in values[arm]]) for arm in shown}

    def draw(width: int) -> Canvas:
        top = legend_height(labels, width) + 34
        blank, sheet = canvas(width, top + _PLOT + _BELOW)
        legend(sheet, labels, [mark_of(arms, arm) for arm in shown])
        axes = panel(blank, _LEFT, top, width - _LEFT - _RIGHT, _PLOT, heading=f"{y_title}, {unit}")
        reached: list[Array] = []
        for arm in shown:
            x, mean, (colour, shape) = np.array(sizes[arm]), means[arm], mark_of(arms, arm)
            for size, seeds in zip(x, values[arm], strict=True):
                _seeds(axes, float(size), seeds, colour, shape)
            axes.plot(x, mean, shape, color=colour, markersize=7.5)
            line = _line(x, mean, laws.get(arm))
            axes.plot(x, line, "--" if laws else "-", color=colour, linewidth=1.6 if laws else 2)
            reached += [line, *values[arm]]
        _scale_y(axes, reached, bool(laws))
        every_size = [size for arm in shown for size in sizes[arm]]
        if x_scale == "linear":
            _scale_evenly(axes, every_size)
        else:
            _scale_sizes(axes, every_size, width)
        scale = " (log scale)" if x_scale == "log" else ""
        axes.set_xlabel(f"{x_title}{scale}", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    alt = f"{y_title} by {x_title.lower()}. " + "; ".join(
        f"{label}: {means[arm][0]:.3g} {unit} at {_plain(sizes[arm][0])} and {means[arm][-1]:.3g} "
        f"{unit} at {_plain(sizes[arm][-1])}"
        for arm, label in zip(shown, labels, strict=True)
    )
    return compose(
        draw, name=name, title=title, alt=f"{alt}.", caption=caption, command=command, half=True
    )


def setting_curve(
    settings: Sequence[float],
    values: Sequence[Array],
    *,
    x_title: str,
    y_title: str,
    unit: str,
    caption: str,
    command: str,
    from_zero: bool = False,
    name: str = "setting",
    title: str = "Setting",
) -> Figure:
    """A mark a seed for each setting, evenly spaced and in their order, the means joined.

    settings (S,) and as many arrays of values, a number a seed, in the colours of steps.
    Raises ValueError for arrays that are empty or not finite, or another number of them.
    """
    if not len(settings) or len(settings) != len(values):
        raise ValueError(f"figure {name}: {len(values)} arrays for {len(settings)} settings")
    if not all(len(seeds) and np.isfinite(seeds).all() for seeds in values):
        raise ValueError(f"figure {name}: needs finite values for every setting")
    steps = [str(place) for place in range(len(settings))]
    means = [float(seeds.mean()) for seeds in values]

    def draw(width: int) -> Canvas:
        top = 34.0
        blank, _ = canvas(width, top + _PLOT + _BELOW)
        axes = panel(blank, _LEFT, top, width - _LEFT - _RIGHT, _PLOT, heading=f"{y_title}, {unit}")
        axes.plot(range(len(means)), means, color=MUTED, linewidth=1.6)
        for place, (step, seeds) in enumerate(zip(steps, values, strict=True)):
            colour, shape = mark_of(steps, step, ordered=True)
            _seeds(axes, place, seeds, colour, shape)
            axes.plot(place, means[place], shape, color=colour, markersize=8)
        _scale_y(axes, values, logarithmic=False, from_zero=from_zero)
        axes.set_xlim(-0.5, len(settings) - 0.5)
        axes.set_xticks(range(len(settings)), [f"{setting:g}" for setting in settings])
        axes.set_xlabel(x_title, loc="right", color=MUTED, fontsize=SMALL)
        return blank

    alt = f"{y_title} by {x_title}: " + "; ".join(
        f"{mean:.4g} {unit} at {setting:g}" for setting, mean in zip(settings, means, strict=True)
    )
    return compose(
        draw, name=name, title=title, alt=f"{alt}.", caption=caption, command=command, half=True
    )


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


def _seeds(axes: Axes, x: float, seeds: Array, colour: str, shape: str) -> None:
    if len(seeds) > 1:
        axes.plot(np.full(len(seeds), x), seeds, shape, color=colour, markersize=5, alpha=0.45)


def _scale_y(
    axes: Axes, values: Sequence[Array], logarithmic: bool, from_zero: bool = False
) -> None:
    everything = np.concatenate(values)
    low, high = float(everything.min()), float(everything.max())
    if logarithmic:
        room = max(1.15, (high / low) ** 0.06)
        axes.set_yscale("log")
        axes.set_ylim(low / room, high * room)
        axes.yaxis.set_major_locator(FixedLocator(log_ticks(low / room, high * room)))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        room = 0.08 * (high - low) or 0.5 * (abs(high) or 1.0) * (1 if from_zero else 0.01)
        axes.set_ylim(0 if from_zero else low - room, high + room)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _scale_sizes(axes: Axes, sizes: Sequence[float], width: int) -> None:
    """A logarithmic axis whose ticks are sizes measured, the largest first where they crowd.

    Sizes that are no whole numbers, such as seconds, would be odd ticks: round ones then.
    """
    low, high = min(sizes), max(sizes)
    room = max(1.1, (high / low) ** 0.05)
    axes.set_xscale("log")
    axes.set_xlim(low / room, high * room)
    pixels_each = (width - _LEFT - _RIGHT) / math.log(high * room / (low / room))
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


def _scale_evenly(axes: Axes, sizes: Sequence[float]) -> None:
    axes.set_xlim(min(sizes) - 0.3, max(sizes) + 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True, min_n_ticks=1))


def _check_growth(
    name: str,
    arms: Sequence[str],
    sizes: Mapping[str, Sequence[float]],
    values: Mapping[str, Sequence[Array]],
    laws: Mapping[str, Law],
) -> None:
    if not values:
        raise ValueError(f"figure {name}: there is nothing to show")
    for arm, by_size in values.items():
        if arm not in arms:
            raise ValueError(f"figure {name}: {arm!r} is no arm of the study")
        known = sizes.get(arm, ())
        if not by_size or len(by_size) != len(known) or min(known) <= 0:
            raise ValueError(f"figure {name}: {arm!r} needs values for each of its positive sizes")
        if not all(len(seeds) and np.isfinite(seeds).all() for seeds in by_size):
            raise ValueError(f"figure {name}: {arm!r} has values that are not finite")
        if laws and (arm not in laws or min(float(seeds.min()) for seeds in by_size) <= 0):
            raise ValueError(f"figure {name}: {arm!r} needs a law and positive values")
