"""Pixel scaling, (x - shift) / scale, fitted on training images for all pixels or for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.errors import RecipeError

PER_PIXEL = "min-max-per-pixel"
SCALINGS = ("standard", "min-max", "symmetric", PER_PIXEL, "none")

Shift = float | NDArray[np.float64]  # of all pixels, or of each: (H, W)


def fit_scaling(kind: str, X: NDArray[Any]) -> tuple[Shift, Shift]:
    """Shift and scale such that (X - shift) / scale is what `kind` says, X of any shape.

    "standard": mean 0 and deviation 1 over all pixels. "min-max": 0 to 1. "symmetric": -1 to 1.
    "min-max-per-pixel": each pixel 0 to 1, shift and scale having the shape of one image; a pixel
    that never changes has scale 1 (scikit-learn's MinMaxScaler). "none": raw values. A scale is
    never 0. Raises RecipeError for any other kind.
    """
    if kind not in SCALINGS:
        raise RecipeError(f"unknown scaling {kind!r}; there are: {', '.join(SCALINGS)}")
    if kind == "none":
        return 0.0, 1.0
    if kind == PER_PIXEL:
        return _ends_of_each(X)
    if kind in ("min-max", "symmetric"):
        ends = np.array([(block.min(), block.max()) for block in large.blocks(X)])
        low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
        if kind == "symmetric":
            return (low + high) / 2, (high - low) / 2 or 1.0
        return low, (high - low) or 1.0
    if X.dtype == np.uint8:
        return _moments_of_bytes(X)
    return float(X.mean(dtype=np.float64)), float(X.std(dtype=np.float64)) or 1.0


def _moments_of_bytes(X: NDArray[np.uint8]) -> tuple[float, float]:
    # From the histogram: exact, and no copy of the images in float64.
    counts, values = np.zeros(256, np.int64), np.arange(256)
    for block in large.blocks(X):
        counts += np.bincount(block.ravel(), minlength=256)
    mean = float(counts @ values) / X.size
    variance = float(counts @ (values - mean) ** 2) / X.size
    return mean, variance**0.5 or 1.0


def _ends_of_each(X: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lowest value of each pixel, and its range; 1 for a pixel that never changes."""
    low, high = np.full(X.shape[1:], np.inf), np.full(X.shape[1:], -np.inf)
    for block in large.blocks(X):
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
    scale = high - low
    # MinMaxScaler's rule of what is constant: within ten roundings of float64.
    return low, np.where(scale < 10 * np.finfo(np.float64).eps, 1.0, scale)


def unfitted_scaling(kind: str, image_shape: tuple[int, int]) -> tuple[Shift, Shift]:
    """A shift and a scale of the shapes that `fit_scaling` gives for images (N, H, W)."""
    return (np.zeros(image_shape), np.ones(image_shape)) if kind == PER_PIXEL else (0.0, 1.0)


def scaling_of_images(
    scaling: tuple[Shift, Shift],
    image_shape: tuple[int, int],
    margins: Sequence[tuple[int, int]] = ((0, 0), (0, 0)),
) -> tuple[Shift, Shift]:
    """A fitted scaling for images (H, W) that are padded with zeros.

    margins: pixels added (above, below), (left, right). Where each pixel has its own scaling, the
    added pixels are not scaled.
    """
    shift, scale = scaling
    if isinstance(shift, float) or isinstance(scale, float):
        return scaling
    shift, scale = shift.reshape(image_shape), scale.reshape(image_shape)
    return np.pad(shift, margins), np.pad(scale, margins, constant_values=1.0)
