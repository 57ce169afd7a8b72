"""How training went: accuracies and losses by epoch, and the loss within epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import PAPER, RULE, Drawing, Words, figure
from mnistlab.reporting.figures.charts import Panel, chart, scale
from mnistlab.reporting.figures.checks import require
from mnistlab.reporting.figures.lines import (
    Arms,
    Array,
    Curves,
    arms_of,
    draw_mean,
    draw_phase_ends,
    draw_seeds,
    focus,
    in_words,
    scale_epochs,
)
from mnistlab.reporting.figures.marks import plot_marks
from mnistlab.reporting.palette import ARMS, light

MOST_POINTS = 600  # of a line: more are averaged, they could not be told apart
_MOST_ENDS = 60  # epochs whose ends are drawn


@figure("learning-curves", "Learning curves")
def learning_curves(
    arms: Sequence[str],
    curves: Mapping[str, Curves],
    *,
    ordered: bool = False,
    **words: Unpack[Words],
) -> Drawing:
    """Validation accuracy, its change from epoch to epoch, and losses.

    A strong line for the mean of an arm's seeds, a band from the lowest to the highest. The
    change is left out where so many lines would tell nothing. Accuracy and loss are those of
    training where no arm validated. arms: all arms of the study, in order; curves: those to show;
    ordered: the arms are steps of one quantity and coloured so. Raises ValueError for an unknown
    arm or for arrays of differing or empty shape.
    """
    shown = arms_of(arms, curves, ordered)
    every = shown.curves
    train_losses = [logged.train_loss for logged in every]
    in_training = [100 * c.train_accuracy for c in every if c.train_accuracy is not None]

    def panel(heading: str, values: Sequence[Array], *more: Array, swing: bool = False) -> Panel:
        def draw(axes: Axes) -> None:
            _draw_arms(axes, shown, values)
            for mark, dashed in zip(shown.marks, more, strict=False):
                draw_mean(axes, dashed, mark, dashed=True)
            focus(axes, [*values, *more], floor=0.0 if swing else None)

        return Panel(heading, draw)

    if len(in_training) == len(every):
        columns = [
            [panel("Training accuracy, %", in_training)],
            [panel("Training loss", train_losses)],
        ]
    else:
        accuracy = [100 * logged.val_accuracy for logged in every]
        losses = [logged.val_loss for logged in every]
        swings = [logged.swings for logged in every]
        change = panel("Change from the epoch before, points", swings, swing=True)
        crowded = len(every) > 3 and max(logged.n_epochs for logged in every) > 20
        loss = panel("Loss: validation, and training (dashed)", losses, *train_losses)
        columns = [[panel("Validation accuracy, %", accuracy)], [change, loss][crowded:]]
    drawn = chart(*columns, legend=shown.legend, heights=(380, 190))
    return Drawing(drawn, _alt(curves, shown.names))


@figure("validation-losses", "Validation loss of all arms")
def validation_losses(
    arms: Sequence[str], curves: Mapping[str, Curves], **words: Unpack[Words]
) -> Drawing:
    """Validation loss by epoch, an arm a line on the band of its seeds; kept epochs marked.

    arms: all arms of the study, in order; curves: those to show. Raises ValueError for an
    unknown arm or for arrays of differing or empty shape.
    """
    shown = arms_of(arms, curves)
    crowded = len(arms) > len(ARMS)  # then colours come twice
    losses = [logged.val_loss for logged in shown.curves]

    def draw(axes: Axes) -> None:
        _draw_arms(axes, shown, losses, [not logged.kept or crowded for logged in shown.curves])
        for mark, logged in zip(shown.marks, shown.curves, strict=True):
            # The arm's mark where each seed's weights were saved, ringed so that it stands out.
            for epoch, row in zip(logged.kept, logged.val_loss, strict=False):  # may be unknown
                plot_marks(axes, epoch, row[epoch - 1], mark._replace(colour=PAPER), 12.5)
                plot_marks(axes, epoch, row[epoch - 1], mark, 8.5)
        focus(axes, losses)

    drawn = chart([Panel("Validation loss, nats", draw)], legend=shown.legend, heights=(420, 300))
    parts = "; ".join(_loss_text(arm, curves[arm]) for arm in shown.names)
    return Drawing(drawn, f"Validation loss by epoch. {parts}.")


@figure("step-losses", "Loss within epochs")
def step_losses_figure(
    steps: NDArray[np.int64], losses: Array, epoch_ends: Sequence[int], **words: Unpack[Words]
) -> Drawing:
    """A line over the steps of a training, a thin one wherever an epoch ends.

    steps: int64 (N,), rising. losses: (N,), NaN where a loss was not finite. epoch_ends: the last
    step of each epoch. Raises ValueError for other shapes or no finite loss.
    """
    fits = steps.shape == losses.shape and steps.ndim == 1 and np.isfinite(losses).any()
    require(fits, f"{losses.shape} losses at {steps.shape} steps")
    require((np.diff(steps) > 0).all(), "steps must rise")
    n_each = -(-len(steps) // MOST_POINTS)
    note = f"Each point of the line is the mean of {n_each:,} such means." if n_each > 1 else ""
    x, y = _averaged(steps.astype(float), n_each), _averaged(losses, n_each)
    finite = losses[np.isfinite(losses)]

    def draw(axes: Axes) -> None:
        for end in epoch_ends if len(epoch_ends) <= _MOST_ENDS else ():
            axes.axvline(end, color=RULE, linewidth=1)
        marker = "o" if len(x) <= 60 else None
        axes.plot(x, y, color=light("accent"), linewidth=1.6, marker=marker, markersize=4)
        scale(axes, "y", *axes.get_ylim())
        scale(axes, "x", 0, float(steps[-1]) * 1.01, whole=True)

    alt = (
        f"Training loss over {steps[-1]:,} steps in {len(epoch_ends)} epochs: {finite[0]:.4g} nats "
        f"at first, {finite[-1]:.4g} at last, {finite.min():.4g} at its lowest."
    )
    drawn = chart([Panel("Training loss, nats", draw, "Step")], heights=(280, 200))
    return Drawing(drawn, alt, note)


def _draw_arms(
    axes: Axes, shown: Arms, values: Sequence[Array], marked: Sequence[bool] | None = None
) -> None:
    """Every arm's seeds and their mean over a scale of epochs."""
    scale_epochs(axes, shown.curves)
    draw_phase_ends(axes, shown.curves)
    for place, (mark, of_arm) in enumerate(zip(shown.marks, values, strict=True)):
        draw_seeds(axes, of_arm, mark, len(values))
        draw_mean(axes, of_arm, mark, marked=marked is None or marked[place])


def _averaged(values: Array, n_each: int) -> Array:
    """Means of so many values in a row, the last of what is left."""
    if n_each == 1:
        return values
    starts = np.arange(0, len(values), n_each)
    counts = np.diff(np.append(starts, len(values)))
    return np.asarray(np.add.reduceat(values, starts) / counts)


def _alt(curves: Mapping[str, Curves], shown: list[str]) -> str:
    parts = []
    validated = [arm for arm in shown if curves[arm].train_accuracy is None]
    for arm in shown:
        in_training = curves[arm].train_accuracy
        accuracy = curves[arm].val_accuracy if in_training is None else in_training
        # A row that stopped early ends in NaN: its last number is the last finite one.
        ends = [row[np.isfinite(row)][-1] for row in accuracy if np.isfinite(row).any()]
        of = "training accuracy " if validated and arm not in validated else ""
        end = f"{of}ends at {np.mean(ends):.1%}" if ends else "no finite accuracy"
        late = curves[arm].swings[:, accuracy.shape[1] // 2 :]
        late = late[np.isfinite(late)]
        swing = f", late epochs change by up to {late.max():.1f} points" if len(late) else ""
        parts.append(f"{arm}, {curves[arm].size}: {end}{swing}")
    what = "Validation accuracy, its change between epochs, and loss"
    return f"{what if validated else 'Training accuracy and loss'}. {'; '.join(parts)}."


def _loss_text(arm: str, logged: Curves) -> str:
    """Such as "a, 3 seeds of 9 to 12 epochs: loss 0.512 where kept, in epochs 6, 7 and 9"."""
    start = f"{arm}, {logged.size}"
    if not np.isfinite(logged.val_loss).any():
        return f"{start}: no finite loss"
    if not logged.kept:
        return f"{start}: lowest {np.nanmin(logged.val_loss):.3f}"
    kept = [row[epoch - 1] for epoch, row in zip(logged.kept, logged.val_loss, strict=True)]
    return f"{start}: loss {np.mean(kept):.3f} where kept, in {in_words(logged.kept)}"
