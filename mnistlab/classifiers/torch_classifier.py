"""Every torch network of the project as one scikit-learn classifier."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from torch import nn

from mnistlab.classifiers.inputs import (
    Labelled,
    check_images,
    margins,
    monitored,
    padded_shape,
    seed_of,
    training_and_validation,
)
from mnistlab.data import large
from mnistlab.data.scaling import fit_scaling, scaling_of_images, unfitted_scaling
from mnistlab.models import build, count_parameters, read_pretrained
from mnistlab.models.scaling import Scaling
from mnistlab.phases import KEEPS_NOTHING, Epoch, Keeper, Phase, StepLog
from mnistlab.training import hardware, loop
from mnistlab.training.augmentation import augmenter
from mnistlab.training.examples import Examples
from mnistlab.training.fixed_views import View, expanded, expansion_of, views_of
from mnistlab.training.parallel import ALONE, Processes, normalised_together


class TorchClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """A network of MODELS, trained by the loop, behind the scikit-learn contract.

    model, model_args: a key of MODELS and the arguments of its family.
    hidden_sizes: shorthand for model_args["hidden_sizes"].
    optimizer, learning_rate, n_epochs, schedule, weight_decay, patience: the one phase
    of training; `phases` takes their place where several are wanted.
    validation_fraction: share of X held out, where fit is given no validation
    set, to find the best epoch; 0 keeps the epoch of lowest training loss.
    scaling: see mnistlab.data.scaling. precision: "auto", "float32", "bfloat16".
    pad_to: side of the square that smaller images are padded to, all round, with 0.
    augmentation: names of mnistlab.training.augmentation with their strengths, drawn anew for
    every batch. expansion: "flip-and-zoom" makes four adjacent images of each before training, of
    the validation part as well (write-up C). test_time_augmentation: "flip", "shift" or both;
    predict_proba is then the mean over the views.
    class_weight: how much the images of a class count in the loss: "balanced", a dict by label or
    None, as in scikit-learn; what then chooses the epoch, where no phases are given,
    says mnistlab.classifiers.inputs.monitored.
    order: of the images in an epoch: "shuffled" anew for each, or "file", as they were given.

    Fitted: classes_ (K,), network_, history_ (a dict an epoch), image_shape_, n_parameters_;
    snapshots_: by epoch the `arrays` of those at which a phase wanted them;
    weights_from_: where a pretrained network's weights are from, None of one with fresh weights.
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
        keeper: Keeper = KEEPS_NOTHING,
        step_log: StepLog | None = None,
        on_features: Callable[[int, int], None] = lambda n_done, n_images: None,
        on_step: Callable[[], None] = lambda: None,
        on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    ) -> Self:
        """Train on images (N, H, W) or rows (N, D), uint8 or float, and any labels (N,).

        sample_weight (N,): how much each image counts, relative to the others and beside
        class_weight; images held out count by theirs when they choose the epoch.
        processes: those that call this together, on the same images, and get the same network.
        Raises ValueError as scikit-learn does for bad arrays, RecipeError for bad
        settings and TrainingError when the loss is no longer finite.
        """
        seed = seed_of(self.random_state)
        train, val = training_and_validation(self, X, y, X_val, y_val, sample_weight, seed)
        device = hardware.pick_device(self.device)
        precision = hardware.pick_precision(self.precision, device)
        augment = augmenter(self.augmentation or {}, len(self.classes_), seed)
        views = expansion_of(self.expansion)
        views_of(self.test_time_augmentation)
        prepared = self._prepared(np.asarray(train.images), views)
        prepared_val = None if val is None else self._prepared(np.asarray(val.images), views)
        examples = _examples(prepared, train, device)
        validation = None
        if val is not None and prepared_val is not None:
            validation = _examples(prepared_val, val, device)
        snapshots: dict[int, dict[str, torch.Tensor]] = {}
        fitted = fit_scaling(self.scaling, train.images)
        scaling = Scaling(
            *scaling_of_images(fitted, self.image_shape_, margins(self.image_shape_, self.pad_to))
        )
        with hardware.seeded(seed, device), large.bounded_memory(prepared, prepared_val):
            self.network_ = nn.Sequential(scaling, self._build())
            self.weights_from_ = read_pretrained(self.network_[1])
            self.network_.to(device).to(memory_format=torch.channels_last)
            with normalised_together(self.network_, processes):
                history = loop.train(
                    self.network_,
                    examples,
                    validation,
                    self._phases(monitored(self.class_weight, val)),
                    batch_size=self.batch_size,
                    seed=seed,
                    order=self.order,
                    augment=augment,
                    autocast=precision == "bfloat16",
                    rows=large.rows_of(prepared) if device.type == "cpu" else None,
                    processes=processes,
                    keeper=keeper,
                    snapshots=snapshots,
                    step_log=step_log,
                    on_features=on_features,
                    on_step=on_step,
                    on_epoch=on_epoch,
                )
        self.network_.requires_grad_(True)  # the last phase may have frozen some of it
        self.n_parameters_ = count_parameters(self.network_)
        self.history_ = [asdict(epoch) for epoch in history]
        self.snapshots_ = {epoch: arrays_of(weights) for epoch, weights in snapshots.items()}
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Class probabilities (N, K), columns in the order of classes_."""
        images = check_images(self, X)
        return np.concatenate([self._probabilities(block) for block in large.blocks(images)])

    def _probabilities(self, images: NDArray[Any]) -> NDArray[np.float64]:
        device = next(self.network_.parameters()).device
        X = _tensor(self._prepared(images, expansion_of(None))).to(device)
        views = views_of(self.test_time_augmentation)
        by_view = [
            loop.predict_logits(self.network_, view(X)).cpu().double().softmax(1) for view in views
        ]
        return (torch.stack(by_view).sum(0) / len(views)).numpy()

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each image, (N,)."""
        most_probable = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[most_probable])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted network as plain arrays; `restore` takes them back."""
        return arrays_of(self.network_.state_dict())

    def restore(
        self,
        classes: Sequence[Any],
        image_shape: tuple[int, int],
        arrays: Mapping[str, NDArray[Any]],
    ) -> Self:
        """Take fitted state from storage in place of training; ValueError where it does not fit."""
        self.classes_, self.image_shape_ = np.asarray(classes), image_shape
        self.n_features_in_ = image_shape[0] * image_shape[1]
        views_of(self.test_time_augmentation)
        given = {name: torch.from_numpy(array) for name, array in arrays.items()}
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):  # no memory is taken
            wanted = nn.Sequential(self._unfitted(), self._build()).state_dict()
        if _outlines(given) != _outlines(wanted):
            raise ValueError("the arrays are not those of this network")
        if not (given["0.scale"] > 0).all():
            raise ValueError("pixels must be divided by a positive number")
        self.network_ = nn.Sequential(self._unfitted(), self._build())
        self.network_.load_state_dict(given)
        device = hardware.pick_device(self.device)
        self.network_.to(device).to(memory_format=torch.channels_last)
        self.n_parameters_ = count_parameters(self.network_)
        self.history_, self.snapshots_ = [], {}
        return self

    def _build(self) -> nn.Module:
        arguments = dict(self.model_args or {})
        if self.hidden_sizes is not None:
            arguments["hidden_sizes"] = self.hidden_sizes
        return build(self.model, self._padded_shape(), len(self.classes_), arguments)

    def _padded_shape(self) -> tuple[int, int]:
        return padded_shape(self.image_shape_, self.pad_to)

    def _unfitted(self) -> Scaling:
        return Scaling(*unfitted_scaling(self.scaling, self._padded_shape()))

    def _phases(self, monitor: str) -> Sequence[Phase]:
        if self.phases is not None:
            return self.phases
        return [
            Phase(
                self.optimizer,
                self.learning_rate,
                self.n_epochs,
                self.schedule,
                self.weight_decay,
                self.patience,
                monitor,
            )
        ]

    def _prepared(self, images: NDArray[Any], views: Sequence[View]) -> NDArray[Any]:
        """(M, 1, H, W), padded, the views of an image adjacent; uint8 stays what it is."""
        if images.dtype != np.uint8:
            images = images.astype(np.float32, copy=False)
        images = images.reshape(-1, 1, *self.image_shape_)
        around = margins(self.image_shape_, self.pad_to)
        if len(views) == 1 and not np.any(around):
            return images

        def seen() -> Iterator[NDArray[Any]]:
            for block in large.blocks(images):
                for few in np.array_split(block, len(views)):  # so that views take no more room
                    padded = _tensor(np.pad(few, ((0, 0), (0, 0), *around)))
                    yield expanded(padded, views).numpy()

        return large.joined(seen())


def arrays_of(weights: Mapping[str, torch.Tensor]) -> dict[str, NDArray[Any]]:
    """The same numbers for NumPy."""
    return {name: tensor.cpu().numpy() for name, tensor in weights.items()}


def _examples(images: NDArray[Any], of: Labelled, device: torch.device) -> Examples:
    """Images in as many views as there are for each label, those of an image adjacent."""
    n_views = len(images) // len(of.codes)
    y = torch.from_numpy(of.codes).repeat_interleave(n_views).to(device)
    X = _tensor(images).to(device)
    if of.weights is None:
        return Examples(X, y)
    w = torch.from_numpy(of.weights).float().repeat_interleave(n_views)
    return Examples(X, y, w.to(device))


def _tensor(images: NDArray[Any]) -> torch.Tensor:
    """The same memory where torch can read it; nothing here writes to it."""
    if large.mapping_of(images) is not None and images.flags.c_contiguous:
        with warnings.catch_warnings(action="ignore"):  # that it must not be written to
            return torch.from_numpy(images)
    # torch warns of arrays it must not write to, and cannot read backwards.
    if not (images.flags.writeable and images.flags.c_contiguous):
        images = images.copy()
    return torch.from_numpy(images)


def _outlines(tensors: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    # A file holds a single number as a row of one.
    return {name: (tensor.shape or (1,), tensor.dtype) for name, tensor in tensors.items()}
