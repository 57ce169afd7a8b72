"""What a fit has trained: a record, the classifier and its probabilities, each in a file.

The record is written last. A trial without it was killed while it was saved, and does not count.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mnistlab import atomic
from mnistlab.classifiers.methods import Classifier
from mnistlab.classifiers.storage import load_classifier, save_classifier
from mnistlab.errors import RunError
from mnistlab.runs.arrays import read_arrays
from mnistlab.runs.records import Count, Fraction, NotNegative, Record, Some, read_record

FOLDER = "fit"  # in the run's folder
RUNNING = "running.json"
COMPLETE, STOPPED, FAILED = "complete", "stopped", "failed"
_RECORD = re.compile(r"trial-(\d{1,6})\.json")


@dataclass(frozen=True)
class Trial:
    """A training of a fit.

    number: from 1. stage: "first", "round 1" and so on, or "main". began_s, seconds: when it began
    after the start of the fit, and how long it took. loss: balanced log loss on validation after
    its temperature; None of a failed one, as are the next two. state: "complete", "stopped" by the
    end of the time, "failed". best_accuracy, best_loss, n_members: of the ensemble after it.
    """

    number: int
    candidate: str
    stage: str
    seed: int
    epochs: int
    n_train: int
    began_s: float
    seconds: float
    loss: float | None
    val_accuracy: float | None
    temperature: float | None
    state: str = COMPLETE
    best_accuracy: float | None = None
    best_loss: float | None = None
    n_members: int = 0
    note: str = ""

    @property
    def counts(self) -> bool:
        """Whether it left a classifier."""
        return self.loss is not None


class TrialRecord(Record):
    """trial-NNN.json: see Trial."""

    number: Some
    candidate: Annotated[str, Field(max_length=100)]
    stage: Annotated[str, Field(max_length=100)]
    seed: Count
    epochs: Count
    n_train: Some
    began_s: NotNegative
    seconds: NotNegative
    loss: NotNegative | None
    val_accuracy: Fraction | None
    temperature: Annotated[float, Field(gt=0)] | None
    state: str
    best_accuracy: Fraction | None
    best_loss: NotNegative | None
    n_members: Count
    note: str


@dataclass
class TrialStorage:
    """The trials in a folder.

    n_val, n_classes: the shape of the probabilities. Classifiers and probabilities that were saved
    or read stay in memory.
    """

    folder: Path
    n_val: int
    n_classes: int
    trials: list[Trial] = field(default_factory=list)
    _classifiers: dict[int, Classifier] = field(default_factory=dict)
    _probabilities: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    def read(self) -> None:
        """The trials of an earlier process; RunError for a damaged record."""
        self.trials = read_trials(self.folder)

    def save(self, trial: Trial, classifier: Classifier | None, p: Any) -> None:
        """Write a trial; p: float64 (N, K), tempered; both None of a failed one."""
        if classifier is not None:
            save_classifier(classifier, self._file(trial.number, "safetensors"))
            buffer = io.BytesIO()
            np.savez(buffer, allow_pickle=False, probabilities=p)
            atomic.write_bytes(self._file(trial.number, "npz"), buffer.getvalue())
            self._classifiers[trial.number], self._probabilities[trial.number] = classifier, p
        self.write(trial)

    def write(self, trial: Trial) -> None:
        """Write the record of a trial, in place of an earlier one."""
        self.trials = [*(t for t in self.trials if t.number != trial.number), trial]
        atomic.write_json(self._file(trial.number, "json"), asdict(trial))

    def classifier(self, number: int, device: str) -> Classifier:
        """The classifier of a trial; RunError for a damaged file."""
        if number not in self._classifiers:
            path = self._file(number, "safetensors")
            self._classifiers[number] = load_classifier(path, device)
        return self._classifiers[number]

    def probabilities(self, number: int) -> NDArray[np.float64]:
        """Of the validation images, float64 (N, K); RunError for a damaged file."""
        if number not in self._probabilities:
            wanted = {"probabilities": (np.dtype(np.float64), (self.n_val, self.n_classes))}
            found = read_arrays(self._file(number, "npz"), wanted, needed=wanted.keys())
            self._probabilities[number] = found["probabilities"]
        return self._probabilities[number]

    def clear(self) -> None:
        """Remove all but the records: the ensemble has what it needs."""
        for trial in self.trials:
            for ending in ("safetensors", "npz"):
                self._file(trial.number, ending).unlink(missing_ok=True)

    def _file(self, number: int, ending: str) -> Path:
        return self.folder / f"trial-{number:03d}.{ending}"


def read_trials(folder: Path) -> list[Trial]:
    """The trials that a folder has records of, in order; RunError for a damaged one."""
    paths = [path for path in folder.glob("trial-*.json") if _RECORD.fullmatch(path.name)]
    trials = [_trial(path) for path in paths]
    trials.sort(key=lambda trial: trial.number)
    if len({trial.number for trial in trials}) < len(trials):
        raise RunError(f"{folder}: two trials have the same number")
    return trials


def _trial(path: Path) -> Trial:
    found: Mapping[str, Any] = read_record(path, TrialRecord)
    return Trial(**{name: found[name] for name in TrialRecord.model_fields})
