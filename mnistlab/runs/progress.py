"""Callbacks by which long work reports to whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mnistlab.data import Dataset
from mnistlab.phases import Epoch
from mnistlab.recipe import Recipe
from mnistlab.runs.folder import Run


def _nothing(*arguments: object) -> None:
    """The callback that nobody wants; no lambda, so that Progress() can be sent to a process."""


class TrialEnd(NamedTuple):
    """The end of a trial: its number from 1, how far it got, and how the search stands.

    accuracy: None where it had none. why: the reason for an early end. best: accuracy of the best
    trial so far. n_done: how many trials are over, this one included.
    """

    number: int
    accuracy: float | None
    why: str
    best: float | None
    n_done: int


@dataclass(frozen=True)
class Progress:
    """Callbacks of a long run; every one is optional.

    on_plan: how many runs and folds are to come. on_folder: the folder in which the next run is
    made, its name ending in .partial. on_start: a training that begins, and its number of steps.
    on_resume: how many of these steps are done already, and how many damaged checkpoints were
    skipped. on_features: how many images have passed the frozen blocks of a phase, and of how many.
    on_end: a run that is complete, trained now or reused. on_found: a run that was complete before
    and is not trained; on_end is called after it. on_fold: a fold that is scored, now or before:
    its number from 1, and its accuracy. on_trial: a trial of a search that is over. on_note: what
    the user should know of the data before a training.
    """

    on_plan: Callable[[int], None] = _nothing
    on_folder: Callable[[Path], None] = _nothing
    on_start: Callable[[Recipe, Dataset, int], None] = _nothing
    on_resume: Callable[[int, int], None] = _nothing
    on_features: Callable[[int, int], None] = _nothing
    on_step: Callable[[], None] = _nothing
    on_epoch: Callable[[Epoch], None] = _nothing
    on_end: Callable[[Run], None] = _nothing
    on_found: Callable[[Run], None] = _nothing
    on_fold: Callable[[Recipe, int, float], None] = _nothing
    on_trial: Callable[[TrialEnd], None] = _nothing
    on_note: Callable[[str], None] = _nothing
