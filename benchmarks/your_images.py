"""Which recipe for your own images? The recommended one beside other first choices.

Five small sets (your_image_sets), five seeds: a seed draws the images and seeds the training. All
methods are given the same images: 1-nearest-neighbour and logistic regression also train on the
validation part, once C is chosen. Everything uses one thread. A finished fit is saved in
runs/your-images, so that the same command resumes a stopped benchmark.

python -m benchmarks.your_images                   # fit what is missing, print the numbers
python -m benchmarks.your_images digits garments   # only these sets
python -m benchmarks.your_images --record          # also a line of the ledger for each set
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier

import mnistlab as ml
from benchmarks import ledger, plain_cnn
from benchmarks.your_image_sets import SETS, Images, Parts
from mnistlab import atomic
from mnistlab.runs import classifier_of
from mnistlab.training import hardware

N_SEEDS = 5
FOLDER = ledger.CHECKOUT / "runs" / "your-images"
CS = (0.01, 0.1, 1.0)
FIGURES: dict[str, Callable[[Any, Any], float]] = {
    "accuracy": accuracy_score,
    "balanced_accuracy": balanced_accuracy_score,
}


class Fitted(NamedTuple):
    """A method's predictions for the test images and the setting it chose, ready for JSON."""

    predicted: NDArray[np.int64]
    chosen: dict[str, Any]


def nearest_neighbour(parts: Parts, seed: int, figure: str) -> Fitted:
    """The class of the nearest training image, by Euclidean distance of pixels."""
    X, y = _all(parts)
    classifier = KNeighborsClassifier(1, algorithm="brute").fit(X, y)
    return Fitted(classifier.predict(_rows(parts.X_test)), {})


def logistic_regression(
    parts: Parts, seed: int, figure: str, class_weight: str | None = None
) -> Fitted:
    """On pixels from 0 to 1; C is chosen by the set's metric on validation."""

    def fitted(X: NDArray[np.float64], y: NDArray[np.int64], C: float) -> LogisticRegression:
        with warnings.catch_warnings(action="ignore"):  # that 200 iterations were not enough
            return LogisticRegression(C=C, class_weight=class_weight, max_iter=200).fit(X, y)

    X, X_val = _rows(parts.X), _rows(parts.X_val)
    scores = [FIGURES[figure](parts.y_val, fitted(X, parts.y, C).predict(X_val)) for C in CS]
    C = CS[int(np.argmax(scores))]
    return Fitted(fitted(*_all(parts), C).predict(_rows(parts.X_test)), {"C": C})


def weighted_logistic_regression(parts: Parts, seed: int, figure: str) -> Fitted:
    """The same with balanced class weights; with classes of one size it is the same."""
    even = np.ptp(np.bincount(parts.y)) == 0 == np.ptp(np.bincount(parts.y_val))
    return logistic_regression(parts, seed, figure, None if even else "balanced")


def plain(parts: Parts, seed: int, figure: str) -> Fitted:
    """The forty lines of plain_cnn; the epoch is chosen by the set's metric."""
    predicted, epoch = plain_cnn.train(*parts[:4], parts.X_test, seed, FIGURES[figure])
    return Fitted(predicted, {"epoch": epoch})


def of_recipe(name: str) -> Callable[[Parts, int, str], Fitted]:
    """A ready recipe with another seed."""

    def fit(parts: Parts, seed: int, figure: str) -> Fitted:
        recipe = replace(ml.get_recipe(name), seed=seed)
        classifier = classifier_of(recipe, "cpu").fit(*parts[:4])
        chosen = {"recipe_hash": recipe.content_hash, "epochs": len(classifier.history_)}
        return Fitted(classifier.predict(parts.X_test), chosen)

    return fit


METHODS: dict[str, Callable[[Parts, int, str], Fitted]] = {
    "1-nearest-neighbour": nearest_neighbour,
    "logistic regression": logistic_regression,
    "weighted logistic regression": weighted_logistic_regression,
    "plain CNN": plain,
    "simple-cnn-tuned": of_recipe("simple-cnn-tuned"),
    ml.RECOMMENDED: of_recipe(ml.RECOMMENDED),
}


def file_of(name: str, seed: int, method: str) -> Path:
    """The file of one fit; a changed recipe has another file."""
    recipe = f"-{ml.get_recipe(method).content_hash[:8]}" if method in ml.RECIPES else ""
    return FOLDER / f"{name}-{seed}-{method.replace(' ', '-')}{recipe}.json"


def measure(name: str, seed: int, method: str) -> dict[str, Any]:
    """The result of one method on one seed's images of a set, fitted now or read from its file."""
    file = file_of(name, seed, method)
    if file.exists():
        return dict(json.loads(file.read_text(encoding="utf-8")))
    parts, figure = SETS[name].draw(seed), SETS[name].figure
    wall, cpu = time.perf_counter(), time.process_time()
    predicted, chosen = METHODS[method](parts, seed, figure)
    record = {
        **{each: float(score(parts.y_test, predicted)) for each, score in FIGURES.items()},
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        **chosen,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(file, json.dumps(record))
    print(f"{name}, seed {seed}, {method}: {record}", file=sys.stderr, flush=True)
    return record


def figures_of(name: str) -> dict[str, Any]:
    """Every method's values on a set, seed by seed, and a description of the set."""
    records = {
        method: [measure(name, seed, method) for seed in range(N_SEEDS)] for method in METHODS
    }
    parts = SETS[name].draw(0)
    return {
        "about": SETS[name].about,
        "figure": SETS[name].figure,
        "n_train": len(parts.y),
        "n_val": len(parts.y_val),
        "n_test": len(parts.y_test),
        "image_shape": list(parts.X.shape[1:]),
        "n_classes": len(np.unique(parts.y)),
        "seeds": list(range(N_SEEDS)),
        "methods": {
            method: {key: [record[key] for record in each] for key in each[0]}
            for method, each in records.items()
        },
    }


def bench(names: list[str]) -> dict[str, Any]:
    """The numbers of every named set, seed by seed; --record adds one line for each set."""
    for seed in range(N_SEEDS):
        for name in names:
            for method in METHODS:
                measure(name, seed, method)
    return {name: figures_of(name) for name in names}


def main(arguments: list[str]) -> None:
    names = [name for name in arguments if not name.startswith("--")] or list(SETS)
    with hardware.n_threads(1):
        found = bench(names)
        env = hardware.describe("cpu", "auto")
    if "--record" in arguments:
        head = {"kind": "benchmark", "name": "your_images"}
        ledger.append(
            [head | {"data": name, "figures": each, "env": env} for name, each in found.items()]
        )
    print(json.dumps(found))


def _rows(images: Images) -> NDArray[np.float64]:
    return images.reshape(len(images), -1) / 255


def _all(parts: Parts) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The training and validation images together."""
    return _rows(np.concatenate([parts.X, parts.X_val])), np.concatenate([parts.y, parts.y_val])


if __name__ == "__main__":
    main(sys.argv[1:])
