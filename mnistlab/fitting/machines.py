"""A support vector machine within a time, although nothing can stop its training.

Its time grows with a power of the number of images, which is measured on small parts: the largest
part that is expected to end in time is trained last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mnistlab.classifiers.methods import Classifier
from mnistlab.data import Dataset
from mnistlab.evaluation import power_law
from mnistlab.fitting.candidates import N_CALIBRATION_FOLDS, Candidate, Size
from mnistlab.fitting.costs import part_of
from mnistlab.runs.building import classifier_of

SMALLEST = 100  # images: times of fewer say nothing of more
GROWTH = 2.0  # from one part to the next
UNSURE = 2.0  # times the expected seconds must be left, since nothing can stop it
STEEPEST = 3.0  # the exponent that is assumed while there are too few points to measure one


class Machine(NamedTuple):
    """A trained machine, and of how many images; classifier: None where no part was in time."""

    classifier: Classifier | None
    n_train: int


def trained_machine(
    candidate: Candidate,
    train: Dataset,
    seed: int,
    seconds: float,
    device: str,
    now: Callable[[], float],
) -> Machine:
    """Train on larger and larger parts while the next is expected to end within the seconds.

    now: a monotonic clock.
    Of classes with fewer images than calibration has folds no machine is trained.
    """
    if np.bincount(train.labels, minlength=train.n_classes).min() < 2 * N_CALIBRATION_FOLDS:
        return Machine(None, 0)
    begin = now()
    least = 4 * N_CALIBRATION_FOLDS * train.n_classes  # so that every fold has every class
    n = min(max(SMALLEST, least), len(train))
    sizes, times, best = list[int](), list[float](), Machine(None, 0)
    while True:
        part = part_of(train, n)
        if np.bincount(part.labels).min() >= N_CALIBRATION_FOLDS:
            start = now()
            classifier = classifier_of(candidate.for_size(Size(0, n), seed), device)
            best = Machine(classifier.fit(part.images, part.labels), len(part))
            sizes, times = [*sizes, len(part)], [*times, max(now() - start, 1e-4)]
        left = seconds - (now() - begin)
        if n >= len(train) or not times or left <= 0:
            return best
        n = _next_size(sizes, times, len(train), left / UNSURE)
        if n <= sizes[-1]:
            return best


def _next_size(sizes: list[int], times: list[float], most: int, seconds: float) -> int:
    """The next part: twice as large while that is quick, else the largest in time; 0: none."""
    exponent = STEEPEST
    if len(sizes) >= 3:
        measured, margin, _ = power_law(sizes, times)
        exponent = min(max(measured + margin, 1.0), STEEPEST)
    doubled = min(int(GROWTH * sizes[-1]), most)
    if times[-1] * (doubled / sizes[-1]) ** exponent <= seconds / 3:
        return doubled
    largest = min(int(sizes[-1] * (seconds / times[-1]) ** (1 / exponent)), most)
    return largest if largest >= 1.2 * sizes[-1] else 0
