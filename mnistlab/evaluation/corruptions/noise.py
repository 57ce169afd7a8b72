"""Noise of each pixel by itself: of counted photons, and of broken pixels."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mnistlab.evaluation.corruptions.pixels import to_bytes


def shot_noise(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """Each pixel counts photons, of which white sends 40 down to 2.5 on average (Poisson).

    Black stays black: where no light is, none is counted.
    """
    photons = (40, 20, 10, 5, 2.5)[severity - 1]
    return to_bytes(random.poisson(images * (photons / 255)) * (255 / photons))


def impulse_noise(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """Salt and pepper: 4 to 36 % of the pixels become black or white, either as likely."""
    fraction = (0.04, 0.08, 0.14, 0.24, 0.36)[severity - 1]
    draw = random.random(images.shape, dtype=np.float32)
    pepper = np.where(draw < fraction / 2, np.uint8(0), images)
    return np.where(draw >= 1 - fraction / 2, np.uint8(255), pepper)
