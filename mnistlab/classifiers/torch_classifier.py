"""Every torch network of the project as one scikit-learn classifier."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Self, Unpack

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from mnistlab.classifiers.image_tensors import examples_of
from mnistlab.classifiers.inputs import check_images, phases_of, seed_of, training_and_validation
from mnistlab.classifiers.network import NetworkSettings, arrays_of
from mnistlab.data import large
from mnistlab.data.scaling import fit_scaling, scaling_of_images
from mnistlab.models import count_parameters, read_pretrained
from mnistlab.phases import CallbackOptions, Callbacks
from mnistlab.training import compiler, hardware, loop
from mnistlab.training.augmentation import augmenter
from mnistlab.training.fixed_views import views_of
from mnistlab.training.parallel import ALONE, Processes, normalised_together
from mnistlab.training.settings import Settings


class TorchClassifier(ClassifierMixin, NetworkSettings, BaseEstimator):  # type: ignore[misc]
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
            with normalised_together(self.network_, processes), compiler.asleep():
                history = loop.train(
                    self.network_, examples, validation, phases_of(self, val), settings, reported
                )
        self.network_.requires_grad_(True)  # the last phase may have frozen some of it
        self.n_parameters_ = count_parameters(self.network_)
        self.history_ = [asdict(epoch) for epoch in history]
        self.snapshots_ = {
            epoch: arrays_of(weights) for epoch, weights in reported.snapshots.items()
        }
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Class probabilities (N, K), columns in the order of classes_."""
        return self._probabilities(check_images(self, X))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each image, (N,)."""
        most_probable = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[most_probable])

    def _settings(self, seed: int, device: torch.device, processes: Processes) -> Settings:
        return Settings(
            self.batch_size,
            seed,
            self.order,
            augmenter(self.augmentation or {}, len(self.classes_), seed),
            hardware.pick_precision(self.precision, device) == "bfloat16",
            processes,
        )
