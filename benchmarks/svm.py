"""The SVM on 49,000 MNIST images, C = 10: SVMClassifier beside scikit-learn's SVC.

The peer is the usual program: pixels / 255 in float64, SVC(C=10).fit, then predict. Both train
on the training part and predict the 10,500 images of the validation part; turns alternate.
`--n 3000` uses fewer training images, to try it out.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

import mnistlab as ml
from benchmarks.ledger import run_benchmark
from mnistlab import machine

N_TURNS = 2
Turn = Callable[[], dict[str, Any]]


def stock_turn(train: ml.Dataset, val: ml.Dataset) -> Turn:
    """scikit-learn's SVC with its defaults, except C."""
    X, X_val = (part.images.reshape(len(part), -1) / 255 for part in (train, val))
    return lambda: timed(SVC(C=10), X, train.labels, X_val)


def our_turn(train: ml.Dataset, val: ml.Dataset) -> Turn:
    """The same machine as SVMClassifier, on uint8 images."""
    return lambda: timed(ml.SVMClassifier(C=10), train.images, train.labels, val.images)


def timed(
    classifier: Any, X: NDArray[Any], y: NDArray[np.int64], X_val: NDArray[Any]
) -> dict[str, Any]:
    start = time.perf_counter()
    classifier.fit(X, y)
    fitted = time.perf_counter()
    predicted = classifier.predict(X_val)
    return {
        "fit_s": fitted - start,
        "predict_s": time.perf_counter() - fitted,
        "predicted": predicted,
        "engine": getattr(classifier, "engine_", "scikit-learn"),
    }


def bench() -> dict[str, Any]:
    """Seconds and accuracy of both, turn by turn, and the ratios of each pair."""
    parts = ml.split(ml.load("mnist"), "stratified-70-15-15")
    n = int(sys.argv[sys.argv.index("--n") + 1]) if "--n" in sys.argv else len(parts.train)
    train = parts.train.take(slice(0, n))
    turns = {"scikit-learn": stock_turn(train, parts.val), "mnistlab": our_turn(train, parts.val)}
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in turns}
    for _ in range(N_TURNS):
        for name, turn in turns.items():
            measured[name].append(turn())
            fit_s, predict_s = measured[name][-1]["fit_s"], measured[name][-1]["predict_s"]
            line = f"{name}: fit {fit_s:.1f} s, predict {predict_s:.2f} s"
            print(line, file=sys.stderr, flush=True)
    stock, ours = measured["scikit-learn"], measured["mnistlab"]
    pairs = list(zip(stock, ours, strict=True))
    figures: dict[str, Any] = {
        "n_train": n,
        "n_predicted": len(parts.val),
        "threads": machine.threads_in_use(),
        "engine": ours[0]["engine"],
        "same_predictions": float(np.mean(stock[0]["predicted"] == ours[0]["predicted"])),
    }
    for key in ("fit_s", "predict_s"):
        figures[key] = {name: [turn[key] for turn in runs] for name, runs in measured.items()}
        figures[f"{key}_ratio"] = statistics.median(a[key] / b[key] for a, b in pairs)
    figures["val_accuracy"] = {
        name: [float(np.mean(turn["predicted"] == parts.val.labels)) for turn in runs]
        for name, runs in measured.items()
    }
    return figures


if __name__ == "__main__":
    run_benchmark("svm", bench)
