"""Five small sets such as users bring, made from MNIST, Fashion-MNIST and scikit-learn's digits.

Every seed draws its own training, validation and test images. Nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import mnistlab as ml

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


class Parts(NamedTuple):
    """Images uint8 (n, H, W) and labels (n,) of the training, validation and test part."""

    X: Images
    y: Labels
    X_val: Images
    y_val: Labels
    X_test: Images
    y_test: Labels


class SmallSet(NamedTuple):
    """A set's description, the function that draws it for a seed, and its metric."""

    about: str
    draw: Callable[[int], Parts]
    figure: str = "accuracy"


HALF = 1  # the recipe was chosen on draws from the other half, 0, of the two large sets


@cache
def load(name: str) -> ml.Dataset:
    """The set; of large ones every second image, from the training and test parts."""
    data = ml.load(name)
    return data.take(slice(HALF, None, 2)) if len(data) == 70_000 else data


def digits(seed: int) -> Parts:
    """scikit-learn's 1,797 handwritten digits of 8 x 8 pixels: 1,078 / 180 / 539."""
    data, random = load("digits"), np.random.default_rng(seed)
    return _parts(data.images, data.labels, _drawn(data.labels, (0.6, 0.1, 0.3), random))


def garments(seed: int) -> Parts:
    """fashion-mini: 1,500 / 300 / 2,000 of its images, 28 x 28, ten classes."""
    data, random = load("fashion-mini"), np.random.default_rng(seed)
    return _parts(data.images, data.labels, _drawn(data.labels, (150, 30, 200), random))


def few_inverted(seed: int) -> Parts:
    """Twelve training and three validation MNIST digits per class, black on white, 32 x 32."""
    data, random = load("mnist"), np.random.default_rng(seed)
    drawn = _drawn(data.labels, (12, 3, 200), random)
    parts = _parts(data.images, data.labels, drawn)
    padded = [255 - np.pad(X, ((0, 0), (2, 2), (2, 2))) for X in parts[::2]]
    return Parts(padded[0], parts.y, padded[1], parts.y_val, padded[2], parts.y_test)


def many_classes(seed: int) -> Parts:
    """The numbers 00 to 99, two MNIST digits side by side, 28 x 56: 12 / 3 / 20 of each."""
    data, random = load("mnist"), np.random.default_rng(seed)
    cut = _drawn(data.labels, (1200, 300, 1500), random)  # no digit is in two parts
    parts = []
    for part, n_each in zip(cut, (12, 3, 20), strict=True):
        y = np.arange(100).repeat(n_each)
        halves = [_of_classes(data.labels, part, digit, random) for digit in (y // 10, y % 10)]
        parts += [np.concatenate([data.images[half] for half in halves], axis=2), y]
    return Parts(*parts)


def unbalanced(seed: int) -> Parts:
    """Shirts among T-shirts, 1 to 9, at 64 x 64: 1,500 / 500 / 1,800."""
    data, random = load("fashion-mnist"), np.random.default_rng(seed)
    of_interest = np.flatnonzero(np.isin(data.labels, (0, 6)))
    labels = (data.labels[of_interest] == 6).astype(np.int64)
    tshirts = _drawn(labels, (1350, 450, 1620), random, only=0)
    shirts = _drawn(labels, (150, 50, 180), random, only=1)
    parts = []
    for few, many in zip(shirts, tshirts, strict=True):
        chosen = random.permutation(np.concatenate([few, many]))
        parts += [_resized(data.images[of_interest[chosen]], 64), labels[chosen]]
    return Parts(*parts)


SETS: dict[str, SmallSet] = {
    "digits": SmallSet("ten digits, 8 x 8, 1,078 images", digits),
    "garments": SmallSet("ten garments, 28 x 28, 1,500 images", garments),
    "few-inverted": SmallSet("ten digits, black on white, 32 x 32, 120 images", few_inverted),
    "many-classes": SmallSet("the numbers 00 to 99, 28 x 56, 1,200 images", many_classes),
    "unbalanced": SmallSet(
        "shirts among T-shirts 1 to 9, 64 x 64, 1,500 images", unbalanced, "balanced_accuracy"
    ),
}


def _drawn(
    labels: Labels,
    sizes: tuple[float, float, float],
    random: np.random.Generator,
    only: int | None = None,
) -> list[NDArray[np.intp]]:
    """Three parts without common images, by numbers or fractions of each class."""
    parts: list[list[NDArray[np.intp]]] = [[], [], []]
    for value in np.unique(labels) if only is None else [only]:
        places = random.permutation(np.flatnonzero(labels == value))
        counts = [round(s * len(places)) if s < 1 else int(s) for s in sizes]
        assert sum(counts) <= len(places), f"class {value} has {len(places)} images"
        for part, taken in zip(parts, np.split(places, np.cumsum(counts))[:3], strict=True):
            part.append(taken)
    return [random.permutation(np.concatenate(part)) for part in parts]


def _parts(images: Images, labels: Labels, drawn: list[NDArray[np.intp]]) -> Parts:
    train, val, test = drawn
    return Parts(images[train], labels[train], images[val], labels[val], images[test], labels[test])


def _of_classes(
    labels: Labels, part: NDArray[np.intp], wanted: Labels, random: np.random.Generator
) -> NDArray[np.intp]:
    """For each wanted class an image of that class from the part."""
    pools = [part[labels[part] == digit] for digit in range(10)]
    return np.array([random.choice(pools[digit]) for digit in wanted])


def _resized(images: Images, side: int) -> Images:
    resized = [
        Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR) for image in images
    ]
    return np.stack([np.asarray(image) for image in resized])
