"""K-fold cross-validation of a recipe on the training part; other parts are not used."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.cards import card, html_table, per_cent
from mnistlab.classifiers.methods import Classifier, method_of
from mnistlab.data import Dataset, loaded
from mnistlab.errors import RecipeError, RunError
from mnistlab.recipe import Recipe, check_recipe
from mnistlab.runs.building import check_trainable, classifier_of, n_steps, parts_of
from mnistlab.runs.computation import folder_name, precision_used
from mnistlab.runs.execution import Execution, ExecutionOptions, execution_of
from mnistlab.runs.records import EnvRecord, FoldsRecord, read_record
from mnistlab.version import __version__


@dataclass(frozen=True)
class CrossValidation:
    """Accuracy and seconds of training per fold; `path` is the folder of the result."""

    recipe: Recipe
    data: str
    n_images: int
    accuracy: tuple[float, ...]
    train_time_s: tuple[float, ...]
    path: Path

    @property
    def mean(self) -> float:
        """Mean accuracy over the folds."""
        return statistics.fmean(self.accuracy)

    @property
    def deviation(self) -> float:
        """Standard deviation over the folds; no interval, as folds share training images."""
        return statistics.stdev(self.accuracy)

    def _repr_html_(self) -> str:
        rows = [
            (fold, per_cent(accuracy), f"{seconds:.1f}")
            for fold, (accuracy, seconds) in enumerate(
                zip(self.accuracy, self.train_time_s, strict=True), start=1
            )
        ]
        mean = f"{per_cent(self.mean)}, standard deviation {100 * self.deviation:.2f} points"
        folds = html_table(["fold", "accuracy", "seconds"], rows)
        title = f"cross-validation of {self.recipe.name} on {self.data}"
        return card(title, {"mean accuracy": mean, "folder": self.path}, tables=[folds])

    def to_json(self) -> dict[str, Any]:
        """result.json of the cross-validation."""
        return {
            "recipe": self.recipe.name,
            "recipe_hash": self.recipe.content_hash,
            "data": self.data,
            "n_images": self.n_images,
            "n_folds": len(self.accuracy),
            "accuracy": list(self.accuracy),
            "accuracy_mean": self.mean,
            "accuracy_deviation": self.deviation,
            "train_time_s": list(self.train_time_s),
        }


@dataclass(frozen=True, eq=False)
class Fold:
    """The indices of a fold's images, and a classifier trained on all other folds."""

    held_out: NDArray[np.intp]
    classifier: Classifier
    train_time_s: float


def cross_validate(
    recipe: Recipe,
    data: Dataset | Path | str | None = None,
    *,
    n_folds: int = 5,
    shuffled: bool = True,
    **options: Unpack[ExecutionOptions],
) -> CrossValidation:
    """Train on all folds but one and score on that one, for each of n_folds stratified folds.

    The best epoch of a network is chosen on images held out of its training folds, never on the
    fold that scores it. Folds follow the seed of the recipe, so recipes of one seed have the same
    folds; without `shuffled` they follow the order of the images, as those of scikit-learn's
    GridSearchCV(cv=3). Writes OUT/cv-.../result.json, and reads it where it is there already;
    `force` trains again; for `options` see Execution. Raises DataError, RecipeError and
    TrainingError, RunError for a damaged result.
    """
    check_recipe(recipe)
    dataset = loaded(recipe.data if data is None else data)
    execution = execution_of(options)
    execution.progress.on_plan(n_folds)
    return cross_validate_in(recipe, dataset, n_folds, shuffled, execution)


def cross_validate_in(
    recipe: Recipe, dataset: Dataset, n_folds: int, shuffled: bool, execution: Execution
) -> CrossValidation:
    """As `cross_validate`, on a data set that is loaded."""
    train, device = parts_of(recipe, dataset).train, execution.device
    check_folds(recipe, train, n_folds, device)
    kind = "folds" if shuffled else "folds-in-order"
    path = execution.out / f"cv-{n_folds}-{kind}-{folder_name(recipe, dataset, device)}"
    if (path / "result.json").exists() and not execution.force:
        result = _stored(path, recipe, dataset, n_folds, precision_used(recipe, device))
        for number, scored in enumerate(result.accuracy, start=1):
            execution.progress.on_fold(recipe, number, scored)
        return result
    atomic.check_writable(path)
    accuracy, seconds = [], []
    method = method_of(recipe.model)
    with method.n_threads(execution.threads):
        env = method.describe(device, recipe.precision)
        for fold in train_folds(recipe, train, n_folds, execution, shuffled):
            images, labels = train.images[fold.held_out], train.labels[fold.held_out]
            seconds.append(fold.train_time_s)
            accuracy.append(float(fold.classifier.score(images, labels)))
            execution.progress.on_fold(recipe, len(accuracy), accuracy[-1])
    result = CrossValidation(
        recipe, dataset.name, len(train), tuple(accuracy), tuple(seconds), path
    )
    path.mkdir(parents=True, exist_ok=True)
    atomic.write_json(path / "recipe.json", recipe.to_json())
    atomic.write_json(path / "env.json", {"mnistlab": __version__, **env, "seed": recipe.seed})
    atomic.write_json(path / "result.json", result.to_json())
    return result


def check_folds(recipe: Recipe, images: Dataset, n_folds: int, device: str) -> None:
    """Check before training on folds whatever can be: DataError or RecipeError."""
    check_trainable(recipe, images, device)
    n_smallest = min(_class_sizes(images))
    if not 2 <= n_folds <= n_smallest:
        raise RecipeError(
            f"folds must be 2 or more, and no more than the {n_smallest} training images of the "
            f"smallest class; got {n_folds}"
        )


def train_folds(
    recipe: Recipe, images: Dataset, n_folds: int, execution: Execution, shuffled: bool = True
) -> Iterator[Fold]:
    """For each of n_folds stratified folds, a classifier trained on all the others.

    Folds follow the recipe's seed. A recipe that validates on nothing trains on all images of the
    other folds. The caller scores a fold and reports it before the next is trained.
    Raises TrainingError for a loss that is not finite.
    """
    from sklearn.model_selection import StratifiedKFold

    progress = execution.progress
    folds = StratifiedKFold(
        n_folds, shuffle=shuffled, random_state=recipe.seed if shuffled else None
    )
    for inner, outer in folds.split(images.images, images.labels):
        progress.on_start(recipe, images, n_steps(recipe, len(inner)))
        classifier, start = classifier_of(recipe, execution.device), time.perf_counter()
        nothing = (images.images[:0], images.labels[:0])
        classifier.fit(
            images.images[inner],
            images.labels[inner],
            *(nothing if recipe.split == "train-test" else ()),
            on_step=progress.on_step,
            on_epoch=progress.on_epoch,
        )
        yield Fold(outer, classifier, time.perf_counter() - start)


def _stored(
    path: Path, recipe: Recipe, dataset: Dataset, n_folds: int, precision: str
) -> CrossValidation:
    """The stored result; the name of its folder identifies recipe and images."""
    result = read_record(path / "result.json", FoldsRecord)
    env = read_record(path / "env.json", EnvRecord)
    if env["precision"] != precision:
        raise RunError(
            f"{path}: was measured in {env['precision']}, here it would be {precision}; --force "
            "measures again"
        )
    accuracy, seconds = tuple(result["accuracy"]), tuple(result["train_time_s"])
    if not len(accuracy) == len(seconds) == n_folds:
        raise RunError(
            f"{path / 'result.json'}: has {len(accuracy)} and {len(seconds)} values for "
            f"{n_folds} folds"
        )
    return CrossValidation(recipe, dataset.name, result["n_images"], accuracy, seconds, path)


def _class_sizes(part: Dataset) -> list[int]:
    return [int((part.labels == label).sum()) for label in range(part.n_classes)]
