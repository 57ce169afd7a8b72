"""Fully connected networks; the smallest is softmax regression."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import nn

from mnistlab.bounds import MOST_LAYERS, WIDEST, check_count, check_fraction, check_weights
from mnistlab.errors import RecipeError


def mlp(
    image_shape: tuple[int, int],
    n_classes: int,
    hidden_sizes: Sequence[int] = (),
    dropout: float | Sequence[float] = 0.0,
    batch_norm: bool = False,
    softmax_output: bool = False,
) -> nn.Module:
    """Linear layers with ReLU between them; without hidden layers, softmax regression (E1).

    Input (N, 1, H, W), output logits (N, K). dropout: one number, or one per hidden layer.
    batch_norm: before each ReLU. softmax_output: write-up B's mistake. The output is then a
    softmax, to which the loss applies a second one, so that for ten classes the loss cannot fall
    below ln(1 + 9 / e) = 1.4612.
    """
    height, width = image_shape
    layers = head((height * width, *hidden_sizes), n_classes, dropout, batch_norm)
    return nn.Sequential(nn.Flatten(), *layers, *([nn.Softmax(dim=1)] if softmax_output else []))


def head(
    sizes: Sequence[int],
    n_classes: int,
    dropout: float | Sequence[float] = 0.0,
    batch_norm: bool = False,
) -> list[nn.Module]:
    """Layers from sizes[0] features to logits; the other sizes are those of hidden layers."""
    check_sizes("hidden_sizes", sizes[1:])
    check_weights(sum((n_in + 1) * n_out for n_in, n_out in pairwise((*sizes, n_classes))))
    layers: list[nn.Module] = []
    drop_probabilities = fractions_per_layer("dropout", dropout, len(sizes) - 1)
    for (n_in, n_out), p in zip(pairwise(sizes), drop_probabilities, strict=True):
        layers.append(nn.Linear(n_in, n_out))
        layers += [nn.BatchNorm1d(n_out)] if batch_norm else []
        layers.append(nn.ReLU())
        layers += [nn.Dropout(p)] if p else []
    return [*layers, nn.Linear(sizes[-1], n_classes)]


def per_layer(name: str, given: Any, n_layers: int) -> Sequence[Any]:
    """One value per layer; RecipeError for another number of values."""
    if not isinstance(given, Sequence):
        return [given] * n_layers
    if len(given) != n_layers:
        raise RecipeError(f"{name} has {len(given)} values for {n_layers} layers")
    return given


def fractions_per_layer(
    name: str, given: float | Sequence[float], n_layers: int
) -> Sequence[float]:
    """One fraction per layer; RecipeError for another number of them, or one outside 0 to 1."""
    fractions = per_layer(name, given, n_layers)
    for fraction in fractions:
        check_fraction(name, fraction)
    return fractions


def check_sizes(name: str, sizes: Sequence[int]) -> None:
    """RecipeError for sizes below 1, for layers far too wide, or for far too many layers."""
    check_count(f"the number of {name}", len(sizes), 0, MOST_LAYERS)
    for size in sizes:
        check_count(name, size, 1, WIDEST)
