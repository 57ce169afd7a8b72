"""The best classifier in the time given, from any images: one run, complete at every moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from mnistlab.data import Dataset, loaded
from mnistlab.data.notes import note
from mnistlab.runs.execution import ExecutionOptions, execution_of
from mnistlab.runs.progress import Progress

if TYPE_CHECKING:
    from mnistlab.fitting.status import Status
    from mnistlab.runs import Run


def _unseen(status: Status) -> None:
    """Where nobody looks."""


def fit(
    data: Dataset | Path | str,
    minutes: float,
    *,
    seed: int = 0,
    on_status: Callable[[Status], None] = _unseen,
    **options: Unpack[ExecutionOptions],
) -> Run:
    """The best classifier of these images that can be found in so many minutes, as a run.

    It tries networks and a support vector machine in short trainings, gives the rest of the time to
    the ones whose learning curves promise most, and averages what validation chooses. It ends
    within the time. From the first seconds on the run's folder is complete and holds the best so
    far; after a kill the same call continues with the time that is left. `force` begins anew.
    Test images are cut off before and never read. on_status: called about once a second, and after
    each training. For `options` see Execution. Raises DataError, RecipeError, and RunError where
    another process is at it.
    """
    began = time.monotonic()
    from mnistlab.fitting.beginning import fit_in  # the seconds in which PyTorch loads count too

    execution = execution_of(options)
    if options.get("progress") is None:
        execution = replace(execution, progress=Progress(on_note=note))
    dataset = loaded(data)
    return fit_in(dataset, minutes, seed, execution, on_status, began)
