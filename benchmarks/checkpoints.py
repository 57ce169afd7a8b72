"""What a checkpoint every 100 steps adds to an epoch of SimpleCNN (A9) on Fashion-MNIST, batch 64.

One epoch of N_IMAGES images, no validation, float32; turns alternate. Both train as `mnistlab
train` does, through Checkpoints; the one without is told of an interval it does not reach.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import mnistlab as ml
from benchmarks.ledger import run_benchmark
from mnistlab.run import classifier_of
from mnistlab.run.checkpoints import FILES, Checkpoints

N_TURNS, N_IMAGES = 5, 19_200
EVERY = 100


def epoch_time_s(data: ml.Dataset, every: int, seed: int, folder: Path) -> float:
    """Seconds of one epoch."""
    recipe = ml.get_recipe("simple-cnn")
    phase = replace(recipe.phases[0], epochs=1)
    recipe = replace(recipe, phases=(phase,), precision="float32", seed=seed)
    classifier = classifier_of(recipe, "cpu").set_params(validation_fraction=0)
    checkpoints = Checkpoints(folder, every, {})
    with checkpoints.heard():
        classifier.fit(data.images, data.labels, keeper=checkpoints)
    assert bool(list(folder.glob(FILES))) == (every == EVERY)
    checkpoints.clear()
    return float(classifier.history_[0]["time_s"])


def bench() -> dict[str, Any]:
    """Seconds of every turn, and the median share that checkpoints add."""
    data = ml.load("fashion-mnist").take(slice(0, N_IMAGES))
    seconds: dict[str, list[float]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory(dir=".") as name:
        epoch_time_s(data, 10**9, 0, Path(name))  # the first epoch of a process is slower
        for seed in range(N_TURNS):
            for arm, every in (("without", 10**9), ("with", EVERY)):
                seconds[arm].append(epoch_time_s(data, every, seed, Path(name)))
            print({arm: round(turns[-1], 2) for arm, turns in seconds.items()}, file=sys.stderr)
    shares = [w / wo - 1 for w, wo in zip(seconds["with"], seconds["without"], strict=True)]
    return {
        "threads": torch.get_num_threads(),
        "n_images": N_IMAGES,
        "every": EVERY,
        "seconds": seconds,
        "added_share": statistics.median(shares),
    }


if __name__ == "__main__":
    run_benchmark("checkpoints", bench)
