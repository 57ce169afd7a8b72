"""Solution of chapter 7: one convolution, by hand."""

from __future__ import annotations

import numpy as np


def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The sums of products of the kernel with every part of the image that it fits into."""
    height = image.shape[0] - kernel.shape[0] + 1
    width = image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            patch = image[row : row + kernel.shape[0], column : column + kernel.shape[1]]
            result[row, column] = (patch * kernel).sum()
    return result
