"""Edges in place of the image, by the detector of Canny (1986), for a whole stack at once."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mnistlab.evaluation.corruptions.pixels import to_bytes

SIGMA = 1.0  # pixels, of the Gaussian before the gradients
WEAK, STRONG = 0.1, 0.2  # gradients; a step from black to white that is not smoothed has 1
DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1))  # rows down and columns right, by eighths of a turn


def canny_edges(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """A fifth to all of each pixel is replaced by its edge, white or black. Draws nothing."""
    fraction = severity / 5
    return to_bytes((1 - fraction) * images + fraction * 255 * canny(images))


def canny(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """bool (N, H, W): which pixels of images (N, H, W) are on an edge of theirs (Canny 1986).

    Gaussian, Sobel's gradients, ridges of their magnitude one pixel wide, and hysteresis: a
    weak edge stays where it touches, by a corner at least and through others, a strong one.
    """
    magnitude, ridge = _ridges(images)
    return _connected(ridge & (magnitude >= WEAK), ridge & (magnitude >= STRONG))


def _ridges(images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Magnitude of the gradient, and where it is largest along the gradient's direction."""
    from scipy.ndimage import correlate1d, gaussian_filter

    smooth = gaussian_filter(images.astype(np.float32) / 255, (0, SIGMA, SIGMA), mode="nearest")
    slope, across = [-1, 0, 1], [0.25, 0.5, 0.25]
    down, right = (
        correlate1d(
            correlate1d(smooth, slope, axis, mode="nearest"), across, 3 - axis, mode="nearest"
        )
        for axis in (1, 2)
    )
    magnitude = np.sqrt(down * down + right * right)
    eighth = np.rint(np.arctan2(down, right) * (4 / np.pi)).astype(np.int8) % 4
    height, width = images.shape[1:]
    padded = np.pad(magnitude, ((0, 0), (1, 1), (1, 1)))
    ridge = np.zeros(images.shape, dtype=np.bool_)
    for direction, (y, x) in enumerate(DIRECTIONS):
        ahead = padded[:, 1 + y : 1 + y + height, 1 + x : 1 + x + width]
        behind = padded[:, 1 - y : 1 - y + height, 1 - x : 1 - x + width]
        # Of two equal neighbours one is the ridge.
        ridge |= (eighth == direction) & (magnitude > behind) & (magnitude >= ahead)
    return magnitude, ridge


def _connected(weak: NDArray[np.bool_], strong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those connected parts of weak (N, H, W), each within its image, that hold a strong pixel."""
    from scipy.ndimage import label

    within_an_image = np.zeros((3, 3, 3), dtype=np.bool_)
    within_an_image[1] = True
    labels, n_parts = label(weak, within_an_image)
    kept = np.zeros(n_parts + 1, dtype=np.bool_)
    kept[labels[strong]] = True
    return np.asarray(kept[labels])
