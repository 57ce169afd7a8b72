"""A training with the clock running: nothing is written, and the test images are seen once."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from mnistlab.classifiers.methods import method_of
from mnistlab.data import Dataset
from mnistlab.recipe import Recipe
from mnistlab.runs.building import classifier_of, parts_of


@dataclass(frozen=True)
class Timed:
    """One training, in seconds of wall time.

    train_s: from images as arrays to the last weights. predict_s: of all test images.
    """

    seed: int
    test_accuracy: float
    train_s: float
    predict_s: float


def warm_up(recipe: Recipe, dataset: Dataset, threads: int | None = None) -> float:
    """Train one step, in which compiled kernels and libraries are loaded; the seconds it took.

    The weights are thrown away, so that a training afterwards begins anew.
    """
    start = time.perf_counter()
    few = parts_of(recipe, dataset).train.take(slice(recipe.batch_size))
    phases = tuple(replace(phase, epochs=1, min_steps=0) for phase in recipe.phases)
    classifier = classifier_of(replace(recipe, phases=phases), "cpu")
    with method_of(recipe.model).n_threads(threads):
        classifier.fit(few.images, few.labels, few.images[:0], few.labels[:0])
    return time.perf_counter() - start


def train_timed(recipe: Recipe, dataset: Dataset, threads: int | None = None) -> Timed:
    """Train the recipe on the CPU, then predict the test part; for `threads` see Execution.

    The time of validation counts where the recipe has validation images.
    """
    split = parts_of(recipe, dataset)
    train, val, test = split.train, split.val, split.test
    classifier = classifier_of(recipe, "cpu")
    with method_of(recipe.model).n_threads(threads):
        start = time.perf_counter()
        classifier.fit(train.images, train.labels, val.images, val.labels)
        trained = time.perf_counter()
        accuracy = float(np.mean(classifier.predict(test.images) == test.labels))
        predicted = time.perf_counter()
    return Timed(recipe.seed, accuracy, trained - start, predicted - trained)
