"""What a page shows of predictions that come block by block: counts, and some images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.reporting.bounds import spread
from mnistlab.reporting.figures.tiles import SIDE, shrunk
from mnistlab.runs.predicting import Predicted

N_SHOWN = 48  # images of a grid
N_OF_CLASS = 16  # images of a row of the gallery
MOST_HELD = 4096  # images of all classes together
GRID_SIDE = 96  # pixels of an image worth keeping for a grid


class Example(NamedTuple):
    """An image (H, W), shrunk if it is large, with its predicted class and probabilities (K,).

    distance: to the nearest training images; None where it was not asked for.
    """

    id: str
    image: NDArray[np.uint8]
    code: int
    probabilities: NDArray[np.float64] | None
    distance: float | None = None

    @property
    def probability(self) -> float:
        """Of the predicted class; NaN of a classifier that gives none."""
        return float("nan") if self.probabilities is None else float(self.probabilities[self.code])

    @property
    def second(self) -> int:
        """The most probable of the other classes; the class itself where there is no other."""
        others = np.zeros(0) if self.probabilities is None else self.probabilities.copy()
        if len(others) < 2:
            return self.code
        others[self.code] = -1
        return int(others.argmax())

    @property
    def second_probability(self) -> float | None:
        """Of the next class; None of a classifier that gives none."""
        return None if self.probabilities is None else float(self.probabilities[self.second])


class EvenSample:
    """At most `most` examples, evenly over all that are offered, however many these will be."""

    def __init__(self, most: int) -> None:
        self.most, self.stride, self.n_offered = most, 1, 0
        self._held: list[Example] = []

    def takes_next(self) -> bool:
        """Count one more; whether it is to be added."""
        takes = self.n_offered % self.stride == 0
        self.n_offered += 1
        return takes

    def add(self, example: Example) -> None:
        """Hold it; of twice as many as wanted every other one goes."""
        self._held.append(example)
        if len(self._held) == 2 * self.most:
            self._held, self.stride = self._held[::2], 2 * self.stride

    @property
    def examples(self) -> list[Example]:
        """In the order they came."""
        return [self._held[k] for k in spread(len(self._held), self.most)]


class PredictionSample:
    """Counts of all predictions, and some of them with their images.

    counts, probability_sums: by predicted class, (K,). n_below_half: images whose predicted class
    has less than half of the probability. threshold: that of two classes, if there is one, around
    which predictions are least sure. n_unusual: images unlike the training images; None where it
    was not asked for.
    """

    def __init__(self, n_classes: int, threshold: float | None = None) -> None:
        self.counts = np.zeros(n_classes, dtype=np.int64)
        self.probability_sums = np.zeros(n_classes)
        self.n_below_half, self.threshold, self.has_probabilities = 0, threshold, False
        self.some = EvenSample(N_SHOWN)
        n_each = max(1, min(N_OF_CLASS, MOST_HELD // n_classes))
        self.by_class = [EvenSample(n_each) for _ in range(n_classes)]
        self._least_sure: list[tuple[float, Example]] = []
        self.n_unusual: int | None = None
        self._unusual: list[tuple[float, Example]] = []

    @property
    def n_images(self) -> int:
        """How many were predicted."""
        return int(self.counts.sum())

    @property
    def least_sure(self) -> list[Example]:
        """Those of the lowest probability, or nearest to the threshold, the least sure first."""
        return [example for _, example in self._least_sure]

    @property
    def unusual(self) -> list[Example]:
        """Some images unlike the training images, the furthest first."""
        return [example for _, example in self._unusual]

    def add(self, block: Predicted) -> None:
        """Take a block in."""
        self.counts += np.bincount(block.codes, minlength=len(self.counts))
        if block.probabilities is not None:
            self._weigh(block, block.probabilities)
        if block.distances is not None and block.are_unusual is not None:
            self.n_unusual = (self.n_unusual or 0) + int(block.are_unusual.sum())
            places = np.flatnonzero(block.are_unusual)
            ranks = -block.distances[places].astype(np.float64)
            self._unusual = _lowest(self._unusual, block, places, ranks)
        for index, code in enumerate(block.codes):
            if self.some.takes_next():
                self.some.add(_example(block, index, GRID_SIDE))
            if self.by_class[code].takes_next():
                self.by_class[code].add(_example(block, index, SIDE))

    def _weigh(self, block: Predicted, probabilities: NDArray[np.float64]) -> None:
        self.has_probabilities = True
        chosen = probabilities[np.arange(len(block.codes)), block.codes]
        self.probability_sums += np.bincount(block.codes, chosen, minlength=len(self.counts))
        self.n_below_half += int((chosen < 0.5).sum())
        sureness = (
            chosen if self.threshold is None else np.abs(probabilities[:, 1] - self.threshold)
        )
        places = np.arange(len(block.codes))
        self._least_sure = _lowest(self._least_sure, block, places, sureness)


def _lowest(
    held: list[tuple[float, Example]],
    block: Predicted,
    places: NDArray[np.intp],
    ranks: NDArray[np.float64],
) -> list[tuple[float, Example]]:
    """The N_SHOWN examples of the lowest rank, of those held and those at `places` of a block."""
    new = [
        (float(ranks[index]), _example(block, int(places[index]), GRID_SIDE))
        for index in np.argsort(ranks, kind="stable")[:N_SHOWN]
    ]
    both = [*held, *new]  # sorted is stable: of equals the earlier image
    return sorted(both, key=lambda pair: pair[0])[:N_SHOWN]


def _example(block: Predicted, index: int, side: int) -> Example:
    image = shrunk(block.images[index : index + 1], side)[0].round().astype(np.uint8)  # a copy
    p = None if block.probabilities is None else block.probabilities[index].copy()
    distance = None if block.distances is None else float(block.distances[index])
    return Example(block.ids[index], image, int(block.codes[index]), p, distance)
