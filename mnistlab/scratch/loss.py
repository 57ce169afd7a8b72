"""Softmax and cross-entropy as one operation, because its gradient is simpler than theirs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mnistlab.scratch.layer import Array


def softmax(logits: Array) -> Array:
    """Probabilities (N, K), each row exp(z) / sum of exp(z).

    The maximum of the row is subtracted first: the result is the same, and exp cannot overflow.
    """
    P = np.exp(logits - logits.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    return P


class SoftmaxCrossEntropy:
    """L = - mean over n of sum over k of T[n, k] log P[n, k], P = softmax(logits), in nats.

    T is one-hot with the 1 in column y[n]; with label smoothing s it is (1 - s) times that, plus
    s / K everywhere (Szegedy et al. 2016, section 7). dlogits = (P - T) / N (Bridle 1990).
    log P is computed as z - max z - log(sum of exp(z - max z)), which is finite for every finite
    logit, so write-up A's 1e-8 inside the logarithm is not needed; the gradient is the same. With
    weights w, image n counts w[n] times in the mean over n.
    """

    def __init__(self, smoothing: float = 0.0) -> None:
        self.smoothing = smoothing

    def forward(self, logits: Array, y: NDArray[np.int64], weights: Array | None = None) -> float:
        """Mean loss of logits (N, K) against labels (N,), each times its weight (N,)."""
        self.columns, self.y, self.weights = np.arange(len(y)), y, weights
        # (K, N), since NumPy is faster on few long rows than on many short ones.
        shifted = logits.T.copy()
        shifted -= shifted.max(axis=0)
        of_target = shifted[y, self.columns]
        if self.smoothing:
            of_target = (1 - self.smoothing) * of_target + self.smoothing * shifted.mean(axis=0)
        self.P = np.exp(shifted, out=shifted)
        sums = self.P.sum(axis=0)
        self.P /= sums
        losses = np.log(sums) - of_target
        if weights is not None:
            losses *= weights
        return float(losses.sum()) / len(y)

    def backward(self) -> Array:
        """dlogits (N, K)."""
        n_classes, n = self.P.shape
        dlogits = np.multiply(self.P.T, 1 / n, order="C")
        if self.smoothing:
            dlogits -= self.smoothing / (n * n_classes)
        dlogits[self.columns, self.y] -= (1 - self.smoothing) / n
        if self.weights is not None:
            dlogits *= self.weights[:, None]
        return dlogits
