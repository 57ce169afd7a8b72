"""A grid: every combination of two arguments by cross-validation, and the best one trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mnistlab.cards import card, html_table, per_cent
from mnistlab.data import Dataset
from mnistlab.recipe import Recipe
from mnistlab.runs import CrossValidation, Run
from mnistlab.runs.cross_validation import cross_validate_in
from mnistlab.study.settings import Settings


@dataclass(frozen=True)
class GridStudy:
    """The question which values of two arguments are best, and how good they are.

    recipe: trained with the best point. rows, columns: an argument of the model and its values.
    n_search: how many training images the search uses; the best point is trained on all.
    """

    name: str
    system: str
    question: str
    recipe: Recipe
    rows: tuple[str, tuple[Any, ...]]
    columns: tuple[str, tuple[Any, ...]]
    n_folds: int
    n_search: int
    decide: Callable[[GridResult], str]

    @property
    def data(self) -> str:
        """The data set of the study, where none is given."""
        return self.recipe.data

    def run(self, dataset: Dataset, settings: Settings) -> GridResult:
        """Search by folds of the training part, then train the best point on all of it.

        As scikit-learn's GridSearchCV(cv=n_folds): stratified folds in the order of the images, and
        the first of equal points wins, rows before columns. The test part is used once, for the
        best point.
        """
        n_points = len(self.rows[1]) * len(self.columns[1])
        settings.execution.progress.on_plan(self.n_folds * n_points + 1)
        points = tuple(
            tuple(self._searched(row, column, dataset, settings) for column in self.columns[1])
            for row in self.rows[1]
        )
        # The mean of GridSearchCV: another order of summation would separate points that tie there.
        best = max(
            (point for row in points for point in row),
            key=lambda point: float(np.average(point.accuracy)),
        )
        winner = replace(self.recipe, model_args=best.recipe.model_args)
        run = settings.evaluate(settings.train(winner, dataset), dataset)
        path = settings.folder_of(self, dataset)
        result = GridResult(self, dataset, path, points, best, run, answer="")
        return replace(result, answer=self.decide(result))

    def _searched(
        self, row: Any, column: Any, dataset: Dataset, settings: Settings
    ) -> CrossValidation:
        values = {self.rows[0]: row, self.columns[0]: column}
        point = replace(
            self.recipe,
            name=f"{self.recipe.name}-" + "-".join(f"{k}={v}" for k, v in values.items()),
            model_args={**self.recipe.model_args, **values},
            n_train=self.n_search,
        )
        return cross_validate_in(point, dataset, self.n_folds, False, settings.execution)


@dataclass(frozen=True)
class GridResult:
    """A finished grid: a cross-validation per point, and the run of the best one."""

    study: GridStudy
    dataset: Dataset
    path: Path
    points: tuple[tuple[CrossValidation, ...], ...]
    best: CrossValidation
    run: Run
    answer: str

    def _repr_html_(self) -> str:
        rows = [(each.recipe.name, per_cent(each.mean)) for row in self.points for each in row]
        points = html_table(["settings", "mean accuracy over the folds"], rows)
        facts = {"question": self.study.question, "folder": self.path}
        title = f"study {self.study.name} on {self.dataset.name}"
        return card(title, facts, text=self.answer, tables=[points])

    def to_json(self) -> dict[str, Any]:
        """result.json of the study; one arm per point, and the run of the best one last."""
        return {
            "study": self.study.name,
            "system": self.study.system,
            "question": self.study.question,
            "data": self.dataset.name,
            "arms": [
                *(self._point_to_json(point) for row in self.points for point in row),
                self._run_to_json(),
            ],
            "answer": self.answer,
        }

    def _point_to_json(self, point: CrossValidation) -> dict[str, Any]:
        return {
            "arm": point.recipe.name,
            "system": self.study.system,
            "recipe": point.recipe.to_json(),
            "n_parameters": None,
            "n_folds": len(point.accuracy),
            "seeds": [point.recipe.seed],
            "val_accuracy": list(point.accuracy),
            "test_accuracy": [],
            "train_time_s": list(point.train_time_s),
            "published": None,
            "why_it_differs": None,
            "runs": [point.path.name],
        }

    def _run_to_json(self) -> dict[str, Any]:
        result = self.run.result
        return {
            "arm": self.run.recipe.name,
            "system": self.study.system,
            "recipe": self.run.recipe.to_json(),
            "n_parameters": result["n_parameters"],
            "seeds": [self.run.recipe.seed],
            "val_accuracy": [result["val_accuracy"]],
            "test_accuracy": [result["test_accuracy"]],
            "test_accuracy_ci": result["test_accuracy_ci"],
            "train_time_s": [result["train_time_s"]],
            "predict_time_s": [result.get("predict_time_s")],
            "published": None,
            "why_it_differs": None,
            "runs": [self.run.path.name],
        }
