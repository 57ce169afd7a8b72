"""The fully connected layer."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mnistlab.scratch.initialisation import Initialisation, he
from mnistlab.scratch.layer import Array, Layer


class Linear(Layer):
    """Y = X W + b with X (N, n_in), W (n_in, n_out), b (n_out,) zero at first.

    Backward (Rumelhart, Hinton and Williams 1986): dW = X^T dY, db = 1^T dY (the sum over the
    examples), dX = dY W^T.
    """

    trained = ("W", "b")
    dW: Array
    db: Array

    def __init__(
        self, n_in: int, n_out: int, random: Generator, initialise: Initialisation = he
    ) -> None:
        super().__init__()
        self.W: Array = initialise(n_in, n_out, random)
        self.b: Array = np.zeros(n_out)

    def forward(self, X: Array, training: bool = False) -> Array:
        """(N, n_in) to (N, n_out)."""
        self.X = X
        Y = np.matmul(X, self.W, out=self.room("Y", (len(X), len(self.b)), X.dtype))
        Y += self.b
        return Y

    def backward_parameters(self, dY: Array) -> None:
        """dW and db."""
        np.matmul(self.X.T, dY, out=self.dW)
        np.matmul(np.ones(len(dY), dY.dtype), dY, out=self.db)

    def backward(self, dY: Array) -> Array:
        """dX; computes dW and db as well."""
        self.backward_parameters(dY)
        return np.matmul(dY, self.W.T, out=self.room("dX", self.X.shape, dY.dtype))
