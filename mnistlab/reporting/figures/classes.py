"""What the classes look like: some images of each, and the mean and deviation of all."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray
from PIL import Image

from mnistlab.reporting.bounds import (
    MOST_CLASSES,
    MOST_PICTURED,
    spread,
    with_left_out,
)
from mnistlab.reporting.figures.canvas import (
    MUTED,
    NARROW,
    SMALL,
    TEXT,
    canvas,
    compose,
    shorten,
    text_width,
)
from mnistlab.reporting.figures.strips import draw_strip, layout, shrunk
from mnistlab.reporting.page import Figure

_MANY = 12  # classes: more stand in two columns
_LARGEST = 72.0  # pixels of a page, the side of an image of a gallery
_MOST_BYTES = 300_000  # of a gallery, about: the page holds it twice


def class_gallery(
    images: Sequence[NDArray[np.uint8]],
    class_names: Sequence[str],
    *,
    caption: str,
    command: str,
    name: str = "class-gallery",
    title: str = "Some images of each class",
) -> Figure:
    """A row of images a class: 16 where there is room, fewer on a phone or where they take much.

    images: for each class uint8 (N, H, W), N 0 or more. Large images are shrunk. Raises
    ValueError for another number of arrays than names, or no image at all.
    """
    if len(images) != len(class_names) or not any(len(of_class) for of_class in images):
        raise ValueError(f"figure {name}: images of {len(images)} for {len(class_names)} classes")
    chosen = spread(len(images), MOST_PICTURED)
    caption = with_left_out(caption, len(chosen), len(images), "evenly over their list")
    images, class_names = [images[k] for k in chosen], [class_names[k] for k in chosen]
    small = [shrunk(of_class) for of_class in images]
    many = len(images) > _MANY
    affordable = _MOST_BYTES // _packed_size([of_class[:1] for of_class in small])
    n_most = min(8 if many else 16, max(1, affordable), max(map(len, small)))

    def draw(width: int) -> Canvas:
        n = min(n_most, 4 if many else 8) if width == NARROW else n_most
        return _rows(width, small, class_names, n, many=many)

    counts = ", ".join(
        f"{min(n_most, len(of_class))} of {class_name}"
        for of_class, class_name in zip(images, class_names, strict=True)
    )
    alt = f"Some images of each of {len(images)} classes: {counts}."
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)


def class_moments(
    mean: NDArray[np.floating],
    deviation: NDArray[np.floating],
    class_names: Sequence[str],
    *,
    caption: str,
    command: str,
    name: str = "class-moments",
    title: str = "Mean and deviation of each class",
) -> Figure:
    """Under each class's name its mean image and, brightest at the largest, its deviations.

    mean, deviation: (K, H, W) in grey levels, NaN for a class without images. Raises ValueError
    for other shapes or no class at all.
    """
    n_classes = len(class_names)
    if mean.shape != deviation.shape or mean.shape[0] != n_classes or not np.isfinite(mean).any():
        raise ValueError(f"figure {name}: means {mean.shape} for {n_classes} class names")
    alt = _moments_alt(deviation, class_names)
    chosen = spread(n_classes, MOST_CLASSES)
    caption = with_left_out(caption, len(chosen), n_classes, "evenly over their list")
    mean, deviation = mean[chosen], deviation[chosen]
    class_names, n_classes = [class_names[k] for k in chosen], len(chosen)
    small = shrunk(mean), shrunk(deviation)
    brightest = float(np.nanmax(small[1])) or 1.0

    def draw(width: int) -> Canvas:
        n = min(n_classes, 5 if width == NARROW else 10)
        left = 22.0
        cell = min(150.0, (width - left) / n)
        strip = layout(small[0].shape[1:], cell, side=cell - 6)
        names = [shorten(c, int(strip.pitch / (0.6 * SMALL))) for c in class_names]
        row = 24 + 2 * strip.height + 6 + 12
        blank, sheet = canvas(width, row * -(-n_classes // n))
        for index in range(0, n_classes, n):
            y = row * (index // n) + 24
            for position, label in enumerate(names[index : index + n]):
                x = left + position * strip.pitch + strip.width / 2
                sheet.text(x, y - 9, label, ha="center", fontsize=SMALL, color=MUTED)
            for which, (word, images, white) in enumerate(
                (("mean", small[0], 255.0), ("deviation", small[1], brightest))
            ):
                top = y + which * (strip.height + 6)
                draw_strip(sheet, images[index : index + n], left, top, strip, white)
                _sideways(sheet, word, top + strip.height / 2, strip.height)
        return blank

    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)


def _moments_alt(deviation: NDArray[np.floating], class_names: Sequence[str]) -> str:
    far = [float(d.mean()) if np.isfinite(d).all() else np.nan for d in deviation]
    most, least = int(np.nanargmax(far)), int(np.nanargmin(far))
    return (
        f"Mean and deviation image of each class. Pixels vary most in {class_names[most]}, by "
        f"{far[most]:.1f} grey levels on average, and least in {class_names[least]}, by "
        f"{far[least]:.1f}; the largest deviation is {np.nanmax(deviation):.0f}."
    )


def _rows(
    width: int, images: Sequence[NDArray[Any]], class_names: Sequence[str], n: int, *, many: bool
) -> Canvas:
    """The gallery, classes down the first column and then down the next."""
    narrow, size = width == NARROW, SMALL if many else TEXT
    names = [shorten(class_name, 16) for class_name in class_names]
    left = 0.0 if narrow else 14 + max(text_width(label, size) for label in names)
    columns = max(1, int(width // (left + n * (40 if narrow else 56)))) if many else 1
    column = width / columns
    side = min((column - left - (14 if columns > 1 else 0)) / n - 3, _LARGEST)
    strip = layout(images[0].shape[1:], side + 3, side)
    above, below = (20.0, 8.0) if narrow else (0.0, 5.0)
    row, n_rows = above + strip.height + below, -(-len(images) // columns)
    blank, sheet = canvas(width, row * n_rows)
    for index, (label, of_class) in enumerate(zip(names, images, strict=True)):
        x, y = column * (index // n_rows), row * (index % n_rows) + above
        if len(of_class):
            some = np.linspace(0, len(of_class) - 1, min(n, len(of_class))).round().astype(int)
            draw_strip(sheet, of_class[some], x + left, y, strip)
        if narrow:
            sheet.text(x, y - 6, label, fontsize=SMALL, color=MUTED)
        else:
            sheet.text(x, y + strip.height / 2, label, va="center_baseline", fontsize=size)
    return blank


def _packed_size(images: Sequence[NDArray[Any]]) -> int:
    """How many bytes they take in a PNG with four channels, as drawings hold them."""
    grey = np.concatenate([of_class.astype(np.uint8) for of_class in images])
    grey = grey.reshape(-1, grey.shape[-1])  # one below the other
    buffer = io.BytesIO()
    Image.fromarray(np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1)).save(
        buffer, format="png"
    )
    return buffer.tell()


def _sideways(sheet: Axes, word: str, y: float, room: float) -> None:
    if text_width(word, SMALL) <= room + 12:
        sheet.text(8, y, word, rotation=90, ha="center", va="center", fontsize=SMALL, color=MUTED)
