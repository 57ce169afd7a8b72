"""The contents of data.json, and metrics of result.json that need no test image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.classifiers.methods import Classifier
from mnistlab.data import Dataset, Split
from mnistlab.data.polarity import border_of
from mnistlab.data.preparing import preparation_of
from mnistlab.evaluation import measure
from mnistlab.phases import Epoch, epoch_of_weights
from mnistlab.recipe import Recipe
from mnistlab.runs.computation import sizes_given
from mnistlab.runs.predictions import predictions, threshold_record


def validation_metrics(classifier: Classifier, val: Dataset) -> dict[str, Any]:
    """Metrics on the validation part; for two classes also a threshold.

    Null where the validation part is empty.
    """
    if not len(val):
        return dict.fromkeys(("val_accuracy", "val_balanced_accuracy", "val_macro_f1"))
    return metrics_of_validation(*predictions(classifier, val.images), val)


def metrics_of_validation(
    predicted: NDArray[np.int64], probabilities: NDArray[np.float64] | None, val: Dataset
) -> dict[str, Any]:
    """As `validation_metrics`, of predictions (N,) and probabilities (N, K) that were made."""
    metrics = measure(val.labels, predicted, val.n_classes)
    known = {
        "val_accuracy": metrics.accuracy,
        "val_balanced_accuracy": metrics.balanced_accuracy,
        "val_macro_f1": metrics.macro_f1,
    }
    if probabilities is None or val.n_classes != 2:
        return known
    return known | threshold_record(val, probabilities)


def expanded_accuracy(recipe: Recipe, history: Sequence[Epoch]) -> dict[str, Any]:
    """Accuracy on the expanded validation part, by which the epoch was chosen.

    Write-up C prints it. {} without an expansion.
    """
    if recipe.expansion is None:
        return {}
    chosen = epoch_of_weights(history, recipe.phases)
    found = [epoch.val_accuracy for epoch in history if epoch.epoch == chosen]
    return {"expanded_val_accuracy": found[0] if found else None}


def data_record(dataset: Dataset, parts: Split) -> dict[str, Any]:
    """data.json: the data of a run, the origin of each part, and the grey level of borders."""
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
        "sizes_given": sizes_given(dataset),
        "border": asdict(border_of(parts.train.images)),
        "notes": list(dataset.notes),
        "provenance": dataset.provenance,
        "licence": dataset.licence,
        "preparation": preparation_of(dataset.name) if dataset.is_published else None,
    }
