"""One training: the files that it writes into its run folder, and in which order.

The order matters where the process is killed: records come before the first step, so that the
training can be resumed, and result.json last, so that a folder with it is complete.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnistlab import atomic, machine
from mnistlab.classifiers.methods import Classifier, Method, method_of
from mnistlab.data import Dataset, Split
from mnistlab.errors import RecipeError
from mnistlab.phases import Epoch
from mnistlab.recipe import Recipe
from mnistlab.runs.building import classifier_of, n_steps
from mnistlab.runs.checkpoints import Checkpoints, FollowerCheckpoints
from mnistlab.runs.computation import computation, precision_used
from mnistlab.runs.describing import data_record, expanded_accuracy, validation_metrics
from mnistlab.runs.execution import Execution
from mnistlab.runs.folder import WEIGHTS, Run, open_run
from mnistlab.runs.logs import epoch_log, step_log
from mnistlab.runs.making import RECORDS, keep_only, make, partial_of
from mnistlab.runs.progress import Progress
from mnistlab.runs.seen import write_seen
from mnistlab.runs.snapshots import write_snapshots
from mnistlab.training import kernels
from mnistlab.version import __version__

if TYPE_CHECKING:
    from mnistlab.training.parallel import Processes


def completed(path: Path, progress: Progress, was_found: bool = False) -> Run:
    """The complete run in a folder, reported; RunError where its weights are not its own."""
    run = open_run(path)
    run.check_weights()
    if was_found:
        progress.on_found(run)
    progress.on_end(run)
    return run


@dataclass(frozen=True)
class Trainer:
    """Trains one recipe on one data set, and writes its run folder.

    precision: in which the run is computed, decided beforehand, perhaps on another machine.
    with_kernels: whether compiled kernels compute the layers that have one.
    """

    recipe: Recipe
    split: Split
    dataset: Dataset
    execution: Execution
    precision: str
    with_kernels: bool = True

    @cached_property
    def resolved(self) -> Recipe:
        """The recipe in that precision; as it is where this machine would choose the same."""
        if self.recipe.precision != "auto":
            return self.recipe
        if precision_used(self.recipe, self.execution.device) == self.precision:
            return self.recipe
        return replace(self.recipe, precision=self.precision)

    def run(self, path: Path, afresh: bool) -> Run:
        """Train, and return the run in folder `path`; afresh: not from a checkpoint."""
        with _processes(self.recipe, self.execution.device) as processes:
            if processes is not None and processes.rank:
                self._follow(partial_of(path), processes)
            else:
                make(path, afresh, lambda partial: self._write(partial, processes))
        return completed(path, self.execution.progress)

    def _follow(self, partial: Path, processes: Processes) -> None:
        """Train beside the process that writes `partial`, and write nothing."""
        processes.wait()
        checkpointer = self._checkpoints(partial, FollowerCheckpoints)
        classifier, method = self._classifier()
        with (
            method.n_threads(self.execution.threads),
            kernels.allowed(self.with_kernels),
            checkpointer.signals_delayed(),
        ):
            self._fit(classifier, checkpointer=checkpointer, processes=processes)

    def _write(self, folder: Path, processes: Processes | None) -> None:
        """Write all files of a run but its predictions."""
        if processes is not None:
            processes.wait()  # the others read checkpoints in this folder
        recipe, progress = self.recipe, self.execution.progress
        classifier, method = self._classifier()
        checkpoints = self._checkpoints(folder)  # refuses foreign ones before a file is changed
        progress.on_folder(folder)  # may refuse as well
        atomic.write_json(folder / "recipe.json", recipe.to_json())
        atomic.write_json(folder / "data.json", data_record(self.dataset, self.split))
        with method.n_threads(self.execution.threads), kernels.allowed(self.with_kernels):
            atomic.write_json(folder / "env.json", self._env(method, processes))
            keep_only(folder, RECORDS)
            progress.on_start(recipe, self.dataset, n_steps(recipe, len(self.split.train)))
            if checkpoints.n_steps or checkpoints.n_damaged:
                progress.on_resume(checkpoints.n_steps, checkpoints.n_damaged)
            before_mb = machine.start_measuring_memory()
            train_time_s = self._fit_and_log(classifier, folder, checkpoints, processes)
            peak_mb = machine.peak_memory_mb()
            validated = validation_metrics(classifier, self.split.val)
        measured = {
            **validated,
            **expanded_accuracy(recipe, [Epoch(**line) for line in classifier.history_]),
            "test_accuracy": None,
            "test_accuracy_ci": None,
            "train_time_s": train_time_s,
            "epochs": len(classifier.history_),
            "peak_memory_mb": peak_mb,
            "training_memory_mb": peak_mb - before_mb,
        }
        self._write_result(folder, classifier, measured)
        checkpoints.clear()

    def _env(self, method: Method, processes: Processes | None) -> dict[str, Any]:
        env = method.describe(self.execution.device, self.resolved.precision)
        env = {"mnistlab": __version__, **env, "seed": self.recipe.seed}
        if with_kernels := method.kernels(self.execution.device):
            env["kernels"] = with_kernels
        return env if processes is None else env | {"processes": processes.size}

    def _write_result(self, folder: Path, classifier: Classifier, measured: dict[str, Any]) -> None:
        """Write the weights, the hashes of the images seen, and last of all result.json."""
        from mnistlab.classifiers.storage import content_hash, save_classifier

        recipe = self.recipe
        save_classifier(classifier, folder / WEIGHTS)
        write_snapshots(folder, getattr(classifier, "snapshots_", {}))
        write_seen(folder, self.split)
        result = {
            "recipe": recipe.name,
            "system": recipe.system,
            "recipe_hash": recipe.content_hash,
            "computation": computation(recipe, self.dataset, self.precision),
            "data": self.dataset.name,
            "n_parameters": classifier.n_parameters_,
            "weights_sha256": content_hash(folder / WEIGHTS),
            **measured,
        }
        if origin := getattr(classifier, "weights_from_", None):
            result["weights"] = origin
        atomic.write_json(folder / "result.json", result)

    def _fit_and_log(
        self,
        classifier: Classifier,
        folder: Path,
        checkpoints: Checkpoints,
        processes: Processes | None,
    ) -> float:
        """Train, with each epoch's line written before the next begins; the seconds it took."""
        progress, saved = self.execution.progress, checkpoints.last()
        # A model without steps has no checkpoints: there a signal does what it always did.
        in_steps = method_of(self.recipe.model).learns_in_epochs
        every = self.recipe.log_steps if in_steps else None
        with (
            epoch_log(folder, saved.state.history if saved else ()) as write,
            step_log(folder, every, saved.state.step_losses if saved else ()) as steps,
            checkpoints.signals_delayed() if in_steps else contextlib.nullcontext(),
            checkpoints.blamed(),
        ):

            def on_epoch(epoch: Epoch) -> None:
                write(epoch)
                progress.on_epoch(epoch)

            def on_features(n_done: int, n_images: int) -> None:
                progress.on_features(n_done, n_images)
                checkpoints.stop_if_asked()

            start = time.perf_counter()
            self._fit(
                classifier,
                checkpointer=checkpoints,
                on_features=on_features,
                on_step=progress.on_step,
                on_epoch=on_epoch,
                **({} if steps is None else {"step_log": steps}),
                **({} if processes is None else {"processes": processes}),
            )
            return checkpoints.seconds_before + time.perf_counter() - start

    def _fit(self, classifier: Classifier, **hooks: Any) -> None:
        train, val = self.split.train, self.split.val
        classifier.fit(train.images, train.labels, val.images, val.labels, **hooks)

    def _classifier(self) -> tuple[Any, Method]:
        return classifier_of(self.resolved, self.execution.device), method_of(self.recipe.model)

    def _checkpoints(self, folder: Path, kind: type[Checkpoints] = Checkpoints) -> Checkpoints:
        of = {
            "precision": self.precision,
            "recipe": self.recipe.content_hash,
            "data": self.dataset.fingerprint,
            "computation": computation(self.recipe, self.dataset, self.precision),
        }
        return kind(folder, self.recipe.checkpoint_steps, of)


@contextlib.contextmanager
def _processes(recipe: Recipe, device: str) -> Iterator[Processes | None]:
    """The processes that torchrun started to train together; None where this one is alone."""
    if machine.n_processes() == 1:
        yield None
        return
    machine.check_launched()
    if not method_of(recipe.model).shares_batches:
        raise RecipeError(f"model {recipe.model} cannot be trained by several processes")
    from mnistlab.training import parallel
    from mnistlab.training.hardware import pick_device

    with parallel.joined(pick_device(device)) as processes:
        yield processes
