"""How much a classifier is for each class: the numbers whose change a map shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mnistlab.classifiers import SVMClassifier
from mnistlab.classifiers.methods import Classifier
from mnistlab.classifiers.support_vectors import SupportVectors

Images = NDArray[np.uint8]  # (N, H, W)
Codes = NDArray[np.int64]  # (N,), class numbers
Scores = NDArray[np.float64]  # (N, K), or (N,) of one class each

BLOCK_PIXELS = 1 << 22  # of images that are made to be predicted: 4 MB
LOWEST = np.finfo(np.float64).tiny  # a probability of 0 has no logarithm


def class_scores(classifier: Classifier, images: Images) -> Scores:
    """(N, K): the logarithm of each class's probability; of a support vector machine see below.

    Logarithms also show what changes a probability near 0 or 1.
    """
    if isinstance(classifier, SVMClassifier):
        return mean_margins(classifier, images)
    probabilities: Scores = classifier.predict_proba(images)
    return np.log(np.maximum(probabilities, LOWEST))


def mean_margins(classifier: SVMClassifier, images: Images) -> Scores:
    """(N, K): the mean value of a class's pairs in a support vector machine, positive for it.

    A machine has a decision for each pair of classes. Its votes and probabilities jump where one of
    them changes its sign; their mean does not.
    """
    machine: SupportVectors = classifier.machine_
    return machine.decision(classifier.rows(images.astype(np.float64))) @ sides(machine)


def sides(machine: SupportVectors) -> NDArray[np.float64]:
    """(pairs, K): how each pair counts for a class: for the first, against the second."""
    n_classes = len(machine.n_support)
    counted = np.zeros((len(machine.pairs), n_classes))
    for row, (first, second) in enumerate(machine.pairs):
        counted[row, first], counted[row, second] = 1.0, -1.0
    return counted / (n_classes - 1)
