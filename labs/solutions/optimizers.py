"""Solutions of chapter 4: four optimizers in NumPy, and the comparison of batch sizes.

`step` changes the parameters in place, as torch.optim does.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from solutions.mlp import MLPFromScratch

Arrays = Sequence[np.ndarray]


class SGD:
    """w = w - lr g."""

    def __init__(self, parameters: Arrays, learning_rate: float = 0.1) -> None:
        self.parameters, self.learning_rate = parameters, learning_rate

    def step(self, gradients: Arrays) -> None:
        """Change every parameter once."""
        for w, g in zip(self.parameters, gradients, strict=True):
            w -= self.learning_rate * g


class Momentum:
    """v = m v - lr g; w = w + v."""

    def __init__(
        self, parameters: Arrays, learning_rate: float = 0.01, momentum: float = 0.9
    ) -> None:
        self.parameters, self.learning_rate, self.momentum = parameters, learning_rate, momentum
        self.velocities = [np.zeros_like(w) for w in parameters]

    def step(self, gradients: Arrays) -> None:
        """Change every parameter once."""
        for w, v, g in zip(self.parameters, self.velocities, gradients, strict=True):
            v *= self.momentum
            v -= self.learning_rate * g
            w += v


class RMSprop:
    """s = d s + (1 - d) g^2; w = w - lr g / (sqrt(s) + e)."""

    def __init__(
        self, parameters: Arrays, learning_rate: float = 0.001, decay: float = 0.99
    ) -> None:
        self.parameters, self.learning_rate, self.decay = parameters, learning_rate, decay
        self.squares = [np.zeros_like(w) for w in parameters]

    def step(self, gradients: Arrays) -> None:
        """Change every parameter once."""
        for w, s, g in zip(self.parameters, self.squares, gradients, strict=True):
            s *= self.decay
            s += (1 - self.decay) * g**2
            w -= self.learning_rate * g / (np.sqrt(s) + 1e-8)


class Adam:
    """Momentum and RMSprop together, with both averages corrected for their start at zero."""

    def __init__(
        self,
        parameters: Arrays,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
    ) -> None:
        self.parameters, self.learning_rate = parameters, learning_rate
        self.beta1, self.beta2, self.n_steps = beta1, beta2, 0
        self.means = [np.zeros_like(w) for w in parameters]
        self.squares = [np.zeros_like(w) for w in parameters]

    def step(self, gradients: Arrays) -> None:
        """Change every parameter once."""
        self.n_steps += 1
        mean_part = 1 - self.beta1**self.n_steps
        square_part = 1 - self.beta2**self.n_steps
        every = zip(self.parameters, self.means, self.squares, gradients, strict=True)
        for w, m, s, g in every:
            m *= self.beta1
            m += (1 - self.beta1) * g
            s *= self.beta2
            s += (1 - self.beta2) * g**2
            w -= self.learning_rate * (m / mean_part) / (np.sqrt(s / square_part) + 1e-8)


def compare_batch_sizes(
    data: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    batch_sizes: Sequence[int] = (32, 128, 256, 512),
    epochs: int = 10,
    learning_rate: float = 0.01,
) -> dict[int, dict[str, Any]]:
    """For each batch size the history of a new network, and seconds per epoch."""
    X_train, y_train, X_val, y_val = data
    results = {}
    for batch_size in batch_sizes:
        network = MLPFromScratch(X_train.shape[1], learning_rate=learning_rate, seed=0)
        start = time.perf_counter()
        history = network.train(X_train, y_train, X_val, y_val, epochs, batch_size)
        seconds = (time.perf_counter() - start) / epochs
        results[batch_size] = {**history, "seconds_per_epoch": seconds}
    return results
