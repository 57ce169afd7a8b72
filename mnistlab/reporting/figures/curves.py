"""How training went, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from mnistlab.reporting.figures.canvas import (
    NARROW,
    Mark,
    canvas,
    compose,
    legend,
    legend_height,
    mark_of,
    panel,
)
from mnistlab.reporting.figures.lines import (
    Array,
    Curves,
    check_curves,
    draw_mean,
    draw_phase_ends,
    draw_seeds,
    focus,
    scale_epochs,
)
from mnistlab.reporting.page import Figure

Place = tuple[float, float, float, float]  # left, top, width, height

ACCURACY = "Validation accuracy, %"
SWING = "Change from the epoch before, points"
LOSS = "Loss: validation, and training (dashed)"
HEADINGS = (ACCURACY, SWING, LOSS)
TRAINING_ACCURACY, TRAINING_LOSS = "Training accuracy, %", "Training loss"  # of no validation


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

    A strong line for the mean of an arm's seeds, a band from the lowest to the highest. The
    change is left out where so many lines would tell nothing. Accuracy and loss are those of
    training where no arm validated. arms: all arms of the study, in
    order; curves: those to show; ordered: the arms are steps of one quantity and coloured so.
    Raises ValueError for an unknown arm or for arrays of differing or empty shape.
    """
    shown = [arm for arm in arms if arm in curves]
    check_curves(name, arms, curves)
    marks = [mark_of(arms, arm, ordered) for arm in shown]
    every = [curves[arm] for arm in shown]
    crowded = len(every) > 3 and max(logged.n_epochs for logged in every) > 20
    headings = [heading for heading in HEADINGS if not (crowded and heading == SWING)]
    if all(logged.train_accuracy is not None for logged in every):
        headings = [TRAINING_ACCURACY, TRAINING_LOSS]

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


def _draw_panels(
    panels: Mapping[str, Axes], marks: Sequence[Mark], every: Sequence[Curves]
) -> None:
    in_training = [logged.train_accuracy for logged in every if logged.train_accuracy is not None]
    shown: dict[str, list[Array]] = {
        TRAINING_ACCURACY: [accuracy * 100 for accuracy in in_training],
        TRAINING_LOSS: [logged.train_loss for logged in every],
        ACCURACY: [logged.val_accuracy * 100 for logged in every],
        SWING: [logged.swings for logged in every],
        LOSS: [logged.val_loss for logged in every],
    }
    for heading, axes in panels.items():
        scale_epochs(axes, every)
        draw_phase_ends(axes, every)
        for mark, values in zip(marks, shown[heading], strict=True):
            draw_seeds(axes, values, mark, len(every))
            draw_mean(axes, values, mark)
    if LOSS in panels:
        for mark, logged in zip(marks, every, strict=True):
            draw_mean(panels[LOSS], logged.train_loss, mark, dashed=True)
        shown[LOSS] += [logged.train_loss for logged in every]
    for heading, axes in panels.items():
        focus(axes, shown[heading], floor=0.0 if heading == SWING else None)


def _alt(curves: Mapping[str, Curves], shown: list[str]) -> str:
    parts = []
    validated = [arm for arm in shown if curves[arm].train_accuracy is None]
    for arm in shown:
        in_training = curves[arm].train_accuracy
        accuracy = curves[arm].val_accuracy if in_training is None else in_training
        # A row that stopped early ends in NaN: its last figure is the last finite one.
        ends = [row[np.isfinite(row)][-1] for row in accuracy if np.isfinite(row).any()]
        of = "training accuracy " if validated and arm not in validated else ""
        end = f"{of}ends at {np.mean(ends):.1%}" if ends else "no finite accuracy"
        late = curves[arm].swings[:, accuracy.shape[1] // 2 :]
        late = late[np.isfinite(late)]
        swing = f", late epochs change by up to {late.max():.1f} points" if len(late) else ""
        parts.append(f"{arm}, {curves[arm].size}: {end}{swing}")
    what = "Validation accuracy, its change between epochs, and loss"
    return f"{what if validated else 'Training accuracy and loss'}. {'; '.join(parts)}."
