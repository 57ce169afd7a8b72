"""How a study is to be run: where its folders lie, on what, and who is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from mnistlab.data import Dataset
from mnistlab.recipe import Recipe
from mnistlab.runs import DEFAULT_FOLDER, Progress, Run, evaluate
from mnistlab.scale import Here, Place, of_many, together


class Named(Protocol):
    """A study, as far as its folder is concerned."""

    @property
    def name(self) -> str:
        """Lower case, such as "svm-grid"."""


@dataclass(frozen=True)
class Settings:
    """n_seeds: None leaves it to the study. force: train again what is there already.

    place: where runs are trained; they are evaluated here. precision: of recipes that leave it at
    "auto"; None: as the machine chooses.
    """

    n_seeds: int | None = None
    out: Path = DEFAULT_FOLDER
    force: bool = False
    device: str = "auto"
    threads: int | None = None
    progress: Progress = field(default_factory=Progress)
    place: Place = field(default_factory=Here)
    precision: str | None = None

    def train(self, recipe: Recipe, dataset: Dataset) -> Run:
        """A run of the recipe, trained now or found."""
        if self.precision is not None and recipe.precision == "auto":
            recipe = replace(recipe, precision=self.precision)
        return self.place.train(
            recipe,
            dataset,
            out=self.out,
            force=self.force,
            device=self.device,
            threads=self.threads,
            progress=self.progress,
        )

    def train_all(self, recipes: Sequence[Recipe], dataset: Dataset) -> list[Run]:
        """A run of each, in order, as many at once as the place allows."""
        n_at_once = self.place.n_at_once(self.threads)
        told = self if n_at_once == 1 else replace(self, progress=of_many(self.progress))
        works = [partial(told.train, recipe, dataset) for recipe in recipes]
        return together(self.place, n_at_once, works)

    def evaluate(self, run: Run, dataset: Dataset) -> Run:
        """The run with its test figures, measured now or found."""
        if run.result["test_accuracy"] is not None:
            return run
        return evaluate(run, dataset, device=self.device, threads=self.threads)

    def folder_of(self, study: Named, dataset: Dataset) -> Path:
        """Where a study's result lies."""
        return self.out / f"study-{study.name}-{dataset.name}"
