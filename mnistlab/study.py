"""A study: one question, its arms and seeds fixed before anything runs.

Every arm trains with the same seeds. Runs are found by content hash, so a repeated
study trains only what is missing and one cut short goes on where it stopped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mnistlab import atomic
from mnistlab.data import Dataset, load
from mnistlab.errors import RecipeError
from mnistlab.evaluation import largest_swing, mean_interval
from mnistlab.recipe import Recipe
from mnistlab.run import DEFAULT_FOLDER, Progress, Run, evaluate, train

LATE_EPOCHS = 4  # of write-up E's five, all but the first: three changes


@dataclass(frozen=True)
class Arm:
    """One recipe of a study; what was published of it and why ours differs, by data set."""

    recipe: Recipe
    published: Mapping[str, str] = field(default_factory=dict)
    why_it_differs: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self.recipe.name


@dataclass(frozen=True)
class ArmResult:
    """An arm's evaluated runs, one a seed."""

    arm: Arm
    runs: tuple[Run, ...]

    def each(self, key: str) -> list[Any]:
        """One figure of result.json for every seed."""
        return [run.result[key] for run in self.runs]

    @property
    def test_accuracy(self) -> tuple[float, float]:
        """Mean and half-width of the 95 % interval over seeds (NaN for one seed)."""
        return mean_interval(self.each("test_accuracy"))

    @property
    def late_swing(self) -> float:
        """Largest change of validation accuracy between two of the last four epochs, any seed."""
        curves = [[epoch["val_accuracy"] for epoch in run.log] for run in self.runs]
        return max(largest_swing(curve[-LATE_EPOCHS:]) for curve in curves)


@dataclass(frozen=True)
class Study:
    """A question and the arms that answer it.

    decide turns results into the answer, a sentence. gallery names the arms whose
    predictions are shown before and after training.
    """

    name: str
    system: str
    question: str
    arms: tuple[Arm, ...]
    decide: Callable[[Sequence[ArmResult]], str]
    gallery: tuple[str, ...] = ()
    n_seeds: int = 3


@dataclass(frozen=True)
class StudyResult:
    """A finished study in its folder."""

    study: Study
    dataset: Dataset
    path: Path
    arms: tuple[ArmResult, ...]
    answer: str

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
        mean, half_width = result.test_accuracy
        return {
            "arm": result.arm.name,
            "system": result.arm.recipe.system,
            "recipe": result.arm.recipe.to_json(),
            "n_parameters": result.runs[0].result["n_parameters"],
            "seeds": [run.recipe.seed for run in result.runs],
            "val_accuracy": result.each("val_accuracy"),
            "test_accuracy": result.each("test_accuracy"),
            "test_accuracy_mean": mean,
            "test_accuracy_half_width": None if math.isnan(half_width) else half_width,
            "train_time_s": result.each("train_time_s"),
            "late_swing": result.late_swing,
            "published": result.arm.published.get(self.dataset.name),
            "why_it_differs": result.arm.why_it_differs.get(self.dataset.name),
            "runs": [run.path.name for run in result.runs],
        }


def run_study(
    study: Study,
    data: Dataset | str | None = None,
    *,
    n_seeds: int | None = None,
    out: Path | str = DEFAULT_FOLDER,
    force: bool = False,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> StudyResult:
    """Train and evaluate every arm with seeds 0..n-1, and write OUT/study-NAME-DATA/result.json.

    The test part is looked at once every run is trained. Errors are those of `train`.
    """
    progress = progress or Progress()
    n_seeds = study.n_seeds if n_seeds is None else n_seeds
    if n_seeds < 1:
        raise RecipeError(f"seeds must be at least 1, got {n_seeds}")
    name = data if data is not None else study.arms[0].recipe.data
    dataset = name if isinstance(name, Dataset) else load(name)
    trained: dict[str, list[Run]] = {arm.name: [] for arm in study.arms}
    progress.on_plan(n_seeds * len(study.arms))
    for seed in range(n_seeds):
        for arm in study.arms:
            run = train(
                replace(arm.recipe, seed=seed),
                dataset,
                out=out,
                force=force,
                device=device,
                threads=threads,
                progress=progress,
            )
            trained[arm.name].append(run)
    arms = tuple(
        ArmResult(arm, tuple(_evaluated(run, dataset, device) for run in trained[arm.name]))
        for arm in study.arms
    )
    path = Path(out) / f"study-{study.name}-{dataset.name}"
    result = StudyResult(study, dataset, path, arms, study.decide(arms))
    atomic.write_json(path / "result.json", result.to_json())
    return result


def _evaluated(run: Run, dataset: Dataset, device: str) -> Run:
    if run.result["test_accuracy"] is not None:
        return run
    return evaluate(run, dataset, device=device)
