"""Training a recipe into a run folder, or finding the folder where that has been done."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mnistlab import atomic, machine
from mnistlab.classifiers.methods import Classifier, method_of
from mnistlab.data import Dataset, Split, load
from mnistlab.errors import MnistlabError, RunError, TrainingError
from mnistlab.phases import Epoch
from mnistlab.recipe import EXPANSION_FACTORS, Recipe, read_recipe
from mnistlab.run.building import check_trainable, classifier_of, parts_of
from mnistlab.run.checkpoints import FILES, Checkpoints
from mnistlab.run.folder import Run, data_of, open_run, read_records
from mnistlab.version import __version__

DEFAULT_FOLDER = Path("runs")


@dataclass(frozen=True)
class Progress:
    """What a long run tells its caller; every hook is optional.

    on_plan: how many runs and folds are to come. on_start: one that must train, and its
    number of steps. on_features: how many images a phase's frozen blocks have seen, and of how
    many. on_resume: how many steps of the started one are made already, and how many damaged
    checkpoints were passed over. on_end: a run that is complete, trained now or re-used.
    on_fold: a fold that is scored, now or before, its number from 1, and its accuracy.
    """

    on_plan: Callable[[int], None] = lambda n_runs: None
    on_start: Callable[[Recipe, Dataset, int], None] = lambda recipe, dataset, n_steps: None
    on_resume: Callable[[int, int], None] = lambda n_steps, n_damaged: None
    on_features: Callable[[int, int], None] = lambda n_done, n_images: None
    on_step: Callable[[], None] = lambda: None
    on_epoch: Callable[[Epoch], None] = lambda epoch: None
    on_end: Callable[[Run], None] = lambda run: None
    on_fold: Callable[[Recipe, int, float], None] = lambda recipe, number, accuracy: None


def train(
    recipe: Recipe,
    data: Dataset | str | None = None,
    *,
    out: Path | str = DEFAULT_FOLDER,
    force: bool = False,
    resume: bool = False,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Train a recipe on a data set, a name or a path; a finished run of both is re-used.

    Test images are cut off before training and not touched. `force` trains again; `resume` goes
    on from the last checkpoint of one that was stopped, where there is one.
    Raises DataError, RecipeError, RunError where another process is training the same run, and
    TrainingError for a loss that is not finite; after it the folder stays, named .partial, with
    its log complete.
    """
    dataset = data if isinstance(data, Dataset) else load(data or recipe.data)
    parts = parts_of(recipe, dataset)
    path = Path(out) / folder_name(recipe, dataset)
    progress = progress or Progress()
    if path.exists() and not force:
        atomic.clear_older(path)
        return _ended(path, progress)
    check_trainable(recipe, parts.train, device)
    partial = path.with_name(f"{path.name}.partial")
    try:
        with atomic.claimed(partial, keep=FILES if resume else None):
            _train_into(partial, recipe, parts, dataset, device, threads, progress)
            atomic.publish_folder(partial, path)
    except BlockingIOError as error:
        if path.exists() and not force:  # the other has just finished it
            return _ended(path, progress)
        raise RunError(f"{path}: another process is training this run") from error
    except TrainingError as error:
        atomic.write_json(partial / "failure.json", {"error": str(error)})
        raise
    except MnistlabError:
        if not any(partial.glob(FILES)):  # nothing was trained
            shutil.rmtree(partial)
        raise
    return _ended(path, progress)


def resume(
    path: Path | str,
    *,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Go on with a training that was stopped, from the last checkpoint in its folder.

    path: of the run, with or without ".partial"; a complete run is given back as it is. The data
    are loaded again from where they came; threads: as many as before, where none are given.
    Raises RunError where there is nothing to go on with, and what `train` raises.
    """
    path, progress = Path(path), progress or Progress()
    partial = path if path.suffix == ".partial" else path.with_name(f"{path.name}.partial")
    whole = partial.with_suffix("")
    if whole.is_dir():
        return _ended(whole, progress)
    if not partial.is_dir():
        raise RunError(f"{path}: no such run folder")
    data, env = read_records(partial, "data", "env")
    recipe, dataset = read_recipe(partial / "recipe.json"), data_of(partial, data)
    if folder_name(recipe, dataset) != whole.name:
        raise RunError(f"{partial}: its name is not that of its recipe and data")
    before = env.get("threads")
    return train(
        recipe,
        dataset,
        out=partial.parent,
        resume=True,
        device=device,
        threads=before if threads is None and isinstance(before, int) else threads,
        progress=progress,
    )


def _ended(path: Path, progress: Progress) -> Run:
    run = open_run(path)
    progress.on_end(run)
    return run


def _train_into(
    folder: Path,
    recipe: Recipe,
    parts: Split,
    dataset: Dataset,
    device_name: str,
    threads: int | None,
    progress: Progress,
) -> None:
    from mnistlab.classifiers.storage import save_classifier

    classifier, method = classifier_of(recipe, device_name), method_of(recipe.model)
    atomic.write_json(folder / "recipe.json", recipe.to_json())
    atomic.write_json(folder / "data.json", _data_record(dataset, parts))
    of = {"recipe": recipe.content_hash, "data": dataset.fingerprint}
    checkpoints = Checkpoints(folder, recipe.checkpoint_steps, of)
    progress.on_start(recipe, dataset, n_steps(recipe, len(parts.train)))
    if checkpoints.n_steps or checkpoints.n_damaged:
        progress.on_resume(checkpoints.n_steps, checkpoints.n_damaged)
    with method.n_threads(threads):
        env = method.describe(device_name, recipe.precision)
        env = {"mnistlab": __version__, **env, "seed": recipe.seed}
        atomic.write_json(folder / "env.json", env)
        before_mb = machine.start_measuring_memory()
        train_time_s = _fit(classifier, parts, folder / "log.jsonl", checkpoints, progress)
        peak_mb = machine.peak_memory_mb()
        val_accuracy = float(classifier.score(parts.val.images, parts.val.labels))
    save_classifier(classifier, folder / "model.safetensors")
    result = {
        "recipe": recipe.name,
        "system": recipe.system,
        "recipe_hash": recipe.content_hash,
        "data": dataset.name,
        "n_parameters": classifier.n_parameters_,
        "val_accuracy": val_accuracy,
        "test_accuracy": None,
        "test_accuracy_ci": None,
        "train_time_s": train_time_s,
        "epochs": len(classifier.history_),
        "peak_memory_mb": peak_mb,
        "training_memory_mb": peak_mb - before_mb,
    }
    if origin := getattr(classifier, "weights_from_", None):
        result["weights"] = origin
    atomic.write_json(folder / "result.json", result)
    checkpoints.clear()


def _fit(
    classifier: Classifier,
    parts: Split,
    log_path: Path,
    checkpoints: Checkpoints,
    progress: Progress,
) -> float:
    """Train, writing each epoch's line before the next begins; the seconds it took."""
    saved = checkpoints.last()
    with log_path.open("w", encoding="utf-8") as log, checkpoints.heard():

        def write(epoch: Epoch) -> None:
            log.write(json.dumps(_finite(vars(epoch))) + "\n")
            log.flush()

        def on_epoch(epoch: Epoch) -> None:
            write(epoch)
            progress.on_epoch(epoch)

        def on_features(n_done: int, n_images: int) -> None:
            progress.on_features(n_done, n_images)
            checkpoints.stop_if_asked()

        for epoch in saved.position.history if saved else ():
            write(epoch)
        start = time.perf_counter()
        classifier.fit(
            parts.train.images,
            parts.train.labels,
            parts.val.images,
            parts.val.labels,
            keeper=checkpoints,
            on_features=on_features,
            on_step=progress.on_step,
            on_epoch=on_epoch,
        )
        return checkpoints.seconds_before + time.perf_counter() - start


def n_steps(recipe: Recipe, n_images: int) -> int:
    """Batches that training on so many images takes at most; 0 for what has none."""
    n_examples = n_images * EXPANSION_FACTORS.get(recipe.expansion or "", 1)
    return -(-n_examples // recipe.batch_size) * sum(phase.epochs for phase in recipe.phases)


def folder_name(recipe: Recipe, dataset: Dataset) -> str:
    """What the run of a recipe on a data set is called, and found by."""
    name = f"{recipe.name}-{dataset.name}-seed{recipe.seed}"
    # Names may come from Python and hold anything; a folder's name must stay one.
    safe = re.sub(r"[^\w.+-]+", "_", name)
    return f"{safe}-{recipe.content_hash[:8]}-{dataset.fingerprint[:8]}"


def _data_record(dataset: Dataset, parts: Split) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "source": dict(dataset.source),
        "fingerprint": dataset.fingerprint,
        "n_images": len(dataset),
        "image_shape": list(dataset.images.shape[1:]),
        "class_names": list(dataset.class_names),
        "split": parts.protocol,
        "n_train": len(parts.train),
        "n_val": len(parts.val),
        "n_test": len(parts.test),
        "provenance": dataset.provenance,
        "licence": dataset.licence,
    }


def _finite(record: dict[str, Any]) -> dict[str, Any]:
    """NaN and infinity are not JSON; they are written as null."""
    return {
        key: None if isinstance(value, float) and not np.isfinite(value) else value
        for key, value in record.items()
    }
