"""Activations: functions of single numbers, so their gradients are elementwise products."""

from __future__ import annotations

import numpy as np

from mnistlab.scratch.layer import Array, Layer


class ReLU(Layer):
    """Y = max(X, 0), dX = dY where Y > 0, else 0 (Nair and Hinton 2010)."""

    def forward(self, X: Array, training: bool = False) -> Array:
        """Y, in the shape of X."""
        # 1 where X > 0, else 0, as floats: two products with it are faster than np.maximum. (They
        # differ from the maximum only for -inf, which means that training has failed.)
        self.mask = self.room("mask", X.shape, X.dtype)
        np.greater(X, 0, out=self.mask)
        return np.multiply(X, self.mask, out=self.room("Y", X.shape, X.dtype))

    def backward(self, dY: Array) -> Array:
        """dY where X > 0, else 0."""
        return np.multiply(dY, self.mask, out=self.room("dX", dY.shape, dY.dtype))

    def pattern(self) -> Array:
        """1 where X > 0, else 0."""
        return self.mask


class LeakyReLU(Layer):
    """Y = X where X > 0, else slope X (Maas, Hannun and Ng 2013); dX = dY or slope dY."""

    def __init__(self, slope: float = 0.01) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, X: Array, training: bool = False) -> Array:
        """Y, in the shape of X."""
        self.factors = np.where(X > 0, X.dtype.type(1), X.dtype.type(self.slope))
        return X * self.factors

    def backward(self, dY: Array) -> Array:
        """dY times the slope at X."""
        return dY * self.factors

    def pattern(self) -> Array:
        """The slope at each X."""
        return self.factors


class Tanh(Layer):
    """Y = tanh X, dX = dY (1 - Y^2)."""

    def forward(self, X: Array, training: bool = False) -> Array:
        """Y, in the shape of X."""
        self.Y = np.tanh(X, out=self.room("Y", X.shape, X.dtype))
        return self.Y

    def backward(self, dY: Array) -> Array:
        """dY times the derivative, which is a function of Y."""
        return dY * (1 - self.Y**2)


class Sigmoid(Layer):
    """Y = 1 / (1 + exp(-X)), dX = dY Y (1 - Y)."""

    def forward(self, X: Array, training: bool = False) -> Array:
        """Y, in the shape of X."""
        # The same function written with tanh, because exp(-X) overflows.
        self.Y = (1 + np.tanh(X / 2)) / 2
        return self.Y

    def backward(self, dY: Array) -> Array:
        """dY times the derivative, which is a function of Y."""
        return dY * self.Y * (1 - self.Y)


ACTIVATIONS: dict[str, type[Layer]] = {
    "relu": ReLU,
    "leaky-relu": LeakyReLU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
}
