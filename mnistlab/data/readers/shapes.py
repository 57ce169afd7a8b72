"""Image sizes: what `--size` means, and the shape of flat images."""

from __future__ import annotations

import math
import operator

import numpy as np

from mnistlab.bounds import shown
from mnistlab.errors import DataError

Size = tuple[int, int]


def as_size(size: int | Size | None) -> Size | None:
    """(H, W) from a number or a pair; raises DataError unless both are positive.

    TypeError for anything else.
    """
    if size is None:
        return None
    try:
        height, width = map(operator.index, size if np.iterable(size) else (size, size))
    except (TypeError, ValueError) as error:
        wanted = "a whole number or a pair (H, W)"
        raise TypeError(f"size must be {wanted}, got {shown(size)}") from error
    if height < 1 or width < 1:
        raise DataError(f"size {height}x{width}: both sides must be positive")
    return height, width


def flat_size(n_pixels: int, size: Size | None, where: str) -> Size:
    """(H, W) of images given as `n_pixels` numbers: `size` if it fits, else square."""
    if size is not None:
        if size[0] * size[1] != n_pixels:
            raise DataError(f"{where}: {n_pixels} pixels are not {size[0]}x{size[1]}")
        return size
    side = math.isqrt(n_pixels)
    if n_pixels == 0 or side * side != n_pixels:
        raise DataError(f"{where}: {n_pixels} pixels are not a square; give --size HxW")
    return side, side
