"""How training went, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mnistlab.errors import DataError
from mnistlab.reporting.figures.canvas import (
    MUTED,
    NARROW,
    SMALL,
    Mark,
    canvas,
    compose,
    legend,
    legend_height,
    mark_of,
    panel,
)
from mnistlab.reporting.page import Figure

Array = NDArray[np.float64]
Place = tuple[float, float, float, float]  # left, top, width, height

ACCURACY = "Validation accuracy, %"
SWING = "Change from the epoch before, points"
LOSS = "Loss: validation, and training (dashed)"
HEADINGS = (ACCURACY, SWING, LOSS)


@dataclass(frozen=True, eq=False)
class Curves:
    """What the seeds of one arm logged: float64 (S, E), a row a seed, a column an epoch.

    Accuracies are fractions. NaN fills a row after an early stop.
    """

    train_loss: Array
    val_loss: Array
    val_accuracy: Array

    @property
    def swings(self) -> Array:
        """Absolute change of validation accuracy, points: (S, E), NaN in the first epoch."""
        first = np.full((len(self.val_accuracy), 1), np.nan)
        return np.abs(np.diff(self.val_accuracy, axis=1, prepend=first)) * 100


def learning_curves(
    arms: Sequence[str],
    curves: Mapping[str, Curves],
    *,
    caption: str,
    command: str,
    name: str = "learning-curves",
    title: str = "Learning curves",
    ordered: bool = False,
) -> Figure:
    """Validation accuracy, its change from epoch to epoch, and losses.

    A thin line a seed, a strong one their mean. The change is left out where so many lines
    would tell nothing. arms: all arms of the study, in order; curves: those to show; ordered:
    the arms are steps of one quantity and coloured so. Raises DataError for an unknown arm or
    for arrays of differing or empty shape.
    """
    shown = [arm for arm in arms if arm in curves]
    _check(name, arms, curves)
    marks = [mark_of(arms, arm, ordered) for arm in shown]
    every = [curves[arm] for arm in shown]
    crowded = len(every) > 3 and _n_epochs(every) > 20
    headings = [heading for heading in HEADINGS if not (crowded and heading == SWING)]

    def draw(width: int) -> Canvas:
        top = legend_height(shown, width) + 34
        if width == NARROW:
            height, places = _stacked(width, top, len(headings))
        else:
            height, places = _side_by_side(width, top, len(headings))
        blank, sheet = canvas(width, height)
        legend(sheet, shown, marks)
        _draw_panels(
            {
                heading: panel(blank, *place, heading=heading)
                for place, heading in zip(places, headings, strict=True)
            },
            marks,
            every,
        )
        return blank

    return compose(
        draw, name=name, title=title, alt=_alt(curves, shown), caption=caption, command=command
    )


def _side_by_side(width: float, top: float, n_panels: int) -> tuple[float, list[Place]]:
    """The first panel at the left, one or two others at its right."""
    left, gap, height = 40.0, 76.0, 380.0
    main = (width - left - gap) * (0.56 if n_panels == 3 else 0.5)
    side = width - left - gap - main - 8
    right, half = left + main + gap, (height - 64) / 2
    places = [(left, top, main, height), (right, top, side, height if n_panels == 2 else half)]
    if n_panels == 3:
        places.append((right, top + half + 64, side, half))
    return top + height + 44, places


def _stacked(width: float, top: float, n_panels: int) -> tuple[float, list[Place]]:
    left, heights = 40.0, (240.0, 150.0, 170.0) if n_panels == 3 else (240.0, 200.0)
    places = []
    for height in heights:
        places.append((left, top, width - left - 6, height))
        top += height + 74
    return top - 30, places


def _n_epochs(every: Sequence[Curves]) -> int:
    return max(int(logged.val_loss.shape[1]) for logged in every)


def _draw_panels(
    panels: Mapping[str, Axes], marks: Sequence[Mark], every: Sequence[Curves]
) -> None:
    faint = min(0.6, 3 / len(every))  # the seeds of many arms would hide the means
    shown: dict[str, list[Array]] = {
        ACCURACY: [logged.val_accuracy * 100 for logged in every],
        SWING: [logged.swings for logged in every],
        LOSS: [logged.val_loss for logged in every],
    }
    for heading, axes in panels.items():
        for mark, values in zip(marks, shown[heading], strict=True):
            _plot_seeds(axes, values, mark, faint)
            _plot_mean(axes, values, mark)
    for mark, logged in zip(marks, every, strict=True):
        _plot_mean(panels[LOSS], logged.train_loss, mark, dashed=True)
    shown[LOSS] += [logged.train_loss for logged in every]
    for heading, axes in panels.items():
        _focus(axes, shown[heading], floor=0.0 if heading == SWING else None)
        axes.set_xlim(0.7, _n_epochs(every) + 0.3)
        axes.xaxis.set_major_locator(MaxNLocator(7, integer=True, min_n_ticks=1))
        axes.set_xlabel("Epoch", loc="right", color=MUTED, fontsize=SMALL, labelpad=2)


def _plot_seeds(axes: Axes, values: Array, mark: Mark, faint: float) -> None:
    if len(values) > 1:
        epochs = np.arange(1, values.shape[1] + 1)
        axes.plot(epochs, values.T, color=mark.colour, linewidth=1, alpha=faint, zorder=1.5)


def _plot_mean(axes: Axes, values: Array, mark: Mark, dashed: bool = False) -> None:
    n_epochs = values.shape[1]
    # Where some seeds have stopped early the mean of the rest would be another quantity.
    everywhere = np.isfinite(values).all(axis=0)
    mean = np.where(everywhere, np.where(everywhere, values, 0).mean(axis=0), np.nan)
    axes.plot(
        np.arange(1, n_epochs + 1),
        mean,
        linestyle="--" if dashed else "-",
        linewidth=1.4 if dashed else 2.4,
        color=mark.colour,
        marker=mark.shape if not dashed or n_epochs == 1 else None,
        markerfacecolor="none" if dashed else mark.colour,
        markersize=5.5,
        markevery=max(1, n_epochs // 8),
    )


def _focus(axes: Axes, values: Sequence[Array], floor: float | None = None) -> None:
    """Fit the y axis to all but the first epochs, whose drop would flatten the rest."""
    late = [
        logged[:, min(logged.shape[1] - 1, max(1, logged.shape[1] // 8)) :].ravel()
        for logged in values
    ]
    finite = np.concatenate(late)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        axes.set_yticks([])
        axes.text(0.02, 0.1, "nothing to show", color=MUTED, transform=axes.transAxes)
        return
    low, high = float(finite.min()), float(finite.max())
    pad = 0.06 * (high - low) or 0.5
    axes.set_ylim(low - pad if floor is None else floor, high + pad)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))


def _check(name: str, arms: Sequence[str], curves: Mapping[str, Curves]) -> None:
    if not curves:
        raise DataError(f"figure {name}: there are no curves")
    for arm, of_arm in curves.items():
        if arm not in arms:
            raise DataError(f"figure {name}: {arm!r} is no arm of the study")
        shapes = {of_arm.train_loss.shape, of_arm.val_loss.shape, of_arm.val_accuracy.shape}
        if len(shapes) > 1 or of_arm.val_loss.ndim != 2 or not of_arm.val_loss.size:
            raise DataError(f"figure {name}: curves of {arm!r} must share one shape (S, E)")


def _alt(curves: Mapping[str, Curves], shown: list[str]) -> str:
    parts = []
    for arm in shown:
        accuracy = curves[arm].val_accuracy
        # A row that stopped early ends in NaN: its last figure is the last finite one.
        ends = [row[np.isfinite(row)][-1] for row in accuracy if np.isfinite(row).any()]
        end = f"ends at {np.mean(ends):.1%}" if ends else "no finite accuracy"
        late = curves[arm].swings[:, accuracy.shape[1] // 2 :]
        late = late[np.isfinite(late)]
        swing = f", late epochs change by up to {late.max():.1f} points" if len(late) else ""
        parts.append(f"{arm}, {len(accuracy)} seeds: {end}{swing}")
    return "Validation accuracy, its change between epochs, and loss. " + "; ".join(parts) + "."
