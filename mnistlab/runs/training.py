"""Training a recipe into a run folder, or finding the folder where that has been done."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnistlab import atomic, machine
from mnistlab.classifiers.methods import Classifier, Method, method_of
from mnistlab.data import Dataset, Split, load
from mnistlab.errors import MnistlabError, RecipeError, RunError
from mnistlab.phases import Epoch
from mnistlab.recipe import EXPANSION_FACTORS, Recipe, read_recipe
from mnistlab.runs.building import check_trainable, classifier_of, parts_of
from mnistlab.runs.checkpoints import Checkpoints, Following
from mnistlab.runs.computation import (
    computation,
    folder_of,
    is_name_of,
    precision_used,
)
from mnistlab.runs.describing import (
    data_record,
    expanded_accuracy,
    finite,
    validation_figures,
)
from mnistlab.runs.folder import WEIGHTS, Run, data_of, open_run, read_records, recorded_parts
from mnistlab.runs.making import RECORDS, keep_only, make, partial_of
from mnistlab.runs.progress import Progress
from mnistlab.runs.seen import write_seen
from mnistlab.runs.snapshots import write_snapshots
from mnistlab.runs.step_losses import step_log
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

    Only a run of the same computation is, so none of another precision that was brought from
    another machine. Test images are cut off before training and not touched. A training that was
    stopped goes on from its last checkpoint. `force` trains again, from the beginning. Processes
    that torchrun has started train together, and the first of them writes.
    Raises DataError, RecipeError, RunError where another process is training the same run, and
    TrainingError for a loss that is not finite; after it the folder stays, named .partial, with
    its log complete.
    """
    dataset = data if isinstance(data, Dataset) else load(data or recipe.data)
    return train_in(
        precision_used(recipe, device),
        recipe,
        dataset,
        out=Path(out),
        force=force,
        device=device,
        threads=threads,
        progress=progress or Progress(),
    )


def train_in(
    precision: str,
    recipe: Recipe,
    dataset: Dataset,
    *,
    out: Path,
    force: bool,
    device: str,
    threads: int | None,
    progress: Progress,
) -> Run:
    """As `train`, in a precision that has been decided, perhaps on another machine."""
    parts = parts_of(recipe, dataset)
    path = folder_of(out, recipe, dataset, precision)
    if path.exists() and not force:
        atomic.clear_older(path)
        return ended(path, progress, was_found=True)
    training = _Training(recipe, parts, dataset, device, threads, progress, precision)
    check_trainable(training.resolved, parts.train, device)
    atomic.check_writable(out)
    return training.run(path, afresh=force)


def resume(
    path: Path | str,
    *,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Resume a training that was stopped, from the last checkpoint in its folder.

    path: of the run, with or without ".partial"; where no training of it was stopped, a complete
    run is given back as it is. The data are loaded again from where they came; precision: as
    before; threads: as many as before, where none are given.
    Raises RunError where there is nothing to resume, and what `train` raises.
    """
    path, progress = Path(path), progress or Progress()
    if path.name in ("", ".."):  # such as "."
        path = path.resolve()
    if not path.name:
        raise RunError(f"{path}: no run folder")
    whole = path.with_suffix("") if path.suffix == ".partial" else path
    partial = partial_of(whole)
    if not partial.is_dir():
        if whole.is_dir():
            return ended(whole, progress)
        raise RunError(f"{path}: no such run folder")
    recipe, data, env = _stopped(partial)
    dataset = data_of(partial, data)
    parts = recorded_parts(partial, recipe, data, dataset)
    precision = env.get("precision") or precision_used(recipe, device)
    if not is_name_of(whole.name, recipe, dataset, precision):
        raise RunError(f"{partial}: its name is not that of its recipe, data and precision")
    threads = env.get("threads") if threads is None else threads
    training = _Training(recipe, parts, dataset, device, threads, progress, precision)
    try:
        check_trainable(training.resolved, parts.train, device)
    except RecipeError as error:
        raise RunError(f"{partial}: cannot be resumed here: {error}") from error
    atomic.check_writable(partial)
    return training.run(whole, afresh=False)


def _stopped(partial: Path) -> tuple[Recipe, dict[str, Any], dict[str, Any]]:
    """Recipe, data.json and env.json of a training; it may have been killed before the last."""
    if not (partial / "recipe.json").exists():
        raise RunError(f"{partial}: nothing to resume; the training had not begun")
    (data,) = read_records(partial, "data")
    env = read_records(partial, "env")[0] if (partial / "env.json").exists() else {}
    return read_recipe(partial / "recipe.json"), data, env


def ended(path: Path, progress: Progress, was_found: bool = False) -> Run:
    """The complete run of that folder, reported; RunError where its weights are not its own."""
    run = open_run(path)
    run.check_weights()
    if was_found:
        progress.on_found(run)
    progress.on_end(run)
    return run


@contextlib.contextmanager
def _together(recipe: Recipe, device: str) -> Iterator[Processes | None]:
    """Those torchrun has started to train this together; None for a process of its own."""
    if machine.n_processes() == 1:
        yield None
        return
    if not method_of(recipe.model).shares_batches:
        raise RecipeError(f"model {recipe.model} cannot be trained by several processes")
    from mnistlab.training import parallel
    from mnistlab.training.hardware import pick_device

    with parallel.joined(pick_device(device)) as processes:
        yield processes


@dataclass(frozen=True)
class _Training:
    """One recipe on one data set, into a folder or beside the process that writes it.

    precision: the one in which it is computed, whatever this machine would choose.
    """

    recipe: Recipe
    parts: Split
    dataset: Dataset
    device: str
    threads: int | None
    progress: Progress
    precision: str

    @property
    def resolved(self) -> Recipe:
        """The recipe as it is computed; its own words where they mean the same on this machine."""
        if self.recipe.precision == "auto":
            if precision_used(self.recipe, self.device) == self.precision:
                return self.recipe
            return replace(self.recipe, precision=self.precision)
        return self.recipe

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
        checkpointer = self._checkpoints(partial, Following)
        classifier, method = self._classifier()
        with method.n_threads(self.threads), checkpointer.heard():
            self._fit(classifier, checkpointer=checkpointer, processes=processes)

    def _write(self, folder: Path, processes: Processes | None) -> None:
        """All files of a run but its predictions."""
        recipe, (classifier, method) = self.recipe, self._classifier()
        checkpoints = self._checkpoints(folder)  # refuses foreign ones before a file is changed
        self.progress.on_folder(folder)  # may refuse as well
        atomic.write_json(folder / "recipe.json", recipe.to_json())
        atomic.write_json(folder / "data.json", data_record(self.dataset, self.parts))
        with method.n_threads(self.threads):
            atomic.write_json(folder / "env.json", self._env(method, processes))
            keep_only(folder, RECORDS)
            self.progress.on_start(recipe, self.dataset, n_steps(recipe, len(self.parts.train)))
            if checkpoints.n_steps or checkpoints.n_damaged:
                self.progress.on_resume(checkpoints.n_steps, checkpoints.n_damaged)
            before_mb = machine.start_measuring_memory()
            train_time_s = self._fit_and_log(
                classifier, folder / "log.jsonl", checkpoints, processes
            )
            peak_mb = machine.peak_memory_mb()
            validated = validation_figures(classifier, self.parts.val)
        self._write_result(
            folder,
            classifier,
            {
                **validated,
                **expanded_accuracy(recipe, [Epoch(**line) for line in classifier.history_]),
                "test_accuracy": None,
                "test_accuracy_ci": None,
                "train_time_s": train_time_s,
                "epochs": len(classifier.history_),
                "peak_memory_mb": peak_mb,
                "training_memory_mb": peak_mb - before_mb,
            },
        )
        checkpoints.clear()

    def _env(self, method: Method, processes: Processes | None) -> dict[str, Any]:
        env = method.describe(self.device, self.resolved.precision)
        env = {"mnistlab": __version__, **env, "seed": self.recipe.seed}
        return env if processes is None else env | {"processes": processes.size}

    def _write_result(self, folder: Path, classifier: Any, figures: dict[str, Any]) -> None:
        """Weights, hashes of the images seen, and last of all what was measured."""
        from mnistlab.classifiers.storage import content_hash, save_classifier

        recipe = self.recipe
        save_classifier(classifier, folder / WEIGHTS)
        write_snapshots(folder, getattr(classifier, "snapshots_", {}))
        write_seen(folder, self.parts)
        result = {
            "recipe": recipe.name,
            "system": recipe.system,
            "recipe_hash": recipe.content_hash,
            "computation": computation(recipe, self.dataset, self.precision),
            "data": self.dataset.name,
            "n_parameters": classifier.n_parameters_,
            "weights_sha256": content_hash(folder / WEIGHTS),
            **figures,
        }
        if origin := getattr(classifier, "weights_from_", None):
            result["weights"] = origin
        atomic.write_json(folder / "result.json", result)

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
        steps = step_log(log_path.parent, self.recipe.log_steps if in_steps else None, saved)
        with (
            atomic.named(log_path),
            log_path.open("w", encoding="utf-8") as log,
            steps as of_steps,
            heard,
        ):

            def write(epoch: Epoch) -> None:
                log.write(json.dumps(finite(vars(epoch))) + "\n")
                log.flush()

            def on_epoch(epoch: Epoch) -> None:
                write(epoch)
                progress.on_epoch(epoch)

            def on_features(n_done: int, n_images: int) -> None:
                progress.on_features(n_done, n_images)
                checkpoints.stop_if_asked()

            for epoch in saved.state.history if saved else ():
                write(epoch)
            start = time.perf_counter()
            try:
                self._fit(
                    classifier,
                    checkpointer=checkpoints,
                    on_features=on_features,
                    on_step=progress.on_step,
                    on_epoch=on_epoch,
                    **({} if of_steps is None else {"step_log": of_steps}),
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
                    f"{log_path.parent}: its checkpoint cannot be resumed from: {said}"
                ) from error
            return checkpoints.seconds_before + time.perf_counter() - start

    def _fit(self, classifier: Classifier, **hooks: Any) -> None:
        train, val = self.parts.train, self.parts.val
        classifier.fit(train.images, train.labels, val.images, val.labels, **hooks)

    def _classifier(self) -> tuple[Any, Method]:
        return classifier_of(self.resolved, self.device), method_of(self.recipe.model)

    def _checkpoints(self, folder: Path, kind: type[Checkpoints] = Checkpoints) -> Checkpoints:
        of = {
            "precision": self.precision,
            "recipe": self.recipe.content_hash,
            "data": self.dataset.fingerprint,
            "computation": computation(self.recipe, self.dataset, self.precision),
        }
        return kind(folder, self.recipe.checkpoint_steps, of)


def n_steps(recipe: Recipe, n_images: int) -> int:
    """Batches that training on so many images takes at most; 0 for what has none."""
    n_examples = n_images * EXPANSION_FACTORS.get(recipe.expansion or "", 1)
    per_epoch = -(-n_examples // recipe.batch_size)
    return per_epoch * sum(phase.n_epochs(per_epoch) for phase in recipe.phases)
