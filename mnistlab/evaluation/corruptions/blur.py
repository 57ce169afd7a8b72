"""Images whose neighbouring pixels have been mixed: through glass, and by motion."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mnistlab.evaluation.corruptions.geometry import read_at
from mnistlab.evaluation.corruptions.pixels import places, shorter_side, to_bytes

N_DIRECTIONS = 16  # of a movement, over half a turn: images that share one are blurred together


def glass_blur(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """Through frosted glass: each pixel is read up to 0.03 to 0.11 of the shorter side away.

    Along rows and columns alike, each pixel by a draw of its own; then smoothed by a Gaussian
    of 0.02 of the side. The published one swaps pixels one after the other, which leaves every
    value in the image; here all are read at once, and some are read twice.
    """
    from scipy.ndimage import gaussian_filter

    side = shorter_side(images)
    reach = (0.03, 0.045, 0.065, 0.085, 0.11)[severity - 1] * side
    draw = (2 * random.random((len(images), 2, *images.shape[1:]), dtype=np.float32) - 1) * reach
    rows, columns = places(images)
    # Read from within the image: glass brings in no background.
    read = read_at(
        images,
        np.clip(rows + draw[:, 0], rows[0], rows[-1]),
        np.clip(columns + draw[:, 1], columns[0, 0], columns[0, -1]),
    )
    return to_bytes(gaussian_filter(read, (0, 0.02 * side, 0.02 * side), mode="nearest"))


def motion_blur(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """The mean along a line of 0.1 to 0.42 of the shorter side, in a direction of each image."""
    from scipy.ndimage import correlate

    length = (0.1, 0.18, 0.26, 0.34, 0.42)[severity - 1] * shorter_side(images)
    directions = random.integers(N_DIRECTIONS, size=len(images))
    blurred = np.empty(images.shape, dtype=np.uint8)
    for direction in np.unique(directions):
        kernel = _line_kernel(length, np.pi * direction / N_DIRECTIONS)
        chosen = directions == direction
        moved = correlate(images[chosen].astype(np.float32), kernel[None], mode="nearest")
        blurred[chosen] = to_bytes(moved)
    return blurred


def _line_kernel(length: float, angle: float) -> NDArray[np.float64]:
    """Weights (K, K), of sum 1, of a line through the middle; K is odd and holds the line."""
    reach = int(np.ceil(length / 2))
    along = np.linspace(-length / 2, length / 2, 16 * reach + 1)[:, None, None]
    places = np.arange(-reach, reach + 1)
    rows = np.maximum(0, 1 - np.abs(along * np.sin(angle) - places[:, None]))
    columns = np.maximum(0, 1 - np.abs(along * np.cos(angle) - places[None, :]))
    return np.asarray((rows * columns).mean(axis=0))  # each point shared by the four pixels around
