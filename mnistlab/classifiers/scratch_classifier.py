"""The networks written by hand, as a scikit-learn classifier. Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from mnistlab import scratch
from mnistlab.classifiers.inputs import (
    Labelled,
    check_images,
    phases_of,
    seed_of,
    training_and_validation,
)
from mnistlab.data import large
from mnistlab.data.scaling import Shift, fit_scaling, scaling_of_images, unfitted_scaling
from mnistlab.errors import RecipeError
from mnistlab.phases import CallbackOptions, Callbacks, Phase

DESIGN = ("hidden_sizes", "channels", "activation", "initialisation", "batch_norm", "dropout")
PRECISIONS = {"auto": np.float32, "float32": np.float32, "float64": np.float64}


class ScratchClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """A network of mnistlab.scratch, trained by its loop, behind the scikit-learn contract.

    The defaults are row A4: 128 hidden units, ReLU, momentum 0.9, rate 0.01, 50 epochs of
    batches of 128, weights from N(0, 2 / n_in), pixels from 0 to 1.

    hidden_sizes, channels, activation, initialisation, batch_norm, dropout: the network, see
    mnistlab.scratch.build; channels make it convolutional.
    optimizer, learning_rate, n_epochs, schedule, weight_decay, patience: the one phase of
    training; `phases` replaces them where there are several.
    validation_fraction: the fraction of X that is held out to find the best epoch and to stop
    early, where fit is given no validation set; 0 keeps the epoch of the lowest training loss.
    scaling: see mnistlab.data.scaling. precision: "float32", "float64"; "auto" is the first.
    class_weight: how much the images of a class count in the loss: "balanced", a dict by label or
    None, as in scikit-learn. Where no phases are given, it also decides by which metric the best
    epoch is chosen: see mnistlab.classifiers.inputs.phases_of.
    order: of the images in an epoch: "shuffled" anew for each, or "file", as they were given.

    Fitted: classes_ (K,), network_, history_ (a dict per epoch), image_shape_, n_parameters_;
    snapshots_: the `arrays` of the epochs whose weights a phase saves, by epoch.
    """

    def __init__(
        self,
        hidden_sizes: Sequence[int] = (128,),
        activation: str = "relu",
        optimizer: str = "momentum",
        learning_rate: float = 0.01,
        n_epochs: int = 50,
        batch_size: int = 128,
        schedule: str = "constant",
        weight_decay: float = 0.0,
        patience: int | None = None,
        phases: Sequence[Phase] | None = None,
        channels: Sequence[int] = (),
        initialisation: str = "he",
        batch_norm: bool = False,
        dropout: float = 0.0,
        scaling: str = "min-max",
        validation_fraction: float = 0.1,
        precision: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        order: str = "shuffled",
    ) -> None:
        self.hidden_sizes = hidden_sizes
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.patience = patience
        self.phases = phases
        self.channels = channels
        self.initialisation = initialisation
        self.batch_norm = batch_norm
        self.dropout = dropout
        self.scaling = scaling
        self.validation_fraction = validation_fraction
        self.precision = precision
        self.random_state = random_state
        self.class_weight = class_weight
        self.order = order

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        **callbacks: Unpack[CallbackOptions],
    ) -> Self:
        """Train on images (N, H, W) or rows (N, D), uint8 or float, and any labels (N,).

        sample_weight (N,): how much each image counts, relative to the others and times its
        class_weight; held-out images count by theirs when they choose the epoch.
        callbacks: fields of mnistlab.phases.Callbacks.
        Raises ValueError as scikit-learn does for bad arrays, RecipeError for bad
        settings and TrainingError when the loss is no longer finite.
        """
        seed = seed_of(self.random_state)
        train, val = training_and_validation(self, X, y, X_val, y_val, sample_weight, seed)
        fitted = scaling_of_images(fit_scaling(self.scaling, train.images), self.image_shape_)
        self.network_ = self._build(fitted, seed)
        self.n_parameters_ = self.network_.weights.size
        examples = self._examples(train)
        validation = None if val is None else self._examples(val)
        settings = scratch.Settings(self.batch_size, seed, self.order)
        reported = Callbacks(**callbacks)
        with large.bounded_memory(examples.X, validation and validation.X):
            history = scratch.train(
                self.network_, examples, validation, phases_of(self, val), settings, reported
            )
        self.history_ = [asdict(epoch) for epoch in history]
        self.snapshots_ = dict(reported.snapshots)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Class probabilities (N, K), columns in the order of classes_."""
        images = check_images(self, X)
        with large.bounded_memory(images):
            logits = self.network_.predict_logits(self._shaped(images))
        return scratch.softmax(logits.astype(np.float64))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each image, (N,)."""
        most_probable = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[most_probable])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted network as plain arrays; `restore` takes them back."""
        return self.network_.state()

    def restore(
        self,
        classes: ArrayLike,
        image_shape: tuple[int, int],
        arrays: Mapping[str, NDArray[Any]],
    ) -> Self:
        """Take fitted state from storage instead of training; ValueError where it does not fit."""
        self.classes_, self.image_shape_ = np.asarray(classes), image_shape
        self.n_features_in_ = image_shape[0] * image_shape[1]
        self._check_size(arrays)
        self.network_ = self._build(unfitted_scaling(self.scaling, image_shape), seed=0)
        dtype = self.network_.weights.dtype
        if any(array.dtype != dtype for array in arrays.values()):
            raise ValueError(f"the arrays of this network are of {dtype}")
        self.network_.restore(arrays)
        if not (arrays["0.scale"] > 0).all():
            raise ValueError("pixels must be divided by a positive number")
        self.n_parameters_ = self.network_.weights.size
        self.history_, self.snapshots_ = [], {}
        return self

    def _build(self, scaling: tuple[Shift, Shift], seed: int) -> scratch.Network:
        if self.precision not in PRECISIONS:
            raise RecipeError(
                f"unknown precision {self.precision!r}; there are: {', '.join(PRECISIONS)}"
            )
        return scratch.build(
            self.image_shape_,
            len(self.classes_),
            **self._design(),
            scaling=scaling,
            dtype=PRECISIONS[self.precision],
            seed=seed,
        )

    def _design(self) -> dict[str, Any]:
        """The arguments of scratch.build that shape the network."""
        return {name: getattr(self, name) for name in DESIGN}

    def _check_size(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """ValueError where the network has more weights than `arrays`; before memory is taken."""
        if not all(type(width) is int for width in (*self.channels, *self.hidden_sizes)):
            raise ValueError("channels and hidden_sizes are not whole numbers")
        n_weights = scratch.check_buildable(self.image_shape_, len(self.classes_), **self._design())
        if n_weights > sum(array.size for array in arrays.values()):
            raise ValueError("the network has more weights than there are")

    def _examples(self, of: Labelled) -> scratch.Examples:
        dtype = self.network_.weights.dtype
        weights = None if of.weights is None else of.weights.astype(dtype)
        return scratch.Examples(self._shaped(of.images), of.codes, weights)

    def _shaped(self, images: ArrayLike) -> NDArray[Any]:
        return np.asarray(images).reshape(-1, *self.image_shape_)  # (N, H, W)
