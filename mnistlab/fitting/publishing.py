"""The best ensemble so far as a complete run, at every moment.

New weights are written beside the old ones, under the other of two names. Then result.json, which
says which of them count, is replaced: a process that is killed at any moment leaves the old
ensemble or the new one, whole.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnistlab import atomic, locks
from mnistlab.classifiers.ensemble import EnsembleClassifier
from mnistlab.classifiers.storage import content_hash, save_classifier
from mnistlab.data import Dataset
from mnistlab.fitting.best import Best, ensemble_of
from mnistlab.fitting.clock import Clock
from mnistlab.fitting.subject import Subject
from mnistlab.fitting.trials import TrialStorage
from mnistlab.runs.describing import metrics_of_validation
from mnistlab.runs.folder import PREDICTIONS, WEIGHTS, read_records
from mnistlab.runs.making import FIT_PAGE
from mnistlab.runs.metrics import fitted_on

OTHER = "model-2.safetensors"
PAGED_FROM = 0.15  # of the budget: from then on there is a page, whose cost is known at the end
PAGE_S = 1.5  # until it was measured
END_S = 1.0  # for the end, besides what was measured of it: Python ends too
SLOWEST = 8.0  # times longer, on a busy machine
END_MARGIN = 1.5  # times the longest writing so far: the last ensemble may have more members


def result_of(best: Best, ensemble: EnsembleClassifier, val: Dataset) -> dict[str, Any]:
    """What result.json says of an ensemble, with the temperature that validation gives it."""
    p = best.probabilities
    origins = [getattr(member, "weights_from_", None) for member in ensemble.members_]
    result: dict[str, Any] = {
        "n_parameters": ensemble.n_parameters_,
        **metrics_of_validation(p.argmax(1), p, val),
        **fitted_on(val, p),
        "test_accuracy": None,
        "test_accuracy_ci": None,
        "epochs": 0,
        "members": [
            {
                "recipe": trial.candidate,
                "seed": trial.seed,
                "weight": float(weight),
                "n_train": trial.n_train,
                "epochs": trial.epochs,
                "val_accuracy": trial.val_accuracy,
            }
            for trial, weight in zip(best.trials, best.weights, strict=True)
        ],
    }
    if known := [origin for origin in origins if origin]:
        result["weights"] = known[0]
    return result


@dataclass
class Publisher:
    """Writes the best so far into the run's folder, and measures how long that takes.

    end_s: seconds that must be left for the last time, with its page.
    """

    subject: Subject
    clock: Clock
    page_s: float = PAGE_S
    longest_s: float = 0.0

    @property
    def end_s(self) -> float:
        """From the first writing on, by how long that one took."""
        return END_S * self._slowness() + END_MARGIN * (self.longest_s + self.page_s)

    def _slowness(self) -> float:
        """How many times longer things take than their work: 1 unless other programs run."""
        elapsed_s = self.clock.used - self.clock.before
        return min(max(elapsed_s / max(time.process_time(), 1e-3), 1.0), SLOWEST)

    def publish(
        self, folder: Path, storage: TrialStorage, best: Best, is_last: bool = False
    ) -> None:
        """Make the best ensemble the run's; the page is written the first and the last time."""
        begin, subject = self.clock.used, self.subject
        ensemble = ensemble_of(best, storage, subject.device)
        result = {
            **subject.identity(),
            **result_of(best, ensemble, subject.split.val),
            "is_finished": is_last,
        }
        is_early = self.clock.used < PAGED_FROM * subject.budget_s
        has_page = is_last or not (is_early or (folder / FIT_PAGE).exists())
        page_began = self.clock.used
        if has_page:
            from mnistlab.fitting.page import write_page  # loads matplotlib

            write_page(folder, subject, storage.trials, best, self.clock.used)
            self.page_s = self.clock.used - page_began
        used = round(self.clock.used, 3)
        result |= {"train_time_s": used, "seconds_used": used}
        write_ensemble(folder, ensemble, result, is_last)
        took = self.clock.used - begin - (self.page_s if has_page else 0)
        self.longest_s = max(self.longest_s, took)


def write_ensemble(
    folder: Path, ensemble: EnsembleClassifier, result: Mapping[str, Any], is_last: bool = False
) -> None:
    """Make the ensemble the run's; is_last: under the name that every other run's weights have.

    What was measured of an earlier one is removed with it.
    """
    with locks.locked(folder / ".lock"):
        names = [WEIGHTS, OTHER]
        if _weights_name(folder) == WEIGHTS:
            names.reverse()
        if is_last and names[0] != WEIGHTS:  # the second time, that name is free
            _write(folder, ensemble, result, names)
            names.reverse()
        _write(folder, ensemble, result, names)


def _weights_name(folder: Path) -> str | None:
    """The file that the run's result.json names; None before there is one."""
    if not (folder / "result.json").exists():
        return None
    (result,) = read_records(folder, "result")
    return str(result.get("weights_file", WEIGHTS))


def _write(
    folder: Path, ensemble: EnsembleClassifier, result: Mapping[str, Any], names: list[str]
) -> None:
    new, old = (folder / name for name in names)
    save_classifier(ensemble, new)
    of_file = {"weights_sha256": content_hash(new)}
    of_file |= {"weights_file": new.name} if new.name != WEIGHTS else {}
    atomic.write_json(folder / "result.json", {**result, **of_file})
    old.unlink(missing_ok=True)
    (folder / PREDICTIONS).unlink(missing_ok=True)
