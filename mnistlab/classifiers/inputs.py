"""What goes into a classifier: images in any usual form, labels of any kind, a seed.

Every classifier of the project checks its input here, so that the same array is taken or
refused by all of them, in scikit-learn's words.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from mnistlab.errors import RecipeError

DTYPES = (np.float32, np.uint8)  # kept as they are; anything else becomes the first


def check_training_images(
    estimator: BaseEstimator, X: ArrayLike, y: ArrayLike, dtypes: Sequence[Any] = DTYPES
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Images as they come in one of the dtypes, and labels as codes (N,) into classes_.

    Sets the estimator's image_shape_, classes_ and n_features_in_. Raises ValueError for
    arrays that scikit-learn would refuse, and for a single class.
    """
    images, labels = validate_data(estimator, X, y, dtype=list(dtypes), allow_nd=True)
    with warnings.catch_warnings():  # of few images in many classes: labels need no guessing here
        warnings.filterwarnings("ignore", message="The number of unique classes")
        check_classification_targets(labels)
    estimator.image_shape_ = image_shape_of(images)
    estimator.n_features_in_ = math.prod(estimator.image_shape_)  # pixels, of images too
    estimator.classes_, codes = np.unique(labels, return_inverse=True)
    if len(estimator.classes_) < 2:
        raise ValueError(
            "a classifier needs images of at least 2 classes; "
            f"y holds only one class: {estimator.classes_[0]!r}"
        )
    return images, codes.astype(np.int64, copy=False)


def check_images(
    estimator: BaseEstimator, X: ArrayLike, dtypes: Sequence[Any] = DTYPES
) -> NDArray[Any]:
    """Images to be classified, or rows of their pixels, whichever of the two were trained on.

    Raises ValueError where they are not like those of the training.
    """
    check_is_fitted(estimator)
    images: NDArray[Any] = check_array(
        X, dtype=list(dtypes), allow_nd=True, estimator=estimator, input_name="X"
    )
    if images.ndim == 2:  # how many columns there are, and what they are called
        validate_data(estimator, X, reset=False, skip_check_array=True)
    elif image_shape_of(images) != estimator.image_shape_:
        raise ValueError(
            f"trained on images of {estimator.image_shape_}, got {image_shape_of(images)}"
        )
    return images


def image_shape_of(X: NDArray[Any]) -> tuple[int, int]:
    """(H, W) of images (N, H, W) or rows (N, D): square where D is one, else a single line."""
    if X.ndim == 3:
        return X.shape[1], X.shape[2]
    if X.ndim != 2:
        raise ValueError(f"expected images (N, H, W) or rows (N, D), got shape {X.shape}")
    side = math.isqrt(X.shape[1])
    return (side, side) if side * side == X.shape[1] else (1, X.shape[1])


def padded_shape(image_shape: tuple[int, int], pad_to: int | None) -> tuple[int, int]:
    """(H, W) after padding to a square of that side; RecipeError where the images are larger."""
    if pad_to is None:
        return image_shape
    if max(image_shape) > pad_to:
        height, width = image_shape
        raise RecipeError(f"images of {height}x{width} cannot be padded to {pad_to}x{pad_to}")
    return pad_to, pad_to


def check_validation_images(
    estimator: BaseEstimator, X: ArrayLike, y: ArrayLike
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Images to validate on, and their labels as codes (N,) into classes_.

    Raises ValueError where they are not like those of the training.
    """
    images, labels = check_images(estimator, X), np.asarray(y)
    check_consistent_length(images, labels)
    unknown = ~np.isin(labels, estimator.classes_)
    if unknown.any():
        raise ValueError(f"y_val holds {labels[unknown][0]!r}, a class that y does not have")
    return images, np.searchsorted(estimator.classes_, labels)


def hold_out(
    n_images: int, fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which images train and which validate; in their own order where none validate.

    Raises RecipeError for a fraction that leaves nothing to train on.
    """
    if not 0 <= fraction < 1:
        raise RecipeError(f"validation_fraction must be in 0 <= fraction < 1, got {fraction}")
    n_val = int(n_images * fraction)
    order = np.random.default_rng(seed).permutation(n_images) if n_val else np.arange(n_images)
    return order[n_val:], order[:n_val]


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """The integer itself, or one drawn from the random state."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
