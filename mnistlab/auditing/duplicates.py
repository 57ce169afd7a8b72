"""Blank images, exact copies and near copies.

The distance of two images is the Euclidean distance after each is shifted to mean 0 and scaled to
length 1, so that brightness and contrast cancel: sqrt(2 - 2r) with r the correlation of their
pixels. It is 0.1 if they differ by a tenth of their contrast (r = 0.995). Copies that were moved,
turned or mirrored are not found: they are as far apart as different images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# No two of MNIST's 70,000 images are nearer than 0.12. Fashion-MNIST has 77 pairs within 0.1, each
# of one class: the same photograph, or a garment in two prints. Above 0.12 come plain trousers.
MAX_DISTANCE = 0.1
# Fraction of the median contrast. The faintest image of Fashion-MNIST has 0.2 of it, of MNIST 0.4;
# a single white pixel on black has 0.12.
BLANK_FRACTION = 0.15

SKETCH_SIDE = 14  # pixels; larger images are averaged down to this side for a first comparison
ROWS_AT_ONCE = 1024
ROUNDING = 1e-5  # of squared distances in float32
_FAR = 1e6  # a squared length that makes an image far from all others

Images = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Duplicates:
    """For each of N images an earlier one of which it is a copy.

    twin: int64 (N,), -1 where there is none. distance: float64 (N,), 0 for the same pixels and
    infinite without a twin. is_exact (N,): the same pixels. No two images without a twin are
    duplicates of each other: they are the set without its copies.
    """

    twin: NDArray[np.int64]
    distance: NDArray[np.float64]
    is_exact: Mask

    @property
    def places(self) -> NDArray[np.intp]:
        """Positions of the images that have a twin."""
        return np.flatnonzero(self.twin >= 0)


def contrast(images: Images) -> NDArray[np.float64]:
    """Standard deviation of the pixels of each image (N, H, W), in grey levels, (N,)."""
    found = np.empty(len(images))
    for block in _blocks(len(images)):
        found[block] = images[block].std(axis=(1, 2), dtype=np.float64)
    return found


def blank_images(images: Images) -> Mask:
    """Which images have one grey level, or far less contrast than the others, (N,)."""
    found = contrast(images)
    return np.asarray((found == 0) | (found < BLANK_FRACTION * np.median(found)))


def first_copies(images: Images) -> NDArray[np.int64]:
    """The position of the first image with the same pixels, (N,); its own without a copy."""
    rows = np.ascontiguousarray(images).reshape(len(images), -1)
    whole = rows.view(np.dtype((np.void, rows.shape[1]))).ravel()  # a row as one value: sorts
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)


def find_duplicates(
    images: Images, test_start: int | None = None, max_distance: float = MAX_DISTANCE
) -> Duplicates:
    """Every image (N, H, W) that is a copy of an earlier one, blank images aside.

    test_start: position of the first test image; a twin among the images before it is preferred,
    since such a copy leaks into training. Else the twin is the first copy, or the nearest image
    within max_distance. Takes about 200 N**2 operations on images of any size, 20 s for 70,000
    on one thread, and memory for N sketches of 14 x 14.
    """
    places, is_blank, n_train = np.arange(len(images)), blank_images(images), test_start or 0
    twin = _nearest_earlier(images, is_blank, n_train, max_distance)
    first = first_copies(images)
    is_leak = (places >= n_train) & (twin >= 0) & (twin < n_train)  # worse than a copy in one part
    is_exact = (first != places) & ~is_blank & ~(is_leak & (first >= n_train))
    twin = np.where(is_exact, first, twin)
    distance = np.full(len(images), np.inf)
    has_twin = np.flatnonzero(twin >= 0)
    distance[has_twin] = _distances(images, has_twin, twin[has_twin])
    distance[is_exact] = 0.0
    return Duplicates(twin, distance, is_exact)


def _nearest_earlier(
    images: Images, is_blank: Mask, n_train: int, max_distance: float
) -> NDArray[np.int64]:
    """Places (N,) as in Duplicates.twin, of images within max_distance.

    Averaging over squares of pixels is an orthogonal projection: sketches are never further
    apart than their images, so whatever is near is among the pairs whose sketches are.
    """
    twin = np.full(len(images), -1, dtype=np.int64)
    best = np.full(len(images), np.inf)
    left, right = _sketches(images, is_blank)
    limit = -(max_distance**2) / 2 - ROUNDING
    for later in _blocks(len(images)):
        for earlier in _blocks(later.stop):
            rows, columns = np.nonzero(left[earlier] @ right[later].T >= limit)
            rows, columns = rows + earlier.start, columns + later.start
            rows, columns = rows[rows < columns], columns[rows < columns]
            if not len(rows):
                continue
            squares = _squared_distances(images, rows, columns)
            near = squares <= max_distance**2
            rows, columns, squares = rows[near], columns[near], squares[near]
            # A squared distance is 4 at most: 4 more, and any twin across the parts wins.
            rank = squares + 4.0 * ~((rows < n_train) & (columns >= n_train))
            order = np.lexsort((-rows, -rank))  # of several for one image the last is kept
            order = order[rank[order] < best[columns[order]]]
            best[columns[order]], twin[columns[order]] = rank[order], rows[order]
    return twin


def _sketches(images: Images, is_blank: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two arrays (N, D + 2) whose products are -1/2 of the sketches' squared distances.

    With s a sketch and q its squared length: (s, -q/2, 1) times (t, 1, -r/2).
    """
    side = -(-max(images.shape[1:]) // SKETCH_SIDE)  # of the square that is averaged
    rows = np.concatenate([_sketch(images[block], side) for block in _blocks(len(images))])
    half = np.einsum("nd,nd->n", rows, rows) / 2
    half[is_blank] = _FAR
    one = np.ones_like(half)
    return np.column_stack([rows, -half, one]), np.column_stack([rows, one, -half])


def _sketch(images: Images, side: int) -> NDArray[np.float32]:
    """Unit images summed over squares of side x side pixels, over side: (n, D)."""
    n, height, width = images.shape
    margins = ((0, 0), (0, -height % side), (0, -width % side))
    padded = np.pad(_unit(images).reshape(images.shape), margins)
    squares = padded.reshape(n, padded.shape[1] // side, side, padded.shape[2] // side, side)
    return np.asarray(squares.sum(axis=(2, 4)).reshape(n, -1) / np.float32(side))


def _unit(images: Images, dtype: type[np.floating] = np.float32) -> NDArray[np.floating]:
    """Rows (n, H * W) of mean 0 and length 1; all 0 for images of one grey."""
    rows = images.reshape(len(images), -1).astype(dtype)
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    return np.asarray(np.divide(rows, lengths, out=rows, where=lengths > 0))


def _squared_distances(
    images: Images, first: NDArray[np.intp], second: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Of the pairs (P,) of two blocks, in one product of the images they are made of."""
    rows, row = np.unique(first, return_inverse=True)
    columns, column = np.unique(second, return_inverse=True)
    correlation = (_unit(images[rows]) @ _unit(images[columns]).T)[row, column]
    return np.asarray(np.maximum(2 - 2 * correlation.astype(np.float64), 0))


def _distances(
    images: Images, first: NDArray[np.intp], second: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Of the pairs (P,), in float64."""
    found = np.empty(len(first))
    for block in _blocks(len(first)):
        one, other = (_unit(images[places[block]], np.float64) for places in (first, second))
        found[block] = np.sqrt(np.square(one - other).sum(axis=1))
    return found


def _blocks(n_rows: int) -> Iterator[slice]:
    for start in range(0, n_rows, ROWS_AT_ONCE):
        yield slice(start, min(start + ROWS_AT_ONCE, n_rows))
