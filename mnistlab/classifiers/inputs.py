"""What goes into a classifier: images in any usual form, labels of any kind, a seed.

Every classifier of the project checks its input here, so that the same array is taken or
refused by all of them, in scikit-learn's words.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from mnistlab.bounds import LARGEST_SIDE, check_count
from mnistlab.classifiers.weights import Weights, relative, weights_of
from mnistlab.data import large
from mnistlab.errors import RecipeError

DTYPES = (np.float32, np.uint8)  # kept as they are; anything else becomes the first


class Labelled(NamedTuple):
    """Images as they came, their labels as codes (N,) into classes_, and what each counts.

    weights (N,): of images to train on with mean 1; None where all count alike.
    """

    images: NDArray[Any]
    codes: NDArray[np.int64]
    weights: Weights | None


def training_and_validation(
    estimator: BaseEstimator,
    X: ArrayLike,
    y: ArrayLike,
    X_val: ArrayLike | None,
    y_val: ArrayLike | None,
    sample_weight: ArrayLike | None,
    seed: int,
) -> tuple[Labelled, Labelled | None]:
    """What a network trains on and what it is validated on, None where on nothing.

    Without X_val and y_val a fraction of X is held out, `validation_fraction`, and keeps its
    weights; images given to validate on have none. An empty X_val and y_val validate nothing, and
    nothing is held out. Sets what check_training_images sets. Raises ValueError for what
    scikit-learn would refuse, and for one of X_val and y_val alone.
    """
    check_both(X_val, y_val)
    check_count("batch_size", estimator.batch_size)
    images, codes = check_training_images(estimator, X, y)
    weights = weights_of(estimator.class_weight, sample_weight, estimator.classes_, codes)
    if X_val is not None and y_val is not None:
        val = validation_images(estimator, X_val, y_val)
        return Labelled(images, codes, relative(weights)), val
    train, held = hold_out(codes, estimator.validation_fraction, seed)
    of_train, of_held = (None if weights is None else weights[part] for part in (train, held))
    val = Labelled(large.take(images, held), codes[held], of_held)
    is_measured = len(held) and (of_held is None or of_held.any())
    training = Labelled(large.take(images, train), codes[train], relative(of_train))
    return training, val if is_measured else None


def monitored(class_weight: Any, val: Labelled | None) -> str:
    """What the validation part chooses the epoch by, where the caller names no phases.

    The accuracy. Of images held out with weights, their weighted loss: a few heavy ones make an
    accuracy of a few values. Of images given, the balanced accuracy where class_weight is
    "balanced": they have no weights.
    """
    if val is not None and val.weights is not None:
        return "loss"
    return "balanced_accuracy" if isinstance(class_weight, str) else "accuracy"


def check_both(X_val: ArrayLike | None, y_val: ArrayLike | None) -> None:
    """ValueError where there is one of them alone."""
    if (X_val is None) != (y_val is None):
        given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
        raise ValueError(
            f"a validation set needs X_val and y_val; {missing} is missing for {given}"
        )


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
    check_count("pad_to", pad_to, 1, LARGEST_SIDE)
    if max(image_shape) > pad_to:
        height, width = image_shape
        raise RecipeError(f"images of {height}x{width} cannot be padded to {pad_to}x{pad_to}")
    return pad_to, pad_to


def margins(image_shape: tuple[int, int], pad_to: int | None) -> list[tuple[int, int]]:
    """Pixels of background before and after each of (H, W) that padding adds."""
    sides = zip(padded_shape(image_shape, pad_to), image_shape, strict=True)
    return [((new - old) // 2, (new - old + 1) // 2) for new, old in sides]


def validation_images(estimator: BaseEstimator, X: ArrayLike, y: ArrayLike) -> Labelled | None:
    """Images to validate on, without weights; None where X and y are empty.

    Raises ValueError where they are not like those of the training.
    """
    if np.shape(X)[:1] == (0,) == np.shape(y):
        return None
    images, labels = check_images(estimator, X), np.asarray(y)
    check_consistent_length(images, labels)
    unknown = ~np.isin(labels, estimator.classes_)
    if unknown.any():
        raise ValueError(f"y_val holds {labels[unknown][0]!r}, a class that y does not have")
    return Labelled(images, np.searchsorted(estimator.classes_, labels), None)


def hold_out(
    codes: NDArray[np.int64], fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which images train and which validate; in their own order where none validate.

    Every class that codes (N,) name is trained on. Raises RecipeError for a fraction that leaves
    nothing to train on.
    """
    if not 0 <= fraction < 1:
        raise RecipeError(f"validation_fraction must be in 0 <= fraction < 1, got {fraction}")
    n_val = int(len(codes) * fraction)
    order = np.random.default_rng(seed).permutation(len(codes)) if n_val else np.arange(len(codes))
    return _with_every_class(codes, order[n_val:], order[:n_val])


def _with_every_class(
    codes: NDArray[np.int64], train: NDArray[np.intp], val: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The same parts, but that of a class held out as a whole one image is trained on.

    It changes places with an image of the class that has most; where all have one, it goes alone.
    """
    for code in np.setdiff1d(codes[val], codes[train]):
        place = np.flatnonzero(codes[val] == code)[0]
        counts = np.bincount(codes[train])
        if counts.max() > 1:
            other = np.flatnonzero(codes[train] == counts.argmax())[0]
            train[other], val[place] = val[place], train[other]
        else:
            train, val = np.append(train, val[place]), np.delete(val, place)
    return train, val


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """The integer itself, or one drawn from the random state."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
