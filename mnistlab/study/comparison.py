"""A comparison: one question, its arms and seeds fixed before anything runs.

Every arm trains with the same seeds. Runs are found by content hash, so a repeated study trains
only what is missing, and a study that was stopped is resumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from mnistlab.cards import card, html_table, per_cent
from mnistlab.classifiers.methods import method_of
from mnistlab.data import Dataset
from mnistlab.evaluation import Difference, fraction_interval, largest_swing, over_seeds
from mnistlab.recipe import Recipe
from mnistlab.runs import Run
from mnistlab.study.settings import Settings

LATE_EPOCHS = 4  # of write-up E's five, all but the first: three changes
N_SIZES = 3  # fewer points say nothing of how a cost grows


@dataclass(frozen=True)
class Arm:
    """One recipe of a study; the published result, and why ours differs, by data set.

    published_by_epoch: test accuracies that a write-up prints during training, by data set and
    epoch; they are compared with the weights that the recipe has saved.
    n_seeds: at most so many seeds, where one training takes long.
    """

    recipe: Recipe
    published: Mapping[str, str] = field(default_factory=dict)
    why_it_differs: Mapping[str, str] = field(default_factory=dict)
    n_seeds: int | None = None
    published_by_epoch: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self.recipe.name


@dataclass(frozen=True)
class ArmResult:
    """The evaluated runs of an arm, one per seed."""

    arm: Arm
    runs: tuple[Run, ...]

    def each(self, key: str) -> list[Any]:
        """A metric of result.json for every seed; None where a run does not have it."""
        return [run.result.get(key) for run in self.runs]

    def mean(self, key: str) -> float:
        """Mean of a metric of result.json over seeds."""
        return fmean(self.each(key))

    @property
    def val_accuracy(self) -> float | None:
        """Mean over seeds; None for an arm without a validation part."""
        values = self.each("val_accuracy")
        return None if None in values else fmean(values)

    @property
    def test_accuracy(self) -> tuple[float, float, float]:
        """Mean over seeds and its 95 % interval, low and high (NaN for one seed)."""
        return fraction_interval(self.each("test_accuracy"))

    def gain_over(self, other: ArmResult, key: str = "test_accuracy") -> Difference:
        """Difference from another arm over paired seeds, not corrected for other pairs.

        A model that does not learn in epochs has one run, which stands for every seed.
        """
        n = max(len(self.runs), len(other.runs))
        mine, theirs = (arm.each(key) * (1 if _is_random(arm.arm) else n) for arm in (self, other))
        return over_seeds(mine, theirs)

    @property
    def late_swing(self) -> float | None:
        """Largest change of validation accuracy between consecutive ones of the last four epochs.

        Over all seeds; None without epochs or without a validation part.
        """
        curves = [[epoch["val_accuracy"] for epoch in run.log] for run in self.runs]
        if not any(curves) or self.val_accuracy is None:
            return None
        return max(largest_swing(curve[-LATE_EPOCHS:]) for curve in curves)


@dataclass(frozen=True)
class Study:
    """A question and the arms that answer it.

    decide: turns results into the answer, a sentence. gallery: names of the arms whose predictions
    are shown before and after training. confusions: names of the arms whose confusion matrix is
    shown. bars: whether validation accuracies are also shown as bars (C16). together: groups of
    arms whose curves share a figure; without it one figure has all arms.
    """

    name: str
    system: str
    question: str
    arms: tuple[Arm, ...]
    decide: Callable[[Sequence[ArmResult]], str]
    gallery: tuple[str, ...] = ()
    confusions: tuple[str, ...] = ()
    bars: bool = False
    together: tuple[tuple[str, ...], ...] = ()
    n_seeds: int = 3

    @property
    def data(self) -> str:
        """The data set of the study, where none is given."""
        return self.arms[0].recipe.data

    def run(self, dataset: Dataset, settings: Settings) -> StudyResult:
        """Train and evaluate every arm with seeds 0..n-1.

        An arm that does not learn in epochs gives the same model for every seed, so it is trained
        once. The test part is used only when every run is trained.
        """
        n_seeds = self.n_seeds if settings.n_seeds is None else settings.n_seeds
        seeds = {arm.name: range(_most_seeds(arm, n_seeds)) for arm in self.arms}
        recipes = [
            replace(arm.recipe, seed=seed)
            for seed in range(n_seeds)
            for arm in self.arms
            if seed in seeds[arm.name]
        ]
        settings.execution.progress.on_plan(len(recipes))
        trained: dict[str, list[Run]] = {arm.name: [] for arm in self.arms}
        for recipe, run in zip(recipes, settings.train_all(recipes, dataset), strict=True):
            trained[recipe.name].append(run)
        arms = tuple(
            ArmResult(
                arm,
                tuple(settings.evaluate(run, dataset) for run in trained[arm.name]),
            )
            for arm in self.arms
        )
        return StudyResult(
            self, dataset, settings.folder_of(self, dataset), arms, self.decide(arms)
        )


@dataclass(frozen=True)
class StudyResult:
    """A finished study in its folder."""

    study: Study
    dataset: Dataset
    path: Path
    arms: tuple[ArmResult, ...]
    answer: str

    def _repr_html_(self) -> str:
        rows = []
        for arm in self.arms:
            mean, low, high = arm.test_accuracy
            interval = None if math.isnan(low) else f"{100 * low:.2f} to {100 * high:.2f}"
            validated = per_cent(arm.val_accuracy)
            rows.append((arm.arm.name, len(arm.runs), validated, per_cent(mean), interval))
        columns = ["arm", "seeds", "validation accuracy", "test accuracy", "95 % interval"]
        facts = {"question": self.study.question, "folder": self.path}
        title = f"study {self.study.name} on {self.dataset.name}"
        return card(title, facts, text=self.answer, tables=[html_table(columns, rows)])

    def to_json(self) -> dict[str, Any]:
        """result.json of the study."""
        return {
            "study": self.study.name,
            "question": self.study.question,
            "data": self.dataset.name,
            "arms": [self._arm_to_json(result) for result in self.arms],
            "answer": self.answer,
        }

    def _arm_to_json(self, result: ArmResult) -> dict[str, Any]:
        mean, low, high = result.test_accuracy
        expanded = result.each("expanded_val_accuracy")
        return {
            "arm": result.arm.name,
            "system": result.arm.recipe.system,
            "recipe": result.arm.recipe.to_json(),
            "n_parameters": result.runs[0].result["n_parameters"],
            "seeds": [run.recipe.seed for run in result.runs],
            "val_accuracy": result.each("val_accuracy"),
            **({"expanded_val_accuracy": expanded} if None not in expanded else {}),
            "test_accuracy": result.each("test_accuracy"),
            "test_accuracy_mean": mean,
            **_by_epoch(result),
            "test_accuracy_interval": None if math.isnan(low) else [low, high],
            "per_class_f1": result.each("per_class_f1"),
            "train_time_s": result.each("train_time_s"),
            "epochs": result.each("epochs"),
            "predict_time_s": result.each("predict_time_s"),
            "training_memory_mb": result.each("training_memory_mb"),
            "late_swing": result.late_swing,
            "published": result.arm.published.get(self.dataset.name),
            "why_it_differs": result.arm.why_it_differs.get(self.dataset.name),
            "runs": [run.path.name for run in result.runs],
        }


def _by_epoch(result: ArmResult) -> dict[str, Any]:
    """Test accuracies of weights saved along the way, where there are any."""
    values = result.each("test_accuracy_by_epoch")
    return {} if None in values else {"test_accuracy_by_epoch": values}


def growing_families(arms: Sequence[ArmResult]) -> dict[str, list[ArmResult]]:
    """Arms on fewer training images, by the name of the arm on all of them, smallest first.

    On a data set with fewer images than an arm asks for, that arm equals the whole and says nothing
    about growth.
    """
    families = {}
    for whole in arms:
        name, n_all = whole.arm.name, _n_train(whole)
        cut = [arm for arm in arms if whole_of(arm, arms) is whole and _n_train(arm) < n_all]
        if len(cut) + 1 >= N_SIZES:
            families[name] = sorted([*cut, whole], key=_n_train)
    return families


def whole_of(arm: ArmResult, arms: Sequence[ArmResult]) -> ArmResult | None:
    """The arm NAME on all images, for an arm "NAME-n_train" on fewer; None without it."""
    suffix = f"-{arm.arm.recipe.n_train}"
    return next((other for other in arms if other.arm.name + suffix == arm.arm.name), None)


def _n_train(result: ArmResult) -> int:
    return int(result.runs[0].data["n_train"])


def _most_seeds(arm: Arm, n_seeds: int) -> int:
    if not _is_random(arm):
        return 1
    return n_seeds if arm.n_seeds is None else min(arm.n_seeds, n_seeds)


def _is_random(arm: Arm) -> bool:
    """Whether another seed gives another model."""
    return method_of(arm.recipe.model).learns_in_epochs
