"""What was measured of a run on one set of test images: measured once, stored, and shown.

Metrics lie in result.json, predictions on the run's own test part in predictions.npz.
"""

from __future__ import annotations

import io
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.cards import card, per_cent
from mnistlab.classifiers.methods import Classifier
from mnistlab.data import Dataset
from mnistlab.data.splits import places_of_sample
from mnistlab.data.thumbnails import strip
from mnistlab.errors import RunError
from mnistlab.runs.folder import N_BEFORE, PREDICTIONS, Run
from mnistlab.runs.metrics import Metrics
from mnistlab.runs.run_data import dataset_of, recorded_parts
from mnistlab.runs.untrained import has_untrained, untrained

N_MISTAKES = 20  # shown in a notebook


@dataclass(frozen=True)
class Evaluation:
    """Predictions and metrics of a run on N test images.

    run: with these metrics in its result.json. test: the images, in the run's classes. train: the
    training part of the same data; None where the images are other data than those of its
    training. predicted: class numbers (N,). probabilities: (N, K); None for a classifier that
    gives none. before: what the network predicted for the `shown` images before it was trained;
    None for what had no such state. n_left_out: images of other data that the run saw in training.
    """

    run: Run
    metrics: Metrics
    test: Dataset
    train: Dataset | None
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64] | None
    before: NDArray[np.int64] | None = None
    n_left_out: int = 0

    def _repr_html_(self) -> str:
        low, high = self.metrics["test_accuracy_ci"]
        wrong = np.flatnonzero(self.predicted != self.test.labels)
        facts = {
            "test accuracy": f"{per_cent(self.metrics['test_accuracy'])} ({100 * low:.2f} to "
            f"{100 * high:.2f} %; images only)",
            "macro F1": f"{self.metrics['macro_f1']:.4f}",
            "mistakes": f"{len(wrong):,} of {len(self.test):,}; the first are shown",
        }
        mistakes = strip(self.test.images[wrong[:N_MISTAKES]])
        return card(f"{self.run.recipe.name} on {self.test.name}", facts, picture=mistakes)

    @property
    def is_own(self) -> bool:
        """Whether the images are the test part of the data the run was trained on."""
        return self.train is not None

    @cached_property
    def shown(self) -> NDArray[np.intp]:
        """Places in the test part of the images that were predicted before training too."""
        return places_of_sample(self.test, N_BEFORE)


def predicted_before(
    run: Run, classifier: Classifier, test: Dataset, device: str
) -> NDArray[np.int64] | None:
    """Classes of the `shown` images by the untrained network; see `Evaluation`."""
    if not has_untrained(run):
        return None
    shown = test.images[places_of_sample(test, N_BEFORE)]
    return np.asarray(untrained(run, classifier, device).predict(shown))


def write_predictions(evaluation: Evaluation) -> None:
    """Write predictions.npz into the run's folder."""
    arrays = {"labels": evaluation.test.labels, "predicted": evaluation.predicted}
    if evaluation.probabilities is not None:
        arrays["probabilities"] = evaluation.probabilities.astype(np.float32)
    if evaluation.before is not None:
        arrays["before"] = evaluation.before
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    atomic.write_bytes(evaluation.run.path / PREDICTIONS, buffer.getvalue())


def check_distinct(runs: Sequence[Run]) -> None:
    """RunError for a run that is there twice, by whatever path."""
    seen = set()
    for run in runs:
        if run.path.resolve() in seen:
            raise RunError(f"{run.path}: is there twice")
        seen.add(run.path.resolve())


def check_evaluated(runs: Sequence[Run]) -> None:
    """RunError with the command that evaluates those runs that are not evaluated yet."""
    missing = [run.path for run in runs if run.result["test_accuracy"] is None]
    if missing:
        n = len(missing) - 1
        others = f", nor {'is 1 other' if n == 1 else f'are {n} others'}" if n else ""
        raise RunError(
            f"{missing[0]}: is not evaluated yet{others}; run: "
            f"mnistlab evaluate {' '.join(shlex.quote(str(path)) for path in missing)}"
        )


def read_evaluation(run: Run, data: Dataset | None = None) -> Evaluation:
    """The evaluation on the run's own test part, as `evaluate` stored it.

    data: the set the run was trained on, where it cannot be loaded again. Raises RunError for a
    run that was not evaluated, whose weights are not those it was trained to, or other data.
    """
    check_evaluated([run])
    run.check_weights()
    dataset = dataset_of(run) if data is None else data
    if dataset.fingerprint != run.data["fingerprint"]:
        raise RunError(
            f"{run.path}: predictions are stored for the data of its training alone, which "
            f"{dataset.name} is not"
        )
    parts = recorded_parts(run.path, run.recipe, run.data, dataset)
    stored = run.predictions()
    before = stored.before
    if before is None:  # evaluated before 2026-12
        before = predicted_before(run, run.classifier(to_predict=True), parts.test, "auto")
    return Evaluation(
        run,
        cast(Metrics, run.result),
        parts.test,
        parts.train,
        stored.predicted,
        stored.probabilities,
        before,
    )
