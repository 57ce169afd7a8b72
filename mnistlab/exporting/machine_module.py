"""A support vector machine as a torch module, for export."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnistlab.classifiers import SVMClassifier
from mnistlab.classifiers.support_vectors import SupportVectors
from mnistlab.models.hog import HistogramsOfGradients


class CalibratedMachine(nn.Module):
    """A calibrated support vector machine: scaled pixels to the logarithm of its probabilities.

    features: a module from scaled images (N, 1, H, W) to what the machine compares (N, D).
    """

    shift: Tensor
    inverse: Tensor
    vectors: Tensor
    half_squares: Tensor
    coefficients: Tensor
    intercepts: Tensor
    sigmoids: Tensor
    of_pairs: Tensor

    def __init__(self, classifier: SVMClassifier) -> None:
        super().__init__()
        machine: SupportVectors = classifier.machine_
        shift, scale = classifier.scaling_
        self.two_classes = len(machine.n_support) == 2
        self.gamma = machine.gamma
        self.features = HistogramsOfGradients() if classifier.features == "hog" else nn.Flatten()
        arrays = {
            "shift": np.asarray(shift, np.float32),
            "inverse": np.asarray(1 / np.asarray(scale), np.float32),
            # 64 bits: the sign of a pair, a vote, must not hang on rounding.
            "vectors": machine.vectors.T.astype(np.float64),  # (D, S)
            "half_squares": (machine.vectors.astype(np.float64) ** 2).sum(1) / 2,
            "coefficients": machine.pair_coefficients.astype(np.float64),
            "intercepts": machine.intercepts.astype(np.float64),
            "sigmoids": classifier.sigmoids_.astype(np.float64),
            "of_pairs": _sides(machine),
        }
        for name, array in arrays.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)))

    def forward(self, X: Tensor) -> Tensor:
        """Images (N, 1, H, W) to log probabilities (N, K)."""
        scaled = (X.flatten(1) - self.shift.flatten()) * self.inverse.flatten()
        rows = self.features(scaled.reshape(X.shape)).double()
        halves = self.half_squares + (rows * rows).sum(1, keepdim=True) / 2
        exponents = ((rows @ self.vectors - halves) * (2 * self.gamma)).clamp_max(0)
        pairs = exponents.exp() @ self.coefficients + self.intercepts
        if self.two_classes:
            a, b = self.sigmoids[0]
            p = torch.sigmoid(-(pairs * a + b))  # of the second class
            p = torch.cat([1 - p, p], 1)
        else:
            # Votes of all pairs, parted where equal by the pairs' values (scikit-learn's rule).
            votes = torch.where(pairs > 0, 1.0, -1.0).double() @ self.of_pairs / 2
            sums = pairs @ self.of_pairs
            decision = votes + (self.of_pairs.shape[1] - 1) / 2 + sums / (3 * (sums.abs() + 1))
            p = torch.sigmoid(-(decision * self.sigmoids[:, 0] + self.sigmoids[:, 1]))
            p = p / p.sum(1, keepdim=True)
        return p.clamp_min(torch.finfo(torch.float32).tiny).log().float()


def _sides(machine: SupportVectors) -> NDArray[np.float64]:
    """(pairs, K): 1 for the first class of a pair, -1 for the second, 0 for the others."""
    sides = np.zeros((len(machine.pairs), len(machine.n_support)))
    for row, (first, second) in enumerate(machine.pairs):
        sides[row, first], sides[row, second] = 1.0, -1.0
    return sides
