"""Solution of chapter 3: write-up D's network, built from layers with forward and backward."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


class Linear:
    """y = x W + b."""

    def __init__(self, n_in: int, n_out: int, rng: np.random.Generator) -> None:
        self.W = rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out))
        self.b = np.zeros(n_out)
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Outputs (N, n_out) of inputs (N, n_in)."""
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Store dW and db; return the gradient by the input."""
        self.dW = self.x.T @ dy
        self.db = dy.sum(axis=0)
        return dy @ self.W.T


class ReLU:
    """The positive part."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Outputs of the shape of x."""
        self.x = x
        return np.maximum(0, x)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """The gradient by the input."""
        return dy * (self.x > 0)


class SoftmaxCrossEntropy:
    """Softmax and cross-entropy in one, because their gradient together is s - y."""

    def forward(self, z: np.ndarray, y: np.ndarray) -> float:
        """The mean loss of one-hot labels y (N, K)."""
        exponentials = np.exp(z - z.max(axis=1, keepdims=True))
        self.s = exponentials / exponentials.sum(axis=1, keepdims=True)
        self.y = y
        return float(-(y * np.log(self.s + 1e-8)).sum(axis=1).mean())

    def backward(self) -> np.ndarray:
        """The gradient of the mean loss by the scores z."""
        return (self.s - self.y) / len(self.y)


class LayeredMLP:
    """Linear layers with ReLU between them."""

    def __init__(self, sizes: Sequence[int], seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.layers: list[Linear | ReLU] = []
        for n_in, n_out in pairwise(sizes):
            self.layers += [Linear(n_in, n_out, rng), ReLU()]
        self.layers.pop()  # the scores of the classes may be negative
        self.loss = SoftmaxCrossEntropy()

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Scores (N, K)."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self) -> None:
        """Fill dW and db of all linear layers; call the loss first."""
        gradient = self.loss.backward()
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
