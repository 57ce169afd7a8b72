"""Studies: one question each, all of it fixed before anything runs.

    comparison   arms trained with paired seeds, and which is better
    grid         two arguments searched by cross-validation, and the best point trained
    embedding    what the images look like before anything is learned

A study is a value with a name and a question; its `run` gives a result with an answer.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Unpack

from mnistlab import atomic
from mnistlab.data import Dataset, loaded
from mnistlab.errors import RecipeError
from mnistlab.runs import ExecutionOptions, execution_of
from mnistlab.scale import executor_of
from mnistlab.study.comparison import (
    Arm,
    ArmResult,
    Study,
    StudyResult,
    growing_families,
    whole_of,
)
from mnistlab.study.embedding import EmbeddingResult, EmbeddingStudy
from mnistlab.study.grid import GridResult, GridStudy
from mnistlab.study.quick import AnyStudy, few_images, miniature
from mnistlab.study.settings import Settings

__all__ = [
    "AnyResult",
    "AnyStudy",
    "Arm",
    "ArmResult",
    "EmbeddingResult",
    "EmbeddingStudy",
    "GridResult",
    "GridStudy",
    "Settings",
    "Study",
    "StudyResult",
    "growing_families",
    "run_study",
    "whole_of",
]

AnyResult = StudyResult | GridResult | EmbeddingResult


def run_study(
    study: AnyStudy,
    data: Dataset | Path | str | None = None,
    *,
    n_seeds: int | None = None,
    quick: bool = False,
    precision: str | None = None,
    on: str = "local",
    **options: Unpack[ExecutionOptions],
) -> AnyResult:
    """Run a study on a data set and write OUT/study-NAME-DATA/result.json.

    quick: a miniature of it, in a folder of its own, to see in a minute or two what it does.
    n_seeds: of every arm; None leaves it to the study. precision: of networks whose recipe has
    "auto"; None lets the machine choose.
    on: the executor of its trainings, "local" or "ray"; Ray trains with one thread each unless more
    are given. For `options` see Execution. With the same seeds, threads and precision the results
    are the same.

    Runs are found by content hash, so a repeated study trains only what is missing, and a study
    that was stopped is resumed. Errors are those of `train`.
    """
    if n_seeds is not None and n_seeds < 1:
        raise RecipeError(f"seeds must be at least 1, got {n_seeds}")
    execution = execution_of(options)
    dataset = loaded(study.data if data is None else data)
    atomic.check_writable(execution.out)
    if quick:
        study, dataset = miniature(study), few_images(dataset)
    if not isinstance(study, Study):
        _check_has_no_arms(study, n_seeds, on)
    with executor_of(on) as executor:
        execution = replace(execution, threads=execution.threads or executor.default_threads)
        settings = Settings(execution, executor, n_seeds, precision)
        atomic.check_writable(settings.folder_of(study, dataset))  # not after hours of training
        result = study.run(dataset, settings)
    atomic.write_json(result.path / "result.json", result.to_json())
    return result


def _check_has_no_arms(study: AnyStudy, n_seeds: int | None, on: str) -> None:
    """RecipeError for what only a study of arms can follow."""
    if on != "local":
        raise RecipeError(f"study {study.name} compares no arms: it runs here alone, not on {on}")
    if n_seeds is not None:
        raise RecipeError(f"study {study.name} compares no arms: it has no seeds to set")
