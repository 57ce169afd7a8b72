"""Convolution as one matrix product, and max-pooling.

Images are (N, H, W, C). With the channels last, a patch consists of whole rows of channels, and the
product is the image of the next layer without a transposition.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from mnistlab.scratch.initialisation import Initialisation, he
from mnistlab.scratch.layer import Array, Layer


class Conv2d(Layer):
    """Y[n, i, j] = sum over the patch of X around (n, i, j) times W, plus b; stride 1.

    W (k * k * n_in, n_out) holds the kernel in the order row, column, channel. Each patch becomes a
    row of a matrix (im2col; Chellapilla, Puri and Simard 2006), so that forward and backward are
    those of a linear layer; backward adds the gradients of the patches up to dX.
    """

    trained = ("W", "b")
    dW: Array
    db: Array

    def __init__(
        self,
        n_in: int,
        n_out: int,
        random: Generator,
        kernel_size: int = 3,
        padding: int = 1,
        initialise: Initialisation = he,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.W: Array = initialise(kernel_size**2 * n_in, n_out, random)
        self.b: Array = np.zeros(n_out)

    def forward(self, X: Array, training: bool = False) -> Array:
        """(N, H, W, n_in) to (N, H', W', n_out), H' = H + 2 padding - kernel_size + 1."""
        self.patches = self._patches(X)
        shape = (*self.patches.shape[:3], len(self.b))
        Y = np.matmul(
            self.patches.reshape(-1, len(self.W)),  # (N * H' * W', k * k * n_in)
            self.W,
            out=self.room("Y", shape, X.dtype).reshape(-1, len(self.b)),
        )
        Y += self.b
        return Y.reshape(shape)

    def backward_parameters(self, dY: Array) -> None:
        """dW and db."""
        rows = dY.reshape(-1, len(self.b))  # (N * H' * W', n_out)
        np.matmul(self.patches.reshape(-1, len(self.W)).T, rows, out=self.dW)
        np.sum(rows, axis=0, out=self.db)

    def backward(self, dY: Array) -> Array:
        """dX; computes dW and db as well."""
        self.backward_parameters(dY)
        dpatches = self.room("dpatches", self.patches.shape, dY.dtype)
        np.matmul(dY.reshape(-1, len(self.b)), self.W.T, out=dpatches.reshape(-1, len(self.W)))
        dpadded = self.room("dpadded", self.padded_shape, dY.dtype)
        dpadded[:] = 0
        for patch, window in self._windows(dpatches, dpadded):
            window += patch
        return self._inside(dpadded)

    def _patches(self, X: Array) -> Array:
        """(N, H', W', k, k, n_in): what each output pixel sees."""
        n, height, width, channels = X.shape
        k, padding = self.kernel_size, self.padding
        self.padded_shape = (n, height + 2 * padding, width + 2 * padding, channels)
        padded = self.room("padded", self.padded_shape, X.dtype)
        padded[:] = 0
        self._inside(padded)[:] = X
        shape = (n, padded.shape[1] - k + 1, padded.shape[2] - k + 1, k, k, channels)
        patches = self.room("patches", shape, X.dtype)
        for patch, window in self._windows(patches, padded):
            patch[:] = window
        return patches

    def _windows(self, patches: Array, padded: Array) -> Iterator[tuple[Array, Array]]:
        """For each kernel position, its pixel in all patches, and where these are in the image."""
        height, width = patches.shape[1:3]
        for i, j in np.ndindex(self.kernel_size, self.kernel_size):
            yield patches[:, :, :, i, j], padded[:, i : i + height, j : j + width]

    def _inside(self, padded: Array) -> Array:
        p = self.padding
        return padded[:, p : padded.shape[1] - p, p : padded.shape[2] - p]


class MaxPool2d(Layer):
    """Y = the maximum of each size x size block; rows and columns beyond full blocks are dropped.

    Backward: dY goes to the pixel that was the maximum; to the first of several equal ones.
    """

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = size

    def forward(self, X: Array, training: bool = False) -> Array:
        """(N, H, W, C) to (N, H // size, W // size, C)."""
        self.X = X
        places = self._places(X)
        Y = self.room("Y", places[0].shape, X.dtype)
        Y[:] = places[0]
        for place in places[1:]:
            np.maximum(Y, place, out=Y)
        self.Y = Y
        return Y

    def backward(self, dY: Array) -> Array:
        """dY at the pixels that were the maximum, 0 elsewhere."""
        dX = self.room("dX", self.X.shape, dY.dtype)
        dX[:] = 0
        open_blocks = np.ones(dY.shape, dtype=bool)  # no maximum found yet
        for place, dplace in zip(self._places(self.X), self._places(dX), strict=True):
            won = (place == self.Y) & open_blocks
            np.multiply(dY, won, out=dplace)
            open_blocks &= ~won
        return dX

    def pattern(self) -> Array:
        """Which pixels are the maximum of their block, (size * size, N, H', W', C) bool."""
        return np.stack([place == self.Y for place in self._places(self.X)])

    def _places(self, X: Array) -> list[Array]:
        """For each position in a block, that pixel of every block: views (N, H', W', C)."""
        size = self.size
        height, width = X.shape[1] // size * size, X.shape[2] // size * size
        return [X[:, i:height:size, j:width:size] for i, j in np.ndindex(size, size)]
