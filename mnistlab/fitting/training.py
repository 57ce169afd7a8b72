"""Training a network until a moment that does not move.

The loop asks after every step whether a checkpoint is wanted. Here the answer is also yes when the
time is over, or when the epochs that are left would take longer or shorter than planned: the
checkpoint is then continued with another number of epochs, which its schedule follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnistlab import atomic
from mnistlab.classifiers.methods import Classifier
from mnistlab.data.splits import sample
from mnistlab.errors import RunError
from mnistlab.fitting.candidates import Candidate, Size
from mnistlab.fitting.clock import Clock
from mnistlab.fitting.costs import part_of, validated
from mnistlab.fitting.planning import Plan
from mnistlab.fitting.subject import Subject
from mnistlab.fitting.trials import COMPLETE, RUNNING, STOPPED
from mnistlab.phases import Checkpoint, Epoch
from mnistlab.runs.building import classifier_of
from mnistlab.runs.checkpoints import FILES, Checkpoints
from mnistlab.runs.records import Count, NotNegative, Record, Some, read_record

SAVE_FRACTION, SAVE_S = 0.02, 2.0  # of the budget between two checkpoints, and at least
REPLANNED_FROM = 4  # epochs; of fewer one cannot be taken away
GROWS_BY = 1.5  # times its planned epochs, at most, where they take less time


class Trained(NamedTuple):
    """classifier: None where the time was over too early. size: as it was planned last."""

    classifier: Classifier | None
    state: str
    size: Size
    steps_s: list[float]
    why: str = ""


@dataclass
class Pausing:
    """A Checkpointer that ends a training at a moment, and reports each step.

    saved: writes the checkpoints. ends_s: the used seconds at which the training must be over.
    after_s: seconds that come after any step, for the validation of its epoch. epochs: as planned
    last; most_epochs: to which they may grow.
    """

    saved: Checkpoints
    clock: Clock
    ends_s: float
    after_s: float
    on_step: Callable[[], None]
    epochs: int
    most_epochs: int
    steps_s: list[float] = field(default_factory=list)
    reason: str = ""
    wanted: int = 0
    is_replanned: bool = False
    marked_s: float = 0.0
    saved_s: float = 0.0
    epoch_began_s: float = 0.0

    def begin(self) -> None:
        """Start to measure: a training begins or continues."""
        self.reason, self.is_replanned = "", False
        self.marked_s = self.saved_s = self.epoch_began_s = self.clock.used

    def last(self) -> Checkpoint | None:
        """The checkpoint to continue from."""
        return self.saved.last()

    def is_due(self) -> bool:
        """Called after every step."""
        used, is_due = self.clock.used, self.saved.is_due()
        step_s = used - self.marked_s
        self.steps_s.append(step_s)
        self.marked_s = used
        self.on_step()
        if used + 2 * step_s + self.after_s > self.ends_s:
            self.reason = STOPPED
        elif self.is_replanned:
            self.reason = "replanned"
        every_s = max(SAVE_FRACTION * self.clock.budget_s, SAVE_S)
        return is_due or bool(self.reason) or used - self.saved_s > every_s

    def save(self, checkpoint: Checkpoint) -> None:
        """Write it; raises PausedError where the training must not continue as it is."""
        self.saved.save(checkpoint)
        self.saved_s = self.marked_s = self.clock.used
        if self.reason:
            raise PausedError(checkpoint)

    def on_epoch(self, epoch: Epoch) -> None:
        """Plan the epochs that are left anew where the time has changed."""
        used = self.clock.used
        epoch_s, self.epoch_began_s = used - self.epoch_began_s, used
        self.marked_s = used
        if self.epochs < REPLANNED_FROM or epoch.epoch >= self.epochs:
            return
        fits = int((self.ends_s - self.after_s - used) / max(epoch_s, 1e-9))
        wanted = min(epoch.epoch + fits, self.most_epochs)
        wanted = max(wanted, epoch.epoch + 1)
        # One epoch more or less is within what an epoch's time differs by.
        if wanted < self.epochs or wanted > 1.15 * self.epochs:
            self.wanted, self.is_replanned = wanted, True

    def on_features(self, n_done: int, n_images: int) -> None:
        """Called while frozen blocks see all images, once."""
        self.on_step()
        self.saved.stop_if_asked()
        if self.clock.used + self.after_s > self.ends_s:
            raise LateError


class PausedError(Exception):
    """Ends a training after a checkpoint."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__("paused")
        self.checkpoint = checkpoint


@dataclass(frozen=True)
class Task:
    """A training to make in a folder.

    number: of the trial. ends_s: the used seconds at which it must be over. after_s: for the
    validation after its last step.
    """

    plan: Plan
    number: int
    candidate: Candidate
    subject: Subject
    folder: Path
    clock: Clock
    ends_s: float
    after_s: float


def trained(task: Task, on_step: Callable[[], None]) -> Trained:
    """Train a network as planned, from its checkpoint where an earlier process left one.

    Raises TrainingError for a loss that is not finite, and Stopped after a signal.
    """
    size, subject = task.plan.size, task.subject
    assert size is not None
    checkpoints = Checkpoints(task.folder, None, _identity(task))
    if checkpoints.last() is None:
        _write_running(task, size.epochs)
    pausing = Pausing(
        checkpoints,
        task.clock,
        task.ends_s,
        task.after_s,
        on_step,
        size.epochs,
        round(GROWS_BY * size.epochs),
    )
    train = part_of(subject.split.train, size.n_train)
    val = sample(subject.split.val, validated(len(train), len(subject.split.val)))
    while True:
        now = size._replace(epochs=pausing.epochs)
        recipe = task.candidate.for_size(now, task.plan.seed)
        classifier, state, why = classifier_of(recipe, subject.device), COMPLETE, ""
        pausing.begin()
        try:
            with pausing.saved.signals_delayed():
                classifier.fit(
                    train.images,
                    train.labels,
                    val.images,
                    val.labels,
                    checkpointer=pausing,
                    on_epoch=pausing.on_epoch,
                    on_features=pausing.on_features,
                )
        except PausedError as paused:
            if pausing.reason != STOPPED:
                pausing.epochs = pausing.wanted
                _write_running(task, pausing.epochs)
                pausing.saved = Checkpoints(task.folder, None, _identity(task))
                continue
            found = _salvaged(task, paused.checkpoint)
            state, why = STOPPED, "stopped when its time was over"
        except LateError:
            found, state, why = None, STOPPED, "stopped when its time was over"
        else:
            found = classifier
        return Trained(found, state, now, pausing.steps_s, why)


class LateError(Exception):
    """Ends a training that has no checkpoint yet."""


def _identity(task: Task) -> dict[str, str]:
    """What a checkpoint must be of; the number of epochs may have changed since."""
    return {
        "trial": str(task.number),
        "candidate": task.candidate.name,
        "data": task.subject.dataset.fingerprint,
    }


def _salvaged(task: Task, checkpoint: Checkpoint) -> Classifier | None:
    """The classifier of a training that was stopped: its moving average, else its best epoch.

    None of a network that was trained in part, whose checkpoint does not hold it all.
    """
    if task.candidate.recipe.phases[0].unfrozen is not None:
        return None
    average = checkpoint.part("average")
    arrays = {
        name.removeprefix("module."): array
        for name, array in average.items()
        if name.startswith("module.")
    }
    if not arrays:
        has_epoch = bool(checkpoint.state.history)
        arrays = checkpoint.part("best" if has_epoch else "network")
    fresh = classifier_of(task.candidate.for_size(Size(1, 1), task.plan.seed), task.subject.device)
    shape, classes = task.subject.dataset.images.shape[1:], range(task.subject.dataset.n_classes)
    return fresh.restore(list(classes), (int(shape[0]), int(shape[1])), _writable(arrays))


def _writable(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Copies: those of a file must not be written to."""
    return {name: np.array(array) for name, array in arrays.items()}


def _write_running(task: Task, epochs: int) -> None:
    """Write what is being trained, for whoever continues it after a kill."""
    plan = task.plan
    assert plan.size is not None
    atomic.write_json(
        task.folder / RUNNING,
        {
            "number": task.number,
            "candidate": plan.candidate,
            "stage": plan.stage,
            "seed": plan.seed,
            "seconds": plan.seconds,
            "epochs": epochs,
            "n_train": plan.size.n_train,
        },
    )


class RunningRecord(Record):
    """running.json: the training that a fit was making when it was stopped."""

    number: Some
    candidate: str
    stage: str
    seed: Count
    seconds: NotNegative
    epochs: Some
    n_train: Some


def running_plan(folder: Path, number: int) -> Plan | None:
    """The plan of the training with that number that was stopped; None without a checkpoint of it.

    What is left of any other training is removed.
    """
    path = folder / RUNNING
    if path.exists() and any(folder.glob(FILES)):
        try:
            found = read_record(path, RunningRecord)
        except RunError:
            found = {"number": 0}
        if found["number"] == number:
            size = Size(found["epochs"], found["n_train"])
            return Plan(found["candidate"], found["stage"], found["seed"], found["seconds"], size)
    clear_running(folder)
    return None


def clear_running(folder: Path) -> None:
    """Remove what continues a training, once it is over."""
    for path in (folder / RUNNING, *folder.glob(FILES)):
        path.unlink(missing_ok=True)
