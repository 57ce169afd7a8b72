"""The best classifier in the time given, from any images: one run, complete at every moment."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from mnistlab import atomic
from mnistlab.classifiers.ensemble_method import check_minutes
from mnistlab.data import Dataset, loaded
from mnistlab.data.notes import note
from mnistlab.errors import DataError
from mnistlab.fitting.searching import Search
from mnistlab.fitting.status import Status
from mnistlab.fitting.subject import Subject
from mnistlab.recipe import Recipe
from mnistlab.recipes import get_recipe
from mnistlab.runs import Run
from mnistlab.runs.building import check_trainable, parts_of
from mnistlab.runs.cautions import cautions
from mnistlab.runs.computation import folder_of, precision_used
from mnistlab.runs.execution import Execution, ExecutionOptions, execution_of
from mnistlab.runs.folder import open_run
from mnistlab.runs.progress import Progress
from mnistlab.runs.trainer import completed

VAL_PER_MINUTE = 2000  # validation images that are used: to predict them all takes its time too


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
    execution = execution_of(options)
    if options.get("progress") is None:
        execution = replace(execution, progress=Progress(on_note=note))
    dataset = loaded(data)
    return fit_in(dataset, minutes, seed, execution, on_status, began)


def fit_in(
    dataset: Dataset,
    minutes: float,
    seed: int,
    execution: Execution,
    on_status: Callable[[Status], None],
    began: float,
) -> Run:
    """As `fit`; began: what time.monotonic() showed when the user began to wait."""
    check_minutes(minutes)
    recipe = recipe_for(dataset, minutes, seed)
    split = parts_of(recipe, dataset)
    if not len(split.val):
        raise DataError(f"{dataset.name}: fit needs validation images, and there are none")
    check_trainable(get_recipe(), split.train, execution.device)
    precision = precision_used(recipe, execution.device)
    path = folder_of(execution.out, recipe, dataset, precision)
    if path.exists() and not execution.force:
        run = open_run(path)
        run.check_weights()
        if run.result.get("is_finished", True):
            return completed(path, execution.progress, was_found=True)
    atomic.check_writable(execution.out)
    for text in cautions(recipe, dataset, split):
        execution.progress.on_note(text)
    subject = Subject(recipe, dataset, split, execution, precision, path)
    return Search(subject, on_status, began).run()


def recipe_for(dataset: Dataset, minutes: float, seed: int) -> Recipe:
    """What a fit is, as a recipe: how long, on how many validation images, from which seed."""
    recipe = Recipe(
        name="fit",
        system="-",
        model="ensemble",
        phases=(),
        model_args={"minutes": float(minutes)},
        data=dataset.name,
        class_weight="balanced",
        seed=seed,
        summary=f"the best ensemble in {minutes:g} minute{'s' * (minutes != 1)}",
    )
    n_val = math.ceil(VAL_PER_MINUTE * minutes)
    return recipe if len(parts_of(recipe, dataset).val) <= n_val else replace(recipe, n_val=n_val)
