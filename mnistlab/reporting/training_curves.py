"""Loss, accuracy and learning rate by epoch, of one run or of the seeds of several recipes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mnistlab.reporting.figures.curves import learning_curves
from mnistlab.reporting.figures.lines import Curves
from mnistlab.reporting.figures.rates import falls_below, learning_rates, rates_differ
from mnistlab.reporting.page import Figure
from mnistlab.runs import Run


def curves_figure(run: Run) -> Figure:
    """Losses and accuracies of a run by epoch."""
    caption = f"{_saved_text(run)} {lines_text([run])}".rstrip()
    name = run.recipe.name
    return learning_curves([name], {name: curves_of([run])}, caption=caption)


def _saved_text(run: Run) -> str:
    if run.recipe.phases[-1].keep == "last":
        return f"The weights of the last epoch, {run.saved_epoch}, are saved."
    which = _saved_of(run).removeprefix("the best epoch ")
    return f"The weights of epoch {run.saved_epoch}, the best {which}, are saved."


def _saved_of(run: Run) -> str:
    """The epoch whose weights a run saves, in words."""
    if run.recipe.phases[-1].keep == "last":
        return "the last epoch"
    return f"the best epoch {'on validation' if is_validated(run) else 'by training loss'}"


def is_validated(run: Run) -> bool:
    """Whether there were images to validate on, and so curves of them."""
    return bool(run.data["n_val"])


def curves_caption(runs: Sequence[Run]) -> str:
    """What the lines mean, and how constant learning rates differ from falling ones."""
    parts = [lines_text(runs)] if lines_text(runs) else []
    constant = {all(phase.schedule == "constant" for phase in run.recipe.phases) for run in runs}
    if constant == {True, False}:
        parts.append(
            "At a constant rate the accuracy may swing from epoch to epoch until the end; a rate "
            "that falls to zero lets it settle."
        )
    return (
        " ".join(parts)
        or f"The weights of {' or '.join(sorted({_saved_of(run) for run in runs}))} are saved."
    )


def lines_text(runs: Sequence[Run]) -> str:
    """What lines and bands over epochs mean; empty for arms of one run and one phase each."""
    lengths: dict[str, list[int]] = {}
    for run in runs:
        lengths.setdefault(run.recipe.name, []).append(len(run.log))
    parts = []
    if any(len(of_arm) > 1 for of_arm in lengths.values()):
        parts.append("Line: mean over seeds; band: from the lowest seed to the highest.")
    if any(len(set(of_arm)) > 1 for of_arm in lengths.values()):
        parts.append("The mean ends where the first seed stops; thin lines are the others.")
    if any(_phase_ends(run) for run in runs):
        parts.append("Dotted: a new phase begins.")
    return " ".join(parts)


def curves_of(runs: Sequence[Run]) -> Curves:
    """The logs of an arm's seeds as arrays (S, E); NaN after an early stop."""
    logs = [run.log for run in runs]
    n_epochs = max(len(log) for log in logs)

    def column(key: str) -> NDArray[np.float64]:
        values = np.full((len(logs), n_epochs), np.nan)
        for row, log in zip(values, logs, strict=True):
            row[: len(log)] = [np.nan if line[key] is None else line[key] for line in log]
        return values

    return Curves(
        column("train_loss"),
        column("val_loss"),
        column("val_accuracy"),
        learning_rate=column("learning_rate"),
        phase_ends=tuple(map(_phase_ends, runs)),
        kept=tuple(run.saved_epoch for run in runs),
        train_accuracy=None if any(map(is_validated, runs)) else column("train_accuracy"),
    )


def rate_figures(arms: Sequence[str], curves: Mapping[str, Curves]) -> tuple[Figure, ...]:
    """Learning rates by epoch; none where all trained at one rate throughout."""
    if not rates_differ(curves):
        return ()
    parts = ["The learning rate of each epoch's last step."]
    if any(len(of_arm.val_loss) > 1 for of_arm in curves.values()):
        parts.append("Seeds with rates of their own have lines of their own.")
    if falls_below(curves):
        parts.append("A rate that falls below a thousandth of its highest leaves the figure.")
    if any(any(of_arm.phase_ends) for of_arm in curves.values()):
        parts.append("Dotted: a new phase begins.")
    return (learning_rates(arms, curves, caption=" ".join(parts)),)


def _phase_ends(run: Run) -> tuple[int, ...]:
    """The last epoch of every phase but the last."""
    return tuple(
        line["epoch"] for line, after in pairwise(run.log) if line["phase"] != after["phase"]
    )
