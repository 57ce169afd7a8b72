"""The training images in a page: what a drawing is compared with, in every network's own eyes.

Fewer than a run's folder has (runs/neighbours.py), and images that all runs of the page were
trained on, so that each is stored once; hence thresholds of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.classifiers.methods import Classifier
from mnistlab.data import Dataset, Split
from mnistlab.evaluation.neighbours import N_NEAREST, Reference, distances, threshold_of
from mnistlab.exporting.packing import Packing
from mnistlab.runs.neighbours import features_of
from mnistlab.runs.seen import image_hashes

N_REFERENCES = 200
LEAST_REFERENCES = 20  # fewer common images are too few to say what is unlike them
N_VALIDATION = 2000  # images by which a threshold is chosen


def references_of(
    splits: Sequence[Split], classifiers: Sequence[Any], packing: Packing
) -> dict[str, Any] | None:
    """Training images that all runs share, and each run's threshold; None where they are too few.

    A drawing is unlike a run's training data where the mean distance of its features to the
    `nNearest` nearest is above the threshold: of validation images 1 % are.
    """
    train = splits[0].train
    common = in_all([split.train for split in splits])
    if len(common) < LEAST_REFERENCES:
        return None
    by_class = common[np.argsort(train.labels[common], kind="stable")]  # each in proportion
    known = train.take(by_class[evenly(len(common), N_REFERENCES)])
    images = np.asarray(known.images)
    return {
        "pixels": packing.add(np.ascontiguousarray(images)),
        "labels": known.labels.tolist(),
        "nNearest": N_NEAREST,
        "thresholds": [
            _threshold(classifier, images, split)
            for classifier, split in zip(classifiers, splits, strict=True)
        ],
    }


def in_all(parts: Sequence[Dataset]) -> NDArray[np.intp]:
    """Which images of the first part are in all others too, wherever they stand there."""
    first, *others = parts
    is_common = np.ones(len(first), dtype=bool)
    if others:
        hashes = image_hashes(np.asarray(first.images))
        for other in others:
            is_common &= np.isin(hashes, image_hashes(np.asarray(other.images)))
    return np.flatnonzero(is_common)


def evenly(n: int, most: int) -> NDArray[np.intp]:
    """At most `most` of n places, evenly spaced."""
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, most)).astype(np.intp))


def _threshold(classifier: Classifier, images: NDArray[np.uint8], split: Split) -> float:
    """From validation images, or, without any, from training images, which are known too well."""
    others = split.val if len(split.val) else split.train
    some = np.asarray(others.images[evenly(len(others), N_VALIDATION)])
    features = features_of(classifier, images)
    reference = Reference(features, np.arange(len(images)), 0.0)
    found = distances(features_of(classifier, some), reference)
    is_other = found > 0  # not one of the references
    return threshold_of(found[is_other]) if is_other.any() else 2.0
