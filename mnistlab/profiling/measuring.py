"""Measures a data set: classes, splits, grey levels, images, principal components, neighbours.

Images of an official test set are counted, but neither shown nor compared: they are for evaluation
alone. Needs NumPy, and scikit-learn for components and the map.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab import machine
from mnistlab.data.dataset import Dataset
from mnistlab.data.embedding import (
    as_rows,
    neighbour_agreement,
    neighbour_map,
    principal_components,
    variance_shares,
)
from mnistlab.data.splits import PROTOCOLS
from mnistlab.errors import DataError
from mnistlab.profiling.grey_levels import (
    BLACK,
    Counts,
    levels_by_class,
    moments_by_class,
    statistics_of,
)
from mnistlab.profiling.nearest import Pair, closest_pairs, nearest_images

N_EXAMPLES, N_PAIRS = 16, 12
N_COMPARED, N_MAP = 10_000, 5000  # images; the time for neighbours grows with N_COMPARED ** 2
N_COMPONENTS, PERPLEXITY = 50, 30.0  # row A2
PART_TITLES = {"train": "training part", "val": "validation part", "test": "test part"}
FEWEST_EMBEDDED = 10  # images; components and neighbours of fewer say nothing


class SplitSizes(NamedTuple):
    """Images in train, val and test by a protocol; None, and the reason, where it cannot be used.

    largest_shift: the largest difference between a class's fraction of a split and of all images.
    """

    protocol: str
    sizes: tuple[int, int, int] | None
    largest_shift: float | None = None
    fault: str = ""


@dataclass(frozen=True)
class Embedding:
    """variance: the fraction that each principal component explains, largest first.

    agreement: accuracy of the ten nearest neighbours by kind of features, over n_map images.
    points: float32 (n_map, 2), the map of the first n_map compared images; None without a map.
    """

    variance: tuple[float, ...]
    agreement: dict[str, float]
    n_map: int
    points: NDArray[np.float32] | None
    perplexity: float

    def to_json(self) -> dict[str, Any]:
        """As it stands in profile.json."""
        return {
            "explained_variance": list(self.variance),
            "neighbour_agreement": self.agreement,
            "n_map": self.n_map,
            "perplexity": None if self.points is None else self.perplexity,
        }


@dataclass(frozen=True, eq=False)
class Profile:
    """What was measured, for K classes. "Shown" are the official training images, or all images.

    parts: titles of the splits, such as "training part", or "all images". counts: int64 (P, K),
    images. grey_levels: int64 (P, K, 256), pixels. mean, deviation: float32 (K, H, W) over the
    shown images of a class, NaN where there are none. n_constant: number of pixels that never
    change in them.
    examples: positions of at most N_EXAMPLES images of each class, evenly over the file.
    compared: int (M,), positions of the shown images that are compared: all, or N_COMPARED at
    random. embedding: None for few images or images all alike. pairs: the closest pairs of
    different classes. nearest_is_own: bool (M,), whether the nearest other image is of the same
    class. time_s: of each step.
    """

    dataset: Dataset
    parts: tuple[str, ...]
    counts: Counts
    grey_levels: Counts
    splits: tuple[SplitSizes, ...]
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    n_constant: int
    examples: tuple[NDArray[np.intp], ...]
    compared: NDArray[np.intp]
    embedding: Embedding | None
    pairs: tuple[Pair, ...]
    nearest_is_own: NDArray[np.bool_]
    seed: int
    time_s: dict[str, float] = field(default_factory=dict)

    @property
    def class_counts(self) -> Counts:
        """int64 (K,): the images of each class in all parts."""
        counts: Counts = self.counts.sum(axis=0)
        return counts

    @cached_property
    def own_shares(self) -> NDArray[np.float64]:
        """float64 (K,): the fraction of a class's compared images whose nearest is of the class.

        NaN for a class without compared images.
        """
        labels, n_classes = self.dataset.labels[self.compared], self.dataset.n_classes
        n_own = np.bincount(labels[self.nearest_is_own], minlength=n_classes)
        with np.errstate(invalid="ignore"):
            return np.asarray(n_own / np.bincount(labels, minlength=n_classes))

    def to_json(self) -> dict[str, Any]:
        """profile.json: the numbers, without the images."""
        dataset, by_part = self.dataset, self.grey_levels.sum(axis=1)
        return {
            "data": dataset.name,
            "source": dict(dataset.source),
            "fingerprint": dataset.fingerprint,
            "licence": dataset.licence,
            "n_images": len(dataset),
            "height": dataset.images.shape[1],
            "width": dataset.images.shape[2],
            "classes": [self._class_json(k) for k in range(dataset.n_classes)],
            "pixels": dict(zip(self.parts, map(_statistics_json, by_part), strict=True)),
            "grey_levels": dict(zip(self.parts, by_part.tolist(), strict=True)),
            "black": BLACK,
            "n_constant_pixels": self.n_constant,
            "splits": {s.protocol: s._asdict() for s in self.splits},
            "n_compared": len(self.compared),
            "nearest_is_own": float(self.nearest_is_own.mean()),
            "seed": self.seed,
            "pairs": [self._pair_json(pair) for pair in self.pairs],
            "embedding": self.embedding and self.embedding.to_json(),
            "time_s": self.time_s,
        }

    def _class_json(self, k: int) -> dict[str, Any]:
        return {
            "name": self.dataset.class_names[k],
            "n_images": dict(zip(self.parts, map(int, self.counts[:, k]), strict=True)),
            "pixels": _statistics_json(self.grey_levels[:, k].sum(axis=0)),
            "nearest_is_own": _number(self.own_shares[k]),
        }

    def _pair_json(self, pair: Pair) -> dict[str, Any]:
        names, labels = self.dataset.class_names, self.dataset.labels
        return {
            "images": [pair.first, pair.second],
            "classes": [names[labels[place]] for place in (pair.first, pair.second)],
            "distance": pair.distance,
        }


class _Steps:
    """Reports each step before it begins, and measures its seconds."""

    def __init__(self, on_step: Callable[[str], None]) -> None:
        self.on_step, self.time_s = on_step, dict[str, float]()

    @contextmanager
    def __call__(self, name: str, text: str) -> Iterator[None]:
        self.on_step(text)
        start = time.perf_counter()
        yield
        self.time_s[name] = time.perf_counter() - start


def profile(
    dataset: Dataset,
    *,
    with_map: bool = True,
    threads: int | None = None,
    seed: int = 0,
    on_step: Callable[[str], None] = lambda text: None,
) -> Profile:
    """Measure a data set; nothing is trained.

    with_map: whether to make the t-SNE map of N_MAP images, which takes longer than all the rest.
    on_step: called with a line of text before each step. seed: of the choice of images that are
    compared, and of the map.
    """
    step = _Steps(on_step)
    n_shown = dataset.n_official_train or len(dataset)
    shown = slice(0, n_shown)
    images, labels = dataset.images[shown], dataset.labels[shown]
    order = np.random.default_rng(seed).permutation(n_shown)[:N_COMPARED]
    with machine.n_threads(threads):
        with step("pixels", f"grey levels of {len(dataset):,} images"):
            parts, counts, grey_levels = _count(dataset)
            mean, deviation = moments_by_class(images, labels, dataset.n_classes)
            n_constant = int((images.min(axis=0) == images.max(axis=0)).sum())
            splits = tuple(_sizes_of(dataset, protocol) for protocol in PROTOCOLS)
        with step("nearest", f"nearest of {len(order):,} images"):
            nearest = nearest_images(images[order], labels[order])
        embedding = _embed(images[order], labels[order], with_map, seed, step)
    return Profile(
        dataset=dataset,
        parts=parts,
        counts=counts,
        grey_levels=grey_levels,
        splits=splits,
        mean=mean,
        deviation=deviation,
        n_constant=n_constant,
        examples=tuple(_spread(np.flatnonzero(labels == k)) for k in range(dataset.n_classes)),
        compared=order,
        embedding=embedding,
        pairs=closest_pairs(nearest, order, N_PAIRS),
        nearest_is_own=nearest.is_own,
        seed=seed,
        time_s=step.time_s,
    )


def _count(dataset: Dataset) -> tuple[tuple[str, ...], Counts, Counts]:
    """Names of the parts, images (P, K) and pixels (P, K, 256) in each."""
    n_classes = dataset.n_classes
    found = {PART_TITLES[name]: where for name, where in dataset.official_splits.items()}
    parts = found or {"all images": slice(None)}
    counts, levels = [], []
    for where in parts.values():
        images, labels = dataset.images[where], dataset.labels[where]
        counts.append(np.bincount(labels, minlength=n_classes))
        levels.append(levels_by_class(images, labels, n_classes))
    return tuple(parts), np.stack(counts), np.stack(levels)


def _embed(
    images: NDArray[np.uint8], labels: NDArray[np.int64], with_map: bool, seed: int, step: _Steps
) -> Embedding | None:
    """Components of all images, neighbours and map of the first N_MAP."""
    if len(images) < FEWEST_EMBEDDED or not (images != images[0]).any():
        return None
    with step("components", f"principal components of {len(images):,} images"):
        rows = as_rows(images)
        pca = principal_components(rows, N_COMPONENTS, seed)
        rows, labels = rows[:N_MAP], labels[:N_MAP]
        agreement = {
            "all pixels": neighbour_agreement(rows, labels),
            f"{pca.n_components_} components": neighbour_agreement(pca.transform(rows), labels),
        }
    points, perplexity = None, 0.0
    if with_map:
        with step("map", f"t-SNE map of {len(rows):,} images"):
            points, perplexity = neighbour_map(rows, PERPLEXITY, seed)
            agreement["the map"] = neighbour_agreement(points, labels)
    return Embedding(variance_shares(pca), agreement, len(rows), points, perplexity)


def _sizes_of(dataset: Dataset, protocol: str) -> SplitSizes:
    try:
        parts = PROTOCOLS[protocol](dataset)
    except DataError as error:
        return SplitSizes(protocol, None, fault=str(error))
    n_classes = dataset.n_classes
    whole = np.bincount(dataset.labels, minlength=n_classes) / len(dataset)
    shifts = [
        np.abs(np.bincount(dataset.labels[part], minlength=n_classes) / len(part) - whole).max()
        for part in parts
        if len(part)
    ]
    train, val, test = map(len, parts)
    return SplitSizes(protocol, (train, val, test), float(max(shifts)))


def _spread(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most N_EXAMPLES of the positions, evenly from the first to the last."""
    n = min(N_EXAMPLES, len(places))
    return places[np.linspace(0, len(places) - 1, n).round().astype(np.intp)] if n else places


def _statistics_json(levels: Counts) -> dict[str, Any] | None:
    if not levels.any():
        return None
    found = statistics_of(levels)._asdict()
    return {name: _number(value) for name, value in found.items()}


def _number(value: Any) -> Any:
    return None if np.isnan(value) else value
