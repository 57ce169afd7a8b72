"""What a classifier predicts: class numbers, probabilities, and two classes by a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.classifiers.methods import Classifier
from mnistlab.data import Dataset
from mnistlab.errors import RunError
from mnistlab.evaluation import best_threshold
from mnistlab.runs.folder import Run

POSITIVE = 1  # of two classes, the one whose probability the threshold is for


def predictions(
    classifier: Classifier, images: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """Class numbers (N,), and probabilities (N, K) of a classifier that knows them."""
    if not hasattr(classifier, "predict_proba"):  # an SVM that is not calibrated
        return classifier.predict(images), None
    probabilities = classifier.predict_proba(images)
    return classifier.classes_[probabilities.argmax(1)], probabilities


def threshold_record(val: Dataset, probabilities: NDArray[np.floating]) -> dict[str, Any]:
    """The threshold of result.json, chosen on validation images by balanced accuracy."""
    threshold = best_threshold(val.labels == POSITIVE, _clipped(probabilities))
    return {"threshold": threshold, "threshold_class": val.class_names[POSITIVE]}


def by_threshold(probabilities: NDArray[np.floating], threshold: float) -> NDArray[np.int64]:
    """Of two classes: the second where it has at least that probability, else the first, (N,)."""
    return np.where(probabilities[:, POSITIVE] >= threshold, POSITIVE, 1 - POSITIVE)


def chosen_threshold(run: Run, wanted: float | str) -> float:
    """A threshold that was asked for, "validation" being that of result.json.

    Raises RunError for a run of other than two classes, one without a threshold of validation, and
    for what is no probability.
    """
    n_classes = len(run.data["class_names"])
    if n_classes != 2:
        raise RunError(f"{run.path}: a threshold is for two classes; the run has {n_classes}")
    if wanted == "validation":
        stored = run.result.get("threshold")
        if stored is None:
            raise RunError(f"{run.path}: has no threshold of validation; give a probability")
        return float(stored)
    try:
        threshold = float(wanted)
    except ValueError:
        threshold = float("nan")
    if not 0 <= threshold <= 1:
        raise RunError(f"threshold must be a probability, 0 to 1, or 'validation'; got {wanted!r}")
    return threshold


def _clipped(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Those of the second class; sums of float32 may pass 1 by a rounding."""
    return np.clip(probabilities[:, POSITIVE].astype(np.float64), 0, 1)
