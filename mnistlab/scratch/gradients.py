"""Checking gradients: compare backward with finite differences of the loss."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mnistlab.scratch.layer import Array
from mnistlab.scratch.loss import SoftmaxCrossEntropy
from mnistlab.scratch.network import Network
from mnistlab.scratch.regularisation import Dropout

# Near the cube root of float64's precision: truncation and rounding errors are both small.
STEP = 1e-5
# Errors are relative to the gradient, but at least to this fraction of the largest gradient.
FLOOR = 0.01


@dataclass(frozen=True)
class GradientCheck:
    """The worst relative error of each array: of parameters such as "2.W", and of the input, "X".

    n_checked: how many numbers were compared. n_kinks: how many were left out, since a step crossed
    a kink of a piecewise layer, where there is no derivative.
    """

    errors: Mapping[str, float]
    n_checked: int
    n_kinks: int

    @property
    def worst(self) -> float:
        """The largest of all errors."""
        return max(self.errors.values())

    def __str__(self) -> str:
        lines = [f"{name:12} {error:.1e}" for name, error in self.errors.items()]
        return "\n".join([*lines, f"{self.n_checked} compared, {self.n_kinks} at a kink left out"])


def check_gradients(
    network: Network, X: ArrayLike, y: ArrayLike, *, n_entries: int = 100, seed: int = 0
) -> GradientCheck:
    """Compare backward with central differences, in float64, on a copy of the network.

    X, y: a few examples as the network takes them, labels 0..K-1. n_entries: how many numbers of
    each array are compared; they are chosen at random.
    The error of a number w is |a - n| / max(|a|, |n|, 0.01 g), where a is its gradient from
    backward, n = (L(w + h) - L(w - h)) / 2h and g the largest gradient of all. Gradients far below
    g, such as that of a bias before a batch normalisation, are lost in the rounding of L.
    Correct layers stay below 1e-6, unless there is nothing left to learn: where the logits are so
    certain that all gradients vanish, only rounding is compared.
    The network is checked in training mode: with batch statistics, and one fixed mask in dropout.
    """
    network, labels = network.astype(np.float64), np.asarray(y, dtype=np.int64)
    X = np.array(X, dtype=np.float64)
    masks = [copy.deepcopy(dropout.random) for dropout in _dropouts(network)]

    def loss() -> float:
        for dropout, random in zip(_dropouts(network), masks, strict=True):
            dropout.random = copy.deepcopy(random)
        return cross_entropy.forward(network.forward(X, training=True), labels)

    cross_entropy = SoftmaxCrossEntropy()
    loss()
    network.backward(cross_entropy.backward())
    # Copied now: going back to X runs the backward of the first layer, which training skips.
    arrays = {name: (values, d.copy()) for name, values, d in network.parameters()}
    by_input = cross_entropy.backward()
    for layer in reversed(network.layers):
        by_input = layer.backward(by_input)
    arrays["X"] = (X, by_input.copy())
    random = np.random.default_rng(seed)
    floor = FLOOR * max(np.abs(gradient).max() for _, gradient in arrays.values())
    errors, n_checked, n_kinks = {}, 0, 0
    for name, (values, gradient) in arrays.items():
        places = random.permutation(values.size)[:n_entries]
        numeric = np.array([_slope(loss, network, values, place) for place in places])
        smooth = np.isfinite(numeric)
        errors[name] = _worst_error(gradient.flat[places[smooth]], numeric[smooth], floor)
        n_checked += int(smooth.sum())
        n_kinks += int((~smooth).sum())
    return GradientCheck(errors, n_checked, n_kinks)


def _slope(loss: Callable[[], float], network: Network, values: Array, place: int) -> float:
    """(L(w + h) - L(w - h)) / 2h for the number at a flat index; NaN where a kink is between."""
    index = np.unravel_index(place, values.shape)
    value, losses, patterns = values[index], [], []
    for w in (value - STEP, value + STEP):
        values[index] = w
        losses.append(loss())
        patterns.append([p for p in (layer.pattern() for layer in network.layers) if p is not None])
        patterns[-1] = [pattern.copy() for pattern in patterns[-1]]
    values[index] = value
    if not all(np.array_equal(a, b) for a, b in zip(*patterns, strict=True)):
        return np.nan
    return (losses[1] - losses[0]) / (2 * STEP)


def _worst_error(analytic: Array, numeric: Array, floor: float) -> float:
    size = np.maximum(np.maximum(np.abs(analytic), np.abs(numeric)), floor)
    return float((np.abs(analytic - numeric) / size).max(initial=0.0))


def _dropouts(network: Network) -> list[Dropout]:
    return [layer for layer in network.layers if isinstance(layer, Dropout)]
