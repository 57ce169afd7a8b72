"""How a fit begins: what it is as a recipe, whether it is there already, and whether it can be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from mnistlab import atomic
from mnistlab.classifiers.ensemble_method import check_minutes
from mnistlab.data import Dataset
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
from mnistlab.runs.execution import Execution
from mnistlab.runs.folder import open_run
from mnistlab.runs.trainer import completed

VAL_PER_MINUTE = 2000  # validation images that are used: to predict them all takes its time too


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
