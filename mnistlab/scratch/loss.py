"""Softmax and cross-entropy as one operation, whose gradient is simpler than either's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mnistlab.scratch.layer import Array


def softmax(logits: Array) -> Array:
    """Probabilities (N, K), each row exp(z) / sum of exp(z).

    The row's largest number is subtracted first: the result is the same, and nothing overflows.
    """
    P = np.exp(logits - logits.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    return P


class SoftmaxCrossEntropy:
    """L = - mean of log P[n, y_n] with P = softmax(logits), in nats; dlogits = (P - Y) / N.

    Y is one-hot, and y holds its column numbers (Bridle 1990). The logarithm is taken
    as z_y - max z - log(sum of exp(z - max z)), which is finite for every finite logit, so
    the 1e-8 that write-up A adds inside it is not needed; the gradient is the same.
    """

    def forward(self, logits: Array, y: NDArray[np.int64]) -> float:
        """Mean loss of logits (N, K) against labels (N,)."""
        self.columns, self.y = np.arange(len(y)), y
        shifted = logits.T.copy()  # (K, N): NumPy is quicker down long rows than along short ones
        shifted -= shifted.max(axis=0)
        of_label = shifted[y, self.columns]
        self.P = np.exp(shifted, out=shifted)
        sums = self.P.sum(axis=0)
        self.P /= sums
        return float((np.log(sums) - of_label).sum()) / len(y)

    def backward(self) -> Array:
        """dlogits (N, K)."""
        dlogits = np.multiply(self.P.T, 1 / len(self.y), order="C")
        dlogits[self.columns, self.y] -= 1 / len(self.y)
        return dlogits
