"""Dropout and batch normalisation: layers that work differently in training and afterwards."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mnistlab.scratch.layer import Array, Layer


class Dropout(Layer):
    """Y = M X / (1 - p) in training, where M is 0 with probability p, else 1; Y = X afterwards.

    Dividing by 1 - p keeps the mean, so that nothing must be rescaled after training (Srivastava et
    al. 2014, section 10). Backward: dX = M dY / (1 - p).
    """

    def __init__(self, p: float, random: Generator) -> None:
        super().__init__()
        self.p, self.random = p, random

    def forward(self, X: Array, training: bool = False) -> Array:
        """Y, in the shape of X; every training pass draws a new mask."""
        if not training:
            return X
        kept = self.random.random(X.shape, np.float32) >= self.p
        self.mask = np.multiply(kept, 1 / (1 - self.p), dtype=X.dtype)
        return X * self.mask

    def backward(self, dY: Array) -> Array:
        """dY times the mask of the last training pass."""
        return dY * self.mask


class BatchNorm(Layer):
    """Y = gamma Z + beta with Z = (X - mean) / sqrt(variance + epsilon), by channel.

    In training, mean and variance are those of the batch, over all axes but the last; afterwards,
    running means of these (Ioffe and Szegedy 2015, algorithms 1 and 2). Backward:
    dX = gamma / sqrt(variance + epsilon) (dY - mean(dY) - Z mean(dY Z)).
    """

    trained = ("gamma", "beta")
    fixed = ("running_mean", "running_variance")
    dgamma: Array
    dbeta: Array

    def __init__(self, n_channels: int, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.gamma: Array = np.ones(n_channels)
        self.beta: Array = np.zeros(n_channels)
        self.running_mean: Array = np.zeros(n_channels)
        self.running_variance: Array = np.ones(n_channels)

    def forward(self, X: Array, training: bool = False) -> Array:
        """Y (N, ..., C), in the shape of X."""
        rows = X.reshape(-1, X.shape[-1])  # (N * ..., C)
        if training:
            mean, variance = rows.mean(0), rows.var(0)
            n = max(len(rows), 2)  # n / (n - 1) would divide by zero for a batch of one
            self._follow(mean, variance * (n / (n - 1)))
        else:
            mean, variance = self.running_mean, self.running_variance
        self.inverse_deviation = 1 / np.sqrt(variance + self.epsilon)
        self.Z = (X - mean) * self.inverse_deviation
        return self.gamma * self.Z + self.beta

    def backward_parameters(self, dY: Array) -> None:
        """dgamma and dbeta."""
        axes = tuple(range(dY.ndim - 1))
        np.sum(dY * self.Z, axis=axes, out=self.dgamma)
        np.sum(dY, axis=axes, out=self.dbeta)

    def backward(self, dY: Array) -> Array:
        """dX; computes dgamma and dbeta as well."""
        self.backward_parameters(dY)
        n = dY.size // dY.shape[-1]
        centred = dY - self.dbeta / n - self.Z * (self.dgamma / n)
        return centred * (self.gamma * self.inverse_deviation)

    def _follow(self, mean: Array, variance: Array) -> None:
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_variance += self.momentum * (variance - self.running_variance)
