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
    from sklearn.metrics import auc, roc_curve

    if is_class.all() or not is_class.any():
        return None
    false_rate, true_rate, _ = roc_curve(is_class, scores)
    return Roc(false_rate, true_rate, float(auc(false_rate, true_rate)))


def mean_area(curves: tuple[Roc | None, ...]) -> float | None:
    """The mean area over the classes that have one, every class alike; None where none has."""
    areas = [curve.area for curve in curves if curve is not None]
    return float(np.mean(areas)) if areas else None
