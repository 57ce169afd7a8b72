"""What a long run tells whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mnistlab.data import Dataset
from mnistlab.phases import Epoch
from mnistlab.recipe import Recipe
from mnistlab.runs.folder import Run


class TrialEnd(NamedTuple):
    """A trial of a search: its number from 1, how far it got, and how the search stands.

    accuracy: None where it had none. why: what ended it early. best: of all trials so far.
    n_done: how many are over, this one included.
    """

    number: int
    accuracy: float | None
    why: str
    best: float | None
    n_done: int


@dataclass(frozen=True)
class Progress:
    """What a long run tells its caller; every hook is optional.

    on_plan: how many runs and folds are to come. on_folder: where the one that starts next is made,
    its name ending in .partial. on_start: one that must train, and its
    number of steps. on_features: how many images a phase's frozen blocks have seen, and of how
    many. on_resume: how many steps of the started one are made already, and how many damaged
    checkpoints were passed over. on_end: a run that is complete, trained now or re-used.
    on_found: one that was there already and is not trained; on_end is called after it.
    on_fold: a fold that is scored, now or before, its number from 1, and its accuracy.
    on_trial: a trial of a search that is over.
    """

    on_plan: Callable[[int], None] = lambda n_runs: None
    on_folder: Callable[[Path], None] = lambda path: None
    on_start: Callable[[Recipe, Dataset, int], None] = lambda recipe, dataset, n_steps: None
    on_resume: Callable[[int, int], None] = lambda n_steps, n_damaged: None
    on_features: Callable[[int, int], None] = lambda n_done, n_images: None
    on_step: Callable[[], None] = lambda: None
    on_epoch: Callable[[Epoch], None] = lambda epoch: None
    on_end: Callable[[Run], None] = lambda run: None
    on_found: Callable[[Run], None] = lambda run: None
    on_fold: Callable[[Recipe, int, float], None] = lambda recipe, number, accuracy: None
    on_trial: Callable[[TrialEnd], None] = lambda trial: None
