"""Histograms of oriented gradients, on which a support vector machine sees more than on pixels.

Dalal and Triggs 2005, without their blocks: an image is divided into cells of 4 x 4 pixels, and a
cell's histogram says how strongly its grey levels rise in each of twelve directions. A gradient
counts for the two directions nearest to it, and strengths are given by their square roots, so that
a few strong edges do not outweigh the others. models/hog.py has the same in torch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

CELL = 4  # pixels
N_DIRECTIONS = 12
APART = 2 * math.pi / N_DIRECTIONS  # between two directions
# Added under roots, which have no slope at zero: less than the difference of two grey levels.
LEAST_SQUARE = 1e-8
LEAST_STRENGTH = 1e-4
BLOCK_PIXELS = 1 << 20  # of images at a time: each makes twelve numbers


def n_features(image_shape: tuple[int, int]) -> int:
    """How many numbers there are of an image; cells at the lower and right edge may stand out."""
    height, width = image_shape
    return N_DIRECTIONS * -(-height // CELL) * -(-width // CELL)


def directions() -> NDArray[np.float64]:
    """Cosine and sine of the directions, (12, 2): along a row, and down a column."""
    angles = APART * np.arange(N_DIRECTIONS)
    return np.stack([np.cos(angles), np.sin(angles)], 1)


def hog(images: NDArray[Any]) -> NDArray[Any]:
    """Rows (N, D) of images (N, H, W), float32 or float64 as they are; D: see n_features.

    Pixels should be scaled to about one. Beyond the image they count as 0, as for a convolution:
    what touches its border has an edge there.
    """
    rows = np.empty((len(images), n_features(images.shape[1:])), images.dtype)
    block = max(BLOCK_PIXELS // math.prod(images.shape[1:]), 1)
    for start in range(0, len(images), block):
        rows[start : start + block] = _histograms(images[start : start + block])
    return rows


def _histograms(images: NDArray[Any]) -> NDArray[Any]:
    n, height, width = images.shape
    below, right = -height % CELL, -width % CELL
    padded = np.pad(images, ((0, 0), (1, 1 + below), (1, 1 + right)))
    along = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    # What a gradient is worth in a direction next to its own. Less than that counts as nothing.
    lost = np.sqrt(along**2 + down**2 + LEAST_SQUARE) * math.cos(APART)
    rows, columns = (height + below) // CELL, (width + right) // CELL
    strengths = np.empty((n, N_DIRECTIONS, rows, columns), images.dtype)
    for number, (cosine, sine) in enumerate(directions().tolist()):
        votes = np.maximum(along * cosine + down * sine - lost, 0)
        cells = votes.reshape(n, rows, CELL, columns, CELL)
        cells.mean((2, 4), out=strengths[:, number])
    strengths /= 1 - math.cos(APART)
    return np.asarray(np.sqrt(strengths + LEAST_STRENGTH).reshape(n, -1))
