"""The loss of training within its epochs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import (
    MUTED,
    NARROW,
    RULE,
    SMALL,
    canvas,
    compose,
    panel,
)
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import light

MOST_POINTS = 600  # of a line: more are averaged, they could not be told apart
_MOST_ENDS = 60  # epochs whose ends are drawn

Array = NDArray[np.float64]


def step_losses_figure(
    steps: NDArray[np.int64],
    losses: Array,
    epoch_ends: Sequence[int],
    *,
    caption: str,
    command: str,
    name: str = "step-losses",
    title: str = "Loss within epochs",
) -> Figure:
    """A line over the steps of a training, a thin one wherever an epoch ends.

    steps: int64 (N,), rising. losses: (N,), NaN where a loss was not finite. epoch_ends: the last
    step of each epoch. Raises ValueError for other shapes or no finite loss.
    """
    if steps.shape != losses.shape or steps.ndim != 1 or not np.isfinite(losses).any():
        raise ValueError(f"figure {name}: {losses.shape} losses at {steps.shape} steps")
    if (np.diff(steps) <= 0).any():
        raise ValueError(f"figure {name}: steps must rise")
    n_each = -(-len(steps) // MOST_POINTS)
    if n_each > 1:
        caption += f" Each point of the line is the mean of {n_each:,} such means."
    x, y = _averaged(steps.astype(float), n_each), _averaged(losses, n_each)

    def draw(width: int) -> Canvas:
        left, top, height = 44.0, 34.0, 200.0 if width == NARROW else 280.0
        blank, _ = canvas(width, top + height + 46)
        axes = panel(blank, left, top, width - left - 10, height, heading="Training loss, nats")
        if len(epoch_ends) <= _MOST_ENDS:
            for end in epoch_ends:
                axes.axvline(end, color=RULE, linewidth=1)
        axes.plot(x, y, color=light("accent"), linewidth=1.6, marker="o", markersize=_size(len(x)))
        axes.set_xlim(0, float(steps[-1]) * 1.01)
        axes.xaxis.set_major_locator(MaxNLocator(4 if width == NARROW else 8, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlabel("Step", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    finite = losses[np.isfinite(losses)]
    alt = (
        f"Training loss over {steps[-1]:,} steps in {len(epoch_ends)} epochs: {finite[0]:.4g} nats "
        f"at first, {finite[-1]:.4g} at last, {finite.min():.4g} at its lowest."
    )
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)


def _averaged(values: Array, n_each: int) -> Array:
    """Means of so many values in a row, the last of what is left."""
    if n_each == 1:
        return values
    starts = np.arange(0, len(values), n_each)
    counts = np.diff(np.append(starts, len(values)))
    return np.asarray(np.add.reduceat(values, starts) / counts)


def _size(n_points: int) -> float:
    return 4.0 if n_points <= 60 else 0.0
