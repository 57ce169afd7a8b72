"""Learning rates by epoch (row A12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Unpack

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import Drawing, Words, figure
from mnistlab.reporting.figures.charts import Panel, chart, scale
from mnistlab.reporting.figures.checks import require
from mnistlab.reporting.figures.lines import (
    N_MARKS,
    Array,
    Curves,
    arms_of,
    draw_phase_ends,
    in_words,
    scale_epochs,
)
from mnistlab.reporting.figures.marks import Mark

Epochs = NDArray[np.int64]
Row = tuple[Array, tuple[int, ...]]

DECADE, DEPTH = 10.0, 1e3  # log scale from a decade on; how far down it follows one run
DASH = 6.0  # line widths of an arm's colour where lines of several arms lie on each other


def rates_differ(curves: Mapping[str, Curves]) -> bool:
    """Whether any rate changes during training or differs between arms."""
    return len(np.unique(_all_rates(curves))) > 1


def falls_below(curves: Mapping[str, Curves]) -> bool:
    """Whether a rate falls to where the figure of them does not reach."""
    rates = _all_rates(curves)
    return bool((rates < _lowest_shown(curves)).any())


@figure("learning-rates", "Learning rate by epoch")
def learning_rates(
    arms: Sequence[str], curves: Mapping[str, Curves], **words: Unpack[Words]
) -> Drawing:
    """The learning rate at the end of each epoch, a line per seed and phase; equal seeds share one.

    Logarithmic where rates span more than a decade; what falls below a thousandth of its own
    highest rate leaves the figure. Where arms have one rate, their colours take turns.
    arms: all arms of the study, in order; curves: those to show. Raises ValueError for an
    unknown arm, for arrays of differing or empty shape or for an arm without rates.
    """
    shown = arms_of(arms, curves)
    for arm in shown.names:
        require(_rows(curves[arm]), f"{arm!r} has no learning rates")
    rates, low = _all_rates(curves), _lowest_shown(curves)
    high = float(rates.max())
    logarithmic = bool(rates.min() * DECADE < high)

    def draw(axes: Axes) -> None:
        scale_epochs(axes, shown.curves)
        draw_phase_ends(axes, shown.curves)
        ends = (low / 1.4, high * 1.4) if logarithmic else (0, 1.08 * high or 1)
        scale(axes, "y", *ends, logarithmic=logarithmic)
        for place, mark in enumerate(shown.marks):
            _draw_rates(axes, shown.curves, place, mark)

    panel = Panel("Learning rate" + " (log scale)" * logarithmic, draw)
    parts = "; ".join(_rates_text(arm, curves[arm]) for arm in shown.names)
    drawn = chart([panel], legend=shown.legend, heights=(220, 180))
    return Drawing(drawn, f"Learning rate by epoch. {parts}.")


def _rows(logged: Curves) -> list[Row]:
    """Of each seed the rates as far as it went and where its phases end; seeds alike once."""
    rates = np.zeros((0, 0)) if logged.learning_rate is None else logged.learning_rate
    ends = logged.phase_ends or ((),) * len(rates)
    pairs = zip(rates, ends, strict=True)
    rows = dict.fromkeys((tuple(row[np.isfinite(row)]), of_row) for row, of_row in pairs)
    return [(np.array(row), of_row) for row, of_row in rows if row]


def _all_rates(curves: Mapping[str, Curves]) -> Array:
    """Every logged rate, one after the other."""
    return np.concatenate(
        [np.zeros(0), *(rates for of_arm in curves.values() for rates, _ in _rows(of_arm))]
    )


def _lowest_shown(curves: Mapping[str, Curves]) -> float:
    """The lowest rate that is not under a thousandth of the highest of its own seed."""
    rows = [rates[rates > 0] for of_arm in curves.values() for rates, _ in _rows(of_arm)]
    return min((float(row[row >= row.max() / DEPTH].min()) for row in rows if len(row)), default=0)


def _draw_rates(axes: Axes, every: Sequence[Curves], place: int, mark: Mark) -> None:
    """A line per seed and phase; dashes where another arm has the same rate, marks of its own."""
    bottom, n_arms = axes.get_ylim()[0], len(every)
    others = [row for i, logged in enumerate(every) if i != place for row, _ in _rows(logged)]
    dashes = (place * DASH, (DASH, (n_arms - 1) * DASH or DASH))
    for rates, ends in _rows(every[place]):
        epochs = np.arange(1, len(rates) + 1)
        seen = np.maximum(rates, bottom / DECADE)
        shared = np.where(_shared(rates, others), seen, np.nan)
        for start, end in pairwise((0, *ends, len(rates))):
            phase = slice(start, end)
            for values, style, order in ((seen, "-", 2.0), (shared, dashes, 2.1)):
                if np.isfinite(values[phase]).any():
                    axes.plot(
                        epochs[phase],
                        values[phase],
                        color=mark.colour,
                        linewidth=2.2,
                        linestyle=style,
                        drawstyle="steps-mid" if _holds(rates[phase]) else "default",
                        zorder=order,
                    )
        own = _own_epochs(len(rates), place, n_arms, logarithmic=axes.get_xscale() == "log")
        own = np.union1d(own, np.array(ends, dtype=int))
        axes.plot(own + 1, seen[own], mark.shape, color=mark.colour, markersize=6, zorder=3)


def _own_epochs(n_epochs: int, place: int, n_arms: int, *, logarithmic: bool) -> Epochs:
    """Where the arm has its marks, counted from 0; those of other arms lie between."""
    if logarithmic:
        fractions = (np.arange(N_MARKS) + place / n_arms) / N_MARKS
        return np.unique(np.power(n_epochs, fractions).round().astype(int)) - 1
    return np.arange(place % n_epochs, n_epochs, max(n_arms, n_epochs // N_MARKS))


def _shared(rates: Array, others: Sequence[Array]) -> NDArray[np.bool_]:
    """At which epochs one of the others has the same rate."""
    shared = np.zeros(len(rates), dtype=bool)
    for other in others:
        n_epochs = min(len(rates), len(other))
        shared[:n_epochs] |= rates[:n_epochs] == other[:n_epochs]
    return shared


def _holds(rates: Array) -> bool:
    """Whether the rates of a phase go in steps: no two changes follow each other."""
    changed = np.diff(rates) != 0
    return not (changed[:-1] & changed[1:]).any()


def _rates_text(arm: str, logged: Curves) -> str:
    """Such as "step: 0.001, from epoch 6 on 0.0001"; of many rates the first, top and last."""
    rates, ends = _rows(logged)[0]
    phases = f", phases begin in {in_words([1, *(end + 1 for end in ends)])}" if ends else ""
    changes = [0, *(np.flatnonzero(np.diff(rates)) + 1)]
    if len(changes) <= 4:
        steps = [f"from epoch {epoch + 1} on {rates[epoch]:.3g}" for epoch in changes[1:]]
        return f"{arm}: {', '.join([f'{rates[0]:.3g}', *steps])}{phases}"
    top = int(rates.argmax())
    highest = f", {rates[top]:.3g} in epoch {top + 1}" if 0 < top < len(rates) - 1 else ""
    return f"{arm}: {rates[0]:.3g} in epoch 1{highest}, {rates[-1]:.3g} in the last{phases}"
