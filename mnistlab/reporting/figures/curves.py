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

HEADINGS = (
    "Validation accuracy, %",
    "Change from the epoch before, points",
    "Loss: validation, and training (dashed)",
)


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
) -> Figure:
    """Validation accuracy, its change from epoch to epoch, and losses.

    A thin line a seed, a strong one their mean. arms: all arms of the study, in
    order; curves: those to show. Raises DataError for an unknown arm or for
    arrays of differing or empty shape.
    """
    shown = [arm for arm in arms if arm in curves]
    _check(name, arms, curves)

    def draw(width: int) -> Canvas:
        top = legend_height(shown, width) + 34
        if width == NARROW:
            height, places = _stacked(width, top)
        else:
            height, places = _side_by_side(width, top)
        blank, sheet = canvas(width, height)
        legend(sheet, arms, shown)
        _draw_panels(
            [
                panel(blank, *place, heading=heading)
                for place, heading in zip(places, HEADINGS, strict=True)
            ],
            arms,
            {arm: curves[arm] for arm in shown},
        )
        return blank

    return compose(
        draw, name=name, title=title, alt=_alt(curves, shown), caption=caption, command=command
    )


def _side_by_side(width: float, top: float) -> tuple[float, list[Place]]:
    left, gap = 40.0, 76.0
    main = (width - left - gap) * 0.56
    side = width - left - gap - main - 8
    right, half = left + main + gap, 158.0
    places = [
        (left, top, main, 2 * half + 64),
        (right, top, side, half),
        (right, top + half + 64, side, half),
    ]
    return top + 2 * half + 64 + 44, places


def _stacked(width: float, top: float) -> tuple[float, list[Place]]:
    left, heights = 40.0, (240.0, 150.0, 170.0)
    places = []
    for height in heights:
        places.append((left, top, width - left - 6, height))
        top += height + 74
    return top - 30, places


def _draw_panels(panels: list[Axes], arms: Sequence[str], curves: Mapping[str, Curves]) -> None:
    accuracy, swing, loss = panels
    faint = min(0.6, 3 / len(curves))  # the seeds of many arms would hide the means
    for arm, logged in curves.items():
        mark = mark_of(arms, arm)
        for axes, values in (
            (accuracy, logged.val_accuracy * 100),
            (swing, logged.swings),
            (loss, logged.val_loss),
        ):
            _plot_seeds(axes, values, mark, faint)
            _plot_mean(axes, values, mark)
        _plot_mean(loss, logged.train_loss, mark, dashed=True)
    every = list(curves.values())
    _focus(accuracy, [logged.val_accuracy * 100 for logged in every])
    _focus(swing, [logged.swings for logged in every], floor=0.0)
    _focus(loss, [values for logged in every for values in (logged.val_loss, logged.train_loss)])
    n_epochs = max(logged.val_loss.shape[1] for logged in every)
    for axes in panels:
        axes.set_xlim(0.7, n_epochs + 0.3)
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
