"""Plain convolutional networks: convolutions, with 2x2 max-pools between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from mnistlab.bounds import check_weights
from mnistlab.errors import RecipeError
from mnistlab.models.mlp import check_sizes, fractions_per_layer, head, per_layer


def cnn(
    image_shape: tuple[int, int],
    n_classes: int,
    channels: Sequence[int] = (16, 32),
    hidden_sizes: Sequence[int] = (),
    dropout: float | Sequence[float] = 0.0,
    kernel_sizes: int | Sequence[int] = 3,
    padded: bool = True,
    pools: bool | Sequence[bool] = True,
    batch_norm: bool = False,
    hidden_batch_norm: bool = False,
    channel_dropout: float | Sequence[float] = 0.0,
) -> nn.Module:
    """Convolutions, then linear layers. The defaults are row E3; A9 is wider, with hidden layers.

    Input (N, 1, H, W), output logits (N, K). kernel_sizes, pools (whether a 2x2 max-pool follows)
    and channel_dropout (the probability that a channel is dropped after the convolution): one
    value for all convolutions, or one for each. padded: convolutions keep the size of the image.
    dropout: of the hidden linear layers. batch_norm, hidden_batch_norm: before each ReLU of the
    convolutions, and of the hidden linear layers.
    Raises RecipeError where the image is too small for its convolutions and pools.
    """
    n_layers = len(channels)
    check_sizes("channels", channels)  # first: the lines below make a value for each of them
    kernels = per_layer("kernel_sizes", kernel_sizes, n_layers)
    pooled = per_layer("pools", pools, n_layers)
    drop_probabilities = fractions_per_layer("channel_dropout", channel_dropout, n_layers)
    check_sizes("kernel_sizes", kernels)
    pairs = pairwise([1, *channels])
    check_weights(sum(n_in * n_out * k**2 for (n_in, n_out), k in zip(pairs, kernels, strict=True)))
    layers: list[nn.Module] = []
    sides = image_shape
    for (n_in, n_out), kernel, pool, p in zip(
        pairwise([1, *channels]), kernels, pooled, drop_probabilities, strict=True
    ):
        padding = kernel // 2 if padded else 0
        layers.append(nn.Conv2d(n_in, n_out, kernel, padding=padding))
        layers += [nn.BatchNorm2d(n_out)] if batch_norm else []
        # The write-ups put ReLU before the pool. Both orders give the same values and gradients,
        # since ReLU never changes which pixel is the largest; here it has a quarter of the work.
        layers += [nn.MaxPool2d(2)] if pool else []
        layers.append(nn.ReLU())
        layers += [nn.Dropout2d(p)] if p else []
        sides = _after(sides, kernel, padding, pool, image_shape)
    n_features = channels[-1] * sides[0] * sides[1] if channels else image_shape[0] * image_shape[1]
    sizes = (n_features, *hidden_sizes)
    return nn.Sequential(*layers, nn.Flatten(), *head(sizes, n_classes, dropout, hidden_batch_norm))


def _after(
    sides: tuple[int, int], kernel: int, padding: int, pool: bool, image_shape: tuple[int, int]
) -> tuple[int, int]:
    """(H, W) after a convolution and its pool; RecipeError where nothing is left."""
    height, width = ((side + 2 * padding - kernel + 1) // (2 if pool else 1) for side in sides)
    if min(height, width) < 1:
        raise RecipeError(
            f"model cnn: {image_shape[0]}x{image_shape[1]} images are too small for so many "
            "convolutions and pools"
        )
    return height, width
