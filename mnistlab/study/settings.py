"""How a study is to be run, beyond how each of its trainings is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from mnistlab.data import Dataset
from mnistlab.recipe import Recipe
from mnistlab.runs import Execution, Run, evaluate
from mnistlab.scale import Executor, LocalExecutor, concurrent, run_all


class Named(Protocol):
    """A study, as far as its folder is concerned."""

    @property
    def name(self) -> str:
        """Lower case, such as "svm-grid"."""


@dataclass(frozen=True)
class Settings:
    """executor: runs the trainings; this process evaluates the runs.

    n_seeds: None leaves it to the study. precision: of recipes that leave it at "auto"; None: as
    the machine chooses.
    """

    execution: Execution = field(default_factory=Execution)
    executor: Executor = field(default_factory=LocalExecutor)
    n_seeds: int | None = None
    precision: str | None = None

    def train(self, recipe: Recipe, dataset: Dataset) -> Run:
        """A run of the recipe, trained now or found."""
        if self.precision is not None and recipe.precision == "auto":
            recipe = replace(recipe, precision=self.precision)
        return self.executor.train(recipe, dataset, self.execution)

    def train_all(self, recipes: Sequence[Recipe], dataset: Dataset) -> list[Run]:
        """A run of each, in order; as many train at once as the executor allows."""
        n_at_once = self.executor.n_at_once(self.execution.threads)
        many = self if n_at_once == 1 else replace(self, execution=concurrent(self.execution))
        works = [partial(many.train, recipe, dataset) for recipe in recipes]
        return run_all(self.executor, n_at_once, works)

    def evaluate(self, run: Run, dataset: Dataset) -> Run:
        """The run with its test metrics, measured now or found."""
        if run.result["test_accuracy"] is not None:
            return run
        return evaluate(run, dataset, device=self.execution.device, threads=self.execution.threads)

    def folder_of(self, study: Named, dataset: Dataset) -> Path:
        """Where a study's result lies."""
        return self.execution.out / f"study-{study.name}-{dataset.name}"
