"""Every torch network of the project as one scikit-learn classifier."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self, Unpack

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from torch import nn

from mnistlab.classifiers.image_tensors import as_tensor, examples_of, prepared
from mnistlab.classifiers.inputs import (
    check_images,
    margins,
    padded_shape,
    phases_of,
    seed_of,
    training_and_validation,
)
from mnistlab.data import large
from mnistlab.data.scaling import Shift, fit_scaling, scaling_of_images, unfitted_scaling
from mnistlab.models import build, count_parameters, read_pretrained
from mnistlab.models.scaling import Scaling
from mnistlab.phases import CallbackOptions, Callbacks, Phase
from mnistlab.training import hardware, loop
from mnistlab.training.augmentation import augmenter
from mnistlab.training.fixed_views import expansion_of, views_of
from mnistlab.training.measuring import predict_logits
from mnistlab.training.parallel import ALONE, Processes, normalised_together
from mnistlab.training.settings import Settings


class TorchClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """A network of MODELS, trained by the loop, behind the scikit-learn contract.

    model, model_args: a key of MODELS, and the arguments of that family.
    hidden_sizes: shorthand for model_args["hidden_sizes"].
    optimizer, learning_rate, n_epochs, schedule, weight_decay, patience: the one phase of
    training; `phases` replaces them where there are several.
    validation_fraction: the fraction of X that is held out to find the best epoch, where fit is
    given no validation set; 0 keeps the epoch of the lowest training loss.
    scaling: see mnistlab.data.scaling. precision: "auto", "float32", "bfloat16".
    pad_to: smaller images are padded with 0 on all sides, to a square of that side.
    augmentation: names of mnistlab.training.augmentation with their strengths; applied anew to
    every batch. expansion: "flip-and-zoom" makes four adjacent images of each before training, of
    the validation images as well (write-up C). test_time_augmentation: "flip", "shift" or both;
    predict_proba is then the mean over these views.
    class_weight: how much the images of a class count in the loss: "balanced", a dict by label or
    None, as in scikit-learn. Where no phases are given, it also decides by which metric the best
    epoch is chosen: see mnistlab.classifiers.inputs.phases_of.
    order: of the images in an epoch: "shuffled" anew for each, or "file", as they were given.

    Fitted: classes_ (K,), network_, history_ (a dict per epoch), image_shape_, n_parameters_;
    snapshots_: the `arrays` of the epochs whose weights a phase saves, by epoch;
    weights_from_: the source of a pretrained network's weights, None for fresh weights.
    """

    def __init__(
        self,
        model: str = "mlp",
        model_args: Mapping[str, Any] | None = None,
        hidden_sizes: Sequence[int] | None = None,
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        n_epochs: int = 10,
        schedule: str = "constant",
        weight_decay: float = 0.0,
        patience: int | None = None,
        phases: Sequence[Phase] | None = None,
        batch_size: int = 64,
        scaling: str = "standard",
        pad_to: int | None = None,
        augmentation: Mapping[str, float] | None = None,
        expansion: str | None = None,
        test_time_augmentation: Sequence[str] = (),
        validation_fraction: float = 0.1,
        precision: str = "auto",
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        order: str = "shuffled",
    ) -> None:
        self.model = model
        self.model_args = model_args
        self.hidden_sizes = hidden_sizes
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.patience = patience
        self.phases = phases
        self.batch_size = batch_size
        self.scaling = scaling
        self.pad_to = pad_to
        self.augmentation = augmentation
        self.expansion = expansion
        self.test_time_augmentation = test_time_augmentation
        self.validation_fraction = validation_fraction
        self.precision = precision
        self.device = device
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
        processes: Processes = ALONE,
        **callbacks: Unpack[CallbackOptions],
    ) -> Self:
        """Train on images (N, H, W) or rows (N, D), uint8 or float, and any labels (N,).

        sample_weight (N,): how much each image counts, relative to the others and times its
        class_weight; held-out images count by theirs when they choose the epoch.
        processes: all of them call this with the same images, and get the same network.
        callbacks: fields of mnistlab.phases.Callbacks.
        Raises ValueError as scikit-learn does for bad arrays, RecipeError for bad
        settings and TrainingError when the loss is no longer finite.
        """
        seed = seed_of(self.random_state)
        train, val = training_and_validation(self, X, y, X_val, y_val, sample_weight, seed)
        device = hardware.pick_device(self.device)
        settings = self._settings(seed, device, processes)
        views_of(self.test_time_augmentation)  # a wrong name should not be found after training
        images = self._prepared(train.images)
        examples, validation, images_val = examples_of(images, train, device), None, None
        if val is not None:
            images_val = self._prepared(val.images)
            validation = examples_of(images_val, val, device)
        fitted = fit_scaling(self.scaling, train.images)
        scaling = scaling_of_images(fitted, self.image_shape_, self._margins())
        reported = Callbacks(**callbacks)
        with hardware.seeded(seed, device), large.bounded_memory(images, images_val):
            self.network_ = self._build(scaling)
            self.weights_from_ = read_pretrained(self.network_[1])
            # Channels-last in memory: convolutions on the CPU are faster on it.
            self.network_.to(device).to(memory_format=torch.channels_last)
            with normalised_together(self.network_, processes):
                history = loop.train(
                    self.network_, examples, validation, phases_of(self, val), settings, reported
                )
        self.network_.requires_grad_(True)  # the last phase may have frozen some of it
        self.n_parameters_ = count_parameters(self.network_)
        self.history_ = [asdict(epoch) for epoch in history]
        self.snapshots_ = {epoch: _arrays(weights) for epoch, weights in reported.snapshots.items()}
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Class probabilities (N, K), columns in the order of classes_."""
        images = check_images(self, X)
        return np.concatenate([self._probabilities(block) for block in large.blocks(images)])

    def _probabilities(self, images: NDArray[Any]) -> NDArray[np.float64]:
        device = next(self.network_.parameters()).device
        padded = prepared(images, self.image_shape_, self._margins(), expansion_of(None))
        X = as_tensor(padded).to(device)
        views = views_of(self.test_time_augmentation)
        by_view = [
            predict_logits(self.network_, view(X)).cpu().double().softmax(1) for view in views
        ]
        return (torch.stack(by_view).sum(0) / len(views)).numpy()

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each image, (N,)."""
        most_probable = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[most_probable])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted network as plain arrays; `restore` takes them back."""
        return _arrays(self.network_.state_dict())

    def restore(
        self,
        classes: Sequence[Any],
        image_shape: tuple[int, int],
        arrays: Mapping[str, NDArray[Any]],
    ) -> Self:
        """Take fitted state from storage instead of training; ValueError where it does not fit."""
        self.classes_, self.image_shape_ = np.asarray(classes), image_shape
        self.n_features_in_ = image_shape[0] * image_shape[1]
        views_of(self.test_time_augmentation)
        given = {name: torch.from_numpy(array) for name, array in arrays.items()}
        unfitted = unfitted_scaling(self.scaling, self._padded_shape())
        # First on the meta device, which takes no memory: what a file asks for may be too large.
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):
            wanted = self._build(unfitted).state_dict()
        if _outlines(given) != _outlines(wanted):
            raise ValueError("the arrays are not those of this network")
        if not (given["0.scale"] > 0).all():
            raise ValueError("pixels must be divided by a positive number")
        self.network_ = self._build(unfitted)
        self.network_.load_state_dict(given)
        device = hardware.pick_device(self.device)
        self.network_.to(device).to(memory_format=torch.channels_last)
        self.n_parameters_ = count_parameters(self.network_)
        self.history_, self.snapshots_ = [], {}
        return self

    def _settings(self, seed: int, device: torch.device, processes: Processes) -> Settings:
        return Settings(
            self.batch_size,
            seed,
            self.order,
            augmenter(self.augmentation or {}, len(self.classes_), seed),
            hardware.pick_precision(self.precision, device) == "bfloat16",
            processes,
        )

    def _build(self, scaling: tuple[Shift, Shift]) -> nn.Sequential:
        """Pixel scaling, then the network of the model with fresh weights."""
        arguments = dict(self.model_args or {})
        if self.hidden_sizes is not None:
            arguments["hidden_sizes"] = self.hidden_sizes
        shape, n_classes = self._padded_shape(), len(self.classes_)
        return nn.Sequential(Scaling(*scaling), build(self.model, shape, n_classes, arguments))

    def _prepared(self, images: ArrayLike) -> NDArray[Any]:
        """Images to train or validate on, padded and expanded."""
        views = expansion_of(self.expansion)
        return prepared(np.asarray(images), self.image_shape_, self._margins(), views)

    def _margins(self) -> list[tuple[int, int]]:
        return margins(self.image_shape_, self.pad_to)

    def _padded_shape(self) -> tuple[int, int]:
        return padded_shape(self.image_shape_, self.pad_to)


def _arrays(weights: Mapping[str, torch.Tensor]) -> dict[str, NDArray[Any]]:
    return {name: tensor.cpu().numpy() for name, tensor in weights.items()}


def _outlines(
    tensors: Mapping[str, torch.Tensor],
) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    # A file holds a single number as a row of one.
    return {name: (tensor.shape or (1,), tensor.dtype) for name, tensor in tensors.items()}
