"""Images with what they are and what was predicted of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import INK, MUTED, Drawing, Words, figure
from mnistlab.reporting.figures.checks import check_images, check_named, require
from mnistlab.reporting.figures.tiles import WRONG, Said, Tile, joined, shrunk, tiles
from mnistlab.reporting.page import Figure

_SIDE = 96  # pixels of an image worth keeping: it is shown no larger
_PAIR_SIDE = 64  # pixels: here details count
_ALMOST_ONE = 0.9995  # shown as more than 99.9 %: rounded it would claim certainty

Images = NDArray[np.uint8]  # (N, H, W)
Codes = NDArray[np.int64]  # (N,), classes


@figure("image-grid", "Images")
def image_grid(
    images: Images,
    labels: Codes,
    predictions: Codes | None,
    class_names: Sequence[str],
    *,
    n_columns: tuple[int, int] = (8, 4),
    **words: Unpack[Words],
) -> Drawing:
    """Images in rows of eight (four on a phone), or of n_columns, with their class names.

    images: uint8 (N, H, W), N usually 64. labels, predictions: int64 (N,); predictions None shows
    the data alone. A wrong prediction has a frame, a cross, and the true name under the predicted
    one. Raises ValueError if the shapes differ or a class has no name.
    """
    check_images(images, len(class_names), labels=labels, predictions=predictions)
    guesses = labels if predictions is None else predictions
    score = "" if predictions is None else f"{(guesses == labels).sum()} of {len(images)} right"

    def tile(image: Images, label: int, guess: int) -> Tile:
        right = [[Said(class_names[label])], *([[Said("")]] if score else [])]
        wrong = [[Said(class_names[guess], WRONG, bold=True)], [Said(class_names[label], INK)]]
        return Tile(image, below=right if guess == label else wrong, wrong=guess != label)

    every = [tile(*of_image) for of_image in zip(images, labels, guesses, strict=True)]
    shown = score or _counts(labels, class_names)
    alt = f"{len(images)} images with their class names: {shown}."
    return Drawing(tiles(every, n_columns, heading=score), alt, half=True)


def before_and_after(
    images: Images,
    labels: Codes,
    predictions: Mapping[str, Codes],
    class_names: Sequence[str],
    name: str = "images",
) -> tuple[Figure, ...]:
    """The same images with the predictions "before" and "after" training, for one row.

    Arrays and errors as in `image_grid`.
    """
    return tuple(
        image_grid(
            images,
            labels,
            of_images,
            class_names,
            caption=f"The same {len(images)} images, {when} training.",
            name=f"{name}-{when}",
            title=f"{when.capitalize()} training",
        )
        for when, of_images in predictions.items()
    )


@figure("predicted", "Some of the images")
def predicted_grid(
    images: Images,
    codes: Codes,
    probabilities: NDArray[np.floating] | None,
    class_names: Sequence[str],
    *,
    seconds: Codes | None = None,
    **words: Unpack[Words],
) -> Drawing:
    """Images in rows of twelve (four on a phone), each over its predicted class and probability.

    images: uint8 (N, H, W); large ones are shrunk. codes: int64 (N,). probabilities: of all
    classes, (N, K), or None. seconds: int64 (N,), another class that is shown with its probability.
    Raises ValueError if the shapes differ or a class has no name.
    """
    n = len(images)
    check_images(images, len(class_names), codes=codes, seconds=seconds)
    if probabilities is not None:
        shape = probabilities.shape
        require(shape == (n, len(class_names)), f"{n} images but probabilities {shape}")

    def said(place: int) -> Iterator[list[Said]]:
        for classes, colour in ((codes, INK), (seconds, MUTED)):
            if classes is not None:
                yield [Said(class_names[classes[place]], colour)]
                if probabilities is not None:
                    yield [Said(percent_text(probabilities[place, classes[place]]))]

    small = shrunk(images, _SIDE).round().astype(np.uint8)
    every = [Tile(image, below=list(said(place))) for place, image in enumerate(small)]
    alt = f"{n} images with the class predicted for each: {_counts(codes, class_names)}."
    if probabilities is not None:
        chosen = probabilities[np.arange(n), codes]
        low, high = percent_text(chosen.min()), percent_text(chosen.max())
        alt += f" Probabilities run from {low} to {high}."
    return Drawing(tiles(every, (12, 4)), alt)


@figure("views", "One image in every view")
def views_row(views: Images, names: Sequence[str], *, alt: str, **words: Unpack[Words]) -> Drawing:
    """An image in the fixed views (V, H, W) that a recipe trains on, each with its name.

    Raises ValueError for another number of names than views.
    """
    fits = views.ndim == 3 and views.size and len(views) == len(names)
    require(fits, f"views {views.shape} for {len(names)} names")
    every = [Tile(view, above=label) for view, label in zip(views, names, strict=True)]
    return Drawing(tiles(every, (min(len(views), 5), 2), largest=200), alt)


@figure("alike-pairs", "Nearest pairs of different classes")
def alike_pairs(
    images: Images,
    labels: Codes,
    distances: Sequence[float],
    class_names: Sequence[str],
    **words: Unpack[Words],
) -> Drawing:
    """Pairs in the order given, each numbered, with their distance and under each image its class.

    images: uint8 (P, 2, H, W). labels: int64 (P, 2). distances: P of them, in grey levels.
    Raises ValueError for other shapes or a class without a name.
    """
    n = len(distances)
    fits = n and images.shape[:2] == labels.shape == (n, 2)
    require(fits, f"{images.shape} images for {n} distances")
    check_named(labels, len(class_names))
    every, parts = [], []
    for place, (pair, classes, distance) in enumerate(zip(images, labels, distances, strict=True)):
        apart = f"{distance:.1f} grey levels apart" if distance else "the same pixels"
        names = [class_names[k] for k in classes]
        picture = joined(shrunk(pair, _PAIR_SIDE))
        every.append(Tile(picture, f"{place + 1}: {apart}", [[Said(name, INK) for name in names]]))
        parts.append(f"{names[0]} and {names[1]}, {apart}")
    alt = f"{n} pairs of images that are alike and labelled differently: {'; '.join(parts)}."
    return Drawing(tiles(every, (4, 2), largest=250), alt)


def percent_text(probability: float) -> str:
    """Such as "93.1 %", never 100 %: no classifier knows."""
    return "> 99.9 %" if probability >= _ALMOST_ONE else f"{100 * probability:.1f} %"


def _counts(codes: Codes, class_names: Sequence[str]) -> str:
    counts = np.bincount(codes, minlength=len(class_names))
    return ", ".join(f"{n} {name}" for n, name in zip(counts, class_names, strict=True) if n)
