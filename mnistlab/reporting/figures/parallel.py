"""Trials of a search by their settings: as lines over parallel axes, and a setting at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes as Sheet
from matplotlib.figure import Figure as Canvas

from mnistlab.reporting.figures.axis import (
    INSET,
    LINE,
    Axis,
    Scale,
    accuracy_scale,
    check_axes,
    scale_of,
    wrapped,
    write,
    write_beside,
    write_ticks,
)
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    NARROW,
    SMALL,
    TEXT,
    canvas,
    compose,
    haloed,
    panel,
    shorten,
    text_width,
)
from mnistlab.reporting.figures.trials import (
    ACCENT,
    QUANTITY,
    Array,
    Bools,
    Look,
    Trials,
    counted,
    draw_key,
    draw_trials,
    key_height,
    scale_accuracy,
    trials_of,
)
from mnistlab.reporting.page import Figure

_TALL, _LEAST_GAP = 300.0, 104.0  # of upright axes
_ROW, _SIDE = 66.0, 8.0  # of lying ones
_PANEL, _UNDER, _LEFT, _GAP = 168.0, 74.0, 40.0, 22.0


def parallel_coordinates(
    axes: Sequence[Axis],
    scores: Array,
    complete: Bools,
    *,
    caption: str,
    command: str,
    name: str = "parallel-coordinates",
    title: str = "Parallel coordinates",
) -> Figure:
    """An axis a setting and one of accuracy, a line a trial, the best one in ink.

    scores: float64 (T,) of fractions, NaN where a trial diverged: it has no line. complete: bool
    (T,), False where a trial was pruned. On a phone the axes lie, one below the other. Raises
    ValueError for other shapes, a score that is no fraction, none at all, or an axis that cannot
    hold its values.
    """
    trials = trials_of(name, scores, complete)
    check_axes(name, axes, len(scores))
    scales = [*map(scale_of, axes), accuracy_scale(trials)]
    names = [*(axis.name for axis in axes), QUANTITY]
    looks = _line_looks(trials)

    def draw(width: int) -> Canvas:
        return (_rows if width == NARROW else _columns)(width, names, scales, trials, looks)

    alt = f"{trials.counts()}; {counted(len(axes), 'setting')}. "
    alt += trials.leader()
    if trials.best is not None:
        alt += ", at " + "; ".join(f"{axis.name} {axis.word(trials.best)}" for axis in axes)
    return compose(draw, name=name, title=title, alt=f"{alt}.", caption=caption, command=command)


def slices(
    axes: Sequence[Axis],
    scores: Array,
    complete: Bools,
    *,
    caption: str,
    command: str,
    name: str = "slices",
    title: str = "Slices",
) -> Figure:
    """A panel a setting: a mark a trial at its value and accuracy, the best one in ink.

    Arguments and errors are those of `parallel_coordinates`, but diverged trials are shown. Marks
    that share a value stand a little beside it, or they would hide each other.
    """
    trials = trials_of(name, scores, complete)
    check_axes(name, axes, len(scores))
    scales = [scale_of(axis) for axis in axes]
    looks = [look for look, _ in trials.kinds()]
    if trials.best is not None:
        looks.append(Look(f"best: trial {trials.best + 1}", INK, "o"))

    def draw(width: int) -> Canvas:
        cells = _cells(axes, width)
        n_rows = 1 + max(row for row, _, _ in cells)
        step = (width - _LEFT - _SIDE + _GAP) / max(column + n for _, column, n in cells)
        top, down = key_height(looks, width) + 58, _PANEL + _UNDER
        blank, sheet = canvas(width, top + down * n_rows - 30)
        draw_key(sheet, looks)
        sheet.text(0, top - 36, QUANTITY, color=MUTED, fontsize=SMALL)
        for axis, scale, (row, column, n) in zip(axes, scales, cells, strict=True):
            left, above, across = _LEFT + column * step, top + row * down, n * step - _GAP
            heading = shorten(axis.name, int(across / (0.6 * TEXT)))
            frame = panel(blank, left, above, across, _PANEL, heading=heading)
            _slice(frame, trials, scale, labelled=column == 0)
            write_ticks(sheet, scale, left, across, above + _PANEL + 14)
        return blank

    parts = "; ".join(_span(axis, trials) for axis in axes)
    alt = f"Validation accuracy by setting. {trials.counts()}. {trials.leader()}. {parts}."
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)


def _columns(
    width: float, names: list[str], scales: list[Scale], trials: Trials, looks: list[Look]
) -> Canvas:
    """Upright axes side by side; wider than asked for where they would crowd."""
    needed = [14 + text_width(label, SMALL) for _, label in scales[0].ticks]
    needed += [4 + text_width(word, TEXT) / 2 for word in names[0].split()]
    left, right = min(110.0, max(44.0, *needed)), 52.0
    gap = max(_LEAST_GAP, (width - left - right) / (len(scales) - 1))
    top = key_height(looks, width) + 48
    blank, sheet = canvas(max(width, left + right + gap * (len(scales) - 1)), top + _TALL + 10)
    draw_key(sheet, looks)
    x = left + gap * np.arange(len(scales))
    y = np.array([top + _TALL * (1 - scale.places) for scale in scales])  # (P, T)
    _lines(sheet, np.broadcast_to(x[:, None], y.shape), y, trials)
    for at, title, scale in zip(x, names, scales, strict=True):
        sheet.plot([at, at], [top, top + _TALL], color=MUTED, linewidth=1)
        margin = {x[0]: left, x[-1]: right}.get(at)
        lines = wrapped(title, 2 * margin - 4 if margin else gap - 12, TEXT)
        write(sheet, at, top - 2 - LINE * len(lines), lines, TEXT, fontweight="bold")
        heights = [top + _TALL * (1 - place) for place, _ in scale.ticks]
        side, ha = (8, "left") if at == x[-1] else (-8, "right")
        write_beside(sheet, scale, at + side, heights, (margin or gap) - 14, ha)
    return blank


def _rows(
    width: float, names: list[str], scales: list[Scale], trials: Trials, looks: list[Look]
) -> Canvas:
    """Lying axes one below the other, the lines running down."""
    top = key_height(looks, width) + 36
    blank, sheet = canvas(width, top + _ROW * (len(scales) - 1) + 34)
    draw_key(sheet, looks)
    across = width - 2 * _SIDE
    y = top + _ROW * np.arange(len(scales))
    x = np.array([_SIDE + across * scale.places for scale in scales])  # (P, T)
    _lines(sheet, x, np.broadcast_to(y[:, None], x.shape), trials)
    for at, title, scale in zip(y, names, scales, strict=True):
        sheet.plot([_SIDE, width - _SIDE], [at, at], color=MUTED, linewidth=1)
        label = shorten(title, int(across / (0.6 * TEXT)))
        haloed(sheet.text(0, at - 12, label, va="center_baseline", fontweight="bold"))
        write_ticks(sheet, scale, _SIDE, across, at + 13)
    return blank


def _lines(sheet: Sheet, x: Array, y: Array, trials: Trials) -> None:
    """A line a trial over axes at (P, T): pruned ones thin, then the better the stronger."""
    for trial in np.flatnonzero(trials.pruned):
        sheet.plot(x[:, trial], y[:, trial], color=MUTED, linewidth=0.8, alpha=0.3)
    finished = np.flatnonzero(trials.complete)
    ranked = finished[np.argsort(trials.percent[finished], kind="stable")]
    # About as many lines stand out however many there are.
    steepness = max(2.0, len(ranked) / 12)
    for trial, rank in zip(ranked, np.linspace(0, 1, len(ranked)), strict=True):
        strength = rank**steepness
        sheet.plot(
            x[:, trial],
            y[:, trial],
            color=ACCENT,
            linewidth=1 + strength,
            alpha=0.12 + 0.68 * strength,
        )
    if trials.best is not None:
        best = trials.best
        sheet.plot(x[:, best], y[:, best], "-o", color=INK, linewidth=2.8, markersize=6)


def _line_looks(trials: Trials) -> list[Look]:
    looks = []
    if trials.best is not None:
        looks.append(
            Look(f"trial {trials.best + 1}: {trials.percent[trials.best]:.2f} %, the best", INK)
        )
    if trials.complete.sum() > 1:
        looks.append(Look("complete, the better the stronger", ACCENT))
    if trials.pruned.any():
        looks.append(Look("pruned", MUTED))
    return looks


def _cells(axes: Sequence[Axis], width: float) -> list[tuple[int, int, int]]:
    """Row, column and number of columns of each panel; on a phone a choice fills a row."""
    per_row = min(len(axes), 2 if width == NARROW else 3)
    cells = []
    row = column = 0
    for axis in axes:
        n = per_row if axis.labels and width == NARROW else 1
        if column + n > per_row:
            row, column = row + 1, 0
        cells.append((row, column, n))
        column += n
    return cells


def _slice(frame: Sheet, trials: Trials, scale: Scale, labelled: bool) -> None:
    edge = scale_accuracy(frame, trials, _PANEL, headroom=8)
    draw_trials(frame, trials, _jittered(scale.places), edge, size=5)
    frame.set_xlim(0, 1)
    frame.set_xticks([])
    if not labelled:
        frame.tick_params(axis="y", labelleft=False)


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
    known = np.where(np.isnan(axis.values), -np.inf, axis.values)
    if axis.labels:
        words = f"{axis.name}: {', '.join(axis.labels)}"
    else:
        low, high = int(np.nanargmin(axis.values)), int(np.argmax(known))
        words = f"{axis.name} from {axis.word(low)} to {axis.word(high)}"
        if axis.values[low] == axis.values[high]:
            words = f"{axis.name} always {axis.word(low)}"
    return words if trials.best is None else f"{words}, best at {axis.word(trials.best)}"
