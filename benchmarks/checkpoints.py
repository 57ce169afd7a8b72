"""What a checkpoint every 100 steps adds to an epoch of SimpleCNN (A9) on Fashion-MNIST, batch 64.

One epoch of all training images, no validation, float32; turns alternate. Both train as `mnistlab
train` does, through Checkpoints, and are timed until the last one is on the disk; the one without
is told of an interval it does not reach.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import mnistlab as ml
from benchmarks.ledger import run_benchmark
from mnistlab.run import classifier_of
from mnistlab.run.checkpoints import FILES, Checkpoints

N_TURNS, N_IMAGES = 10, 55_000
EVERY = 100


def epoch_time_s(data: ml.Dataset, every: int, seed: int, folder: Path) -> float:
    """Seconds of one epoch and of all its checkpoints."""
    recipe = ml.get_recipe("simple-cnn")
    phase = replace(recipe.phases[0], epochs=1)
    recipe = replace(recipe, phases=(phase,), precision="float32", seed=seed)
    classifier = classifier_of(recipe, "cpu").set_params(validation_fraction=0)
    checkpoints = Checkpoints(folder, every, {})
    start = time.perf_counter()
    with checkpoints.heard():
        classifier.fit(data.images, data.labels, keeper=checkpoints)
    seconds = time.perf_counter() - start
    assert bool(list(folder.glob(FILES))) == (every == EVERY)
    checkpoints.clear()
    return seconds


def bench() -> dict[str, Any]:
    """Seconds of every turn, and the median share that checkpoints add."""
    data = ml.load("fashion-mnist").take(slice(0, N_IMAGES))
    seconds: dict[str, list[float]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory(dir=".") as name:
        epoch_time_s(data, 10**9, 0, Path(name))  # the first epoch of a process is slower
        for seed in range(N_TURNS):
            arms = [("without", 10**9), ("with", EVERY)]
            for arm, every in arms if seed % 2 else reversed(arms):  # neither is always the first
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
