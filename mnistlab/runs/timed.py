"""A training with the clock running: nothing is written, and the test images are seen once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mnistlab.classifiers.methods import method_of
from mnistlab.data import Dataset, load
from mnistlab.evaluation import fraction_interval
from mnistlab.recipe import Recipe
from mnistlab.recipes import get_recipe
from mnistlab.recipes.records import record_of
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


@dataclass(frozen=True)
class TimedRecord:
    """A record's trainings, their means, and whether these meet its target.

    load_s, warm_up_s: seconds beside the trainings, for the data and for a first step. interval: of
    the mean accuracy over seeds (95 %), None of one seed. spread: the lowest and the highest.
    target_s and is_fast are None where the record asks for no time.
    """

    record: str
    recipe_hash: str
    data: str
    load_s: float
    warm_up_s: float
    trainings: tuple[Timed, ...]
    test_accuracy: float
    interval: tuple[float, float] | None
    spread: tuple[float, float]
    train_s: float
    target_accuracy: float
    target_s: float | None
    is_accurate: bool
    is_fast: bool | None


def train_record(
    name: str,
    seeds: int = 1,
    first_seed: int = 0,
    threads: int | None = None,
    on_trained: Callable[[Timed], None] = lambda timed: None,
) -> TimedRecord:
    """Train a record recipe on the CPU with the clock running, and measure it on the test part.

    seeds: how many trainings, from first_seed on. RecipeError for a name that is no record's,
    DataError where its data cannot be had. Nothing is written.
    """
    record, recipe = record_of(name), get_recipe(name)
    start = time.perf_counter()
    dataset = load(record.data)
    load_s = time.perf_counter() - start
    warm_up_s = warm_up(recipe, dataset, threads)
    trainings = []
    for seed in range(first_seed, first_seed + seeds):
        trainings.append(train_timed(replace(recipe, seed=seed), dataset, threads))
        on_trained(trainings[-1])
    accuracies = [timed.test_accuracy for timed in trainings]
    mean, low, high = fraction_interval(accuracies)
    mean_s = sum(timed.train_s for timed in trainings) / len(trainings)
    return TimedRecord(
        record=name,
        recipe_hash=recipe.content_hash,
        data=record.data,
        load_s=load_s,
        warm_up_s=warm_up_s,
        trainings=tuple(trainings),
        test_accuracy=mean,
        interval=None if math.isnan(low) else (low, high),
        spread=(min(accuracies), max(accuracies)),
        train_s=mean_s,
        target_accuracy=record.accuracy,
        target_s=record.seconds,
        is_accurate=mean >= record.accuracy,
        is_fast=None if record.seconds is None else mean_s <= record.seconds,
    )
