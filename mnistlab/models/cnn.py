"""Plain convolutional networks: 3x3 convolutions, each followed by a 2x2 max-pool."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from mnistlab.errors import RecipeError
from mnistlab.models.mlp import head


def cnn(
    image_shape: tuple[int, int],
    n_classes: int,
    channels: Sequence[int] = (16, 32),
    hidden_sizes: Sequence[int] = (),
    dropout: float = 0.0,
) -> nn.Module:
    """Convolutions of growing width, then linear layers: E3 as it stands, A9 wider with a head.

    Input (N, 1, H, W), output logits (N, K). Raises RecipeError where the
    image is too small to be halved once per convolution.
    """
    height, width = (side >> len(channels) for side in image_shape)
    if not height or not width:
        raise RecipeError(
            f"model cnn: {image_shape[0]}x{image_shape[1]} images are too small "
            f"to be halved {len(channels)} times"
        )
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise([1, *channels]):
        # The write-ups put ReLU before the pool. Both orders give the same values and
        # gradients, since ReLU never changes which pixel is the largest; this one
        # applies it to a quarter as many.
        layers += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.MaxPool2d(2), nn.ReLU()]
    n_features = channels[-1] * height * width
    return nn.Sequential(
        *layers, nn.Flatten(), *head([n_features, *hidden_sizes], n_classes, dropout)
    )
