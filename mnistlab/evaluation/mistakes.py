"""The mistakes to look at first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.evaluation.probabilities import Labels, Probabilities


class Confused(NamedTuple):
    """So many images of class `true` that were predicted as `predicted`."""

    true: int
    predicted: int
    n: int


def most_confident_mistakes(
    labels: Labels, probabilities: Probabilities, n: int
) -> NDArray[np.intp]:
    """The places of at most n wrongly predicted images, the most confident first."""
    p = np.asarray(probabilities)
    wrong = np.flatnonzero(p.argmax(1) != labels)
    return wrong[np.argsort(-p[wrong].max(1), kind="stable")][:n]


def most_confused_pairs(confusion: NDArray[np.int64], n: int) -> list[Confused]:
    """At most n pairs of classes taken for one another, the most frequent first.

    confusion (K, K): row true, column predicted. Each direction is a pair of its own.
    """
    mistakes = confusion - np.diag(confusion.diagonal())
    order = np.argsort(-mistakes, axis=None, kind="stable")[:n]
    pairs = [divmod(int(place), len(confusion)) for place in order]
    return [
        Confused(true, predicted, int(mistakes[true, predicted]))
        for true, predicted in pairs
        if mistakes[true, predicted]
    ]
