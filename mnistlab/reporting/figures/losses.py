"""Validation losses of all arms in one plot (write-up C's summary)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from mnistlab.reporting.figures.canvas import (
    NARROW,
    PAPER,
    Mark,
    canvas,
    compose,
    legend,
    legend_height,
    mark_of,
    panel,
)
from mnistlab.reporting.figures.lines import (
    Curves,
    check_curves,
    draw_mean,
    draw_phase_ends,
    draw_seeds,
    focus,
    in_words,
    scale_epochs,
)
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import ARMS

HEADING = "Validation loss, nats"
_LEFT, _RIGHT, _BELOW = 40.0, 8.0, 44.0


def validation_losses(
    arms: Sequence[str],
    curves: Mapping[str, Curves],
    *,
    caption: str,
    command: str,
    name: str = "validation-losses",
    title: str = "Validation loss of all arms",
) -> Figure:
    """Validation loss by epoch, an arm a line on the band of its seeds; kept epochs marked.

    arms: all arms of the study, in order; curves: those to show. Raises ValueError for an
    unknown arm or for arrays of differing or empty shape.
    """
    shown = [arm for arm in arms if arm in curves]
    check_curves(name, arms, curves)
    marks = [mark_of(arms, arm) for arm in shown]
    every = [curves[arm] for arm in shown]
    crowded = len(arms) > len(ARMS)  # then colours come twice

    def draw(width: int) -> Canvas:
        top, height = legend_height(shown, width) + 34, 300 if width == NARROW else 420
        blank, sheet = canvas(width, top + height + _BELOW)
        legend(sheet, shown, marks)
        axes = panel(blank, _LEFT, top, width - _LEFT - _RIGHT, height, heading=HEADING)
        scale_epochs(axes, every)
        draw_phase_ends(axes, every)
        for mark, logged in zip(marks, every, strict=True):
            draw_seeds(axes, logged.val_loss, mark, len(every))
            draw_mean(axes, logged.val_loss, mark, marked=not logged.kept or crowded)
            _mark_kept(axes, logged, mark)
        focus(axes, [logged.val_loss for logged in every])
        return blank

    alt = "Validation loss by epoch. " + "; ".join(_told(arm, curves[arm]) for arm in shown)
    return compose(draw, name=name, title=title, alt=f"{alt}.", caption=caption, command=command)


def _mark_kept(axes: Axes, logged: Curves, mark: Mark) -> None:
    """The arm's mark where each seed's weights were kept, ringed so that it stands out."""
    for epoch, losses in zip(logged.kept, logged.val_loss, strict=False):  # kept may be unknown
        for colour, edge in ((PAPER, 4.0), (mark.colour, 0.0)):
            axes.plot(
                epoch,
                losses[epoch - 1],
                mark.shape,
                color=colour,
                markersize=8.5,
                markeredgewidth=edge,
                zorder=4,
            )


def _told(arm: str, logged: Curves) -> str:
    """Such as "a, 3 seeds of 9 to 12 epochs: loss 0.512 where kept, in epochs 6, 7 and 9"."""
    told = f"{arm}, {logged.size}"
    if not np.isfinite(logged.val_loss).any():
        return f"{told}: no finite loss"
    if not logged.kept:
        return f"{told}: lowest {np.nanmin(logged.val_loss):.3f}"
    kept = [row[epoch - 1] for epoch, row in zip(logged.kept, logged.val_loss, strict=True)]
    return f"{told}: loss {np.mean(kept):.3f} where kept, in {in_words(logged.kept)}"
