"""Trials of a search over settings: their scale of accuracies, their marks and their key.

Shared by the figures of a search. Terrible trials must not flatten the scale, so it is made
for the better ones, and the others are marked at its lower edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mnistlab.cards import counted
from mnistlab.reporting.figures.canvas import INK, MUTED
from mnistlab.reporting.figures.charts import STEPS
from mnistlab.reporting.figures.checks import check_numbers, require
from mnistlab.reporting.figures.marks import Mark, plot_marks
from mnistlab.reporting.palette import light

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

ACCENT = light("accent")
QUANTITY = "Validation accuracy, %"
_SHOWN = 0.75  # the fraction of trials, the better ones, that the scale is made for
_STRIP = 20.0  # pixels under the scale, for trials that are not on it


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

    def kinds(self) -> list[tuple[str, Mark, Bools]]:
        """The kinds of trials there are: name, mark, and which they are, (T,)."""
        kinds = [
            ("complete", Mark(ACCENT, "o", False), self.shown & self.complete),
            ("pruned", Mark(MUTED, "o", False, filled=False), self.shown & self.pruned),
            (f"below {self.low:g} %", Mark(MUTED, "v", False), self.below),
            ("diverged", Mark(light("wrong"), "x", False), self.diverged),
        ]
        return [kind for kind in kinds if kind[-1].any()]

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


def trials_of(scores: Array, complete: Bools) -> Trials:
    """The trials; raises ValueError where they cannot be drawn."""
    fits = scores.ndim == 1 and scores.size and scores.shape == complete.shape
    require(fits, f"scores {scores.shape}, complete {complete.shape}")
    known = scores[~np.isnan(scores)]
    check_numbers("known scores", known, known.shape, 0, 1)
    complete = complete & ~np.isnan(scores)
    return Trials(100 * scores, complete, *_scale(100 * known, 100 * scores[complete]))


def draw_trials(axes: Axes, trials: Trials, x: Array, size: float) -> None:
    """Scale the y axis and draw a mark per trial at `x` (T,), the best one in ink.

    Trials off the scale are marked below it. size: pixels, of which many trials get fewer.
    """
    strip, headroom = 4.0 if trials.shown.all() else _STRIP, 24.0
    per_pixel = (trials.high - trials.low) / (axes.get_window_extent().height - strip - headroom)
    axes.set_ylim(trials.low - strip * per_pixel, trials.high + headroom * per_pixel)
    axes.set_yticks(trials.ticks, [f"{tick:g}" for tick in trials.ticks])
    size *= 1 if len(x) <= 100 else 0.65
    y = np.where(trials.shown, trials.percent, trials.low - 0.5 * strip * per_pixel)
    for _, mark, which in trials.kinds():
        plot_marks(axes, x[which], y[which], mark, size)
    if trials.best is not None:
        plot_marks(axes, x[trials.best], y[trials.best], Mark(INK, "o"), size + 2.5)


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
    ticks = MaxNLocator(6, steps=STEPS).tick_values(low, high)
    return tuple(float(tick) for tick in ticks if tick <= min(100, high)), high
