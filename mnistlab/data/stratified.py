"""Stratified random draws: a fraction of the images, every class in proportion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DEFAULT_SEED = 42  # random_state of write-ups A and C


def draw(
    labels: NDArray[np.int64], fraction: float, seed: int = DEFAULT_SEED
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of the drawn images and of the rest, each in order.

    Every class of two or more images is in both; the only image of a class stays in the rest.
    """
    counts = np.bincount(labels)
    can_be_drawn = np.where(counts > 1, counts, 0)
    n_drawn = max(round(fraction * len(labels)), int((counts > 1).sum()))
    is_drawn = rank_in_class(labels, seed) < apportioned(can_be_drawn, n_drawn)[labels]
    return np.flatnonzero(is_drawn), np.flatnonzero(~is_drawn)


def apportioned(counts: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """How many of n images each class gets (K,): in proportion, by the largest remainders.

    counts: images of each class. Each class gets at least one image if n allows it, at the cost
    of the largest classes.
    """
    quotas = counts * (n / max(int(counts.sum()), 1))
    n = min(n, int(counts.sum()))
    given: NDArray[np.int64] = np.floor(quotas).astype(np.int64)
    if n >= int((counts > 0).sum()):
        given = np.where(counts > 0, np.maximum(given, 1), 0)
    while (missing := n - int(given.sum())) != 0:
        # One image per class and round; the classes furthest from their quota come first.
        distance = (quotas - given) * np.sign(missing)
        distance[(given + np.sign(missing) > counts) | (given + np.sign(missing) < 1)] = -np.inf
        furthest = np.argsort(-distance, kind="stable")[: abs(missing)]
        given[furthest[np.isfinite(distance[furthest])]] += np.sign(missing)
    return given


def rank_in_class(labels: NDArray[np.int64], seed: int = DEFAULT_SEED) -> NDArray[np.int64]:
    """The position (N,), from 0, of each image in a random order of its class."""
    shuffled_places = np.random.default_rng(seed).permutation(len(labels))
    by_class = shuffled_places[np.argsort(labels[shuffled_places], kind="stable")]
    counts = np.bincount(labels)
    rank = np.empty(len(labels), dtype=np.int64)
    rank[by_class] = np.arange(len(labels)) - np.repeat(counts.cumsum() - counts, counts)
    return rank
