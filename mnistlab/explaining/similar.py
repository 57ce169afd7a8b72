"""The training images that the network finds most like an image, and how far away they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.classifiers.methods import Classifier
from mnistlab.errors import MnistlabError
from mnistlab.evaluation.neighbours import distances, nearest
from mnistlab.runs.folder import Run
from mnistlab.runs.neighbours import features_of, reference_of
from mnistlab.runs.run_data import dataset_of

N_NEAREST = 5


class Neighbour(NamedTuple):
    """A training image (H, W): its place in the data set and its label, a class number."""

    place: int
    label: int
    image: NDArray[np.uint8]


class Similar(NamedTuple):
    """How an image lies among the training images.

    distance: mean distance to the nearest of them. threshold: what 99 % of validation images are
    below. nearest: the nearest first; none where the data are gone.
    """

    distance: float
    threshold: float
    nearest: tuple[Neighbour, ...]

    @property
    def is_unusual(self) -> bool:
        """Whether the image is unlike the training data."""
        return self.distance > self.threshold


def similar_to(
    run: Run, classifier: Classifier, images: NDArray[np.uint8], on_note: Callable[[str], None]
) -> list[Similar] | None:
    """One for each image (N, H, W); None where the run has nothing to compare with."""
    reference = reference_of(run, classifier, on_note)
    if reference is None:
        return None
    features = features_of(classifier, images)
    away = distances(features, reference)
    rows = nearest(features, reference, min(N_NEAREST, len(reference.places)))
    try:
        dataset = dataset_of(run)
    except MnistlabError as error:
        on_note(f"the nearest training images cannot be shown: {error}")
        return [Similar(float(of), reference.threshold, ()) for of in away]

    def neighbour(row: int) -> Neighbour:
        place = int(reference.places[row])
        return Neighbour(place, int(dataset.labels[place]), np.array(dataset.images[place]))

    return [
        Similar(float(of), reference.threshold, tuple(map(neighbour, of_image)))
        for of, of_image in zip(away, rows, strict=True)
    ]
