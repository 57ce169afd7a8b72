"""What light and weather do to an image: brightness, fog, and drops on the lens."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mnistlab.evaluation.corruptions.pixels import shorter_side, to_bytes

LIQUID = 140  # grey value of drops: seen on black as on white


def brightness(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """All pixels brighter by 0.12 to 0.6 of white. Draws nothing."""
    return to_bytes(images + 255 * (0.12, 0.24, 0.36, 0.48, 0.6)[severity - 1])


def fog(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """Clouds hide up to 0.35 to 0.9 of the light of a place and put their own white there.

    Light through haze after Koschmieder (1924); clouds are noise of halving scales, each of half
    the strength, as of the diamond-square method (Fournier, Fussell and Carpenter 1982).
    """
    density = (0.35, 0.5, 0.64, 0.77, 0.9)[severity - 1] * _clouds(images.shape, random)
    return to_bytes(images + density * (255 - images.astype(np.float32)))


def spatter(images: NDArray[np.uint8], severity: int, random: Generator) -> NDArray[np.uint8]:
    """Drops of grey liquid on the lens over 6 to 35 % of each image."""
    from scipy.ndimage import gaussian_filter

    fraction = (0.06, 0.11, 0.17, 0.25, 0.35)[severity - 1]
    sigma = 0.05 * shorter_side(images)
    field = random.random(images.shape, dtype=np.float32)
    field = gaussian_filter(field, (0, sigma, sigma), mode="wrap")
    n, height, width = images.shape
    n_dry = int((1 - fraction) * height * width)
    ordered = np.partition(field.reshape(n, height * width), n_dry, axis=1)
    threshold = ordered[:, n_dry, None, None]
    rim = 0.4 * field.std(axis=(1, 2), keepdims=True)
    cover = np.clip((field - threshold) / rim, 0, 1)  # soft rims
    return to_bytes(images + cover * (LIQUID - images.astype(np.float32)))


def _clouds(shape: tuple[int, ...], random: Generator) -> NDArray[np.float32]:
    """float32 (N, H, W) between 0 and 1, each image from its own least to its own most."""
    n, height, width = shape
    cells = [2, 4, 8, 16]
    draw = random.random((n, sum((cell + 1) ** 2 for cell in cells)), dtype=np.float32)
    clouds = np.zeros(shape, dtype=np.float32)
    for octave, cell in enumerate(cells):
        grid, draw = np.split(draw, [(cell + 1) ** 2], axis=1)
        grid = grid.reshape(n, cell + 1, cell + 1)
        clouds += _hats(height, cell) @ grid @ _hats(width, cell).T / 2**octave
    clouds -= clouds.min(axis=(1, 2), keepdims=True)
    clouds /= clouds.max(axis=(1, 2), keepdims=True)
    return clouds


def _hats(n_pixels: int, n_cells: int) -> NDArray[np.float32]:
    """(n_pixels, n_cells + 1): the weights that read a grid linearly at n_pixels places."""
    at = np.linspace(0, n_cells, n_pixels, dtype=np.float32)[:, None]
    hats = 1 - np.abs(at - np.arange(n_cells + 1, dtype=np.float32))
    return np.asarray(np.maximum(0, hats))
