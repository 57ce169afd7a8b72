"""What the classes look like: some images of each, and the mean and deviation of all."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray
from PIL import Image

from mnistlab.reporting.bounds import MOST_CLASSES, MOST_PICTURED, spread, with_left_out
from mnistlab.reporting.figures.canvas import NARROW, Drawing, Words, figure
from mnistlab.reporting.figures.checks import require
from mnistlab.reporting.figures.tiles import GAP, Tile, joined, shrunk, tiles

_MANY = 12  # classes: more stand in two columns
_LARGEST = 72  # pixels of a page, the side of an image of a gallery
_MOST_BYTES = 300_000  # of a gallery, about: the page holds it twice


@figure("class-gallery", "Some images of each class")
def class_gallery(
    images: Sequence[NDArray[np.uint8]], class_names: Sequence[str], **words: Unpack[Words]
) -> Drawing:
    """A row of images per class: 16 where there is room, fewer on a phone or where they take much.

    images: for each class uint8 (N, H, W), N 0 or more. Large images are shrunk. Raises
    ValueError for another number of arrays than names, or no image at all.
    """
    fits = len(images) == len(class_names) and any(map(len, images))
    require(fits, f"images of {len(images)} for {len(class_names)} classes")
    chosen = spread(len(images), MOST_PICTURED)
    note = with_left_out("", len(chosen), len(images), "evenly over their list")
    small, names = [shrunk(images[k]) for k in chosen], [class_names[k] for k in chosen]
    many = len(small) > _MANY
    affordable = _MOST_BYTES // _packed_size([of_class[:1] for of_class in small])
    n_most = min(8 if many else 16, max(1, affordable), max(map(len, small)))

    def strip(of_class: NDArray[Any], name: str, n: int) -> Tile:
        some = of_class[spread(len(of_class), n)]
        if not len(some):
            return Tile(np.zeros((1, n, 4), np.uint8), name)
        return Tile(joined(some), name, part=len(some) / n)

    def draw(width: int) -> Canvas:
        n = min(n_most, 4 if many else 8) if width == NARROW else n_most
        every = [strip(*of_class, n) for of_class in zip(small, names, strict=True)]
        return tiles(every, (2, 2) if many else (1, 1), largest=n * _LARGEST)(width)

    counts = [f"{min(n_most, len(few))} of {name}" for few, name in zip(small, names, strict=True)]
    return Drawing(draw, f"Some images of each of {len(small)} classes: {', '.join(counts)}.", note)


@figure("class-moments", "Mean and deviation of each class")
def class_moments(
    mean: NDArray[np.floating],
    deviation: NDArray[np.floating],
    class_names: Sequence[str],
    **words: Unpack[Words],
) -> Drawing:
    """Under each class's name its mean image and, brightest at the largest, its deviations.

    mean, deviation: (K, H, W) in grey levels, NaN for a class without images. Raises ValueError
    for other shapes or no class at all.
    """
    n = len(class_names)
    fits = mean.shape == deviation.shape and len(mean) == n and np.isfinite(mean).any()
    require(fits, f"means {mean.shape} for {n} class names")
    chosen = spread(n, MOST_CLASSES)
    note = with_left_out("", len(chosen), n, "evenly over their list")
    means, deviations = shrunk(mean[chosen]), shrunk(deviation[chosen])
    brightest = float(np.nanmax(deviations)) or 1.0

    def tile(place: int) -> Tile:
        both = np.stack([means[place], deviations[place] * (255 / brightest)])
        return Tile(joined(both, axis=0), class_names[chosen[place]])

    every = [tile(place) for place in range(len(chosen))]
    drawn = tiles(every, (min(len(every), 10), 5), largest=150 - GAP)
    return Drawing(
        drawn, _moments_alt(deviation, class_names), f"Mean above, deviation below. {note}".strip()
    )


def _moments_alt(deviation: NDArray[np.floating], class_names: Sequence[str]) -> str:
    far = [float(d.mean()) if np.isfinite(d).all() else np.nan for d in deviation]
    most, least = int(np.nanargmax(far)), int(np.nanargmin(far))
    return (
        f"Mean and deviation image of each class. Pixels vary most in {class_names[most]}, by "
        f"{far[most]:.1f} grey levels on average, and least in {class_names[least]}, by "
        f"{far[least]:.1f}; the largest deviation is {np.nanmax(deviation):.0f}."
    )


def _packed_size(images: Sequence[NDArray[Any]]) -> int:
    """How many bytes they take in a PNG with four channels, as drawings hold them."""
    grey = np.concatenate([of_class.astype(np.uint8) for of_class in images])
    buffer = io.BytesIO()
    picture = joined(grey, axis=0)
    Image.fromarray(picture).save(buffer, format="png")
    return buffer.tell()
