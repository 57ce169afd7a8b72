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


class Softmax:
    """The last layer; its gradient is fused with that of the cross-entropy: (s - y) / N."""

    def forward(self, z: np.ndarray) -> np.ndarray:
        """Probabilities (N, K) of scores (N, K)."""
        exponentials = np.exp(z - z.max(axis=1, keepdims=True))
        self.s = exponentials / exponentials.sum(axis=1, keepdims=True)
        return self.s

    def backward(self, y: np.ndarray) -> np.ndarray:
        """The gradient of the mean cross-entropy by the scores; one-hot labels y (N, K)."""
        return (self.s - y) / len(y)


class LayeredMLP:
    """Linear layers with ReLU between them, and softmax."""

    def __init__(self, sizes: Sequence[int], seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.layers: list[Linear | ReLU] = []
        for n_in, n_out in pairwise(sizes):
            self.layers += [Linear(n_in, n_out, rng), ReLU()]
        self.layers.pop()  # the scores of the classes may be negative
        self.softmax = Softmax()

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Probabilities (N, K)."""
        for layer in self.layers:
            x = layer.forward(x)
        return self.softmax.forward(x)

    def compute_loss(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        """The mean cross-entropy; y_true is one-hot (N, K)."""
        return float(-(y_true * np.log(y_pred + 1e-8)).sum(axis=1).mean())

    def backward(self, y_true: np.ndarray) -> None:
        """Fill dW and db of all linear layers, from the values of the last forward pass."""
        gradient = self.softmax.backward(y_true)
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
