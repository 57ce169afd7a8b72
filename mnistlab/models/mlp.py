"""Fully connected networks, from softmax regression up."""

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
    """Linear layers with ReLU between them; no hidden layer is softmax regression (E1).

    Input (N, 1, H, W), output logits (N, K). dropout: one number, or one for each hidden layer.
    batch_norm: before each ReLU. softmax_output: write-up B's mistake. The output is then a
    softmax, to which the loss applies another, and cannot fall below ln(1 + 9 / e) = 1.4612
    for ten classes.
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
    """The layers that take a feature vector of sizes[0] to logits, through the other sizes."""
    check_sizes("hidden_sizes", sizes[1:])
    check_weights(sum((n_in + 1) * n_out for n_in, n_out in pairwise((*sizes, n_classes))))
    layers: list[nn.Module] = []
    shares = shares_per_layer("dropout", dropout, len(sizes) - 1)
    for (n_in, n_out), share in zip(pairwise(sizes), shares, strict=True):
        layers.append(nn.Linear(n_in, n_out))
        layers += [nn.BatchNorm1d(n_out)] if batch_norm else []
        layers.append(nn.ReLU())
        layers += [nn.Dropout(share)] if share else []
    return [*layers, nn.Linear(sizes[-1], n_classes)]


def per_layer(name: str, given: Any, n_layers: int) -> Sequence[Any]:
    """One value for each layer; RecipeError for another number of them."""
    if not isinstance(given, Sequence):
        return [given] * n_layers
    if len(given) != n_layers:
        raise RecipeError(f"{name} has {len(given)} values for {n_layers} layers")
    return given


def shares_per_layer(name: str, given: float | Sequence[float], n_layers: int) -> Sequence[float]:
    """One share to drop for each layer; RecipeError for what is no share."""
    shares = per_layer(name, given, n_layers)
    for share in shares:
        check_fraction(name, share)
    return shares


def check_sizes(name: str, sizes: Sequence[int]) -> None:
    """RecipeError for a layer of nothing, one far too wide, or far too many of them."""
    check_count(f"the number of {name}", len(sizes), 0, MOST_LAYERS)
    for size in sizes:
        check_count(name, size, 1, WIDEST)
