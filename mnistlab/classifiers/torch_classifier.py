"""Every torch network of the project as one scikit-learn classifier."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from mnistlab.models import build
from mnistlab.models.scaling import Scaling, fit_scaling
from mnistlab.training import hardware, loop
from mnistlab.training.phase import Phase

DTYPES = [np.float32, np.uint8]  # kept as they are; anything else becomes the first


class TorchClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """A network of MODELS, trained by the loop, behind the scikit-learn contract.

    model, model_args: a key of MODELS and the arguments of its family.
    hidden_sizes: shorthand for model_args["hidden_sizes"].
    optimizer, learning_rate, n_epochs, schedule, weight_decay: the one phase of
    training; `phases` takes their place where several are wanted.
    validation_fraction: share of X held out, where fit is given no validation
    set, to find the best epoch; 0 keeps the epoch of lowest training loss.
    scaling: see mnistlab.models.scaling. precision: "auto", "float32", "bfloat16".

    Fitted: classes_ (K,), network_, history_ (a dict an epoch), image_shape_.
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
        phases: Sequence[Phase] | None = None,
        batch_size: int = 64,
        scaling: str = "standard",
        validation_fraction: float = 0.1,
        precision: str = "auto",
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.model = model
        self.model_args = model_args
        self.hidden_sizes = hidden_sizes
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.phases = phases
        self.batch_size = batch_size
        self.scaling = scaling
        self.validation_fraction = validation_fraction
        self.precision = precision
        self.device = device
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        *,
        on_step: Callable[[], None] = lambda: None,
        on_epoch: Callable[[loop.Epoch], None] = lambda epoch: None,
    ) -> Self:
        """Train on images (N, H, W) or rows (N, D), uint8 or float, and any labels (N,).

        Raises ValueError as scikit-learn does for bad arrays, RecipeError for bad
        settings and TrainingError when the loss is no longer finite.
        """
        images, labels = validate_data(self, X, y, dtype=DTYPES, allow_nd=True)
        check_classification_targets(labels)
        self.image_shape_ = image_shape_of(images)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        device = hardware.pick_device(self.device)
        precision = hardware.pick_precision(self.precision, device)
        seed = self._seed()
        if X_val is None or y_val is None:
            train, val = _hold_out(len(images), self.validation_fraction, seed)
            examples = self._examples(images[train], codes[train], device)
            validation = self._examples(images[val], codes[val], device) if len(val) else None
        else:
            examples = self._examples(images, codes, device)
            validation = self._examples(np.asarray(X_val), self._encode(y_val), device)
        with hardware.seeded(seed, device):
            self.network_ = nn.Sequential(fit_scaling(self.scaling, examples.X), self._build())
            self.network_.to(device).to(memory_format=torch.channels_last)
            history = loop.train(
                self.network_,
                examples,
                validation,
                self._phases(),
                batch_size=self.batch_size,
                seed=seed,
                autocast=precision == "bfloat16",
                on_step=on_step,
                on_epoch=on_epoch,
            )
        self.history_ = [asdict(epoch) for epoch in history]
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Class probabilities (N, K), columns in the order of classes_."""
        check_is_fitted(self)
        images = validate_data(self, X, dtype=DTYPES, allow_nd=True, reset=False)
        if image_shape_of(images) != self.image_shape_:
            got = image_shape_of(images)
            raise ValueError(f"trained on images of {self.image_shape_}, got {got}")
        device = next(self.network_.parameters()).device
        logits = loop.predict_logits(self.network_, self._tensor(images, device))
        return logits.cpu().double().softmax(1).numpy()

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each image, (N,)."""
        most_probable = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[most_probable])

    def restore(
        self,
        classes: Sequence[Any],
        image_shape: tuple[int, int],
        weights: Mapping[str, torch.Tensor],
    ) -> Self:
        """Take fitted state from storage in place of training.

        Raises RuntimeError, as torch does, where the weights are not this network's.
        """
        self.classes_, self.image_shape_ = np.asarray(classes), image_shape
        self.n_features_in_ = image_shape[0]
        self.network_ = nn.Sequential(Scaling(), self._build())
        self.network_.load_state_dict(weights)
        device = hardware.pick_device(self.device)
        self.network_.to(device).to(memory_format=torch.channels_last)
        self.history_ = []
        return self

    def _build(self) -> nn.Module:
        arguments = dict(self.model_args or {})
        if self.hidden_sizes is not None:
            arguments["hidden_sizes"] = self.hidden_sizes
        return build(self.model, self.image_shape_, len(self.classes_), arguments)

    def _phases(self) -> Sequence[Phase]:
        if self.phases is not None:
            return self.phases
        return [
            Phase(
                self.optimizer, self.learning_rate, self.n_epochs, self.schedule, self.weight_decay
            )
        ]

    def _seed(self) -> int:
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _encode(self, y: ArrayLike) -> NDArray[np.int64]:
        labels = np.asarray(y)
        unknown = ~np.isin(labels, self.classes_)
        if unknown.any():
            raise ValueError(f"y_val holds {labels[unknown][0]!r}, a class that y does not have")
        return np.searchsorted(self.classes_, labels)

    def _examples(
        self, images: NDArray[Any], codes: NDArray[np.int64], device: torch.device
    ) -> loop.Examples:
        return loop.Examples(self._tensor(images, device), torch.from_numpy(codes).to(device))

    def _tensor(self, images: NDArray[Any], device: torch.device) -> torch.Tensor:
        if images.dtype != np.uint8:
            images = images.astype(np.float32, copy=False)
        if not images.flags.writeable:  # torch warns of arrays it must not write to
            images = images.copy()
        return (
            torch.from_numpy(images).to(device).reshape(-1, 1, *self.image_shape_)
        )  # (N, 1, H, W)


def image_shape_of(X: NDArray[Any]) -> tuple[int, int]:
    """(H, W) of images (N, H, W) or rows (N, D): square where D is one, else a single line."""
    if X.ndim == 3:
        return X.shape[1], X.shape[2]
    if X.ndim != 2:
        raise ValueError(f"expected images (N, H, W) or rows (N, D), got shape {X.shape}")
    side = math.isqrt(X.shape[1])
    return (side, side) if side * side == X.shape[1] else (1, X.shape[1])


def _hold_out(
    n_images: int, fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    n_val = int(n_images * fraction)
    order = np.random.default_rng(seed).permutation(n_images) if n_val else np.arange(n_images)
    return order[n_val:], order[:n_val]
