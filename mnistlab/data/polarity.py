"""Polarity: bright ink on a dark background (MNIST), or dark ink on a bright one (scans).

A network trained on one polarity fails on the other. The border of an image shows its background.
Two sets are said to differ only where nearly all borders of one are dark and nearly all of the
other bright; of photographs, whose borders have any level, nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.errors import DataError

INVERT = ("auto", "yes", "no")

N_LOOKED_AT = 2000  # images, evenly spaced; more do not change the quartiles
DARK, BRIGHT = 96, 160  # grey levels: a border below is dark, one above is bright
CONTRAST = 8  # grey levels between border and centre that are more than noise
WIDE_FROM = 16  # pixels per side; from this size on the border is two pixels wide


@dataclass(frozen=True)
class Border:
    """Grey levels, 0 to 255, of a set of images.

    low, median, high: quartiles over the images of the median level of their border. centre: the
    median over the images of the mean level of their middle.
    """

    low: float
    median: float
    high: float
    centre: float


def border_of(images: NDArray[np.uint8]) -> Border:
    """The border of a set of images, uint8 (N, H, W), by at most N_LOOKED_AT of them."""
    looked_at = np.linspace(0, len(images) - 1, min(len(images), N_LOOKED_AT)).astype(np.intp)
    some = np.asarray(large.take(images, looked_at))
    height, width = some.shape[1:]
    thickness = 2 if min(height, width) >= WIDE_FROM else 1
    is_border = np.ones((height, width), dtype=bool)
    is_border[thickness : height - thickness, thickness : width - thickness] = False
    levels = np.median(some[:, is_border], axis=1)
    middle = some[:, height // 4 : height - height // 4, width // 4 : width - width // 4]
    low, median, high = np.percentile(levels, [25, 50, 75])
    centre = np.median(middle.mean(axis=(1, 2)))
    return Border(float(low), float(median), float(high), float(centre))


def polarity_differs(one: Border, other: Border) -> bool:
    """Whether one set has a dark border and the other a bright one.

    False where the centre is brighter than the border in both sets, or darker in both: then one
    set is only darker than the other.
    """
    dark, bright = (one, other) if one.median < other.median else (other, one)
    if dark.high > DARK or bright.low < BRIGHT:
        return False
    of_dark, of_bright = dark.centre - dark.median, bright.centre - bright.median
    is_clear = min(abs(of_dark), abs(of_bright)) > CONTRAST
    return not (is_clear and of_dark * of_bright > 0)


def check_invert(invert: str) -> None:
    """DataError for a value that is not in INVERT."""
    if invert not in INVERT:
        raise DataError(f"invert must be one of {', '.join(INVERT)}; got {invert!r}")
