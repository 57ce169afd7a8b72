"""Accuracy and the metrics that count every class alike, from predictions on labelled images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mnistlab.evaluation.intervals import wilson_interval

ByClass = NDArray[np.integer] | NDArray[np.floating]


@dataclass(frozen=True)
class Metrics:
    """Metrics of one model on n images; per-class values are None for a class not in the data.

    balanced_accuracy, macro_f1: see the functions of that name.
    """

    n: int
    accuracy: float
    accuracy_ci: tuple[float, float]
    balanced_accuracy: float
    macro_f1: float
    per_class_accuracy: tuple[float | None, ...]
    confusion: NDArray[np.int64]  # (K, K), row true, column predicted


def measure(labels: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int) -> Metrics:
    """Metrics of predicted (N,) against labels (N,), both in 0..n_classes-1; N must not be 0."""
    confusion = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    n_correct, n = int(confusion.trace()), int(confusion.sum())
    right, true = confusion.diagonal(), confusion.sum(1)
    return Metrics(
        n=n,
        accuracy=n_correct / n,
        accuracy_ci=wilson_interval(n_correct, n),
        balanced_accuracy=balanced_accuracy(right, true),
        macro_f1=macro_f1(right, true, confusion.sum(0)),
        per_class_accuracy=tuple(
            int(row[label]) / int(row.sum()) if row.any() else None
            for label, row in enumerate(confusion)
        ),
        confusion=confusion,
    )


def balanced_accuracy(right: ByClass, true: ByClass) -> float:
    """Mean over the classes that occur of the fraction of their images predicted correctly.

    right (K,): images of each class predicted correctly; true (K,): images of it, not all 0. Both
    may be sums of weights.
    """
    occurs = true > 0
    return float(np.mean(right[occurs] / true[occurs]))


def macro_f1(right: ByClass, true: ByClass, predicted: ByClass) -> float:
    """Mean F1 of the classes that occur, 2 right / (true + predicted) each.

    predicted (K,): images predicted as each class; the others as in `balanced_accuracy`.
    """
    occurs = true > 0
    return float(np.mean(2 * right[occurs] / (true + predicted)[occurs]))


def largest_swing(curve: Sequence[float]) -> float:
    """The largest change from one epoch to the next, up or down; 0 for fewer than two epochs."""
    return max((abs(after - before) for before, after in pairwise(curve)), default=0.0)
