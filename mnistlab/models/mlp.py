"""Fully connected networks, from softmax regression up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn


def mlp(
    image_shape: tuple[int, int],
    n_classes: int,
    hidden_sizes: Sequence[int] = (),
    dropout: float = 0.0,
) -> nn.Module:
    """Linear layers with ReLU between them; no hidden layer is softmax regression (E1).

    Input (N, 1, H, W), output logits (N, K).
    """
    height, width = image_shape
    return nn.Sequential(nn.Flatten(), *head([height * width, *hidden_sizes], n_classes, dropout))


def head(sizes: Sequence[int], n_classes: int, dropout: float) -> list[nn.Module]:
    """The layers that take a feature vector of sizes[0] to logits, through the other sizes."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return [*layers, nn.Linear(sizes[-1], n_classes)]
