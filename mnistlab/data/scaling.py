"""Pixel scaling: one shift and one scale for all pixels, fitted on training images alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.errors import RecipeError

SCALINGS = ("standard", "min-max", "symmetric", "none")


def fit_scaling(kind: str, X: NDArray[Any]) -> tuple[float, float]:
    """Shift and scale such that (X - shift) / scale is what `kind` says, X of any shape.

    "standard": mean 0 and deviation 1 over all pixels. "min-max": 0 to 1. "symmetric": -1 to 1.
    "none": raw values. A scale is never 0. Raises RecipeError for any other kind.
    """
    if kind not in SCALINGS:
        raise RecipeError(f"unknown scaling {kind!r}; there are: {', '.join(SCALINGS)}")
    if kind == "none":
        return 0.0, 1.0
    if kind in ("min-max", "symmetric"):
        with large.giving_back(X):
            low, high = float(X.min()), float(X.max())
        if kind == "symmetric":
            return (low + high) / 2, (high - low) / 2 or 1.0
        return low, (high - low) or 1.0
    if X.dtype == np.uint8:
        return _moments_of_bytes(X)
    return float(X.mean(dtype=np.float64)), float(X.std(dtype=np.float64)) or 1.0


def _moments_of_bytes(X: NDArray[np.uint8]) -> tuple[float, float]:
    # From the histogram: exact, and no copy of the images in float64.
    counts, values = np.zeros(256, np.int64), np.arange(256)
    with large.giving_back(X):
        for block in large.blocks(X):
            counts += np.bincount(block.ravel(), minlength=256)
    mean = float(counts @ values) / X.size
    variance = float(counts @ (values - mean) ** 2) / X.size
    return mean, variance**0.5 or 1.0
