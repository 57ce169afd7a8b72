"""Solutions of chapter 8: dropout, random shifts, early stopping."""

from __future__ import annotations

import copy

import numpy as np
from torch import Tensor, nn


def dropout(x: np.ndarray, p: float, rng: np.random.Generator) -> np.ndarray:
    """Set each element to 0 with probability p; scale the others so that the mean stays."""
    kept = rng.random(x.shape) >= p
    return x * kept / (1 - p)


def random_shift(images: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Each image (N, H, W) moved by -most..most pixels down and right; zeros where it has left."""
    height, width = images.shape[1:]
    padded = np.pad(images, ((0, 0), (most, most), (most, most)))
    shifted = np.empty_like(images)
    for i, (down, right) in enumerate(rng.integers(-most, most + 1, (len(images), 2))):
        row, column = most - down, most - right
        shifted[i] = padded[i, row : row + height, column : column + width]
    return shifted


class EarlyStopping:
    """Keeps the best weights, and says when `patience` epochs have brought nothing better."""

    def __init__(self, patience: int = 3) -> None:
        self.patience, self.n_worse, self.best = patience, 0, -np.inf
        self.weights: dict[str, Tensor] = {}

    def should_stop(self, val_accuracy: float, model: nn.Module) -> bool:
        """Call after every epoch."""
        if val_accuracy > self.best:
            self.best, self.n_worse = val_accuracy, 0
            self.weights = copy.deepcopy(model.state_dict())
        else:
            self.n_worse += 1
        return self.n_worse >= self.patience

    def restore(self, model: nn.Module) -> None:
        """Give the model its best weights again."""
        model.load_state_dict(self.weights)
