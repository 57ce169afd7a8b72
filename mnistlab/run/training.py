"""Training a recipe into a run folder, or finding the folder where that has been done."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mnistlab import atomic, machine
from mnistlab.classifiers.methods import Classifier, Method, method_of
from mnistlab.data import Dataset, Split, load
from mnistlab.errors import MnistlabError, RecipeError, RunError, TrainingError
from mnistlab.phases import Epoch
from mnistlab.recipe import EXPANSION_FACTORS, Recipe, read_recipe
from mnistlab.run.building import check_trainable, classifier_of, parts_of
from mnistlab.run.checkpoints import FILES, Checkpoints, Following
from mnistlab.run.folder import Run, data_of, open_run, read_records
from mnistlab.run.progress import Progress
from mnistlab.version import __version__

if TYPE_CHECKING:
    from mnistlab.training.parallel import Processes

DEFAULT_FOLDER = Path("runs")


def train(
    recipe: Recipe,
    data: Dataset | str | None = None,
    *,
    out: Path | str = DEFAULT_FOLDER,
    force: bool = False,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Train a recipe on a data set, a name or a path; a finished run of both is re-used.

    Test images are cut off before training and not touched. One that was stopped goes on from its
    last checkpoint. `force` trains again, from the beginning. Processes that torchrun has started
    train together, and the first of them writes.
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
        return ended(path, progress)
    check_trainable(recipe, parts.train, device)
    return _Training(recipe, parts, dataset, device, threads, progress).run(path, afresh=force)


def resume(
    path: Path | str,
    *,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Go on with a training that was stopped, from the last checkpoint in its folder.

    path: of the run, with or without ".partial"; where no training of it was stopped, a complete
    run is given back as it is. The data
    are loaded again from where they came; threads: as many as before, where none are given.
    Raises RunError where there is nothing to go on with, and what `train` raises.
    """
    path, progress = Path(path), progress or Progress()
    whole = path.with_suffix("") if path.suffix == ".partial" else path
    partial = partial_of(whole)
    if not partial.is_dir():
        if whole.is_dir():
            return ended(whole, progress)
        raise RunError(f"{path}: no such run folder")
    data, env = read_records(partial, "data", "env")
    recipe, dataset = read_recipe(partial / "recipe.json"), data_of(partial, data)
    if folder_name(recipe, dataset) != whole.name:
        raise RunError(f"{partial}: its name is not that of its recipe and data")
    parts, before = parts_of(recipe, dataset), env.get("threads")
    check_trainable(recipe, parts.train, device)
    threads = before if threads is None and isinstance(before, int) else threads
    return _Training(recipe, parts, dataset, device, threads, progress).run(whole, afresh=False)


def ended(path: Path, progress: Progress) -> Run:
    """The complete run of that folder, told of."""
    run = open_run(path)
    progress.on_end(run)
    return run


@contextlib.contextmanager
def _together(recipe: Recipe, device: str) -> Iterator[Processes | None]:
    """Those torchrun has started to train this together; None for a process of its own."""
    if machine.n_processes() == 1:
        yield None
        return
    if recipe.model in ("scratch", "svm"):
        raise RecipeError(f"model {recipe.model} cannot be trained by several processes")
    from mnistlab.training import parallel
    from mnistlab.training.hardware import pick_device

    with parallel.joined(pick_device(device)) as processes:
        yield processes


def partial_of(path: Path) -> Path:
    """The folder in which the run `path` is made."""
    return path.with_name(f"{path.name}.partial")


def make(path: Path, afresh: bool, write: Callable[[Path], None]) -> None:
    """Make the run folder `path` by a function that writes its files into another.

    afresh: no checkpoints are left there. Whatever ends it early leaves a folder named .partial, or
    none. Raises RunError where another process is making this run, and what `write` raises.
    """
    partial = partial_of(path)
    try:
        with atomic.claimed(partial, keep=None if afresh else FILES):
            write(partial)
            atomic.publish_folder(partial, path)
    except BlockingIOError as error:
        if afresh or not path.exists():
            raise RunError(f"{path}: another process is training this run") from error
    except TrainingError as error:
        atomic.write_json(partial / "failure.json", {"error": str(error)})
        raise
    except MnistlabError:
        if not any(partial.glob(FILES)):  # nothing was trained
            shutil.rmtree(partial)
        raise


@dataclass(frozen=True)
class _Training:
    """One recipe on one data set, into a folder or beside the process that writes it."""

    recipe: Recipe
    parts: Split
    dataset: Dataset
    device: str
    threads: int | None
    progress: Progress

    def run(self, path: Path, afresh: bool) -> Run:
        """The run folder `path`, once it is there; afresh: not from a checkpoint."""
        with _together(self.recipe, self.device) as processes:
            if processes is not None and processes.rank:
                self.along(partial_of(path), processes)
            else:
                self.into(path, afresh, processes)
        return ended(path, self.progress)

    def into(self, path: Path, afresh: bool, processes: Processes | None) -> None:
        """Make the run folder `path`."""

        def write(partial: Path) -> None:
            if processes is not None:
                processes.wait()  # the others read checkpoints there
            self._write(partial, processes)

        make(path, afresh, write)

    def along(self, partial: Path, processes: Processes) -> None:
        """Train beside the process that writes `partial`, and write nothing."""
        processes.wait()
        keeper = self._checkpoints(partial, Following)
        classifier, method = self._classifier()
        with method.n_threads(self.threads), keeper.heard():
            self._fit(classifier, keeper=keeper, processes=processes)

    def _write(self, folder: Path, processes: Processes | None) -> None:
        """All files of a run but its predictions."""
        from mnistlab.classifiers.storage import save_classifier

        recipe, (classifier, method) = self.recipe, self._classifier()
        atomic.write_json(folder / "recipe.json", recipe.to_json())
        atomic.write_json(folder / "data.json", _data_record(self.dataset, self.parts))
        checkpoints = self._checkpoints(folder)
        self.progress.on_start(recipe, self.dataset, n_steps(recipe, len(self.parts.train)))
        if checkpoints.n_steps or checkpoints.n_damaged:
            self.progress.on_resume(checkpoints.n_steps, checkpoints.n_damaged)
        with method.n_threads(self.threads):
            env = method.describe(self.device, recipe.precision)
            env = {"mnistlab": __version__, **env, "seed": recipe.seed}
            if processes is not None:
                env["processes"] = processes.size
            atomic.write_json(folder / "env.json", env)
            before_mb = machine.start_measuring_memory()
            train_time_s = self._fit_and_log(
                classifier, folder / "log.jsonl", checkpoints, processes
            )
            peak_mb = machine.peak_memory_mb()
            val = self.parts.val
            val_accuracy = float(classifier.score(val.images, val.labels))
        save_classifier(classifier, folder / "model.safetensors")
        result = {
            "recipe": recipe.name,
            "system": recipe.system,
            "recipe_hash": recipe.content_hash,
            "data": self.dataset.name,
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

    def _fit_and_log(
        self,
        classifier: Classifier,
        log_path: Path,
        checkpoints: Checkpoints,
        processes: Processes | None,
    ) -> float:
        """Train, writing each epoch's line before the next begins; the seconds it took."""
        saved, progress, n_before = checkpoints.last(), self.progress, checkpoints.n_steps
        # What has no steps has no checkpoints either: there a signal does what it always did.
        in_steps = method_of(self.recipe.model).learns_in_epochs
        heard = checkpoints.heard() if in_steps else contextlib.nullcontext()
        with log_path.open("w", encoding="utf-8") as log, heard:

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
            try:
                self._fit(
                    classifier,
                    keeper=checkpoints,
                    on_features=on_features,
                    on_step=progress.on_step,
                    on_epoch=on_epoch,
                    **({} if processes is None else {"processes": processes}),
                )
            except (LookupError, RuntimeError, TypeError, ValueError) as error:
                if (
                    saved is None
                    or checkpoints.n_steps > n_before
                    or isinstance(error, MnistlabError)
                ):
                    raise
                said = " ".join(str(error).split()) or type(error).__name__
                raise RunError(
                    f"{log_path.parent}: its checkpoint cannot be gone on from: {said}"
                ) from error
            return checkpoints.seconds_before + time.perf_counter() - start

    def _fit(self, classifier: Classifier, **hooks: Any) -> None:
        train, val = self.parts.train, self.parts.val
        classifier.fit(train.images, train.labels, val.images, val.labels, **hooks)

    def _classifier(self) -> tuple[Any, Method]:
        return classifier_of(self.recipe, self.device), method_of(self.recipe.model)

    def _checkpoints(self, folder: Path, kind: type[Checkpoints] = Checkpoints) -> Checkpoints:
        of = {"recipe": self.recipe.content_hash, "data": self.dataset.fingerprint}
        return kind(folder, self.recipe.checkpoint_steps, of)


def n_steps(recipe: Recipe, n_images: int) -> int:
    """Batches that training on so many images takes at most; 0 for what has none."""
    n_examples = n_images * EXPANSION_FACTORS.get(recipe.expansion or "", 1)
    per_epoch = -(-n_examples // recipe.batch_size)
    return per_epoch * sum(phase.n_epochs(per_epoch) for phase in recipe.phases)


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
        "parts": dict(parts.origins),
        "provenance": dataset.provenance,
        "licence": dataset.licence,
    }


def _finite(record: dict[str, Any]) -> dict[str, Any]:
    """NaN and infinity are not JSON; they are written as null."""
    return {
        key: None if isinstance(value, float) and not np.isfinite(value) else value
        for key, value in record.items()
    }
