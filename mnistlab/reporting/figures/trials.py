"""Trials of a search over settings: their scale of accuracies, their marks and their key.

Shared by the figures of a search. Terrible trials must not flatten the scale, so it is made
for the better ones, and the others are marked at its lower edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import INK, MUTED, TEXT, text_width
from mnistlab.reporting.palette import light

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

ACCENT = light("accent")
QUANTITY = "Validation accuracy, %"
_SHOWN = 0.75  # the share of trials, the better ones, that the scale is made for
_STRIP = 20.0  # pixels under the scale, for trials that are not on it


class Look(NamedTuple):
    """How one kind of trial is drawn, and what the key calls it; without a shape a line."""

    label: str
    colour: str
    shape: str = ""
    filled: bool = True


@dataclass(frozen=True, eq=False)
class Trials:
    """Accuracies in percent, and the scale that tells the good ones apart."""

    percent: Array  # (T,), NaN where a trial diverged
    complete: Bools  # (T,), none of the diverged
    ticks: tuple[float, ...]  # round numbers from the lower end of the scale on
    high: float

    @property
    def low(self) -> float:
        """The lower end of the scale."""
        return self.ticks[0]

    @property
    def diverged(self) -> Bools:
        """(T,): which have no accuracy."""
        return np.isnan(self.percent)

    @property
    def pruned(self) -> Bools:
        """(T,): which have an accuracy that is not their last."""
        return ~self.complete & ~self.diverged

    @property
    def shown(self) -> Bools:
        """(T,): which are on the scale, the others being worse or diverged."""
        return self.percent >= self.low - 1e-9  # 100 * 0.57 is less than 57

    @property
    def below(self) -> Bools:
        """(T,): which are worse than the scale shows."""
        return ~self.shown & ~self.diverged

    @property
    def best(self) -> int | None:
        """The place of the best complete trial, the first of equals."""
        if not self.complete.any():
            return None
        return int(np.argmax(np.where(self.complete, self.percent, -1)))

    def kinds(self) -> list[tuple[Look, Bools]]:
        """The kinds of trials there are, each with a mask (T,) of its own."""
        kinds = [
            (Look("complete", ACCENT, "o"), self.shown & self.complete),
            (Look("pruned", MUTED, "o", filled=False), self.shown & self.pruned),
            (Look(f"below {self.low:g} %", MUTED, "v"), self.below),
            (Look("diverged", light("wrong"), "x"), self.diverged),
        ]
        return [(look, which) for look, which in kinds if which.any()]

    def counts(self) -> str:
        """Such as "50 trials: 31 complete, 17 pruned, 2 diverged"."""
        parts = {"complete": self.complete, "pruned": self.pruned, "diverged": self.diverged}
        words = ", ".join(f"{which.sum()} {part}" for part, which in parts.items() if which.any())
        return f"{counted(len(self.percent), 'trial')}: {words}"

    def leader(self) -> str:
        """Such as "Best, trial 37: 98.21%"."""
        if self.best is None:
            return "None ran to its end"
        return f"Best, trial {self.best + 1}: {self.percent[self.best] / 100:.2%}"


def trials_of(name: str, scores: Array, complete: Bools) -> Trials:
    """The trials of figure `name`; raises ValueError where they cannot be drawn."""
    if scores.ndim != 1 or not scores.size or scores.shape != complete.shape:
        raise ValueError(f"figure {name}: scores {scores.shape}, complete {complete.shape}")
    known = scores[~np.isnan(scores)]
    if not known.size:
        raise ValueError(f"figure {name}: no trial has a score")
    if known.min() < 0 or known.max() > 1:
        raise ValueError(f"figure {name}: scores hold a number that is no fraction")
    complete = complete & ~np.isnan(scores)
    return Trials(100 * scores, complete, *_scale(100 * known, 100 * scores[complete]))


def counted(n: int, thing: str) -> str:
    """Such as "1 trial" or "2 trials"."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def scale_accuracy(axes: Axes, trials: Trials, height: float, headroom: float) -> float:
    """Scale the y axis of a panel `height` pixels high; where trials off the scale are marked."""
    strip = 4.0 if trials.shown.all() else _STRIP
    points_a_pixel = (trials.high - trials.low) / (height - strip - headroom)
    axes.set_ylim(trials.low - strip * points_a_pixel, trials.high + headroom * points_a_pixel)
    axes.set_yticks(trials.ticks, [f"{tick:g}" for tick in trials.ticks])
    return trials.low - 0.5 * strip * points_a_pixel


def draw_trials(axes: Axes, trials: Trials, x: Array, edge: float, size: float) -> None:
    """A mark a trial at `x` (T,), those off the scale at `edge`, the best one in ink.

    size: pixels, of which many trials get fewer.
    """
    size *= 1 if len(x) <= 100 else 0.65
    for look, which in trials.kinds():
        y = np.where(trials.shown, trials.percent, edge)
        _mark(axes, x[which], y[which], look, size)
    if trials.best is not None:
        best = Look("best", INK, "o")
        _mark(axes, x[[trials.best]], trials.percent[[trials.best]], best, size + 2.5)


def key_height(looks: Sequence[Look], width: float) -> float:
    """How far down a key of these looks reaches."""
    return max(y for _, y in _key_places(looks, width)) + 12


def draw_key(sheet: Axes, looks: Sequence[Look]) -> None:
    """Looks and what they stand for, at the top of the sheet."""
    for look, (x, y) in zip(looks, _key_places(looks, sheet.get_xlim()[1]), strict=True):
        if look.shape:
            _mark(sheet, np.array([x + 10]), np.array([y]), look, 7)
        else:
            sheet.plot([x, x + 20], [y, y], color=look.colour, linewidth=2)
        sheet.text(x + 28, y, look.label, va="center_baseline")


def _key_places(looks: Sequence[Look], width: float) -> list[tuple[float, float]]:
    places: list[tuple[float, float]] = []
    x, y = 0.0, 10.0
    for look in looks:
        needed = 28 + text_width(look.label, TEXT)
        if places and x + needed > width:
            x, y = 0.0, y + 21
        places.append((x, y))
        x += needed + 12
    return places


def _mark(axes: Axes, x: Array, y: Array, look: Look, size: float) -> None:
    axes.plot(
        x,
        y,
        look.shape,
        color=look.colour,
        markerfacecolor=look.colour if look.filled else "none",
        markersize=size,
        markeredgewidth=1.2,
        clip_on=False,
    )


def _scale(known: Array, complete: Array) -> tuple[tuple[float, ...], float]:
    """Ticks from the lower end of the scale on, and its upper end, all in percent.

    Below the better trials the scale goes on for half their spread, to hold what is close to
    them, and to the best of the complete ones wherever that is.
    """
    ordered = np.sort(known)
    high, better = float(ordered[-1]), float(ordered[int((1 - _SHOWN) * len(ordered))])
    low = max(float(ordered[0]), better - 0.5 * (high - better))
    if complete.size:
        low = min(low, float(complete.max()))
    room = max(0.0, 0.5 - (high - low)) / 2  # half a point at the least, equal scores in the middle
    low, high = max(0.0, low - room), high + room
    ticks = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return tuple(float(tick) for tick in ticks if tick <= min(100, high)), high
