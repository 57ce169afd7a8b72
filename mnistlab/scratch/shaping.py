"""Layers that only scale or rearrange numbers."""

from __future__ import annotations

import numpy as np

from mnistlab.scratch.layer import Array, Layer


class Scaling(Layer):
    """Y = (X - shift) / scale, from raw pixels of any dtype to the floats of the network.

    shift, scale: one number, or an array (H, W) with a number per pixel; training changes neither.
    """

    fixed = ("shift", "scale")

    def __init__(self, shift: float | Array = 0.0, scale: float | Array = 1.0) -> None:
        super().__init__()
        self.shift: Array = np.atleast_1d(shift)
        self.scale: Array = np.atleast_1d(scale)

    def forward(self, X: Array, training: bool = False) -> Array:
        """The same shape as X, in the dtype of the network."""
        Y = self.room("Y", X.shape, self.scale.dtype)
        np.copyto(Y, X, casting="unsafe")  # converting and multiplying at once is slower
        Y *= 1 / self.scale
        if self.shift.any():
            Y -= self.shift / self.scale
        return Y

    def backward(self, dY: Array) -> Array:
        """dX = dY / scale."""
        return dY / self.scale


class Reshape(Layer):
    """The numbers of each example in another shape."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, X: Array, training: bool = False) -> Array:
        """(N, ...) to (N, *shape)."""
        self.shape_before = X.shape
        return X.reshape(len(X), *self.shape)

    def backward(self, dY: Array) -> Array:
        """Back to the shape of X."""
        return dY.reshape(self.shape_before)


class Flatten(Reshape):
    """(N, ...) to (N, D)."""

    def __init__(self) -> None:
        super().__init__(-1)
