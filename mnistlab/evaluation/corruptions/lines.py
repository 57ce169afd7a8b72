"""Lines over the image: an inverted stripe, and white lines, dotted or in zigzag."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mnistlab.evaluation.corruptions.pixels import places, shorter_side, to_bytes

Numbers = NDArray[np.float32]


def stripe(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """An upright stripe of 0.08 to 0.4 of the width, anywhere in the image, is inverted."""
    width = images.shape[2]
    stripe_width = max(1, round((0.08, 0.15, 0.22, 0.3, 0.4)[severity - 1] * width))
    left = np.floor(random.random((len(images), 1, 1)) * (width - stripe_width + 1))
    columns = np.arange(width)
    inside = (columns >= left) & (columns < left + stripe_width)
    return np.where(inside, 255 - images, images)


def dotted_line(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """One to three straight rows of white dots across the image."""
    n_lines, radius = ((1, 0.028), (1, 0.042), (2, 0.035), (2, 0.045), (3, 0.045))[severity - 1]
    period = 0.16 * shorter_side(images)
    cover = np.zeros(images.shape, dtype=np.float32)
    for along, across in _lines(images, n_lines, random):
        along -= period * np.rint(along / period)
        cover = np.maximum(cover, _inked(np.hypot(along, across), radius * shorter_side(images)))
    return _painted(images, cover)


def zigzag(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """One to three white zigzag lines across the image."""
    n_lines, radius = ((1, 0.01), (1, 0.025), (2, 0.025), (2, 0.035), (3, 0.035))[severity - 1]
    period, amplitude = 0.3 * shorter_side(images), 0.08 * shorter_side(images)
    slope = 4 * amplitude / period
    cover = np.zeros(images.shape, dtype=np.float32)
    for along, across in _lines(images, n_lines, random):
        along -= period * np.rint(along / period)
        distance = np.abs(across - amplitude + slope * np.abs(along)) / np.hypot(1, slope)
        cover = np.maximum(cover, _inked(distance, radius * shorter_side(images)))
    return _painted(images, cover)


def _lines(images: NDArray[Any], n_lines: int, random: Generator) -> list[tuple[Numbers, Numbers]]:
    """For each line, how far every pixel is along it and across, float32 (N, H, W), in pixels.

    A line runs in any direction through a point in the middle half of each image.
    """
    rows, columns = places(images)
    draws = random.random((len(images), n_lines, 3), dtype=np.float32)
    lines = []
    for row, column, turn in np.moveaxis(draws, 0, 2)[..., None, None]:  # each (N, 1, 1)
        down = rows - (row - 0.5) * (images.shape[1] / 2)
        right = columns - (column - 0.5) * (images.shape[2] / 2)
        sine, cosine = np.sin(2 * np.pi * turn), np.cos(2 * np.pi * turn)
        lines.append((cosine * right + sine * down, cosine * down - sine * right))
    return lines


def _inked(distance: Numbers, radius: float) -> Numbers:
    """How much of a pixel is inked that is so far from the middle of a pen of this radius."""
    return np.asarray(np.clip(radius + 0.5 - distance, 0, 1))


def _painted(images: NDArray[np.uint8], cover: Numbers) -> NDArray[np.uint8]:
    return np.maximum(images, to_bytes(255 * cover))
