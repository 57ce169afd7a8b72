"""What each augmentation adds to an epoch of SimpleCNN (A9) on Fashion-MNIST, batch 64, float32.

One epoch of N_IMAGES images, no validation; turns alternate. In each turn the epoch with an
augmentation is compared with the one without. "shift and flip" is what a practitioner would use
for garments.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

import mnistlab as ml
from benchmarks.ledger import median_ratio, run_benchmark
from mnistlab.runs import classifier_of
from mnistlab.writeups.a_course.simple_cnn import AUGMENTATIONS

N_TURNS, N_IMAGES = 5, 12_800


def epoch_time_s(data: ml.Dataset, augmentation: Mapping[str, float], seed: int) -> float:
    """Seconds of one epoch."""
    recipe = ml.get_recipe("simple-cnn")
    phase = replace(recipe.phases[0], epochs=1)
    recipe = replace(
        recipe, phases=(phase,), precision="float32", seed=seed, augmentation=augmentation
    )
    classifier = classifier_of(recipe, "cpu").set_params(validation_fraction=0)
    classifier.fit(data.images, data.labels)
    return float(classifier.history_[0]["time_s"])


def bench() -> dict[str, Any]:
    """Seconds of every turn, and the fraction of an epoch that each augmentation adds."""
    data = ml.load("fashion-mnist").take(slice(0, N_IMAGES))
    arms: dict[str, Mapping[str, float]] = {"none": {}, "shift and flip": {"shift": 2, "flip": 0.5}}
    arms |= {name: {name: strength} for name, strength in AUGMENTATIONS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    epoch_time_s(data, {}, 0)  # the first epoch of a process is slower
    for seed in range(N_TURNS):
        for name, augmentation in arms.items():
            seconds[name].append(epoch_time_s(data, augmentation, seed))
        print({name: round(turns[-1], 2) for name, turns in seconds.items()}, file=sys.stderr)
    added = {
        name: median_ratio(turns, seconds["none"]) - 1
        for name, turns in seconds.items()
        if name != "none"
    }
    return {
        "threads": torch.get_num_threads(),
        "n_images": N_IMAGES,
        "seconds": seconds,
        "added_share": added,
    }


if __name__ == "__main__":
    run_benchmark("augmentation", bench)
