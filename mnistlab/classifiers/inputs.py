"""What goes into a classifier: images in any usual form, labels of any kind, a seed.

Every classifier of the project checks its input here, so that all of them accept or refuse the
same arrays, in scikit-learn's words. It is loaded when it is needed: to predict needs none of it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnistlab.bounds import LARGEST_SIDE, check_count
from mnistlab.classifiers.weights import Weights, relative, weights_of
from mnistlab.data import large
from mnistlab.errors import RecipeError
from mnistlab.phases import Phase

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

DTYPES = (np.float32, np.uint8)  # stay as they are; anything else becomes the first


class Labelled(NamedTuple):
    """Images as they came, their labels as indices (N,) into classes_, and their weights.

    weights (N,): how much each image counts, with mean 1 over images to train on; None: all alike.
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
    """The images that a network is trained on and those it is validated on; None: on none.

    Without X_val and y_val, the fraction `validation_fraction` of X is held out and keeps its
    weights; images given as X_val have none. With an empty X_val and y_val nothing is validated and
    nothing held out. Sets what check_training_images sets. Raises ValueError for what
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


def phases_of(estimator: BaseEstimator, val: Labelled | None) -> Sequence[Phase]:
    """The phases of a network's training: those given, or the one that its parameters describe.

    That one chooses the epoch by validation accuracy. By the weighted loss where images held out
    have weights: a few heavy ones make an accuracy of few values. By balanced accuracy where
    class_weight is "balanced" and the validation images are given, which have no weights.
    """
    if estimator.phases is not None:
        phases: Sequence[Phase] = estimator.phases
        return phases
    monitor = "balanced_accuracy" if isinstance(estimator.class_weight, str) else "accuracy"
    if val is not None and val.weights is not None:
        monitor = "loss"
    return [
        Phase(
            estimator.optimizer,
            estimator.learning_rate,
            estimator.n_epochs,
            estimator.schedule,
            estimator.weight_decay,
            estimator.patience,
            monitor,
        )
    ]


def check_both(X_val: ArrayLike | None, y_val: ArrayLike | None) -> None:
    """ValueError for one of them without the other."""
    if (X_val is None) != (y_val is None):
        given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
        raise ValueError(
            f"a validation set needs X_val and y_val; {missing} is missing for {given}"
        )


def check_training_images(
    estimator: BaseEstimator, X: ArrayLike, y: ArrayLike, dtypes: Sequence[Any] = DTYPES
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Images as they come, in one of the dtypes, and labels as indices (N,) into classes_.

    Sets the estimator's image_shape_, classes_ and n_features_in_. Raises ValueError for
    arrays that scikit-learn would refuse, and for a single class.
    """
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import validate_data

    images, labels = validate_data(estimator, X, y, dtype=list(dtypes), allow_nd=True)
    images = _without_channel(images)
    with warnings.catch_warnings():  # of few images in many classes: labels need no guessing here
        warnings.filterwarnings("ignore", message="The number of unique classes")
        check_classification_targets(labels)
    estimator.image_shape_ = image_shape_of(images)
    estimator.n_features_in_ = math.prod(estimator.image_shape_)  # pixels, of images too
    estimator.classes_, codes = np.unique(labels, return_inverse=True)
    if len(estimator.classes_) < 2:
        raise ValueError(
            "a classifier needs images of at least 2 classes; "
            f"y holds only one class: {estimator.classes_.tolist()[0]!r}"
        )
    return images, codes.astype(np.int64, copy=False)


def check_images(
    estimator: BaseEstimator, X: ArrayLike, dtypes: Sequence[Any] = DTYPES
) -> NDArray[Any]:
    """Images to classify, or rows of their pixels, in one of the dtypes.

    Raises ValueError where they are not like those of the training.
    """
    from sklearn.utils import check_array
    from sklearn.utils.validation import check_is_fitted, validate_data

    check_is_fitted(estimator)
    images: NDArray[Any] = check_array(
        X, dtype=list(dtypes), allow_nd=True, estimator=estimator, input_name="X"
    )
    images = _without_channel(images)
    if images.ndim == 2:  # how many columns there are, and what they are called
        validate_data(estimator, X, reset=False, skip_check_array=True)
    elif image_shape_of(images) != estimator.image_shape_:
        raise ValueError(
            f"trained on images of {estimator.image_shape_}, got {image_shape_of(images)}"
        )
    return images


def _without_channel(images: NDArray[Any]) -> NDArray[Any]:
    """Images (N, H, W, 1) or (N, 1, H, W) as (N, H, W); others as they are."""
    if images.ndim == 4 and 1 in (images.shape[3], images.shape[1]):
        return images[..., 0] if images.shape[3] == 1 else images[:, 0]
    return images


def image_shape_of(X: NDArray[Any]) -> tuple[int, int]:
    """(H, W) of images (N, H, W), or of rows (N, D): a square where D is one, else a line."""
    if X.ndim == 3:
        return X.shape[1], X.shape[2]
    if X.ndim != 2:
        raise ValueError(f"expected grey images (N, H, W) or rows (N, D), got shape {X.shape}")
    side = math.isqrt(X.shape[1])
    return (side, side) if side * side == X.shape[1] else (1, X.shape[1])


def padded_shape(image_shape: tuple[int, int], pad_to: int | None) -> tuple[int, int]:
    """(H, W) after padding to a square of side pad_to; RecipeError for larger images."""
    if pad_to is None:
        return image_shape
    check_count("pad_to", pad_to, 1, LARGEST_SIDE)
    if max(image_shape) > pad_to:
        height, width = image_shape
        raise RecipeError(f"images of {height}x{width} cannot be padded to {pad_to}x{pad_to}")
    return pad_to, pad_to


def margins(image_shape: tuple[int, int], pad_to: int | None) -> list[tuple[int, int]]:
    """How many pixels padding adds before and after each of (H, W)."""
    sides = zip(padded_shape(image_shape, pad_to), image_shape, strict=True)
    return [((new - old) // 2, (new - old + 1) // 2) for new, old in sides]


def validation_images(estimator: BaseEstimator, X: ArrayLike, y: ArrayLike) -> Labelled | None:
    """Images to validate on, without weights; None where X and y are empty.

    Raises ValueError where they are not like those of the training.
    """
    from sklearn.utils import check_consistent_length

    if np.shape(X)[:1] == (0,) == np.shape(y):
        return None
    images, labels = check_images(estimator, X), np.asarray(y)
    check_consistent_length(images, labels)
    unknown = ~np.isin(labels, estimator.classes_)
    if unknown.any():
        raise ValueError(
            f"y_val holds {labels[unknown].tolist()[0]!r}, a class that y does not have"
        )
    return Labelled(images, np.searchsorted(estimator.classes_, labels), None)


def hold_out(
    codes: NDArray[np.int64], fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the images to train on and of those held out; in order where none are.

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
    """The same, but with one image to train on of each class that was held out as a whole.

    It is exchanged for an image of the most frequent class; where all have one image, it is moved.
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
    """The integer itself, or a random one from the random state."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    from sklearn.utils import check_random_state

    return int(check_random_state(random_state).randint(2**31 - 1))
