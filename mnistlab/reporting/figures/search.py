"""How a search over settings went, and which settings mattered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
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

_LEFT, _RIGHT, _PLOT, _BELOW = 48.0, 14.0, 236.0, 48.0
_ROW, _BAR = 32.0, 18.0


def search_history(
    scores: Array,
    complete: Bools,
    *,
    caption: str,
    command: str,
    name: str = "search-history",
    title: str = "History",
) -> Figure:
    """A mark a trial in their order, and as a line the best complete one so far.

    scores: float64 (T,) of fractions, NaN where a trial diverged. complete: bool (T,), False
    where a trial was pruned and its score is the last one it reported. The worst trials may lie
    below the scale, and are marked there. Raises ValueError for other shapes, a score that is no
    fraction, or none at all.
    """
    trials = trials_of(name, scores, complete)
    looks = [look for look, _ in trials.kinds()]
    if trials.best is not None:
        looks.append(Look("best so far", INK))

    def draw(width: int) -> Canvas:
        top = key_height(looks, width) + 34
        blank, sheet = canvas(width, top + _PLOT + _BELOW)
        draw_key(sheet, looks)
        axes = panel(blank, _LEFT, top, width - _LEFT - _RIGHT, _PLOT, heading=QUANTITY)
        edge = scale_accuracy(axes, trials, _PLOT, headroom=26)
        numbers = np.arange(1.0, len(scores) + 1)
        _best_so_far(axes, trials)
        draw_trials(axes, trials, numbers, edge, size=6.5)
        axes.set_xlim(0.5, len(scores) + 0.5)
        whole = MaxNLocator(8, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)
        axes.xaxis.set_major_locator(whole)
        axes.set_xlabel("Trial", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    alt = f"{trials.counts()}. {trials.leader()}."
    if trials.below.any():
        alt += f" Below {trials.low:g}%, at the lower edge: {trials.below.sum()}."
    return compose(
        draw, name=name, title=title, alt=alt, caption=caption, command=command, half=True
    )


def importance_bars(
    names: Sequence[str],
    importance: Array,
    *,
    caption: str,
    command: str,
    name: str = "importance",
    title: str = "Importance",
) -> Figure:
    """A bar a setting with its share, the largest first.

    importance: float64 (P,), the settings' shares of one whole. Raises ValueError for another
    number of them, or where they cannot be such shares.
    """
    if importance.shape != (len(names),) or not len(names):
        raise ValueError(f"figure {name}: importance {importance.shape} for {len(names)} settings")
    if not (np.isfinite(importance).all() and importance.min() >= 0):
        raise ValueError(f"figure {name}: importance holds a number that is no share")
    if abs(importance.sum() - 1) > 1e-6:
        raise ValueError(f"figure {name}: importance sums to {importance.sum():.6g}, not to 1")
    order = np.argsort(-importance, kind="stable")
    shares = [_share(importance[place]) for place in order]

    def draw(width: int) -> Canvas:
        longest = int((0.45 * width - 16) / (0.6 * TEXT))
        labels = [shorten(names[place], longest) for place in order]
        left = 16 + max(text_width(label, TEXT) for label in labels)
        full = width - left - 12 - text_width("> 99 %", TEXT)
        blank, sheet = canvas(width, _ROW * len(names) + 8)
        for row, (label, share, place) in enumerate(zip(labels, shares, order, strict=True)):
            y, length = 4 + (row + 0.5) * _ROW, full * importance[place] / importance.max()
            bar = Rectangle((left, y - _BAR / 2), length, _BAR, color=ACCENT, linewidth=0)
            sheet.add_patch(bar)
            sheet.text(left - 12, y, label, ha="right", va="center_baseline")
            sheet.text(left + length + 8, y, share, va="center_baseline")
        sheet.plot([left, left], [4, 4 + _ROW * len(names)], color=MUTED, linewidth=1)
        return blank

    parts = "; ".join(f"{names[place]} {share}" for place, share in zip(order, shares, strict=True))
    return compose(
        draw,
        name=name,
        title=title,
        alt=f"Importance of {counted(len(names), 'setting')}: {parts}.",
        caption=caption,
        command=command,
        half=True,
    )


def _best_so_far(axes: Axes, trials: Trials) -> None:
    """A step line up to the best trial, whose number and accuracy are written over it."""
    if trials.best is None:
        return
    finished = np.where(trials.complete, trials.percent, np.nan)
    reached = np.fmax.accumulate(np.append(finished, np.nan))  # and on to the axis's end
    reached[reached < trials.low] = np.nan
    numbers = np.append(np.arange(1.0, len(finished) + 1), len(finished) + 0.5)
    axes.plot(numbers, reached, color=INK, linewidth=1.6, drawstyle="steps-post")
    share = (trials.best + 0.5) / len(finished)
    haloed(
        axes.annotate(
            f"trial {trials.best + 1}: {trials.percent[trials.best]:.2f} %",
            (trials.best + 1, trials.percent[trials.best]),
            (0, 9),
            textcoords="offset points",
            ha="left" if share < 0.25 else "right" if share > 0.75 else "center",
            color=INK,
        )
    )


def _share(share: float) -> str:
    """Such as "62 %"; never "0 %" for what is more than nothing, nor "100 %" for less than all."""
    if 0 < share < 0.005:
        return "< 1 %"
    return "> 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"
