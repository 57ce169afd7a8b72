"""Images that nobody has labelled, with what was predicted of them and how surely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    NARROW,
    SMALL,
    canvas,
    compose,
    shorten,
)
from mnistlab.reporting.figures.images import draw_tile
from mnistlab.reporting.figures.strips import shrunk
from mnistlab.reporting.page import Figure

_SIDE = 96  # pixels of an image worth keeping: it is shown no larger
_ALMOST_ONE = 0.9995  # shown as more than 99.9 %: rounded it would claim certainty


def predicted_grid(
    images: NDArray[np.uint8],
    codes: NDArray[np.int64],
    probabilities: NDArray[np.floating] | None,
    class_names: Sequence[str],
    *,
    caption: str,
    command: str,
    seconds: NDArray[np.int64] | None = None,
    name: str = "predicted",
    title: str = "Some of the images",
) -> Figure:
    """Images in rows of twelve (four on a phone), each over its predicted class and probability.

    images: uint8 (N, H, W); large ones are shrunk. codes: int64 (N,). probabilities: of all
    classes, (N, K), or None. seconds: int64 (N,), another class that is named with its probability.
    Raises ValueError if the shapes differ or a class has no name.
    """
    _check(name, images, codes, probabilities, seconds, class_names)
    small = shrunk(images, _SIDE).round().astype(np.uint8)
    lines = [_lines(codes, probabilities)]
    if seconds is not None:
        lines.append(_lines(seconds, probabilities))

    def draw(width: int) -> Canvas:
        columns = 4 if width == NARROW else 12
        cell, gap, line = width / columns, 12.0, SMALL + 4
        side = cell - gap
        room = int((cell - 4) / (0.59 * SMALL))
        below = sum(2 if probabilities is not None else 1 for _ in lines) * line + 12
        blank, sheet = canvas(width, -(-len(small) // columns) * (side + below))
        for index, image in enumerate(small):
            row, column = divmod(index, columns)
            x, y = column * cell + gap / 2, row * (side + below)
            draw_tile(sheet, image, x, y, side)
            bottom = y + side + 1
            for which, texts in enumerate(lines):
                code, text = texts[index]
                for words, colour in ((class_names[code], MUTED if which else INK), (text, MUTED)):
                    if words:
                        bottom += line
                        label = shorten(words, room)
                        sheet.text(
                            x + side / 2, bottom, label, ha="center", fontsize=SMALL, color=colour
                        )
        return blank

    return compose(
        draw,
        name=name,
        title=title,
        alt=_alt(codes, probabilities, class_names),
        caption=caption,
        command=command,
    )


def percent_text(probability: float) -> str:
    """Such as "93.1 %", never 100 %: no classifier knows."""
    return "> 99.9 %" if probability >= _ALMOST_ONE else f"{100 * probability:.1f} %"


def _lines(
    codes: NDArray[np.int64], probabilities: NDArray[np.floating] | None
) -> list[tuple[int, str]]:
    """The class of each image and the text of its probability, empty without one."""
    if probabilities is None:
        return [(int(code), "") for code in codes]
    chosen = probabilities[np.arange(len(codes)), codes]
    return [(int(code), percent_text(p)) for code, p in zip(codes, chosen, strict=True)]


def _alt(
    codes: NDArray[np.int64],
    probabilities: NDArray[np.floating] | None,
    class_names: Sequence[str],
) -> str:
    counts = np.bincount(codes, minlength=len(class_names))
    present = [f"{n} {name}" for n, name in zip(counts, class_names, strict=True) if n]
    text = f"{len(codes)} images with the class predicted for each: {', '.join(present)}"
    if probabilities is None:
        return f"{text}."
    chosen = probabilities[np.arange(len(codes)), codes]
    low, high = percent_text(chosen.min()), percent_text(chosen.max())
    return f"{text}. Probabilities run from {low} to {high}."


def _check(
    name: str,
    images: NDArray[np.uint8],
    codes: NDArray[np.int64],
    probabilities: NDArray[np.floating] | None,
    seconds: NDArray[np.int64] | None,
    class_names: Sequence[str],
) -> None:
    n, n_classes = len(images), len(class_names)
    if images.ndim != 3 or images.dtype != np.uint8 or not images.size:
        raise ValueError(
            f"figure {name}: images must be uint8 (N, H, W), got {images.dtype} {images.shape}"
        )
    if probabilities is not None and probabilities.shape != (n, n_classes):
        raise ValueError(f"figure {name}: {n} images but probabilities {probabilities.shape}")
    for field, classes in (("codes", codes), ("seconds", seconds)):
        if classes is None:
            continue
        if classes.shape != (n,):
            raise ValueError(f"figure {name}: {n} images but {field} {classes.shape}")
        if classes.min() < 0 or classes.max() >= n_classes:
            raise ValueError(f"figure {name}: {field} reach beyond {n_classes} class names")
