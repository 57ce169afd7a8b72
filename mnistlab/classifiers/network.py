"""A torch network with its settings and weights, and its predictions: what needs no scikit-learn.

To load scikit-learn takes longer than to predict ten thousand images. So this file does not, and a
run's predictions are made by TrainedNetwork; TorchClassifier adds the training and the contract.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from mnistlab.classifiers.image_tensors import as_tensor, prepared
from mnistlab.classifiers.inputs import image_shape_of, margins, padded_shape
from mnistlab.data import large
from mnistlab.data.scaling import Shift, unfitted_scaling
from mnistlab.models import build, count_parameters
from mnistlab.models.scaling import Scaling
from mnistlab.training import hardware
from mnistlab.training.fixed_views import expansion_of, views_of
from mnistlab.training.measuring import predict_logits

if TYPE_CHECKING:
    from mnistlab.phases import Phase

SCALING = ("0.shift", "0.scale")  # of `arrays`: fitted on the training images, never trained


class NetworkSettings:
    """What TorchClassifier and TrainedNetwork share; TorchClassifier explains the settings.

    Fitted: classes_ (K,), network_, history_ (a dict per epoch), image_shape_, n_parameters_ and
    snapshots_, the `arrays` of the epochs whose weights a phase saves, by epoch.
    """

    classes_: NDArray[Any]
    image_shape_: tuple[int, int]
    network_: nn.Sequential

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

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted network as plain arrays; `restore` takes them back."""
        return arrays_of(self.network_.state_dict())

    def restore(
        self,
        classes: ArrayLike,
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
        self.history_: list[dict[str, Any]] = []
        self.snapshots_: dict[int, dict[str, NDArray[Any]]] = {}
        return self

    def _probabilities(self, images: NDArray[Any]) -> NDArray[np.float64]:
        """Class probabilities (N, K) of images (N, H, W) or rows (N, D), the mean over views."""
        return np.concatenate([self._of_block(block) for block in large.blocks(images)])

    def _of_block(self, images: NDArray[Any]) -> NDArray[np.float64]:
        device = next(self.network_.parameters()).device
        padded = prepared(images, self.image_shape_, self._margins(), expansion_of(None))
        X = as_tensor(padded).to(device)
        views = views_of(self.test_time_augmentation)
        by_view = [
            predict_logits(self.network_, view(X)).cpu().double().softmax(1) for view in views
        ]
        return (torch.stack(by_view).sum(0) / len(views)).numpy()

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


class TrainedNetwork(NetworkSettings):
    """A stored network: it predicts as the TorchClassifier that it was stored from."""

    def predict_proba(self, images: NDArray[Any]) -> NDArray[np.float64]:
        """Class probabilities (N, K) of images (N, H, W); ValueError for images of another size."""
        if image_shape_of(images) != self.image_shape_:
            raise ValueError(
                f"trained on images of {self.image_shape_}, got {image_shape_of(images)}"
            )
        return self._probabilities(images)

    def predict(self, images: NDArray[Any]) -> NDArray[Any]:
        """The most probable class of each image, (N,)."""
        return np.asarray(self.classes_[self.predict_proba(images).argmax(1)])

    def untrained(self, seed: int) -> Self:
        """The network with its first weights, drawn again from the seed, and its pixel scaling."""
        first = copy.copy(self)
        with hardware.seeded(seed, hardware.pick_device(self.device)):
            first.network_ = self._build(unfitted_scaling(self.scaling, self._padded_shape()))
        arrays = first.arrays() | {name: self.arrays()[name] for name in SCALING}
        return first.restore(self.classes_.tolist(), self.image_shape_, arrays)


def arrays_of(weights: Mapping[str, torch.Tensor]) -> dict[str, NDArray[Any]]:
    """Tensors by name as arrays of the same memory, where it is the CPU's."""
    return {name: tensor.cpu().numpy() for name, tensor in weights.items()}


def _outlines(
    tensors: Mapping[str, torch.Tensor],
) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    # A file holds a single number as a row of one.
    return {name: (tensor.shape or (1,), tensor.dtype) for name, tensor in tensors.items()}
