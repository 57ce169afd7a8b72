"""Images with what they are and what they were taken for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    NARROW,
    PAPER,
    SMALL,
    TEXT,
    canvas,
    compose,
    shorten,
    text_width,
)
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import light

WRONG = light("wrong")
MARGIN = 6.0  # pixels left and right, for names a little wider than their images


def image_grid(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    predictions: NDArray[np.int64] | None,
    class_names: Sequence[str],
    *,
    caption: str,
    command: str,
    name: str = "image-grid",
    title: str = "Images",
    n_columns: tuple[int, int] = (8, 4),
) -> Figure:
    """Images in rows of eight (four on a phone), or of n_columns, with their class names.

    images: uint8 (N, H, W), N usually 64. labels, predictions: int64 (N,);
    predictions None shows the data alone. A wrong prediction has a frame, a
    cross, and the true name under the predicted one. Raises ValueError if the
    shapes differ or a class has no name.
    """
    _check(name, images, labels, predictions, class_names)
    guesses = labels if predictions is None else predictions
    n_right = int((guesses == labels).sum())
    score = "" if predictions is None else f"{n_right} of {len(images)} right"

    def draw(width: int) -> Canvas:
        columns, size = (n_columns[1], SMALL) if width == NARROW else (n_columns[0], 9.5)
        cell, gap, top = (width - 2 * MARGIN) / columns, 10, 30 if score else 4
        names = [shorten(class_name, int(cell / (0.59 * size))) for class_name in class_names]
        caption_height = 2 * size + 19 if score else size + 14
        row_height = cell - gap + caption_height
        n_rows = -(-len(images) // columns)
        blank, sheet = canvas(width, top + n_rows * row_height)
        if score:
            _key(sheet, score)
        for index, (image, label, guess) in enumerate(zip(images, labels, guesses, strict=True)):
            row, column = divmod(index, columns)
            x, y, side = MARGIN + column * cell + gap / 2, top + row * row_height, cell - gap
            draw_tile(sheet, image, x, y, side)
            _name(sheet, names, int(label), int(guess), x + side / 2, y + side, size)
            if guess != label:
                _cross(sheet, x, y, side)
        return blank

    shown = _counts(labels, class_names) if predictions is None else f"{score}."
    alt = f"{len(images)} images with their class names: {shown}"
    return compose(
        draw, name=name, title=title, alt=alt, caption=caption, command=command, half=True
    )


def before_and_after(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    class_names: Sequence[str],
    *,
    command: str,
    name: str = "images",
) -> tuple[Figure, Figure]:
    """The same images with the predictions before and after training, for one row.

    Arrays and errors as in `image_grid`.
    """
    grids = [
        image_grid(
            images,
            labels,
            predictions,
            class_names,
            caption=f"The same {len(images)} images, {when} training.",
            command=command,
            name=f"{name}-{when}",
            title=f"{when.capitalize()} training",
        )
        for when, predictions in (("before", before), ("after", after))
    ]
    return grids[0], grids[1]


def draw_tile(sheet: Axes, image: NDArray[np.uint8], x: float, y: float, side: float) -> None:
    """A grey image (H, W) in a square, on black where it is no square itself."""
    height, width = image.shape
    scale = side / max(height, width)
    left, top = x + (side - width * scale) / 2, y + (side - height * scale) / 2
    if height != width:
        sheet.add_patch(Rectangle((x, y), side, side, color="#000000", linewidth=0, zorder=-1))
    sheet.imshow(
        image,
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(left, left + width * scale, top + height * scale, top),
        interpolation="none",
        aspect="auto",
    )


def _name(
    sheet: Axes, names: list[str], label: int, guess: int, x: float, bottom: float, size: float
) -> None:
    first, second = bottom + size + 3, bottom + 2 * size + 5
    if guess == label:
        sheet.text(x, first, names[label], ha="center", fontsize=size, color=MUTED)
        return
    sheet.text(x, first, names[guess], ha="center", fontsize=size, color=WRONG, fontweight="bold")
    sheet.text(x, second, names[label], ha="center", fontsize=size, color=INK)


def _cross(sheet: Axes, x: float, y: float, side: float) -> None:
    sheet.add_patch(Rectangle((x, y), side, side, fill=False, edgecolor=WRONG, linewidth=2.5))
    _badge(sheet, x + side - 1, y + 1)


def _badge(sheet: Axes, x: float, y: float) -> None:
    sheet.plot(x, y, "o", color=WRONG, markersize=14, markeredgecolor=PAPER, clip_on=False)
    sheet.plot(x, y, "x", color=PAPER, markersize=6, markeredgewidth=2, clip_on=False)


def _key(sheet: Axes, score: str) -> None:
    sheet.text(5, 12, score, fontweight="bold", va="center_baseline")
    x = 32 + text_width(score, TEXT) * 1.1  # bold runs wider
    _badge(sheet, x, 12)
    key = "wrong: predicted, then true class"
    sheet.text(x + 12, 12, key, fontsize=SMALL, color=MUTED, va="center_baseline")


def _counts(labels: NDArray[np.int64], class_names: Sequence[str]) -> str:
    counts = np.bincount(labels, minlength=len(class_names))
    present = [f"{n} {name}" for n, name in zip(counts, class_names, strict=True) if n]
    return ", ".join(present) + "."


def _check(
    name: str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    predictions: NDArray[np.int64] | None,
    class_names: Sequence[str],
) -> None:
    if images.ndim != 3 or images.dtype != np.uint8 or not images.size:
        raise ValueError(
            f"figure {name}: images must be uint8 (N, H, W), got {images.dtype} {images.shape}"
        )
    for field, classes in (("labels", labels), ("predictions", predictions)):
        if classes is None:
            continue
        if classes.shape != (len(images),):
            raise ValueError(f"figure {name}: {len(images)} images but {field} {classes.shape}")
        if classes.min() < 0 or classes.max() >= len(class_names):
            raise ValueError(f"figure {name}: {field} reach beyond {len(class_names)} class names")
