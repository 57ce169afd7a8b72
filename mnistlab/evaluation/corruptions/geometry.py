"""Images moved as a whole: by how much the severity says, which way each image draws.

Pixels are read between pixels, linearly; what comes in from outside is background, 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mnistlab.evaluation.corruptions.pixels import places, shorter_side, to_bytes

Numbers = NDArray[np.float32]


def shear(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """Slanted to the left or right by 0.2 to 1 pixels for each pixel of height."""
    slant = (0.2, 0.4, 0.6, 0.8, 1.0)[severity - 1] * _either_way(len(images), random)
    rows, columns = places(images)
    return to_bytes(read_at(images, rows, columns + slant * rows))


def scale(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """Shrunk about the middle, to 0.85 down to 0.4 of the size. Draws nothing."""
    factor = (0.85, 0.72, 0.6, 0.5, 0.4)[severity - 1]
    rows, columns = places(images)
    return to_bytes(read_at(images, rows / factor, columns / factor))


def rotation(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """Turned by 12 to 60 degrees about the middle, one way or the other."""
    degrees = (12, 24, 36, 48, 60)[severity - 1]
    angle = np.float32(np.radians(degrees)) * _either_way(len(images), random)
    rows, columns = places(images)
    sine, cosine = np.sin(angle), np.cos(angle)
    return to_bytes(read_at(images, cosine * rows - sine * columns, sine * rows + cosine * columns))


def translation(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """Moved in any direction by 0.07 to 0.215 of the shorter side, in whole pixels, never none."""
    fraction = (0.07, 0.11, 0.145, 0.18, 0.215)[severity - 1]
    length = max(1.0, fraction * shorter_side(images))
    angle = random.uniform(0, 2 * np.pi, (len(images), 1, 1))
    rows, columns = places(images)
    down, right = np.rint(length * np.sin(angle)), np.rint(length * np.cos(angle))
    return to_bytes(
        read_at(images, rows + down.astype(np.float32), columns + right.astype(np.float32))
    )


def read_at(images: NDArray[Any], rows: Numbers, columns: Numbers) -> Numbers:
    """Images (N, H, W) read at places counted from the middle, in pixels, linearly in between.

    rows and columns are such that together they have the shape (N, H, W), or (H, W) where all
    images are read at the same places. Outside the images all is 0.
    """
    n, height, width = images.shape
    padded = np.pad(images.astype(np.float32), ((0, 0), (1, 2), (1, 2)))
    down = np.clip(rows + (height + 1) / 2, 0, height + 1).astype(np.float32)
    right = np.clip(columns + (width + 1) / 2, 0, width + 1).astype(np.float32)
    top, left = down.astype(np.intp), right.astype(np.intp)
    start = np.arange(n).reshape(-1, 1, 1) * (height + 3)
    place = (start + top) * (width + 3) + left  # (N, H, W), into the padded pixels in a row
    down -= top
    right -= left
    pixels, below = padded.ravel(), padded.ravel()[width + 3 :]
    upper = _between(pixels.take(place), pixels[1:].take(place), right)
    lower = _between(below.take(place), below[1:].take(place), right)
    return _between(upper, lower, down)


def _between(first: Numbers, second: Numbers, fraction: Numbers) -> Numbers:
    return first + fraction * (second - first)


def _either_way(n: int, random: Generator) -> Numbers:
    """float32 (n, 1, 1), each -1 or 1."""
    return np.where(random.random((n, 1, 1)) < 0.5, np.float32(-1), np.float32(1))
