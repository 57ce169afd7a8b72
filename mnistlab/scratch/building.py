"""The networks by hand that recipes and ScratchClassifier name, dense or convolutional."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

from mnistlab.bounds import MOST_LAYERS, WIDEST, check_count, check_fraction, check_weights
from mnistlab.errors import RecipeError
from mnistlab.scratch.activations import ACTIVATIONS
from mnistlab.scratch.convolution import Conv2d, MaxPool2d
from mnistlab.scratch.initialisation import INITIALISATIONS
from mnistlab.scratch.layer import Array, Layer
from mnistlab.scratch.linear import Linear
from mnistlab.scratch.network import Network
from mnistlab.scratch.regularisation import BatchNorm, Dropout
from mnistlab.scratch.shaping import Flatten, Reshape, Scaling


def build(
    image_shape: tuple[int, int],
    n_classes: int,
    hidden_sizes: Sequence[int] = (128,),
    channels: Sequence[int] = (),
    activation: str = "relu",
    initialisation: str = "he",
    batch_norm: bool = False,
    dropout: float = 0.0,
    *,
    scaling: tuple[float | Array, float | Array] = (0.0, 1.0),
    dtype: DTypeLike = np.float32,
    seed: int = 0,
) -> Network:
    """A network with fresh weights, from images (N, H, W) of any dtype to logits (N, K).

    channels: of 3x3 convolutions, each followed by a 2x2 max-pool; none for a dense network.
    hidden_sizes: of the hidden linear layers. batch_norm: before every activation.
    dropout: after every hidden linear layer. Raises RecipeError for impossible arguments.
    """
    names = (activation, initialisation)
    check_buildable(image_shape, n_classes, hidden_sizes, channels, *names, batch_norm, dropout)
    random = np.random.default_rng(seed)
    initialise, activate = INITIALISATIONS[initialisation], ACTIVATIONS[activation]
    height, width = image_shape
    layers: list[Layer] = [Scaling(*scaling)]
    if channels:
        layers.append(Reshape(height, width, 1))
    for n_in, n_out in pairwise((1, *channels)):
        layers.append(Conv2d(n_in, n_out, random, initialise=initialise))
        layers += [BatchNorm(n_out)] if batch_norm else []
        # Pool first: activations never decrease, so the maximum may be taken before them, and they
        # have a quarter of the work.
        layers += [MaxPool2d(2), activate()]
        height, width = height // 2, width // 2
    layers.append(Flatten())
    n_features = height * width * (channels[-1] if channels else 1)
    for n_in, n_out in pairwise((n_features, *hidden_sizes)):
        layers.append(Linear(n_in, n_out, random, initialise))
        layers += [BatchNorm(n_out)] if batch_norm else []
        layers.append(activate())
        layers += [Dropout(dropout, random)] if dropout else []
    n_last = hidden_sizes[-1] if len(hidden_sizes) else n_features
    layers.append(Linear(n_last, n_classes, random, initialise))
    return Network(layers, dtype)


def check_buildable(
    image_shape: tuple[int, int],
    n_classes: int,
    hidden_sizes: Sequence[int] = (128,),
    channels: Sequence[int] = (),
    activation: str = "relu",
    initialisation: str = "he",
    batch_norm: bool = False,
    dropout: float = 0.0,
) -> int:
    """How many weights `build` would make, without memory; RecipeError for what it cannot make."""
    for name, value, known in (
        ("activation", activation, ACTIVATIONS),
        ("initialisation", initialisation, INITIALISATIONS),
    ):
        if value not in known:
            raise RecipeError(f"unknown {name} {value!r}; there are: {', '.join(known)}")
    for name, sizes in (("hidden_sizes", hidden_sizes), ("channels", channels)):
        check_count(f"the number of {name}", len(sizes), 0, MOST_LAYERS)
        for size in sizes:
            check_count(name, size, 1, WIDEST)
    check_fraction("dropout", dropout)
    height, width = image_shape
    if min(image_shape) < 2 ** len(channels):
        raise RecipeError(
            f"images of {height}x{width} are too small to be halved {len(channels)} times"
        )
    height, width = (side >> len(channels) for side in (height, width))  # halved by every pool
    widths = (height * width * (channels[-1] if channels else 1), *hidden_sizes, n_classes)
    n_weights = sum((9 * n_in + 1) * n_out for n_in, n_out in pairwise((1, *channels)))
    n_weights += sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths))
    n_weights += 2 * (sum(channels) + sum(hidden_sizes)) if batch_norm else 0
    check_weights(n_weights)
    return n_weights
