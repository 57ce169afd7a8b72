"""From any picture to the image a network was trained on: as the makers of the set prepared theirs.

A digit drawn on a canvas, shrunk to 28 x 28 as it stands, is nothing like MNIST's digits, which
were cut out, scaled to 20 pixels and placed by their centre of mass. Every step here is done in
whole numbers, so that the page of an export (exporting/page) computes the same pixels, bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import DataError

Image = NDArray[np.uint8]  # (H, W)

SIDE = 28  # of MNIST's and Fashion-MNIST's images
DIGIT_SIDE = 20  # longest side of a digit (LeCun et al. 1998, section III-A)
CENTRE = 14  # the pixel, counted from 0, on which a digit's centre of mass is placed
INK = 32  # a level from which on a pixel belongs to what is shown, of the 255 of its brightest
LEAST_CONTRAST = 16  # levels; an image with less shows nothing


class Box(NamedTuple):
    """Where something lies in an image: the first row and column, and those after the last."""

    top: int
    left: int
    bottom: int
    right: int


def prepare_digit(image: Image) -> Image:
    """A picture of one digit, uint8 (H, W), as MNIST would show it: (28, 28), bright on black.

    The ink is cut out, its longest side scaled to 20 pixels with antialiasing, and its centre of
    mass placed on pixel (14, 14), as near as nothing is cut off. Blank pictures become black.
    """
    ink = ink_of(image)
    box = box_of(ink)
    if box is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    digit = scaled(cut(ink, box), DIGIT_SIDE)
    rows, columns = digit.sum(axis=1, dtype=np.int64), digit.sum(axis=0, dtype=np.int64)
    return placed(digit, _start(rows, digit.shape[0]), _start(columns, digit.shape[1]))


def prepare_garment(image: Image) -> Image:
    """A picture of one garment, uint8 (H, W), as Fashion-MNIST would show it: (28, 28) on black.

    The ground is cut off, the longest side scaled to 28 pixels, the rest filled with black.
    """
    ink = ink_of(image)
    box = box_of(ink)
    if box is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    garment = scaled(cut(ink, box), SIDE)
    height, width = garment.shape
    return placed(garment, (SIDE - height) // 2, (SIDE - width) // 2)


PREPARATIONS: dict[str, Callable[[Image], Image]] = {
    "digit": prepare_digit,
    "garment": prepare_garment,
}


# How the makers of a named set prepared its images.
OF_SETS = {
    "mnist": "digit",
    "mnist_784": "digit",
    "qmnist": "digit",
    "fashion-mnist": "garment",
    "fashion-mini": "garment",
}


def preparation_of(data: str) -> str | None:
    """The preparation of that named data set; None of any other: nothing is guessed."""
    return OF_SETS.get(data)


def recorded_preparation(record: Mapping[str, Any]) -> str | None:
    """How the images in a run's data.json were prepared; None where nothing is known of it.

    Records from before 2026-12 do not say it; there the data set's name does.
    """
    if list(record["image_shape"]) != [SIDE, SIDE]:
        return None
    if "preparation" in record:
        return None if record["preparation"] is None else str(record["preparation"])
    given = record.get("source", {}).get("name_or_path")  # a folder may be called mnist as well
    return preparation_of(record["name"] if given is None else given)


def prepare(images: Sequence[Image] | Image, preparation: str) -> NDArray[np.uint8]:
    """Pictures uint8 (H, W) of any sizes, prepared: (N, 28, 28); DataError for no PREPARATIONS."""
    if preparation not in PREPARATIONS:
        raise DataError(
            f"unknown preparation {preparation!r}; there are: {', '.join(PREPARATIONS)}"
        )
    prepared = [PREPARATIONS[preparation](image) for image in images]
    return np.stack(prepared) if prepared else np.zeros((0, SIDE, SIDE), np.uint8)


def ink_of(image: Image) -> Image:
    """What an image shows, on a ground of 0 and as bright as 255, uint8 (H, W).

    The ground is the lower median of the outermost pixels; a bright ground is inverted.
    """
    inside = np.zeros(image.shape, dtype=bool)
    inside[1:-1, 1:-1] = True
    border = np.sort(image[~inside])
    ground, brightest = int(border[(len(border) - 1) // 2]), int(image.max())
    levels = np.arange(256)
    if ground > 127:
        levels, ground, brightest = 255 - levels, 255 - ground, 255 - int(image.min())
    contrast = brightest - ground
    if contrast < LEAST_CONTRAST:
        return np.zeros_like(image)
    # One entry per grey level: whole photographs as 64-bit numbers would take gigabytes.
    ink = np.clip(levels - ground, 0, contrast) * 255 // contrast
    return ink.astype(np.uint8)[image]


def box_of(ink: Image) -> Box | None:
    """The smallest box that holds all ink; None where there is none."""
    rows, columns = (np.flatnonzero((ink >= INK).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def cut(ink: Image, box: Box) -> Image:
    """What lies in a box."""
    return ink[box.top : box.bottom, box.left : box.right]


def scaled(ink: NDArray[np.integer], side: int) -> NDArray[np.int64]:
    """Levels (H, W), in proportion, with the longest side `side`: each pixel the mean of its area.

    Of whole numbers alone: pixel y of n covers the rows from y H / n to (y + 1) H / n, and by
    how much row j is covered, times n, is a whole number. Floats hold them exactly, since no sum
    is above 255 H W, and multiply faster.
    """
    longest = max(ink.shape)
    height, width = (max(1, (2 * side * of + longest) // (2 * longest)) for of in ink.shape)
    area = ink.shape[0] * ink.shape[1]
    across = _coverage(height, ink.shape[0]) @ ink.astype(np.float64)
    sums = (across @ _coverage(width, ink.shape[1]).T).astype(np.int64)
    means: NDArray[np.int64] = (2 * sums + area) // (2 * area)  # to the nearest; halves upwards
    return means


def _coverage(n_new: int, n_old: int) -> NDArray[np.float64]:
    """How much of old pixel j new pixel i covers, in n_new-ths of a pixel: (n_new, n_old)."""
    new, old = np.arange(n_new)[:, None], np.arange(n_old)
    ends = np.minimum((new + 1) * n_old, (old + 1) * n_new)
    covered = np.maximum(ends - np.maximum(new * n_old, old * n_new), 0)
    exact: NDArray[np.float64] = covered.astype(np.float64)
    return exact


def _start(sums: NDArray[np.int64], length: int) -> int:
    """Where the first of `length` rows must lie for their centre of mass to lie on CENTRE."""
    mass, moment = int(sums.sum()), int(sums @ np.arange(length))
    start = (2 * (CENTRE * mass - moment) + mass) // (2 * mass)
    return min(max(start, 0), SIDE - length)


def placed(ink: NDArray[np.int64], top: int, left: int) -> Image:
    """Levels (H, W) on a black image of 28 x 28."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return image
