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

    def __init__(self, most: int, side: int) -> None:
        self.most, self.side, self.stride, self.n_offered = most, side, 1, 0
        self._held: list[Example] = []

    def offer(self, block: Predicted, index: int) -> None:
        """Hold an image of a block if its turn is now; of twice too many every other one goes."""
        if self.n_offered % self.stride == 0:
            self._held.append(_example(block, index, self.side))
            if len(self._held) == 2 * self.most:
                self._held, self.stride = self._held[::2], 2 * self.stride
        self.n_offered += 1

    @property
    def examples(self) -> list[Example]:
        """In the order they came."""
        return [self._held[k] for k in spread(len(self._held), self.most)]


class Lowest:
    """The N_SHOWN examples of the lowest ranks, the lowest first; of equals the earlier one."""

    def __init__(self) -> None:
        self._held: list[tuple[float, Example]] = []

    def offer(self, block: Predicted, places: NDArray[np.intp], ranks: NDArray[np.float64]) -> None:
        """Hold those of a block's images at `places` whose ranks are low enough."""
        for index in np.argsort(ranks, kind="stable")[:N_SHOWN]:
            example = _example(block, int(places[index]), GRID_SIDE)
            self._held.append((float(ranks[index]), example))
        self._held = sorted(self._held, key=lambda pair: pair[0])[:N_SHOWN]

    @property
    def examples(self) -> list[Example]:
        """By their ranks."""
        return [example for _, example in self._held]


class PredictionSample:
    """Counts of all predictions, and some of them with their images.

    counts, probability_sums: by predicted class, (K,). n_below_half: images whose predicted class
    has less than half of the probability. threshold: that of two classes, if there is one, around
    which predictions are least sure. unusual: some of the images unlike the training images, the
    furthest first; n_unusual: how many there are, None where it was not asked for. least_sure:
    those of the lowest probability, or nearest to the threshold.
    """

    def __init__(self, n_classes: int, threshold: float | None = None) -> None:
        self.counts = np.zeros(n_classes, dtype=np.int64)
        self.probability_sums = np.zeros(n_classes)
        self.n_below_half, self.threshold, self.has_probabilities = 0, threshold, False
        self.some = EvenSample(N_SHOWN, GRID_SIDE)
        n_each = max(1, min(N_OF_CLASS, MOST_HELD // n_classes))
        self.by_class = [EvenSample(n_each, SIDE) for _ in range(n_classes)]
        self.least_sure, self.unusual = Lowest(), Lowest()
        self.n_unusual: int | None = None

    @property
    def n_images(self) -> int:
        """How many were predicted."""
        return int(self.counts.sum())

    def add(self, block: Predicted) -> None:
        """Take a block in."""
        self.counts += np.bincount(block.codes, minlength=len(self.counts))
        if block.probabilities is not None:
            self._weigh(block, block.probabilities)
        if block.distances is not None and block.are_unusual is not None:
            self.n_unusual = (self.n_unusual or 0) + int(block.are_unusual.sum())
            places = np.flatnonzero(block.are_unusual)
            self.unusual.offer(block, places, -block.distances[places].astype(np.float64))
        for index, code in enumerate(block.codes):
            self.some.offer(block, index)
            self.by_class[code].offer(block, index)

    def _weigh(self, block: Predicted, probabilities: NDArray[np.float64]) -> None:
        self.has_probabilities = True
        chosen = probabilities[np.arange(len(block.codes)), block.codes]
        self.probability_sums += np.bincount(block.codes, chosen, minlength=len(self.counts))
        self.n_below_half += int((chosen < 0.5).sum())
        if self.threshold is not None:
            chosen = np.abs(probabilities[:, 1] - self.threshold)
        self.least_sure.offer(block, np.arange(len(block.codes)), chosen)


def _example(block: Predicted, index: int, side: int) -> Example:
    image = shrunk(block.images[index : index + 1], side)[0].round().astype(np.uint8)  # a copy
    p = None if block.probabilities is None else block.probabilities[index].copy()
    distance = None if block.distances is None else float(block.distances[index])
    return Example(block.ids[index], image, int(block.codes[index]), p, distance)
