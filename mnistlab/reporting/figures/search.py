"""A search: its history, the importance of settings, each setting alone, and all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
from matplotlib.axes import Axes as Sheet
from matplotlib.figure import Figure as Canvas

from mnistlab.cards import counted
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    NARROW,
    TEXT,
    Drawing,
    Words,
    canvas,
    figure,
    shorten,
)
from mnistlab.reporting.figures.charts import Panel, chart, rows, scale
from mnistlab.reporting.figures.checks import check_numbers, require
from mnistlab.reporting.figures.marks import Mark, draw_legend, legend_height, write
from mnistlab.reporting.figures.settings import (
    INSET,
    Axis,
    accuracy_scale,
    check_axes,
    scale_of,
    write_ticks,
)
from mnistlab.reporting.figures.theme import HALO
from mnistlab.reporting.figures.trials import (
    ACCENT,
    QUANTITY,
    Array,
    Bools,
    Trials,
    draw_trials,
    trials_of,
)

_ROW, _SIDE = 66.0, 8.0  # of parallel axes: from one to the next, and beside them
_PANELS_IN_A_ROW = 3


@figure("search-history", "History")
def search_history(scores: Array, complete: Bools, **words: Unpack[Words]) -> Drawing:
    """A mark per trial in their order, and as a line the best complete one so far.

    scores: float64 (T,) of fractions, NaN where a trial diverged. complete: bool (T,), False
    where a trial was pruned and its score is the last one it reported. The worst trials may lie
    below the scale, and are marked there. Raises ValueError for other shapes, a score that is no
    fraction, or none at all.
    """
    trials = trials_of(scores, complete)
    legend = [(label, mark) for label, mark, _ in trials.kinds()]
    if trials.best is not None:
        legend.append(("best so far", Mark(INK)))
    n = len(scores)

    def draw(axes: Sheet) -> None:
        _best_so_far(axes, trials)
        draw_trials(axes, trials, np.arange(1.0, n + 1), size=6.5)
        scale(axes, "x", 0.5, n + 0.5, whole=True)

    alt = f"{trials.counts()}. {trials.leader()}."
    if trials.below.any():
        alt += f" Below {trials.low:g}%, at the lower edge: {trials.below.sum()}."
    return Drawing(chart([Panel(QUANTITY, draw, "Trial")], legend=legend), alt, half=True)


@figure("importance", "Importance")
def importance_bars(names: Sequence[str], importance: Array, **words: Unpack[Words]) -> Drawing:
    """A bar per setting with its importance, the largest first.

    importance: float64 (P,), fractions of one whole. Raises ValueError for another number of
    them, or where they cannot be such fractions.
    """
    n = len(names)
    check_numbers("importances", importance, (n,), least=0)
    total = importance.sum()
    require(abs(total - 1) <= 1e-6, f"importance sums to {total:.6g}, not to 1")
    order = np.argsort(-importance, kind="stable")
    texts = [_importance_text(importance[place]) for place in order]

    def draw(axes: Sheet) -> None:
        axes.barh(range(n), importance[order], height=0.56, color=ACCENT)
        axes.set(xlim=(0, importance.max()), xticks=[])
        axes.spines["bottom"].set_visible(False)

    labels = [names[place] for place in order]
    parts = "; ".join(f"{label} {text}" for label, text in zip(labels, texts, strict=True))
    alt = f"Importance of {counted(n, 'setting')}: {parts}."
    return Drawing(rows(labels, draw, texts=[texts], row=32, longest=32), alt, half=True)


@figure("slices", "Slices")
def slices(axes: Sequence[Axis], scores: Array, complete: Bools, **words: Unpack[Words]) -> Drawing:
    """A panel per setting: a mark per trial at its value and accuracy, the best one in ink.

    Arguments and errors are those of `parallel_coordinates`, but diverged trials are shown. Marks
    that share a value stand a little beside it, or they would hide each other.
    """
    trials = trials_of(scores, complete)
    check_axes(axes, len(scores))
    legend = [(label, mark) for label, mark, _ in trials.kinds()]
    if trials.best is not None:
        legend.append((f"best: trial {trials.best + 1}", Mark(INK, "o", line=False)))

    def panel(axis: Axis) -> Panel:
        where = scale_of(axis)

        def draw(frame: Sheet) -> None:
            draw_trials(frame, trials, _jittered(where.places), size=5)
            frame.set(xlim=(0, 1), xticks=[])
            box = frame.get_window_extent()
            sheet = frame.figure.axes[0]
            write_ticks(sheet, where, box.x0, box.width, sheet.get_ylim()[0] - box.y0 + 14)

        return Panel(shorten(axis.name, 34), draw)

    panels = [panel(axis) for axis in axes]
    n_rows = -(-len(panels) // _PANELS_IN_A_ROW)
    places: list[Panel | None] = [*panels, *[None] * (n_rows * _PANELS_IN_A_ROW - len(panels))]
    n_columns = min(len(panels), _PANELS_IN_A_ROW)
    columns = [places[column::_PANELS_IN_A_ROW] for column in range(n_columns)]
    drawn = chart(*columns, legend=legend, heights=(246 * n_rows - 78, 132))
    parts = "; ".join(_span(axis, trials) for axis in axes)
    return Drawing(
        drawn, f"Validation accuracy by setting. {trials.counts()}. {trials.leader()}. {parts}."
    )


@figure("parallel-coordinates", "Parallel coordinates")
def parallel_coordinates(
    axes: Sequence[Axis], scores: Array, complete: Bools, **words: Unpack[Words]
) -> Drawing:
    """An axis per setting and one of accuracy, a line per trial, the best one in ink.

    scores: float64 (T,) of fractions, NaN where a trial diverged: it has no line. complete: bool
    (T,), False where a trial was pruned. The axes lie one below the other. Raises ValueError for
    other shapes, a score that is no fraction, none at all, or an axis that cannot hold its values.
    """
    trials = trials_of(scores, complete)
    check_axes(axes, len(scores))
    scales = [*map(scale_of, axes), accuracy_scale(trials)]
    legend = []
    if trials.best is not None:
        best = f"trial {trials.best + 1}: {trials.percent[trials.best]:.2f} %, the best"
        legend.append((best, Mark(INK)))
    if trials.complete.sum() > 1:
        legend.append(("complete, the better the stronger", Mark(ACCENT)))
    if trials.pruned.any():
        legend.append(("pruned", Mark(MUTED)))

    def draw(width: int) -> Canvas:
        top = legend_height(legend, width) + 36
        pitch = _ROW if width == NARROW else 1.25 * _ROW
        blank, sheet = canvas(width, top + pitch * (len(scales) - 1) + 34)
        draw_legend(sheet, legend)
        across = width - 2 * _SIDE
        y: Array = top + pitch * np.arange(float(len(scales)))
        x: Array = np.array([_SIDE + across * where.places for where in scales])  # (P, T)
        _lines(sheet, x, y, trials)
        for at, name, where in zip(
            y, [*(axis.name for axis in axes), QUANTITY], scales, strict=True
        ):
            sheet.plot([_SIDE, width - _SIDE], [at, at], color=MUTED, linewidth=1)
            label = shorten(name, int(across / (0.6 * TEXT)))
            write(sheet, 0, at - 12, label, weight="bold", gid=HALO)
            write_ticks(sheet, where, _SIDE, across, at + 13)
        return blank

    alt = f"{trials.counts()}; {counted(len(axes), 'setting')}. {trials.leader()}"
    if trials.best is not None:
        alt += ", at " + "; ".join(f"{axis.name} {axis.word(trials.best)}" for axis in axes)
    return Drawing(draw, f"{alt}.")


def _best_so_far(axes: Sheet, trials: Trials) -> None:
    """A step line up to the best trial, whose number and accuracy are written over it."""
    if trials.best is None:
        return
    finished = np.where(trials.complete, trials.percent, np.nan)
    reached = np.fmax.accumulate(np.append(finished, np.nan))  # and on to the axis's end
    reached[reached < trials.low] = np.nan
    numbers = np.append(np.arange(1.0, len(finished) + 1), len(finished) + 0.5)
    axes.plot(numbers, reached, color=INK, linewidth=1.6, drawstyle="steps-post")
    along = (trials.best + 0.5) / len(finished)
    axes.annotate(
        f"trial {trials.best + 1}: {trials.percent[trials.best]:.2f} %",
        (trials.best + 1, trials.percent[trials.best]),
        (0, 9),
        textcoords="offset points",
        ha="left" if along < 0.25 else "right" if along > 0.75 else "center",
        gid=HALO,
    )


def _lines(sheet: Sheet, x: Array, y: Array, trials: Trials) -> None:
    """A line per trial over axes at (P, T): pruned ones thin, then the better the stronger."""
    for trial in np.flatnonzero(trials.pruned):
        sheet.plot(x[:, trial], y, color=MUTED, linewidth=0.8, alpha=0.3)
    finished = np.flatnonzero(trials.complete)
    ranked = finished[np.argsort(trials.percent[finished], kind="stable")]
    # About as many lines stand out however many there are.
    steepness = max(2.0, len(ranked) / 12)
    for trial, rank in zip(ranked, np.linspace(0, 1, len(ranked)) ** steepness, strict=True):
        style = {"linewidth": 1 + rank, "alpha": 0.12 + 0.68 * rank}
        sheet.plot(x[:, trial], y, color=ACCENT, **style)
    if trials.best is not None:
        sheet.plot(x[:, trials.best], y, "-o", color=INK, linewidth=2.8, markersize=6)


def _jittered(places: Array) -> Array:
    """Places a little apart where three trials or more share one."""
    distinct, counts = np.unique(places, return_counts=True)
    shared = distinct[counts >= 3]
    gaps = np.diff(shared, prepend=-1, append=2)
    apart = places.copy()
    for place, gap in zip(shared, np.minimum(gaps[:-1], gaps[1:]), strict=True):
        here = np.flatnonzero(places == place)
        # Multiples of the golden ratio fall evenly into the unit interval, however many.
        spread = (np.arange(len(here)) + 0.5) * 0.6180339887 % 1 - 0.5
        apart[here] += min(2 * INSET, 0.4 * gap) * spread
    return apart


def _span(axis: Axis, trials: Trials) -> str:
    """Such as "dropout from 0 to 0.5, best at 0.21"."""
    if axis.labels:
        words = f"{axis.name}: {', '.join(axis.labels)}"
    else:
        low, high = int(np.nanargmin(axis.values)), int(np.nanargmax(axis.values))
        words = f"{axis.name} from {axis.word(low)} to {axis.word(high)}"
        if axis.values[low] == axis.values[high]:
            words = f"{axis.name} always {axis.word(low)}"
    return words if trials.best is None else f"{words}, best at {axis.word(trials.best)}"


def _importance_text(fraction: float) -> str:
    """Such as "62 %"; never "0 %" for what is more than nothing, nor "100 %" for less than all."""
    if 0 < fraction < 0.005:
        return "< 1 %"
    return "> 99 %" if 0.995 <= fraction < 1 else f"{100 * fraction:.0f} %"
