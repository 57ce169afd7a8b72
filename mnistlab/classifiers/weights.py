"""How much each image counts in training: its own weight times that of its class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnistlab.errors import RecipeError

Weights = NDArray[np.float64]


def weights_of(
    class_weight: Any, sample_weight: ArrayLike | None, classes: NDArray[Any], codes: NDArray[Any]
) -> Weights | None:
    """The weight (N,) of each image; None where all weigh the same.

    class_weight: "balanced", a dict by the labels in classes (K,), or None; sample_weight (N,) or
    None, both as in scikit-learn; they are multiplied. codes (N,): places in classes. Raises
    ValueError for weights that are negative or not finite, or that leave fewer than two classes.
    """
    weights = _class_weights(class_weight, classes, np.bincount(codes, minlength=len(classes)))
    weights = weights[codes]
    with np.errstate(over="ignore"):
        if sample_weight is not None:
            weights = weights * _checked(sample_weight, codes)
        total = weights.sum()
    if not np.isfinite(total):
        raise ValueError("the weights are too large: their sum is not finite")
    weighed = np.bincount(codes, weights, len(classes)) > 0
    if weighed.sum() < 2:
        there = (
            f"only of class {classes[weighed].tolist()[0]!r}" if weighed.any() else "of no class"
        )
        raise ValueError(
            "a classifier needs images of at least 2 classes; sample_weight and class_weight leave "
            f"images {there}, all others weigh zero"
        )
    return None if np.ptp(weights) == 0 else weights


def relative(weights: Weights | None) -> Weights | None:
    """Weights of the training images, scaled to mean 1 so that learning rates keep their meaning.

    Raises ValueError where they are all zero.
    """
    if weights is None or np.ptp(weights) == 0 < weights[0]:
        return None
    if not weights.any():
        raise ValueError("all images to train on have a weight of zero")
    large = weights / weights.max()  # first, since the mean of tiny weights would lose digits
    return np.asarray(large / large.mean())


def _class_weights(class_weight: Any, classes: NDArray[Any], counts: NDArray[np.intp]) -> Weights:
    """The weight of each class (K,); counts (K,): its images."""
    if class_weight is None:
        return np.ones(len(classes))
    if isinstance(class_weight, str) and class_weight == "balanced":
        return np.asarray(counts.sum() / (len(classes) * counts))
    if not isinstance(class_weight, Mapping):
        raise RecipeError(
            f"class_weight must be None, 'balanced' or a dict by class, got {class_weight!r}"
        )
    labels = classes.tolist()
    unknown = [label for label in class_weight if label not in labels]
    # Ignored like in scikit-learn, unless a class is missing that the name may stand for.
    if unknown and not all(label in class_weight for label in labels):
        raise RecipeError(f"class_weight names {unknown[0]!r}, a class that y does not have")
    weights = np.array([class_weight.get(label, 1.0) for label in labels], dtype=np.float64)
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise RecipeError("class_weight holds a number that is negative or not finite")
    return weights


def _checked(sample_weight: ArrayLike, codes: NDArray[Any]) -> Weights:
    """The weights as numbers, one per image; ValueError for negative ones or only zeros."""
    from sklearn.utils import check_array, check_consistent_length

    if np.isscalar(sample_weight):  # one number for all, as scikit-learn takes it
        sample_weight = np.full(len(codes), sample_weight)
    weights: Weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weights.ndim != 1:
        raise ValueError(f"sample_weight must have one dimension, got shape {weights.shape}")
    check_consistent_length(weights, codes)
    if (weights < 0).any():
        raise ValueError("sample_weight holds a negative number")
    if not weights.any():
        raise ValueError("every sample_weight is zero")
    return weights
