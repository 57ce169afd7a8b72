"""Small residual networks, fast on CPUs: batch normalisation and ReLU follow the max-pool."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from mnistlab.bounds import MOST_LAYERS, check_count, check_weights
from mnistlab.errors import RecipeError
from mnistlab.models.mlp import check_sizes, fractions_per_layer, per_layer

NATIVE_SIDE = 28  # the stride of the first layer brings larger images near to this side
LEAST_POOLED = 6  # a smaller side is not halved any further


def residual(
    image_shape: tuple[int, int],
    n_classes: int,
    channels: Sequence[int] = (32, 64, 128),
    blocks: int | Sequence[int] = (0, 1, 1),
    dropout: float = 0.0,
) -> nn.Module:
    """Stages of one widening convolution, a 2x2 max-pool and residual blocks; one linear layer.

    Input (N, 1, H, W), output logits (N, K). blocks: the number of residual blocks (He et al. 2016)
    in each stage, or one number for all. dropout: of the features before the linear layer.
    Normalising after the pool costs a quarter of what it costs before, its usual place.
    Images may have any size: a side below 6 is not halved, and the first convolution has a stride
    of round(sqrt(H W) / 28) on images larger than 28 x 28.
    """
    check_sizes("channels", channels)
    if not channels:
        raise RecipeError("model residual: channels must not be empty")
    n_blocks_each = per_layer("blocks", blocks, len(channels))
    check_count("blocks", min(n_blocks_each), 0)
    check_count("all blocks", sum(n_blocks_each), 0, MOST_LAYERS)
    stages = list(zip(pairwise([1, *channels]), n_blocks_each, strict=True))
    check_weights(sum(9 * (n_in + 2 * n * n_out) * n_out for (n_in, n_out), n in stages))
    (drop_probability,) = fractions_per_layer("dropout", dropout, 1)
    layers: list[nn.Module] = []
    stride = max(1, round(math.sqrt(image_shape[0] * image_shape[1]) / NATIVE_SIDE))
    sides = image_shape
    for (n_in, n_out), n_blocks in stages:
        kernel = 3 if stride == 1 else 2 * stride + 1
        layers.append(nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False))
        sides = (-(-sides[0] // stride), -(-sides[1] // stride))
        pool = (_pool(sides[0]), _pool(sides[1]))
        layers += [nn.MaxPool2d(pool)] if pool != (1, 1) else []
        layers += [nn.BatchNorm2d(n_out), nn.ReLU(), *(Residual(n_out) for _ in range(n_blocks))]
        sides, stride = (sides[0] // pool[0], sides[1] // pool[1]), 1
    layers.append(nn.Flatten())
    layers += [nn.Dropout(drop_probability)] if drop_probability else []
    return nn.Sequential(*layers, nn.Linear(channels[-1] * sides[0] * sides[1], n_classes))


class Residual(nn.Module):
    """x plus two normalised convolutions of x, (N, C, H, W) to (N, C, H, W)."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(n_channels, n_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_channels),
            nn.ReLU(),
            nn.Conv2d(n_channels, n_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_channels),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x + change(x)."""
        changed: Tensor = self.change(x)
        return x + changed


def _pool(side: int) -> int:
    return 2 if side >= LEAST_POOLED else 1
