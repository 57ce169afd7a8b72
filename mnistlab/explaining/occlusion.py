"""Occlusion: cover one patch of an image after the other, and see how the prediction changes.

Zeiler and Fergus 2014, section 4.2. It asks the classifier for nothing but predictions, so it
explains every kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.explaining.scores import BLOCK_PIXELS, Images, Scores

PARTS = 6  # a patch is about a sixth of the image, each way: 5 x 5 pixels of 28 x 28
Window = tuple[slice, slice]  # rows and columns


class Patch(NamedTuple):
    """Pixels that are covered at once, and how far the next patch is moved."""

    height: int
    width: int
    down: int
    right: int


def patch_of(shape: tuple[int, int]) -> Patch:
    """The patch for images (H, W): neighbours overlap by half, so each way there are about 13."""
    height, width = (max(1, round(side / PARTS)) for side in shape)
    return Patch(height, width, max(1, height // 2), max(1, width // 2))


class Occlusion(NamedTuple):
    """What covering does to one image.

    windows: where the P patches lie, row by row. falls: (P, K), by how much the score of each class
    falls when a patch is covered. changes: (P,), whether covering changes any pixel.
    """

    shape: tuple[int, int]
    windows: list[Window]
    falls: NDArray[np.float64]
    changes: NDArray[np.bool_]

    def map_of(self, code: int) -> NDArray[np.float64]:
        """(H, W): for each pixel the mean fall of a class over the patches that cover it."""
        total, n = np.zeros(self.shape), np.zeros(self.shape)
        for window, fall in zip(self.windows, self.falls[:, code], strict=True):
            total[window] += fall
            n[window] += 1
        return np.asarray(total / np.maximum(n, 1))


def windows_of(shape: tuple[int, int], patch: Patch) -> list[Window]:
    """Where the patches lie; the last ones are cut off at the edge of the image."""
    ways = ((shape[0], patch.height, patch.down), (shape[1], patch.width, patch.right))
    starts = [
        [step * i for i in range(math.ceil((side - size) / step) + 1)] for side, size, step in ways
    ]
    return [
        (
            slice(top, min(top + patch.height, shape[0])),
            slice(left, min(left + patch.width, shape[1])),
        )
        for top in starts[0]
        for left in starts[1]
    ]


def occlusions(
    scores: Callable[[Images], Scores], images: Images, ground: int, patch: Patch
) -> Iterator[Occlusion]:
    """One for each image (N, H, W); patches are covered with the grey level `ground`.

    scores: images (M, H, W) to the scores (M, K) of the classes.
    """
    shape = (images.shape[1], images.shape[2])
    windows = windows_of(shape, patch)
    for image, before in zip(images, scores(images), strict=True):
        after, changes = [], []
        at_once = max(1, BLOCK_PIXELS // image.size)
        for start in range(0, len(windows), at_once):
            covered = _covered(image, windows[start : start + at_once], ground)
            after.append(scores(covered))
            changes.append((covered != image).any(axis=(1, 2)))
        falls = before - np.concatenate(after)
        yield Occlusion(shape, windows, falls, np.concatenate(changes))


def _covered(image: Images, windows: list[Window], ground: int) -> Images:
    """The image once for each window, (P, H, W), with that window covered."""
    covered = np.repeat(image[None], len(windows), axis=0)
    for copy, window in zip(covered, windows, strict=True):
        copy[window] = ground
    return covered
