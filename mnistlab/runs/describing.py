"""What a run's records say of its data, its validation part and its epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from mnistlab.data import Dataset, Split
from mnistlab.data.polarity import border_of
from mnistlab.evaluation import measure
from mnistlab.phases import Epoch, epoch_of_weights
from mnistlab.recipe import Recipe
from mnistlab.runs.computation import sizes_given
from mnistlab.runs.predictions import predictions, threshold_record


def validation_figures(classifier: Any, val: Dataset) -> dict[str, Any]:
    """What is known before any test image is looked at; of two classes with a threshold.

    Null where there is no image to validate on.
    """
    if not len(val):
        return dict.fromkeys(("val_accuracy", "val_balanced_accuracy", "val_macro_f1"))
    predicted, probabilities = predictions(classifier, val.images)
    figures = measure(val.labels, predicted, val.n_classes)
    known = {
        "val_accuracy": figures.accuracy,
        "val_balanced_accuracy": figures.balanced_accuracy,
        "val_macro_f1": figures.macro_f1,
    }
    if probabilities is None or val.n_classes != 2:
        return known
    return known | threshold_record(val, probabilities)


def expanded_accuracy(recipe: Recipe, history: Sequence[Epoch]) -> dict[str, Any]:
    """On the expanded validation part, by which the epoch was chosen; {} without an expansion.

    The figure that write-up C prints.
    """
    if recipe.expansion is None:
        return {}
    chosen = epoch_of_weights(history, recipe.phases)
    found = [epoch.val_accuracy for epoch in history if epoch.epoch == chosen]
    return {"expanded_val_accuracy": found[0] if found else None}


def data_record(dataset: Dataset, parts: Split) -> dict[str, Any]:
    """data.json: what a run is trained on, where each part is from, and what borders look like."""
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
        "provenance": dataset.provenance,
        "licence": dataset.licence,
    }
