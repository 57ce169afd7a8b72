"""Plain convolutional networks: convolutions, most of them followed by a 2x2 max-pool."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from mnistlab.bounds import check_weights
from mnistlab.errors import RecipeError
from mnistlab.models.mlp import check_sizes, head, per_layer, shares_per_layer


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
    """Convolutions of growing width, then linear layers: E3 as it stands, A9 wider with a head.

    Input (N, 1, H, W), output logits (N, K). kernel_sizes, pools (whether a 2x2 max-pool
    follows) and channel_dropout (the share of whole channels dropped after each convolution):
    one for all convolutions or one for each. padded: whether a convolution keeps the image's size.
    dropout: of the hidden linear layers. batch_norm, hidden_batch_norm: before each ReLU of the
    convolutions, of the hidden linear layers.
    Raises RecipeError where the image is too small for its convolutions and pools.
    """
    n_layers = len(channels)
    check_sizes("channels", channels)  # before values are made for each of them
    kernels = per_layer("kernel_sizes", kernel_sizes, n_layers)
    pooled = per_layer("pools", pools, n_layers)
    shares = shares_per_layer("channel_dropout", channel_dropout, n_layers)
    check_sizes("kernel_sizes", kernels)
    pairs = pairwise([1, *channels])
    check_weights(sum(n_in * n_out * k**2 for (n_in, n_out), k in zip(pairs, kernels, strict=True)))
    layers: list[nn.Module] = []
    sides = image_shape
    for (n_in, n_out), kernel, pool, share in zip(
        pairwise([1, *channels]), kernels, pooled, shares, strict=True
    ):
        padding = kernel // 2 if padded else 0
        layers.append(nn.Conv2d(n_in, n_out, kernel, padding=padding))
        layers += [nn.BatchNorm2d(n_out)] if batch_norm else []
        # The write-ups put ReLU before the pool. Both orders give the same values and
        # gradients, since ReLU never changes which pixel is the largest; this one
        # applies it to a quarter as many.
        layers += [nn.MaxPool2d(2)] if pool else []
        layers.append(nn.ReLU())
        layers += [nn.Dropout2d(share)] if share else []
        sides = _after(sides, kernel, padding, pool, image_shape)
    n_features = channels[-1] * sides[0] * sides[1] if channels else image_shape[0] * image_shape[1]
    sizes = (n_features, *hidden_sizes)
    return nn.Sequential(*layers, nn.Flatten(), *head(sizes, n_classes, dropout, hidden_batch_norm))


def _after(
    sides: tuple[int, int], kernel: int, padding: int, pool: bool, image_shape: tuple[int, int]
) -> tuple[int, int]:
    """The image's sides after a convolution and its pool; RecipeError where nothing is left."""
    height, width = ((side + 2 * padding - kernel + 1) // (2 if pool else 1) for side in sides)
    if min(height, width) < 1:
        raise RecipeError(
            f"model cnn: {image_shape[0]}x{image_shape[1]} images are too small for so many "
            "convolutions and pools"
        )
    return height, width
