"""What may be wrong with a data set: labels, copies, blank images.

This is about the images, not about how well a model does: every image is held out once,
test images too, and judged by a classifier trained on other folds.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.auditing.duplicates import MAX_DISTANCE, Duplicates, find_duplicates
from mnistlab.auditing.label_errors import (
    Engine,
    LabelErrors,
    Ranking,
    check_settings,
    find_label_errors,
    installed_engine,
)
from mnistlab.auditing.suspects import (
    REASONS,
    Reason,
    Suspect,
    find_suspects,
    places_in_parts,
    table,
)
from mnistlab.classifiers.methods import method_of
from mnistlab.data import Dataset, load
from mnistlab.errors import RecipeError, RunError
from mnistlab.recipe import Recipe
from mnistlab.recipes import get_recipe
from mnistlab.runs.building import classifier_of
from mnistlab.runs.computation import folder_name
from mnistlab.runs.cross_validation import check_folds, train_folds
from mnistlab.runs.execution import DEFAULT_FOLDER, Execution
from mnistlab.runs.progress import Progress
from mnistlab.version import __version__

LARGE, EPOCHS_OF_LARGE = 20_000, 4  # from so many images on, a few epochs are enough to judge by


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found, and from what; `path` is the folder it is kept in.

    probabilities: float32 (N, K), each row by a classifier that has not seen its image.
    accuracy, train_time_s: a number a fold. suspects: in the order of `find_suspects`.
    """

    dataset: Dataset
    recipe: Recipe
    path: Path
    probabilities: NDArray[np.float32]
    accuracy: tuple[float, ...]
    train_time_s: tuple[float, ...]
    label_errors: LabelErrors
    duplicates: Duplicates
    suspects: tuple[Suspect, ...]
    max_distance: float

    def of(self, reason: Reason) -> tuple[Suspect, ...]:
        """The suspects of one reason, in order."""
        return tuple(suspect for suspect in self.suspects if suspect.reason == reason)

    def ranked(self, part: str) -> NDArray[np.intp]:
        """Places within a part of all its images, the label most likely wrong first."""
        parts, places = places_in_parts(self.dataset)
        order = self.label_errors.order
        return np.asarray(places[order[parts[order] == part]])

    def to_json(self) -> dict[str, Any]:
        """result.json of the audit."""
        parts, _ = places_in_parts(self.dataset)
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
            "engine": self.label_errors.engine,
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


def quick_recipe(n_images: int) -> Recipe:
    """The recipe of audits: a small convolutional network, trained briefly on large sets."""
    recipe = get_recipe("simple-cnn-tuned")
    if n_images < LARGE:
        return recipe
    return replace(recipe, phases=(replace(recipe.phases[0], epochs=EPOCHS_OF_LARGE),))


def audit(
    data: Dataset | str,
    *,
    recipe: Recipe | None = None,
    n_folds: int = 5,
    ranking: Ranking = "self_confidence",
    engine: Engine | None = None,
    max_distance: float = MAX_DISTANCE,
    out: Path | str = DEFAULT_FOLDER,
    force: bool = False,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Look for wrong labels, copies and blank images in a data set, a name or a path.

    The official parts are taken together: all images are cut into n_folds stratified folds, and
    those of each are judged by a classifier trained on the others. Of the recipe, `quick_recipe`
    where none is given, its split and n_train do not count. engine: who looks for wrong labels;
    None is cleanlab where it is installed. Writes OUT/audit-.../suspects.csv and result.json.
    Probabilities that are there already are used again, unless `force` is set. Raises DataError,
    RecipeError and TrainingError, RunError for damaged probabilities.
    """
    dataset = data if isinstance(data, Dataset) else load(data)
    recipe, engine = recipe or quick_recipe(len(dataset)), engine or installed_engine()
    check_settings(ranking, engine)
    if not 0 <= max_distance <= 2:
        raise RecipeError(f"max_distance must be in 0 <= max_distance <= 2, got {max_distance}")
    progress = progress or Progress()
    path = Path(out) / f"audit-{n_folds}-folds-{folder_name(recipe, dataset, device)}"
    if (path / "probabilities.npz").exists() and not force:
        judged = _kept(path / "probabilities.npz", dataset, n_folds)
        for number, accuracy in enumerate(judged.accuracy, start=1):
            progress.on_fold(recipe, number, accuracy)
    else:
        judged = _judge(path, recipe, dataset, n_folds, device, threads, progress)
    label_errors = find_label_errors(
        dataset.labels, judged.probabilities, ranking=ranking, engine=engine
    )
    test = dataset.official_parts.get("test")
    duplicates = find_duplicates(dataset.images, test.start if test else None, max_distance)
    found = Audit(
        dataset,
        recipe,
        path,
        judged.probabilities,
        judged.accuracy,
        judged.train_time_s,
        label_errors,
        duplicates,
        find_suspects(dataset, label_errors, duplicates),
        max_distance,
    )
    atomic.write_text(path / "suspects.csv", table(found.suspects, dataset.class_names))
    atomic.write_json(path / "result.json", found.to_json())
    return found


@dataclass(frozen=True, eq=False)
class _Judged:
    """Probabilities float32 (N, K) of held-out images, and a number a fold."""

    probabilities: NDArray[np.float32]
    accuracy: tuple[float, ...]
    train_time_s: tuple[float, ...]


def _judge(
    path: Path,
    recipe: Recipe,
    dataset: Dataset,
    n_folds: int,
    device: str,
    threads: int | None,
    progress: Progress,
) -> _Judged:
    """Train on the folds, and keep what it gave under `path`."""
    check_folds(recipe, dataset, n_folds, device)
    if not hasattr(classifier_of(recipe, device), "predict_proba"):
        raise RecipeError(
            f"{recipe.name}: an audit needs probabilities; --set model_args.calibrated=true"
        )
    probabilities = np.empty((len(dataset), dataset.n_classes), dtype=np.float32)
    accuracy, seconds = [], []
    method = method_of(recipe.model)
    with method.n_threads(threads):
        env = method.describe(device, recipe.precision)
        execution = Execution(device=device, progress=progress)
        for fold in train_folds(recipe, dataset, n_folds, execution):
            given = dataset.labels[fold.held_out]
            p = fold.classifier.predict_proba(dataset.images[fold.held_out])
            probabilities[fold.held_out] = p
            accuracy.append(float((p.argmax(1) == given).mean()))
            seconds.append(fold.train_time_s)
            progress.on_fold(recipe, len(accuracy), accuracy[-1])
    judged = _Judged(probabilities, tuple(accuracy), tuple(seconds))
    atomic.write_json(path / "recipe.json", recipe.to_json())
    atomic.write_json(path / "env.json", {"mnistlab": __version__, **env, "seed": recipe.seed})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **vars(judged))
    atomic.write_bytes(path / "probabilities.npz", buffer.getvalue())
    return judged


def _kept(path: Path, dataset: Dataset, n_folds: int) -> _Judged:
    """What was judged before; a folder's name says by which recipe and of which images."""
    try:
        # np.load leaves a file open that is no archive, where it has opened it itself.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            p, accuracy, seconds = (
                arrays[name] for name in ("probabilities", "accuracy", "train_time_s")
            )
        if p.dtype != np.float32 or p.shape != (len(dataset), dataset.n_classes):
            raise ValueError(f"has {p.dtype} {p.shape} of {len(dataset)} images")
        if not accuracy.shape == seconds.shape == (n_folds,):
            raise ValueError(f"has {accuracy.shape} and {seconds.shape} figures of {n_folds} folds")
        if not np.allclose(p.sum(1), 1, atol=1e-3):
            raise ValueError("probabilities do not sum to 1")
        return _Judged(p, tuple(map(float, accuracy)), tuple(map(float, seconds)))
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
