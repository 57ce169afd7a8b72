"""How much a page shows where there is much: so many classes, and words for what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_CLASSES = 50  # rows of a figure or table; EMNIST's 47 are all shown
MOST_PICTURED = 26  # classes with images of their own: the letters are all shown
MOST_TOLD = 100  # in a sentence for those who cannot see the figure
MOST_ROWS = 200  # of a table of trials or comparisons

Places = NDArray[np.intp]


def highest(scores: NDArray[Any], most: int) -> Places:
    """Places of the highest scores (N,), NaN last, as many as `most`, in their own order."""
    if len(scores) <= most:
        return np.arange(len(scores))
    order = np.argsort(-np.asarray(scores, dtype=float), kind="stable")
    return np.sort(order[:most])


def extremes(scores: NDArray[Any], most: int) -> Places:
    """Places of the highest and of the lowest scores (N,), half of `most` each, highest first.

    All, in their own order, where they are no more than that. NaN counts as lowest.
    """
    if len(scores) <= most:
        return np.arange(len(scores))
    order = np.argsort(-np.asarray(scores, dtype=float), kind="stable")
    return np.concatenate([order[: most - most // 2], order[-(most // 2) :]])


def spread(n: int, most: int) -> Places:
    """At most so many of n places, evenly from the first to the last."""
    return np.linspace(0, n - 1, min(n, most)).round().astype(np.intp)


def in_turns(labels: NDArray[np.int64], most: int) -> Places:
    """At most so many places, one of each class in turn as far as they go, in order."""
    by_class = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    rank = np.empty(len(labels), dtype=np.intp)  # of an image among those of its class
    rank[by_class] = np.arange(len(labels)) - np.repeat(counts.cumsum() - counts, counts)
    return np.sort(np.lexsort((labels, rank))[:most])


def with_left_out(caption: str, n_shown: int, n: int, which: str, things: str = "classes") -> str:
    """The caption and, where some of n things are left out, which are shown and how many are not.

    which: such as "with the most mistakes".
    """
    if n_shown >= n:
        return caption
    left = f"Of {n:,} {things} the {n_shown:,} {which}; {n - n_shown:,} are left out."
    return f"{caption} {left}".strip()


def enumerated(parts: Sequence[str], most: int = MOST_TOLD) -> str:
    """Parts of a sentence, of very many the first and how many more there are."""
    if len(parts) <= most:
        return ", ".join(parts)
    return f"{', '.join(parts[:most])} and {len(parts) - most:,} more"
