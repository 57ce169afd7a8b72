"""Grey levels of many images, exactly and block by block: histograms, moments, black pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import DataError

BLACK = 10  # the highest grey level that counts as black (write-up C)
IMAGES_AT_ONCE = 4096

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
Counts = NDArray[np.int64]


class PixelStatistics(NamedTuple):
    """Statistics of n_pixels in grey levels; black: the fraction of pixels at or below BLACK.

    other_mean: the mean of the pixels above BLACK, NaN where there are none.
    """

    n_pixels: int
    lowest: int
    median: int
    highest: int
    mean: float
    deviation: float
    black: float
    other_mean: float


def levels_by_class(images: Images, labels: Labels, n_classes: int) -> Counts:
    """How many pixels of each class have each grey level, int64 (K, 256)."""
    levels = np.zeros((n_classes, 256), dtype=np.int64)
    for label, block in _blocks_of_classes(labels, n_classes):
        levels[label] += np.bincount(images[block].ravel(), minlength=256)
    return levels


def moments_by_class(
    images: Images, labels: Labels, n_classes: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and deviation of each class's images, float32 (K, H, W); NaN of a class without any."""
    sums = np.zeros((2, n_classes, *images.shape[1:]), dtype=np.int64)
    for label, block in _blocks_of_classes(labels, n_classes):
        pixels = images[block].astype(np.int32)
        sums[0, label] += pixels.sum(axis=0)
        sums[1, label] += np.square(pixels).sum(axis=0)
    counts = np.bincount(labels, minlength=n_classes)[:, None, None]
    with np.errstate(invalid="ignore"):
        mean, squares = sums / counts
        deviation = np.sqrt(np.maximum(squares - mean**2, 0))
    return mean.astype(np.float32), deviation.astype(np.float32)


def statistics_of(levels: Counts) -> PixelStatistics:
    """Of int64 (256,), how many pixels have each grey level; DataError where there are none."""
    n_pixels, values = int(levels.sum()), np.arange(256)
    if not n_pixels:
        raise DataError("no pixels to describe")
    present = np.flatnonzero(levels)
    mean = float(levels @ values) / n_pixels
    black = int(levels[: BLACK + 1].sum())
    above = float(levels[BLACK + 1 :] @ values[BLACK + 1 :])
    return PixelStatistics(
        n_pixels,
        lowest=int(present[0]),
        median=int(np.searchsorted(np.cumsum(levels), n_pixels / 2)),
        highest=int(present[-1]),
        mean=mean,
        deviation=float(np.sqrt(levels @ (values - mean) ** 2 / n_pixels)),
        black=black / n_pixels,
        other_mean=above / (n_pixels - black) if n_pixels > black else float("nan"),
    )


def _blocks_of_classes(labels: Labels, n_classes: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
    for label in range(n_classes):
        places = np.flatnonzero(labels == label)
        for start in range(0, len(places), IMAGES_AT_ONCE):
            yield label, places[start : start + IMAGES_AT_ONCE]
