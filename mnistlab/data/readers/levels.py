"""Which grey levels the numbers of a file mean: the same rule for every reader, and for `predict`.

Floats up to UNIT_HIGH go from 0 to 1 and are multiplied by 255. All other numbers are levels of 0
to 255 as they stand: a scale that depended on the brightest image would differ between a training
set and the few images to predict. A note says so where that leaves the images dark.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.notes import note

# Resizing overshoots: the floats of an image from 0 to 1 may slightly exceed 1.
UNIT_HIGH = 1.1
ROUNDED = 1e-6  # beyond 1 by rounding alone, which needs no word
# Fractions below this are of another scale, since whole levels would not hold what they show.
FEW_LEVELS = 16
# White is 65,535 in 16 bits. Images that stay below this have fewer bits and would become black.
DARK_IN_16_BITS = 1 << 12
DARK = 128  # images without any pixel from here on get a note


def what_was_done(high: float) -> str:
    """What was done with floats from 0 to about 1, for a note that names their range."""
    return f"and are multiplied by 255{clipped_note(high)}"


def clipped_note(high: float) -> str:
    """The end of such a note; empty where nothing was cut off."""
    return "; those above 1 become 255" if high > 1 + ROUNDED else ""


def is_unknown_scale(high: float, has_fractions: bool) -> bool:
    """Whether numbers are neither floats from 0 to 1 nor levels from 0 to 255."""
    return high > 255 or (has_fractions and UNIT_HIGH < high < FEW_LEVELS)


def highest_of(scale: float) -> float:
    """The highest number that is read where numbers are multiplied by `scale`, 1 or 255."""
    return 255 if scale == 1 else UNIT_HIGH


def to_bytes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Numbers that are scaled already, rounded; what exceeds white becomes white."""
    return np.minimum(np.rint(values), 255).astype(np.uint8)


class Brightness:
    """The lowest and highest pixel of images that come block by block."""

    def __init__(self) -> None:
        self.low, self.high = 255, 0

    @property
    def is_dark(self) -> bool:
        """Whether no pixel reaches DARK so far."""
        return self.high < DARK

    def add(self, images: NDArray[np.uint8]) -> None:
        """Look at a block; needless once one was bright."""
        if self.is_dark:
            self.low = min(self.low, int(images.min(initial=255)))
            self.high = max(self.high, int(images.max(initial=0)))

    def say(self, where: str) -> None:
        """Write one note where the images are dark, and not black altogether."""
        if self.high == 1:
            note(
                f"{where}: its images are of 0 and 1 alone, of 255: pixels are only 0 and 1 and "
                "were read as almost black; multiply them by 255 if 1 means white"
            )
        elif 1 < self.high < DARK:
            note(
                f"{where}: its pixels go from {self.low} to {self.high} of 255 and are read as "
                f"they are, dark; multiply them by 255 / {self.high} if {self.high} means white"
            )


def note_dark(images: NDArray[np.uint8], where: str) -> None:
    """Say where no pixel of the images, of any number, reaches DARK."""
    brightness = Brightness()
    for block in large.blocks(images):
        brightness.add(block)
        if not brightness.is_dark:
            return
    brightness.say(where)
