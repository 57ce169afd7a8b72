"""Training a recipe into a run folder, or finding the folder where that has been done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from mnistlab import atomic, locks, machine
from mnistlab.classifiers.methods import method_of
from mnistlab.data import Dataset, loaded
from mnistlab.errors import RecipeError, RunError
from mnistlab.recipe import Recipe, check_recipe, read_recipe
from mnistlab.runs.building import check_trainable, parts_of
from mnistlab.runs.cautions import cautions
from mnistlab.runs.checkpoints import FILES
from mnistlab.runs.computation import folder_of, is_name_of, precision_used
from mnistlab.runs.execution import ComputeOptions, Execution, ExecutionOptions, execution_of
from mnistlab.runs.folder import Run, read_records
from mnistlab.runs.making import partial_of
from mnistlab.runs.run_data import data_of, recorded_parts
from mnistlab.runs.trainer import Trainer, completed


def train(
    recipe: Recipe, data: Dataset | Path | str | None = None, **options: Unpack[ExecutionOptions]
) -> Run:
    """Train a recipe on a data set, a name or a path; a finished run of both is reused.

    Only a run of the same computation is, so none of another precision that was brought from
    another machine. Test images are cut off before training and not touched. A training that was
    stopped is resumed from its last checkpoint. `force` trains again, from the beginning.
    Processes that torchrun has started train together, and the first of them writes. For
    `options` see Execution.
    Raises DataError, RecipeError, RunError where another process is training the same run, and
    TrainingError for a loss that is not finite; after it the folder stays, named .partial, with
    its log complete.
    """
    execution = execution_of(options)
    check_recipe(recipe)
    dataset = loaded(recipe.data if data is None else data)
    return train_in(precision_used(recipe, execution.device), recipe, dataset, execution)


def train_in(precision: str, recipe: Recipe, dataset: Dataset, execution: Execution) -> Run:
    """As `train`, in a precision that has been decided, perhaps on another machine."""
    split = parts_of(recipe, dataset)
    path = folder_of(execution.out, recipe, dataset, precision)
    if path.exists() and not execution.force:
        atomic.clear_older(path)
        locks.clear_claim(partial_of(path))
        try:
            return completed(path, execution.progress, was_found=True)
        except (RunError, RecipeError) as error:
            hint = "" if "--force" in str(error) else "; --force trains it again"
            raise RunError(f"{error}{hint}") from error
    is_begun = not execution.force and any(partial_of(path).glob(FILES))
    with_kernels = _as_begun(partial_of(path), recipe, execution) if is_begun else True
    trainer = Trainer(recipe, split, dataset, execution, precision, with_kernels)
    check_trainable(trainer.resolved, split.train, execution.device)
    atomic.check_writable(execution.out)
    if not machine.rank():
        for text in cautions(recipe, dataset, split):
            execution.progress.on_note(text)
    return trainer.run(path, afresh=execution.force)


def resume(path: Path | str, **options: Unpack[ComputeOptions]) -> Run:
    """Resume a training that was stopped, from the last checkpoint in its folder.

    path: of the run, with or without ".partial"; where no training of it was stopped, a complete
    run is returned as it is. The data are loaded again from where they came; precision: as
    before; threads: as many as before, where none are given. For `options` see Execution.
    Raises RunError where there is nothing to resume, and what `train` raises.
    """
    path, execution = Path(path), execution_of(options, ComputeOptions)
    if path.name in ("", ".."):  # such as "."
        path = path.resolve()
    if not path.name:
        raise RunError(f"{path}: no run folder")
    whole = path.with_suffix("") if path.suffix == ".partial" else path
    partial = partial_of(whole)
    if not partial.is_dir():
        if whole.is_dir():
            return completed(whole, execution.progress)
        raise RunError(f"{path}: no such run folder")
    return _resumed(whole, partial, execution)


def _resumed(whole: Path, partial: Path, execution: Execution) -> Run:
    """The run of an unfinished folder, trained to its end."""
    recipe, data, env = _stopped(partial)
    dataset = data_of(partial, data)
    split = recorded_parts(partial, recipe, data, dataset)
    precision = env.get("precision") or precision_used(recipe, execution.device)
    if not is_name_of(whole.name, recipe, dataset, precision):
        raise RunError(f"{partial}: its name is not that of its recipe, data and precision")
    if execution.threads is None:
        execution = replace(execution, threads=env.get("threads"))
    with_kernels = _as_begun(partial, recipe, execution)
    trainer = Trainer(recipe, split, dataset, execution, precision, with_kernels)
    try:
        check_trainable(trainer.resolved, split.train, execution.device)
    except RecipeError as error:
        raise RunError(f"{partial}: cannot be resumed here: {error}") from error
    atomic.check_writable(partial)
    return trainer.run(whole, afresh=False)


def _as_begun(partial: Path, recipe: Recipe, execution: Execution) -> bool:
    """Whether an unfinished training goes on with compiled kernels: as it began.

    Kernels round otherwise than torch's operations do, and a resumed training has to end with the
    weights of an undisturbed one. RunError where it began with them and they are missing here.
    """
    if not (partial / "env.json").exists():  # written before the first step
        return True
    began_with = read_records(partial, "env")[0].get("kernels")
    if began_with is None:
        return False
    if method_of(recipe.model).kernels(execution.device) is None:
        raise RunError(
            f"{partial}: was begun with the kernels of {began_with}, which are not in use here; "
            "pip install 'mnistlab[fast]' to resume it, or --force to train it from the beginning"
        )
    return True


def _stopped(partial: Path) -> tuple[Recipe, dict[str, Any], dict[str, Any]]:
    """Recipe, data.json and env.json of a training; it may have been killed before the last."""
    if not (partial / "recipe.json").exists():
        raise RunError(f"{partial}: nothing to resume; the training had not begun")
    (data,) = read_records(partial, "data")
    env = read_records(partial, "env")[0] if (partial / "env.json").exists() else {}
    return read_recipe(partial / "recipe.json"), data, env
