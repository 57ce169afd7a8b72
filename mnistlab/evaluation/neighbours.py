"""How far an image lies from the images a classifier was trained on: distance to the nearest ones.

After Sun et al. 2022, "Out-of-Distribution Detection with Deep Nearest Neighbors": features of
length 1, compared with those of some training images. Nothing here knows a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Chosen on validation images among 1, 3, 5, 10, 20, 50 neighbours and 250 to 4,000 images. 3 are a
# compromise: 1 or 5 are better for some networks, 10 never; a file grows with the images.
N_NEAREST = 3
N_REFERENCE = 1000  # training images to compare with
FALSE_ALARMS = 0.01  # at most this fraction of validation images is above the threshold
ROWS_AT_ONCE = 512

Features = NDArray[np.float32]


class Reference(NamedTuple):
    """Training images to compare others with.

    features: float32 (M, D), each row of length 1, or of zeros. places: int64 (M,), which images
    of the data set they are, from 0. threshold: the distance above which an image is unlike them.
    """

    features: Features
    places: NDArray[np.int64]
    threshold: float


def of_length_one(rows: NDArray[np.floating]) -> Features:
    """Rows (N, D) divided by their lengths; rows of zeros stay as they are."""
    rows = np.asarray(rows, np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Features = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return scaled


def distances(features: Features, reference: Reference) -> NDArray[np.float32]:
    """The mean Euclidean distance (N,) of features (N, D), of length 1, to the N_NEAREST nearest.

    From 0, the same, to 2, the opposite; where no feature is negative, to the square root of 2.
    """
    apart = [of_block for _, of_block in _nearest(features, reference, N_NEAREST)]
    means = [of_block.mean(axis=1) for of_block in apart]
    return np.concatenate(means) if means else np.zeros(0, np.float32)


def nearest(features: Features, reference: Reference, n: int) -> NDArray[np.int64]:
    """The rows of the reference that are nearest to features (N, D): (N, n), nearest first.

    Fewer than n columns where the reference has fewer rows.
    """
    rows = [of_block for of_block, _ in _nearest(features, reference, n)]
    n = min(n, len(reference.features))
    return np.concatenate(rows) if rows else np.zeros((0, n), np.int64)


def threshold_of(found: NDArray[np.floating]) -> float:
    """The smallest of these distances (N,) that at most FALSE_ALARMS of them lie above."""
    return float(np.quantile(found, 1 - FALSE_ALARMS, method="higher"))


def _nearest(
    features: Features, reference: Reference, n: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Rows of the reference and their distances, (B, n) each, for each block of features."""
    known = reference.features
    n = min(n, len(known))
    halves = (known * known).sum(axis=1) / 2
    for start in range(0, len(features), ROWS_AT_ONCE):
        block = features[start : start + ROWS_AT_ONCE]
        order = halves - block @ known.T  # half the squared distance, less a constant per row
        rows = np.argpartition(order, n - 1, axis=1)[:, :n].astype(np.int64)
        # Exactly, and not from the products: the root of their rounding error is 3e-4 near 0.
        apart = np.linalg.norm(block[:, None] - known[rows], axis=2)
        by_distance = np.argsort(apart, axis=1, kind="stable")
        yield np.take_along_axis(rows, by_distance, 1), np.take_along_axis(apart, by_distance, 1)
