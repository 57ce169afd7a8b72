"""The nearest image of the same and of another class: labels are doubtful where classes meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROWS_AT_ONCE = 512  # times all rows in float32: 20 MB of distances for 10,000 images

Places = NDArray[np.intp]


class Nearest(NamedTuple):
    """For each of N images its nearest image of the same and of another class.

    own, other: int (N,), their positions; the image's own position where there is none.
    own_distance, other_distance: float64 (N,), root mean square difference of the pixels in grey
    levels; infinite where there is none.
    """

    own: Places
    own_distance: NDArray[np.float64]
    other: Places
    other_distance: NDArray[np.float64]

    @property
    def is_own(self) -> NDArray[np.bool_]:
        """Whether the nearest image is of the same class; False if another class is as near."""
        return self.own_distance < self.other_distance


class Pair(NamedTuple):
    """Positions of two images of different classes, lower first; distance as in `Nearest`."""

    first: int
    second: int
    distance: float


def nearest_images(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Nearest:
    """Compare every image (N, H, W) with every other, all pixels, in N**2 * H * W products.

    The nearest are found in float32, block by block; their distances are then computed exactly, so
    that 0 means the same pixels.
    """
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows -= rows.mean(axis=0)  # keeps all distances, and small numbers lose less in float32
    squares = np.einsum("nd,nd->n", rows, rows)
    own = np.arange(len(rows))
    other = own.copy()
    for block in _blocks(len(rows)):
        distances = squares - 2 * (rows[block] @ rows.T)  # squared, less a constant for each row
        same = labels[block, None] == labels
        other[block] = _lowest(distances, ~same, own[block])
        same[np.arange(len(same)), own[block]] = False
        own[block] = _lowest(distances, same, own[block])
    return Nearest(own, _distances(images, own), other, _distances(images, other))


def closest_pairs(nearest: Nearest, places: Places, n: int) -> tuple[Pair, ...]:
    """At most n pairs of different classes, the closest first; no image is in two of them.

    places: int (N,), the position of each compared image in the data set.
    """
    taken: set[int] = set()
    pairs: list[Pair] = []
    for i in np.argsort(nearest.other_distance, kind="stable"):
        distance = float(nearest.other_distance[i])
        first, second = sorted((int(places[i]), int(places[nearest.other[i]])))
        if len(pairs) == n or np.isinf(distance):
            break
        if not taken & {first, second}:
            taken |= {first, second}
            pairs.append(Pair(first, second, distance))
    return tuple(pairs)


def _blocks(n_rows: int) -> Iterator[slice]:
    for start in range(0, n_rows, ROWS_AT_ONCE):
        yield slice(start, min(start + ROWS_AT_ONCE, n_rows))


def _lowest(distances: NDArray[np.float32], among: NDArray[np.bool_], otherwise: Places) -> Places:
    """The column of the lowest distance among those marked; `otherwise` where none is."""
    columns = np.where(among, distances, np.inf).argmin(axis=1)
    return np.where(among.any(axis=1), columns, otherwise)


def _distances(images: NDArray[np.uint8], places: Places) -> NDArray[np.float64]:
    """From each image to the one at its place; infinite to itself."""
    found = np.full(len(images), np.inf)
    for block in _blocks(len(images)):
        apart = images[block].astype(np.int32) - images[places[block]]
        found[block] = np.sqrt(np.square(apart).mean(axis=(1, 2)))
    found[places == np.arange(len(images))] = np.inf
    return found
