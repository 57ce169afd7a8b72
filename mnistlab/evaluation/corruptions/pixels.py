"""Used by several corruptions: rounding to bytes, pixel coordinates, and the shorter side."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values of any shape, rounded to the nearest byte; what is below 0 or above 255 is cut off."""
    return np.asarray(np.rint(np.clip(values, 0, 255)), dtype=np.uint8)


def shorter_side(images: NDArray[Any]) -> int:
    """Pixels of the shorter side of images (N, H, W)."""
    return int(min(images.shape[1:]))


def places(images: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Row (H, 1) and column (1, W) of each pixel of images (N, H, W), counted from the middle."""
    height, width = images.shape[1:]
    rows = np.arange(height, dtype=np.float32) - (height - 1) / 2
    columns = np.arange(width, dtype=np.float32) - (width - 1) / 2
    return rows[:, None], columns[None, :]
