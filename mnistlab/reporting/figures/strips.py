"""Rows of small images, each row one picture: less markup than a picture an image."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

SIDE = 40  # pixels of an image worth keeping where it is shown no larger than a thumb


class Strip(NamedTuple):
    """Where the images of a strip lie: distance from one to the next, and the size of each."""

    pitch: float
    width: float
    height: float


def layout(shape: tuple[int, ...], cell: float, side: float) -> Strip:
    """Images of `shape` (H, W) in cells of that width, each `side` wide and high at most."""
    height, width = shape
    # All pixels of a strip have one size, so that a gap is a whole number of them, at least one.
    scale = min(side / max(height, width), (cell - 3) / width, cell / (width + 1))
    return Strip(scale * (width + _gap(cell, scale, width)), scale * width, scale * height)


def draw_strip(
    sheet: Axes, images: NDArray[Any], x: float, y: float, strip: Strip, brightest: float = 255
) -> None:
    """Grey images (N, H, W) from (x, y) on, from black at 0 on; NaN and gaps are left blank."""
    n, height, width = images.shape
    scale = strip.width / width
    pitch = round(strip.pitch / scale)
    picture = np.zeros((height, pitch * n, 4), dtype=np.uint8)
    for index, image in enumerate(images):
        tile = picture[:, index * pitch : index * pitch + width]
        shown = np.isfinite(image)
        grey = np.where(shown, image, 0) * (255 / brightest)
        tile[..., :3] = np.clip(np.round(grey), 0, 255)[..., None]
        tile[..., 3] = 255 * shown
    sheet.imshow(
        picture,
        extent=(x, x + picture.shape[1] * scale, y + strip.height, y),
        interpolation="none",  # pixels stay squares
        aspect="auto",
    )


def shrunk(images: NDArray[Any], side: int = SIDE) -> NDArray[Any]:
    """Images (N, H, W) averaged over squares of pixels until no side is longer than `side`."""
    n, height, width = images.shape
    factor = -(-max(height, width) // side)
    if factor == 1:
        return images
    height, width = max(1, height // factor), max(1, width // factor)
    cut = images[:, : height * factor, : width * factor]
    squares = cut.reshape(n, height, min(factor, cut.shape[1]), width, min(factor, cut.shape[2]))
    return np.asarray(squares.mean(axis=(2, 4)))


def _gap(cell: float, scale: float, width: int) -> int:
    return max(1, int(cell / scale + 1e-6) - width)
