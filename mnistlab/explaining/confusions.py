"""What a class is usually mistaken for: the predictions of an evaluated run's test images."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import RunError
from mnistlab.runs.folder import Run


class Mistaken(NamedTuple):
    """Of n test images with a predicted class, n_right were of it; others: class numbers, counts.

    The most frequent of the others first, and only those that occur.
    """

    n: int
    n_right: int
    others: tuple[tuple[int, int], ...]


class Confusions(NamedTuple):
    """True and predicted classes (N,) of the test images."""

    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]

    def predicted_as(self, code: int) -> Mistaken:
        """What the images truly are that are predicted as that class."""
        return _counted(self.labels[self.predicted == code], code)

    def of_class(self, code: int) -> Mistaken:
        """What the images of that class are predicted as."""
        return _counted(self.predicted[self.labels == code], code)


def confusions_of(run: Run, on_note: Callable[[str], None]) -> Confusions | None:
    """The stored predictions of a run; None where it is not evaluated, or, with a note, damaged."""
    if run.result.get("test_accuracy") is None:
        return None
    try:
        stored = run.predictions()
    except RunError as error:
        on_note(f"what classes are mistaken for is not shown: {error}")
        return None
    return Confusions(stored.labels, stored.predicted)


def _counted(codes: NDArray[np.int64], code: int) -> Mistaken:
    classes, counts = np.unique(codes[codes != code], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    others = tuple((int(classes[k]), int(counts[k])) for k in order)
    return Mistaken(len(codes), int((codes == code).sum()), others)
