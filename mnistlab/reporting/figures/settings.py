"""Searched settings as axes: where each trial lies on them, and what is written there."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes as Sheet
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import (
    MUTED,
    SMALL,
    short_number,
    shorten,
    text_width,
)
from mnistlab.reporting.figures.charts import STEPS, log_ticks
from mnistlab.reporting.figures.checks import check_numbers, require
from mnistlab.reporting.figures.marks import write
from mnistlab.reporting.figures.theme import HALO
from mnistlab.reporting.figures.trials import Array, Trials

INSET = 0.05  # of an axis: how far from its ends the values stay
LINE = 14.0  # pixels from a line of text to the next
_NONE = "none"  # where a trial has no such setting, such as the width of a layer it lacks
_OFF_SCALE = 0.2  # of an axis, for what is not on its scale


@dataclass(frozen=True, eq=False)
class Axis:
    """One searched setting: a value per trial.

    values: float64 (T,), of a choice the place of the value in `labels`; NaN where a trial has
    no such setting.
    """

    name: str
    values: NDArray[np.float64]
    logarithmic: bool = False
    labels: tuple[str, ...] = ()

    def word(self, trial: int) -> str:
        """The value of a trial as it is read."""
        value = float(self.values[trial])
        if np.isnan(value):
            return _NONE
        if self.labels:
            return self.labels[int(value)]
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.3g}"


class Scale(NamedTuple):
    """Where the trials are along an axis from 0 to 1, and what is written where."""

    places: Array  # (T,)
    ticks: list[tuple[float, str]]
    named: bool = False  # the ticks are names, which may be shortened


def scale_of(axis: Axis) -> Scale:
    """The values of a setting from the least to the greatest tried, or its choices in order."""
    if axis.labels:
        ends = (-0.5, len(axis.labels) - 0.5)
        return _along(axis.values, ends, list(enumerate(axis.labels)), named=True)
    low, high = float(np.nanmin(axis.values)), float(np.nanmax(axis.values))
    ticks = [(tick, short_number(tick)) for tick in _ticks(axis, low, high)]
    # Of one value, or of some that are all but one, no round number need be among them.
    ticks = ticks or [(low, axis.word(int(np.nanargmin(axis.values))))]
    if not axis.logarithmic:
        return _along(axis.values, (low, high), ticks)
    ticks = [(float(np.log10(tick)), label) for tick, label in ticks]
    return _along(np.log10(axis.values), (float(np.log10(low)), float(np.log10(high))), ticks)


def accuracy_scale(trials: Trials) -> Scale:
    """The accuracies of trials, those below their scale at a place before it."""
    on_scale = np.where(trials.shown, trials.percent, np.nan)
    ticks = [(tick, f"{tick:g}") for tick in trials.ticks]
    return _along(on_scale, (trials.low, trials.high), ticks, f"< {trials.low:g}")


def _along(
    numbers: Array,
    ends: tuple[float, float],
    ticks: Sequence[tuple[float, str]],
    off_scale: str = _NONE,
    named: bool = False,
) -> Scale:
    """Numbers between the ends along an axis; NaN at a place of its own before them."""
    missing, (low, high) = np.isnan(numbers), ends
    start = _OFF_SCALE if missing.any() else INSET

    def place(number: Array) -> Array:
        part = (number - low) / (high - low) if high > low else np.full_like(number, 0.5)
        return np.asarray(start + (1 - INSET - start) * part)

    marks = [(float(place(np.array(number))), label) for number, label in ticks]
    if missing.any():
        marks.insert(0, (INSET, off_scale))
    return Scale(np.where(missing, INSET, place(numbers)), marks, named)


def _ticks(axis: Axis, low: float, high: float) -> list[float]:
    if low == high:
        return []
    if axis.logarithmic:
        ticks = log_ticks(low, high)
        rounder = [tick for tick in ticks if f"{tick:e}"[0] in "125"]
        return rounder if len(rounder) > 1 else ticks
    known = axis.values[~np.isnan(axis.values)]
    whole = bool((known == np.round(known)).all())
    found = MaxNLocator(6, integer=whole, steps=STEPS).tick_values(low, high)
    return [tick for tick in found if low <= tick <= high]


def check_axes(axes: Sequence[Axis], n_trials: int) -> None:
    """Raise ValueError unless these settings of so many trials can be shown."""
    require(axes, "there are no settings")
    for axis in axes:
        name, shape = axis.name, axis.values.shape
        known = axis.values[~np.isnan(axis.values)]
        require(shape == (n_trials,), f"{name!r} has {shape} values for {n_trials} trials")
        check_numbers(f"values of {name!r}", known, known.shape)
        known_labels = not axis.labels or np.isin(known, np.arange(len(axis.labels))).all()
        require(known_labels, f"{name!r} has a value without a label")
        positive = not axis.logarithmic or (not axis.labels and known.min() > 0)
        require(positive, f"{name!r} needs positive values on a log scale")


def write_ticks(sheet: Sheet, ticks: Scale, left: float, across: float, y: float) -> None:
    """What belongs under an axis from `left` on, within its ends or a little more."""
    labels = [label for _, label in ticks.ticks]
    slot = across * min(np.diff([place for place, _ in ticks.ticks]), default=1.0)
    texts = _names(labels, slot) if ticks.named else [[label] for label in labels]
    halves = [max(text_width(line, SMALL) for line in lines) / 2 for lines in texts]
    middles = [
        min(max(left + across * place, left + half - 6), left + across - half + 6)
        for (place, _), half in zip(ticks.ticks, halves, strict=True)
    ]
    spans = [(x - half, x + half) for x, half in zip(middles, halves, strict=True)]
    step = 1 if ticks.named else _stride(spans)
    for x, lines in list(zip(middles, texts, strict=True))[::step]:
        for number, line in enumerate(lines):  # a text of its own each: readers' fonts differ
            style = {"size": SMALL, "color": MUTED, "ha": "center", "gid": HALO}
            write(sheet, x, y + number * LINE, line, **style)


def _names(labels: Sequence[str], slot: float) -> list[list[str]]:
    """Names on up to two lines side by side or, too long for that, in turn on two levels."""
    whole = [_whole_words(label, slot - 6) for label in labels]
    if all(whole):
        return whole
    texts = []
    for place, label in enumerate(labels):
        slots = min(len(labels), 1.5 if place in (0, len(labels) - 1) else 2)
        longest = max(2, int((slots * slot - 6) / text_width("m", SMALL)))
        texts.append([""] * (place % 2) + [shorten(label, longest)])
    return texts


def _whole_words(label: str, width: float) -> list[str]:
    """A label on one line, or two of about one length; nothing if it needs more."""
    longest = int(width / text_width("m", SMALL))
    clean = " ".join(shorten(label, 100).split())
    if len(clean) <= longest:
        return [clean]
    parts = clean.replace("_", "_ ")  # "learning_rate" may be parted too
    for n in range(1, longest + 1):
        wrapped = textwrap.wrap(parts, n, break_long_words=False)
        lines = [line.replace("_ ", "_") for line in wrapped]
        if len(lines) <= 2 and max(map(len, lines)) <= longest:
            return lines
    return []


def _stride(spans: Sequence[tuple[float, float]]) -> int:
    """Every which label to write so that none touches the next; spans are in order."""
    n = len(spans)
    return next(
        step
        for step in range(1, n + 1)
        if all(spans[i][1] + 6 <= spans[i + step][0] for i in range(0, n - step, step))
    )
