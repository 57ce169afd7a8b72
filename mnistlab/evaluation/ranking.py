"""One class against the rest: receiver operating characteristics and the area under them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnistlab.evaluation.probabilities import Labels, Probabilities


@dataclass(frozen=True)
class Roc:
    """The curve (T,) of one class and the area under it."""

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    area: float


def one_against_rest(labels: Labels, probabilities: Probabilities) -> tuple[Roc | None, ...]:
    """The curve of every class; None for a class that no image or every image is of."""
    return tuple(
        _roc(labels == number, of_class)
        for number, of_class in enumerate(np.transpose(probabilities))
    )


def _roc(is_class: NDArray[np.bool_], scores: NDArray[np.floating]) -> Roc | None:
    """As scikit-learn's roc_curve and auc, bit for bit: to load that library takes far longer."""
    n_positive = int(is_class.sum())
    n_negative = len(is_class) - n_positive
    if not n_positive or not n_negative:
        return None
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # equal scores: once
    n_true = np.cumsum(is_class[order])[ends].astype(np.float64)
    n_false = 1 + ends - n_true
    # On a straight line only its ends are needed.
    is_corner = np.ones(len(ends), dtype=bool)
    is_corner[1:-1] = (np.diff(n_true, 2) != 0) | (np.diff(n_false, 2) != 0)
    false_rate = np.append(0.0, n_false[is_corner]) / n_negative
    true_rate = np.append(0.0, n_true[is_corner]) / n_positive
    return Roc(false_rate, true_rate, float(np.trapezoid(true_rate, false_rate)))


def mean_area(curves: tuple[Roc | None, ...]) -> float | None:
    """The mean area over the classes that have one, every class alike; None where none has."""
    areas = [curve.area for curve in curves if curve is not None]
    return float(np.mean(areas)) if areas else None
