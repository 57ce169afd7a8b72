"""Tuning: the best point of a space on validation, and its gain over seeds.

    proposals       which point each trial tries (Optuna's samplers)
    trial_storage   the trials in a journal (Optuna), shared by processes
    search          trials trained, one after another, by one process or several
    trial           a point and how far it got

The score of the best trial is the luckiest of many. So its recipe is trained again with seeds that
the search has not seen, and compared with the untuned recipe on the test part.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from mnistlab import atomic, locks, machine
from mnistlab.cards import card, per_cent
from mnistlab.data import Dataset, loaded
from mnistlab.errors import RecipeError, Stopped, TrainingError
from mnistlab.evaluation import Difference, interval_text, on_same_images, over_seeds
from mnistlab.recipe import Recipe, check_recipe
from mnistlab.recipes.spaces import space_of
from mnistlab.runs import execution_of, parts_of
from mnistlab.runs.building import check_trainable
from mnistlab.runs.execution import FolderOptions
from mnistlab.scale import executor_of
from mnistlab.space import Space
from mnistlab.study import Arm, ArmResult, Settings, Study, StudyResult
from mnistlab.study.wording import points
from mnistlab.tuning.search import Search, helped
from mnistlab.tuning.trial import Trial, best_of

__all__ = ["Trial", "TuningResult", "tune"]


@dataclass(frozen=True)
class TuningResult:
    """A finished search: its trials, and the untuned and the best recipe trained over seeds.

    time_s: from the beginning of the first trial to the end of the last. importance: the fraction
    of the variance of validation accuracy due to each dimension, largest first.
    """

    search: Search
    trials: tuple[Trial, ...]
    time_s: float
    importance: dict[str, float]
    comparison: StudyResult

    @property
    def path(self) -> Path:
        """The search's folder."""
        return self.search.folder

    @property
    def best(self) -> Trial:
        """The complete trial that was best on validation."""
        best = best_of(self.trials)
        assert best is not None  # else there had been nothing to train
        return best

    @property
    def recipe(self) -> Recipe:
        """Its recipe."""
        return self.search.best(self.best)

    def _repr_html_(self) -> str:
        settings = ", ".join(f"{name} {value}" for name, value in self.best.point.items())
        facts = {
            "trials": len(self.trials),
            "best": f"{settings}; validation accuracy {per_cent(self.best.accuracy)}",
            "folder": self.path,
        }
        title = f"search from {self.comparison.study.name}"
        return card(title, facts, text=self.comparison.answer)

    def gain(self, key: str = "test_accuracy") -> Difference:
        """The best recipe's accuracy minus the untuned one's."""
        untuned, tuned = self.comparison.arms
        return _gain(tuned, untuned, key)

    def to_json(self) -> dict[str, Any]:
        """result.json of the search: that of a study of two arms, and its trials."""
        return {
            **self.comparison.to_json(),
            "recipe": self.search.recipe.to_json(),
            "space": self.search.space.to_json(),
            "sampler": self.search.sampler,
            "search_time_s": self.time_s,
            "importance": self.importance,
            "best": self.recipe.to_json(),
            "trials": [trial.to_json() for trial in self.trials],
        }


def tune(
    recipe: Recipe,
    data: Dataset | Path | str | None = None,
    *,
    n_trials: int = 50,
    space: Space | None = None,
    n_seeds: int = 5,
    sampler: str = "tpe",
    seed: int = 0,
    n_processes: int = 1,
    on: str = "local",
    **options: Unpack[FolderOptions],
) -> TuningResult:
    """Search a space for the recipe that is best on validation, and train it over seeds.

    space: what may be changed; None takes the one declared for the recipe. sampler: "tpe",
    "random", or "grid" (only if every dimension is a Choice). n_processes: how many train at once
    on this machine; the same call elsewhere on the same folder helps as well. on: the executor of
    trials, "local" or "ray" (as many at once as the cluster has cores for). For `options` see
    Execution. The same call resumes a search that was stopped; with more trials it makes the search
    longer. The best recipe so far lies in OUT/tune-.../best.json. Raises what `train` raises,
    RecipeError for a space or sampler that does not fit, and TrainingError where no trial was
    trained to its end.
    """
    execution = execution_of(options, FolderOptions)
    check_recipe(recipe)
    dataset = loaded(recipe.data if data is None else data)
    for name, value in (("trials", n_trials), ("seeds", n_seeds), ("processes", n_processes)):
        if value < 1:
            raise RecipeError(f"{name} must be at least 1, got {value}")
    machine.check_threads(n_processes, "processes")
    machine.check_threads(execution.threads)
    atomic.check_writable(execution.out)
    space = space or space_of(recipe)
    space.check(recipe)
    parts = parts_of(recipe, dataset)
    if not len(parts.val):
        raise RecipeError(
            f"{recipe.name}: tuning chooses by a validation part, and split {parts.protocol} has "
            "none; --set split=auto draws one"
        )
    check_trainable(recipe, parts.train, execution.device)
    if on != "local" and n_processes > 1:
        raise RecipeError(f"processes are of this machine; on {on} the cluster decides")
    with executor_of(on) as executor:
        execution = replace(execution, threads=execution.threads or executor.default_threads)
        search = Search(recipe, dataset, space, n_trials, sampler, seed, execution, executor)
        return _searched(search, n_seeds, n_processes)


def _searched(search: Search, n_seeds: int, n_processes: int) -> TuningResult:
    """The result of the search, run to its end."""
    storage = search.storage()
    atomic.write_json(search.folder / "space.json", search.space.to_json())
    atomic.write_json(search.folder / "recipe.json", search.recipe.to_json())
    search.execution.progress.on_plan(search.n_trials)
    try:
        with helped(search, n_processes) as shared:
            trials = shared.wait()
    except KeyboardInterrupt as error:
        raise _stopped(search, error) from error
    settings = Settings(search.execution, search.executor, n_seeds)
    importance = storage.importance()
    study = _comparison(search, trials, importance)
    with locks.locked(search.folder / "seeds.lock"):  # another process may be as far
        comparison = replace(study.run(search.dataset, settings), path=search.folder)
        result = TuningResult(search, trials, storage.time_s(), importance, comparison)
        atomic.write_json(search.folder / "result.json", result.to_json())
    return result


def _stopped(search: Search, error: KeyboardInterrupt) -> Stopped:
    """The message of a search that was stopped in the middle of a trial."""
    path = search.folder / "best.json"
    best = f"; best so far: mnistlab train {path}" if path.exists() else ""
    number = error.signal_number if isinstance(error, Stopped) else signal.SIGINT
    return Stopped(f"{search.folder}: stopped; the same command resumes it{best}", number)


def _comparison(search: Search, trials: Sequence[Trial], importance: Mapping[str, float]) -> Study:
    """The untuned and the best recipe, with seeds of their own."""
    best = best_of(trials)
    if best is None:
        raise TrainingError(f"{search.folder}: none of {len(trials)} trials was trained to its end")
    recipe = search.recipe

    def decide(results: Sequence[ArmResult]) -> str:
        untuned, tuned = results
        first = next(iter(importance.items()), None)
        matters = f" {first[0]} matters most ({first[1]:.0%})." if first else ""
        return (
            f"{_gain_text(tuned, untuned)} The best of {len(trials)} trials had "
            f"{best.accuracy:.4f} on validation, number {best.number + 1}.{matters}"
        )

    return Study(
        name=f"tune-{recipe.name}",
        system=recipe.system,
        question=f"How much does tuning {recipe.name} gain, and which settings matter?",
        arms=(Arm(recipe), Arm(search.best(best))),
        decide=decide,
    )


def _gain(tuned: ArmResult, untuned: ArmResult, key: str = "test_accuracy") -> Difference:
    """Over paired seeds; on the same images of the test part where the model has no seeds."""
    if len(tuned.runs) == 1 and key == "test_accuracy":
        tuned_right, untuned_right = (
            arm.runs[0].predicted() == arm.runs[0].test_labels() for arm in (tuned, untuned)
        )
        return on_same_images(tuned_right, untuned_right)
    return over_seeds(tuned.each(key), untuned.each(key))


def _gain_text(tuned: ArmResult, untuned: ArmResult) -> str:
    found = _gain(tuned, untuned)
    seeds = "one seed, interval over images" if found.of == "images" else f"{found.n} seeds"
    shown = "" if found.is_shown else "; no difference shown"
    return (
        f"Tuned {tuned.test_accuracy[0]:.4f} on the test part, untuned "
        f"{untuned.test_accuracy[0]:.4f}: {points(found.mean)} (95 % interval "
        f"{interval_text(found)}, {seeds}{shown})."
    )
