"""A row per class, arm or comparison: bars, dots and intervals beside their names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Unpack

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mnistlab.reporting.bounds import MOST_CLASSES, extremes, highest, with_left_out
from mnistlab.reporting.figures.canvas import MUTED, PAPER, RULE, Drawing, Words, figure
from mnistlab.reporting.figures.charts import MANY_ROWS, rows, scale, title_x
from mnistlab.reporting.figures.checks import (
    arms_in_order,
    check_numbers,
    check_seeds,
    require,
)
from mnistlab.reporting.figures.marks import Mark, mark_of
from mnistlab.reporting.palette import ARMS, light

TALLEST = 1700.0  # pixels of the rows together
BREAK = 0.06  # where an axis breaks, a fraction of its width
ROOM_BELOW = 0.15  # between the break and the lowest accuracy, a fraction of the spread
_STRENGTHS = (0.8, 0.35, 0.55)  # opacity: train, test, or train, validation, test
_ACCENT = light("accent")

Array = NDArray[np.float64]


@figure("class-balance", "Class balance")
def class_balance(
    counts: NDArray[np.int64],
    parts: Sequence[str],
    class_names: Sequence[str],
    **words: Unpack[Words],
) -> Drawing:
    """A bar per class as long as it has images, one part after the other; numbers beside.

    counts: int64 (P, K) of one part, two or three. Of very many classes the most frequent and the
    rarest. Raises ValueError for another shape or no images.
    """
    check_numbers("counts", counts, (len(parts), len(class_names)), least=0)
    require(len(parts) <= len(_STRENGTHS), f"counts of {len(parts)} parts")
    require(counts.any(), "there are no images to count")
    totals = counts.sum(axis=0)
    chosen = extremes(totals, MOST_CLASSES)
    note = with_left_out("", len(chosen), len(totals), "most frequent and rarest, half each")
    marks = [Mark(_ACCENT, line=False, strength=_STRENGTHS[place]) for place in range(len(parts))]
    numbers = [f"{n:,}" for n in totals[chosen]]
    percents = [f"{100 * n / totals.sum():.1f} %" for n in totals[chosen]]

    def draw(axes: Axes) -> None:
        _stacked(axes, counts[:, chosen], marks)
        scale(axes, "x", 0, 1.01 * float(totals.max()), whole=True)
        title_x(axes, "Images")

    drawn = rows(
        [class_names[k] for k in chosen],
        draw,
        texts=(numbers, percents),
        legend=list(zip(parts, marks, strict=True)) if len(parts) > 1 else (),
        longest=16,
    )
    return Drawing(drawn, f"Images by class: {_counts_text(totals, class_names)}.", note, half=True)


@figure("black-pixels", "Black and other pixels")
def black_pixels(fractions: Array, class_names: Sequence[str], **words: Unpack[Words]) -> Drawing:
    """A bar for all images and one per class: black pixels, then the others.

    fractions: float64 (1 + K,) of black pixels, all images first; NaN for a class without pixels.
    Of very many classes those with the most and the fewest. Raises ValueError for another shape or
    what is no fraction.
    """
    of_classes, n = fractions[1:], len(class_names)
    check_numbers("fractions", np.nan_to_num(fractions), (1 + n,), 0, 1)
    require(np.isfinite(fractions[0]), "the first of the fractions is not finite")
    chosen = extremes(of_classes, MOST_CLASSES)
    note = with_left_out("", len(chosen), n, "with the most and the fewest, half each")
    shown = np.concatenate([fractions[:1], of_classes[chosen]])
    marks = [Mark(MUTED, line=False, strength=0.75), Mark(_ACCENT, line=False, strength=0.35)]

    def draw(axes: Axes) -> None:
        _stacked(axes, np.stack([100 * shown, 100 - 100 * shown]), marks)
        axes.set(xlim=(0, 100), xticks=[0, 25, 50, 75, 100])
        title_x(axes, "Pixels, %")

    drawn = rows(
        ["all images", *(class_names[k] for k in chosen)],
        draw,
        texts=([_percent(fraction) for fraction in shown],),
        legend=list(zip(("black", "other"), marks, strict=True)),
        longest=16,
    )
    most, least = int(np.nanargmax(of_classes)), int(np.nanargmin(of_classes))
    alt = (
        f"Black pixels: {_percent(fractions[0])} of all; by class from "
        f"{_percent(of_classes[least])} of {class_names[least]} to {_percent(of_classes[most])} of "
        f"{class_names[most]}."
    )
    return Drawing(drawn, alt, note, half=True)


@figure("best-accuracies", "Best accuracies")
def accuracy_bars(
    arms: Sequence[str],
    accuracy: Mapping[str, Array],
    *,
    quantity: str = "Best validation accuracy, %",
    **words: Unpack[Words],
) -> Drawing:
    """A bar per arm up to the mean of its seeds, a dot per seed; a broken axis (write-up C).

    accuracy: for each arm shown, float64 (S,) of fractions. Raises ValueError for an unknown arm
    or an accuracy that is not finite.
    """
    shown = arms_in_order(arms, accuracy)
    for arm in shown:
        check_seeds(repr(arm), [accuracy[arm]])
    low, high = _ends(100 * np.concatenate(list(accuracy.values())))
    means = [float(accuracy[arm].mean()) for arm in shown]

    def draw(axes: Axes) -> None:
        start = low - BREAK * (high - low) / (1 - BREAK)
        scale(axes, "x", start, high)
        axes.set_xticks([tick for tick in axes.get_xticks() if low <= tick <= high])
        for row, (arm, mean) in enumerate(zip(shown, means, strict=True)):
            colour, values = mark_of(arms, arm).colour, 100 * accuracy[arm]
            axes.barh(row, 100 * mean - start, left=start, height=0.62, color=colour, alpha=0.3)
            axes.vlines(100 * mean, row - 0.31, row + 0.31, color=colour, linewidth=2.4)
            axes.plot(values, np.full(len(values), row), "o", color=colour, markersize=5.5)
        # A strip of paper across all bars where numbers are left out.
        middle, half = start + 0.6 * (low - start), 0.12 * (low - start)
        for shift, colour, width in ((0.0, PAPER, 5.0), (-half, MUTED, 1.0), (half, MUTED, 1.0)):
            x = [middle + shift - half, middle + shift + half]
            axes.plot(x, [len(shown) - 0.5, -0.5], color=colour, linewidth=width, clip_on=False)
        title_x(axes, "axis broken", loc="left")

    texts = [[f"{100 * mean:.2f}" for mean in means]]
    drawn = rows(shown, draw, heading=quantity, texts=texts, row=30)
    parts = [f"{arm} {mean:.1%}" for arm, mean in zip(shown, means, strict=True)]
    what = quantity.removesuffix(", %")
    return Drawing(drawn, f"{what} by arm, mean of seeds: {'; '.join(parts)}.")


class Row(NamedTuple):
    """A difference in points, its interval, and whether it is shown to be one."""

    label: str
    mean: float
    low: float
    high: float
    is_shown: bool


@figure("differences", "Differences")
def differences(
    every: Sequence[Row], *, quantity: str = "Difference, points", **words: Unpack[Words]
) -> Drawing:
    """A filled dot where a difference is shown, a hollow one where not; the line is its interval.

    Raises ValueError without rows, or where the middle of one is not finite. An interval without
    end is drawn to the border.
    """
    finite = every and all(math.isfinite(row.mean) for row in every)
    require(finite, "needs rows with finite differences")
    note = with_left_out("", MOST_CLASSES, len(every), "first", "comparisons")
    shown = every[:MOST_CLASSES]
    ends = [end for row in shown for end in (row.mean, row.low, row.high) if math.isfinite(end)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    room = 0.06 * (high - low) or 0.1

    def draw(axes: Axes) -> None:
        scale(axes, "x", low - room, high + room)
        axes.axvline(0, color=MUTED, linewidth=1.2)
        for y, row in enumerate(shown):
            x = max(row.low, low - room), min(row.high, high + room)
            axes.plot(x, (y, y), color=ARMS[0][0], linewidth=2)
            filled = ARMS[0][0] if row.is_shown else PAPER
            axes.plot(row.mean, y, "o", color=ARMS[0][0], markerfacecolor=filled, markersize=8)
        title_x(axes, "filled: shown", loc="left")

    texts = [[f"{row.mean:+.2f}".replace("-", "\N{MINUS SIGN}") for row in shown]]
    labels = [row.label for row in shown]
    drawn = rows(labels, draw, heading=quantity, texts=texts, row=34, longest=44)
    parts = [f"{row.label} {row.mean:.2f}{' (not shown)' * (not row.is_shown)}" for row in shown]
    return Drawing(drawn, f"{quantity}: {'; '.join(parts)}.", note)


@figure("per-class-accuracy", "Accuracy by class")
def per_class_accuracy(
    arms: Sequence[str],
    accuracy: Mapping[str, Array],
    class_names: Sequence[str],
    **words: Unpack[Words],
) -> Drawing:
    """A row per class, the easiest first, a dot per arm.

    accuracy: for each arm shown, float64 (K,) of fractions; NaN where a class has no images.
    Raises ValueError for an unknown arm or another shape.
    """
    shown, n = arms_in_order(arms, accuracy), len(class_names)
    for arm in shown:
        shape = accuracy[arm].shape
        require(shape == (n,), f"{arm!r} has {shape} accuracies for {n} class names")
    table = np.stack([accuracy[arm] * 100 for arm in shown])  # (A, K)
    measured = np.isfinite(table).any(axis=0)
    require(measured.any(), "no accuracy is finite")
    mean = np.full(n, np.inf)  # a class without images is not the hardest
    mean[measured] = np.nanmean(table[:, measured], axis=0)
    row = max(30.0, 7.0 * len(shown) + 12)
    hardest = highest(-mean, min(MOST_CLASSES, max(5, int(TALLEST // row))))
    order = hardest[np.argsort(-mean[hardest], kind="stable")]
    note = with_left_out("", len(hardest), n, "with the lowest accuracy")
    if not measured.all():
        note += " Without a dot: no image of the class."
    legend = [(arm, mark_of(arms, arm)) for arm in shown]
    drawn = rows(
        [class_names[k] for k in order],
        lambda axes: _dots(axes, table[:, order], [mark for _, mark in legend]),
        legend=legend,
        row=row,
        longest=16,
    )
    hard = int(order[-1])
    parts = "; ".join(f"{arm} {accuracy[arm][hard]:.1%} on {class_names[hard]}" for arm in shown)
    return Drawing(drawn, f"Accuracy by class. Hardest: {parts}.", note.strip())


def _stacked(axes: Axes, parts: NDArray[np.number], marks: Sequence[Mark]) -> None:
    """Bars of the parts (P, R), one after the other."""
    ends = np.vstack([np.zeros(parts.shape[1]), parts.cumsum(axis=0)])
    for part, start, mark in zip(parts, ends, marks, strict=False):
        y = range(len(part))
        axes.barh(y, part, 0.7, start, color=mark.colour, alpha=mark.strength)


def _dots(axes: Axes, table: Array, marks: Sequence[Mark]) -> None:
    """A dot per arm and class, of accuracies (A, K) in percent."""
    n_arms, n_classes = table.shape
    # Dots of one row stand a little apart, or equal arms would hide each other.
    shifts = (np.arange(n_arms) - (n_arms - 1) / 2) * min(0.2, 0.62 / n_arms)
    places = np.arange(n_classes)
    some = np.isfinite(table).any(axis=0)
    ends = np.nanmin(table[:, some], axis=0), np.nanmax(table[:, some], axis=0)
    axes.hlines(places[some], *ends, color=RULE, linewidth=3)
    for mark, shift, values in zip(marks, shifts, table, strict=True):
        axes.plot(values, places + shift, mark.shape, color=mark.colour, markersize=7.5)
    far = 100 - float(np.nanmin(table))
    scale(axes, "x", 100 - far - max(1.0, 0.06 * far), 100 + max(0.3, 0.03 * far))
    axes.hlines(places[1:] - 0.5, *axes.get_xlim(), color=RULE, linewidth=0.8, zorder=0)
    title_x(axes, "Accuracy, %")


def _ends(values: Array) -> tuple[float, float]:
    """Where the broken part ends and the axis ends, percent."""
    spread = max(float(np.ptp(values)), 0.5)
    low = max(0.0, math.floor(2 * (float(values.min()) - ROOM_BELOW * spread)) / 2)
    return low, min(100.0, float(values.max()) + 0.05 * spread)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %" if np.isfinite(fraction) else "–"


def _counts_text(totals: NDArray[np.int64], class_names: Sequence[str]) -> str:
    if len(set(totals)) == 1:
        return f"{totals[0]:,} of each of {len(totals)}"
    order = np.argsort(-totals, kind="stable")
    if len(totals) > MANY_ROWS:
        most, least = order[0], order[-1]
        return (
            f"from {totals[most]:,} of {class_names[most]} down to {totals[least]:,} of "
            f"{class_names[least]}, {len(totals)} classes"
        )
    return ", ".join(f"{totals[k]:,} {class_names[k]}" for k in order)
