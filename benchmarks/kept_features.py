"""The time saved by caching a frozen network's features: stage 1 of two, five epochs.

EfficientNet-Lite0 with ImageNet's weights, 64 x 64, on Fashion-MNIST; the head alone is trained,
with cached features and by the plain loop, in alternating turns. Every turn starts with an empty
cache, so the pass that computes the features is part of its time.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import replace
from typing import Any

import torch

import mnistlab as ml
from benchmarks.ledger import median_ratio, run_benchmark
from mnistlab.runs import classifier_of

N_TURNS, N_EPOCHS, N_IMAGES, N_VAL = 3, 5, 5000, 1000


def fit(data: ml.Dataset, kept_views: int, seed: int) -> tuple[float, float]:
    """Seconds of a fit, and the validation accuracy it reached."""
    recipe = ml.get_recipe("transfer-lite0")
    phase = replace(recipe.phases[0], epochs=N_EPOCHS, kept_views=kept_views)
    args = {**recipe.model_args, "input_size": 64}
    recipe = replace(recipe, phases=(phase,), model_args=args, seed=seed)
    classifier = classifier_of(recipe, "cpu")
    train, val = data.take(slice(0, N_IMAGES)), data.take(slice(N_IMAGES, N_IMAGES + N_VAL))
    with tempfile.TemporaryDirectory() as cache:
        os.environ["MNISTLAB_CACHE"] = cache
        start = time.perf_counter()
        classifier.fit(train.images, train.labels, val.images, val.labels)
        return time.perf_counter() - start, max(e["val_accuracy"] for e in classifier.history_)


def bench() -> dict[str, Any]:
    """Seconds of every turn, and how many times faster the cache is, the median of pairs."""
    data = ml.load("fashion-mnist")
    seconds: dict[str, list[float]] = {"plain": [], "kept": []}
    accuracy: dict[str, list[float]] = {"plain": [], "kept": []}
    for seed in range(N_TURNS):
        for name, kept_views in (("plain", 0), ("kept", 1)):
            elapsed, reached = fit(data, kept_views, seed)
            seconds[name].append(elapsed)
            accuracy[name].append(reached)
        print({name: round(turns[-1], 1) for name, turns in seconds.items()}, file=sys.stderr)
    return {
        "threads": torch.get_num_threads(),
        "n_images": N_IMAGES,
        "n_epochs": N_EPOCHS,
        "seconds": seconds,
        "val_accuracy": accuracy,
        "faster": median_ratio(seconds["plain"], seconds["kept"]),
    }


if __name__ == "__main__":
    run_benchmark("kept_features", bench)
