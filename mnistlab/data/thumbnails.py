"""A strip of a data set's images, as notebooks show it."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

MOST_CLASSES = 20
GAP = 2  # pixels between images
WHITE = 255


def first_of_each_class(labels: NDArray[np.int64], n_classes: int) -> NDArray[np.intp]:
    """Places of the first image of each class that has one, classes in order."""
    found, first = np.unique(labels, return_index=True)
    return first[found < min(n_classes, MOST_CLASSES)]


def strip(images: NDArray[np.uint8], zoom: int = 1) -> bytes:
    """Images (N, H, W) side by side as a PNG file; each pixel zoom x zoom; b"" of none."""
    from PIL import Image

    if not len(images):
        return b""
    n, height, width = images.shape
    canvas = np.full((height, n * (width + GAP) - GAP), WHITE, np.uint8)
    for place, image in enumerate(images):
        canvas[:, place * (width + GAP) :][:, :width] = image
    buffer = io.BytesIO()
    Image.fromarray(canvas.repeat(zoom, 0).repeat(zoom, 1)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
