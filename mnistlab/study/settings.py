"""How a study is to be run: where its folders lie, on what, and who is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mnistlab.data import Dataset
from mnistlab.recipe import Recipe
from mnistlab.run import DEFAULT_FOLDER, Progress, Run, evaluate, train


class Named(Protocol):
    """A study, as far as its folder is concerned."""

    @property
    def name(self) -> str:
        """Lower case, such as "svm-grid"."""


@dataclass(frozen=True)
class Settings:
    """n_seeds: None leaves it to the study. force: train again what is there already."""

    n_seeds: int | None = None
    out: Path = DEFAULT_FOLDER
    force: bool = False
    device: str = "auto"
    threads: int | None = None
    progress: Progress = field(default_factory=Progress)

    def train(self, recipe: Recipe, dataset: Dataset) -> Run:
        """A run of the recipe, trained now or found."""
        return train(
            recipe,
            dataset,
            out=self.out,
            force=self.force,
            device=self.device,
            threads=self.threads,
            progress=self.progress,
        )

    def evaluate(self, run: Run, dataset: Dataset) -> Run:
        """The run with its test figures, measured now or found."""
        if run.result["test_accuracy"] is not None:
            return run
        return evaluate(run, dataset, device=self.device, threads=self.threads)

    def folder_of(self, study: Named, dataset: Dataset) -> Path:
        """Where a study's result lies."""
        return self.out / f"study-{study.name}-{dataset.name}"
