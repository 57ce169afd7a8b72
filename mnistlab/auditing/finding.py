"""What may be wrong with a data set: labels, copies, blank images.

An audit is about the images, not about a model: every image, test images too, is held out once
and judged by a classifier trained on the other folds.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.auditing.duplicates import MAX_DISTANCE, Duplicates, find_duplicates
from mnistlab.auditing.label_errors import (
    LabelErrors,
    Ranking,
    check_ranking,
    find_label_errors,
)
from mnistlab.auditing.suspects import (
    REASONS,
    Reason,
    Suspect,
    find_suspects,
    places_in_splits,
    table,
)
from mnistlab.cards import card, html_table
from mnistlab.classifiers.methods import method_of
from mnistlab.data import Dataset, loaded
from mnistlab.errors import DataError, RecipeError, RunError
from mnistlab.recipe import Recipe, check_recipe
from mnistlab.recipes import get_recipe
from mnistlab.runs.arrays import Wanted, read_arrays
from mnistlab.runs.building import classifier_of
from mnistlab.runs.computation import folder_name
from mnistlab.runs.cross_validation import check_folds, train_folds
from mnistlab.runs.execution import Execution, ExecutionOptions, execution_of
from mnistlab.version import __version__

SMALLEST_POOLED = 4  # pixels of a side that two pools halve
LARGE, EPOCHS_OF_LARGE = 20_000, 4  # with so many images a few epochs are enough


@dataclass(frozen=True, eq=False)
class Judged:
    """What classifiers that have not seen an image say of it.

    probabilities: float32 (N, K). accuracy, train_time_s: one number per fold.
    """

    probabilities: NDArray[np.float32]
    accuracy: tuple[float, ...]
    train_time_s: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found; `path` is its folder. suspects: in the order of `find_suspects`."""

    dataset: Dataset
    recipe: Recipe
    path: Path
    judged: Judged
    label_errors: LabelErrors
    duplicates: Duplicates
    suspects: tuple[Suspect, ...]
    max_distance: float

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """Of every image, by a classifier that has not seen it: (N, K)."""
        return self.judged.probabilities

    @property
    def accuracy(self) -> tuple[float, ...]:
        """On the held-out images of each fold."""
        return self.judged.accuracy

    @property
    def train_time_s(self) -> tuple[float, ...]:
        """Of each fold."""
        return self.judged.train_time_s

    def of(self, reason: Reason) -> tuple[Suspect, ...]:
        """The suspects of one reason, in order."""
        return tuple(suspect for suspect in self.suspects if suspect.reason == reason)

    def _repr_html_(self) -> str:
        found = Counter(suspect.reason for suspect in self.suspects)
        suspects = html_table(["suspected", "images"], found.most_common())
        facts = {"classifier": self.recipe.name, "folder": self.path}
        return card(f"audit of {self.dataset.name}", facts, tables=[suspects])

    def ranked(self, part: str) -> NDArray[np.intp]:
        """Positions within a part ("train", "test") of its images, worst label first."""
        parts, places = places_in_splits(self.dataset)
        order = self.label_errors.order
        return np.asarray(places[order[parts[order] == part]])

    def to_json(self) -> dict[str, Any]:
        """result.json of the audit."""
        parts, _ = places_in_splits(self.dataset)
        twin = self.duplicates.twin
        copies = self.duplicates.places
        across = copies[parts[copies] != parts[twin[copies]]]
        labels = self.dataset.labels
        return {
            "data": self.dataset.name,
            "fingerprint": self.dataset.fingerprint,
            "n_images": len(self.dataset),
            "recipe": self.recipe.name,
            "recipe_hash": self.recipe.content_hash,
            "n_folds": len(self.accuracy),
            "accuracy": list(self.accuracy),
            "train_time_s": list(self.train_time_s),
            "engine": "own",  # older audits: or "cleanlab"
            "ranking": self.label_errors.ranking,
            "max_distance": self.max_distance,
            "n_suspects": {reason: len(self.of(reason)) for reason in REASONS},
            "n_suspects_by_part": {
                part: dict(Counter(s.reason for s in self.suspects if s.part == part))
                for part in dict.fromkeys(parts.tolist())
            },
            "n_duplicates_across_parts": int(self.duplicates.is_exact[across].sum()),
            "n_near_duplicates_across_parts": int((~self.duplicates.is_exact[across]).sum()),
            "n_twins_of_other_class": int((labels[copies] != labels[twin[copies]]).sum()),
        }


def quick_recipe(n_images: int, image_shape: tuple[int, ...] = (28, 28)) -> Recipe:
    """The recipe of audits: a small convolutional network, trained briefly on large sets.

    Without convolutions for images (H, W) that are too small for its two pools.
    """
    is_small = min(image_shape) < SMALLEST_POOLED
    recipe = get_recipe("mlp-tuned" if is_small else "simple-cnn-tuned")
    if n_images < LARGE:
        return recipe
    return replace(recipe, phases=(replace(recipe.phases[0], epochs=EPOCHS_OF_LARGE),))


def audit(
    data: Dataset | Path | str,
    *,
    recipe: Recipe | None = None,
    n_folds: int = 5,
    ranking: Ranking = "self_confidence",
    max_distance: float = MAX_DISTANCE,
    **options: Unpack[ExecutionOptions],
) -> Audit:
    """Look for wrong labels, copies and blank images in a data set, a name or a path.

    All images, those of an official test set too, are cut into n_folds stratified folds. A
    classifier trained on the other folds judges each image. The recipe is `quick_recipe` by
    default; its split and n_train have no effect. Writes OUT/audit-.../suspects.csv and
    result.json. Probabilities of an earlier audit are reused unless `force` is set; for `options`
    see Execution. Raises DataError, RecipeError and TrainingError, RunError for damaged
    probabilities.
    """
    if recipe is not None:
        check_recipe(recipe)
    dataset, execution = loaded(data), execution_of(options)
    recipe = recipe or quick_recipe(len(dataset), dataset.images.shape[1:])
    check_ranking(ranking)
    if not 0 <= max_distance <= 2:
        raise RecipeError(f"max_distance must be in 0 <= max_distance <= 2, got {max_distance}")
    name = f"audit-{n_folds}-folds-{folder_name(recipe, dataset, execution.device)}"
    path = execution.out / name
    _check_own(path)
    execution.progress.on_plan(n_folds)
    if (path / "probabilities.npz").exists() and not execution.force:
        judged = _stored(path / "probabilities.npz", dataset, n_folds)
        for number, accuracy in enumerate(judged.accuracy, start=1):
            execution.progress.on_fold(recipe, number, accuracy)
    else:
        judged = _judge(path, recipe, dataset, n_folds, execution)
    label_errors = find_label_errors(dataset.labels, judged.probabilities, ranking)
    test = dataset.official_splits.get("test")
    duplicates = find_duplicates(dataset.images, test.start if test else None, max_distance)
    suspects = find_suspects(dataset, label_errors, duplicates)
    found = Audit(dataset, recipe, path, judged, label_errors, duplicates, suspects, max_distance)
    atomic.write_text(path / "suspects.csv", table(suspects, dataset.class_names))
    atomic.write_json(path / "result.json", found.to_json())
    return found


def _check_own(path: Path) -> None:
    """DataError for files that no audit wrote: it writes the probabilities before all others."""
    if not (path / "probabilities.npz").exists():
        for name in ("suspects.csv", "result.json", "report.html"):
            if (path / name).exists():
                raise DataError(
                    f"{path / name}: is there already and was not written by an audit; move it away"
                )


def _judge(
    path: Path, recipe: Recipe, dataset: Dataset, n_folds: int, execution: Execution
) -> Judged:
    """Train on the folds, and write what they say of the held-out images into `path`."""
    device = execution.device
    check_folds(recipe, dataset, n_folds, device)
    if not hasattr(classifier_of(recipe, device), "predict_proba"):
        raise RecipeError(
            f"{recipe.name}: an audit needs probabilities; --set model_args.calibrated=true"
        )
    probabilities = np.empty((len(dataset), dataset.n_classes), dtype=np.float32)
    accuracy, seconds = [], []
    method = method_of(recipe.model)
    with method.n_threads(execution.threads):
        env = method.describe(device, recipe.precision)
        for fold in train_folds(recipe, dataset, n_folds, execution):
            given = dataset.labels[fold.held_out]
            p = fold.classifier.predict_proba(dataset.images[fold.held_out])
            probabilities[fold.held_out] = p
            accuracy.append(float((p.argmax(1) == given).mean()))
            seconds.append(fold.train_time_s)
            execution.progress.on_fold(recipe, len(accuracy), accuracy[-1])
    judged = Judged(probabilities, tuple(accuracy), tuple(seconds))
    atomic.write_json(path / "recipe.json", recipe.to_json())
    atomic.write_json(path / "env.json", {"mnistlab": __version__, **env, "seed": recipe.seed})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **vars(judged))
    atomic.write_bytes(path / "probabilities.npz", buffer.getvalue())
    return judged


def _stored(path: Path, dataset: Dataset, n_folds: int) -> Judged:
    """What an earlier audit found; the folder's name tells its recipe and images."""
    of_folds = np.dtype(np.float64), (n_folds,)
    wanted: Wanted = {
        "probabilities": (np.dtype(np.float32), (len(dataset), dataset.n_classes)),
        "accuracy": of_folds,
        "train_time_s": of_folds,
    }
    stored = read_arrays(path, wanted, needed=())
    if missing := wanted.keys() - stored.keys():
        raise RunError(f"{path}: cannot be read: it holds no array {min(missing)!r}")
    p, accuracy, seconds = (stored[name] for name in wanted)
    if not (p >= 0).all() or not np.allclose(p.sum(1), 1, atol=1e-3):
        raise RunError(f"{path}: cannot be read: probabilities do not sum to 1")
    if not (np.isfinite(accuracy) & np.isfinite(seconds)).all():
        raise RunError(f"{path}: cannot be read: a figure is not finite")
    return Judged(p, tuple(map(float, accuracy)), tuple(map(float, seconds)))
