"""The time that a checkpoint every 100 steps adds to an epoch.

SimpleCNN (A9) on Fashion-MNIST, batch 64. Whole epochs vary by more than checkpoints cost, so
stretches of 100 steps of one training are compared: of every two in a row, a random one begins with
a checkpoint. It trains in float32 as `mnistlab train` does, with its Checkpoints. A checkpoint is
on the disk long before its stretch ends, so an epoch with one every 100 steps consists of such
stretches.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import mnistlab as ml
from benchmarks.ledger import run_benchmark
from mnistlab.evaluation.intervals import mean_interval
from mnistlab.runs import classifier_of
from mnistlab.runs.checkpoints import FILES, Checkpoints

N_IMAGES, EVERY, N_PAIRS = 55_000, 100, 150


class EnoughError(Exception):
    """All stretches were timed."""


class Sometimes(Checkpoints):
    """A checkpoint at the start of one of every two stretches. began: start times of all."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, EVERY, {})
        coin = random.Random(0)
        self.kept = [kept for _ in range(N_PAIRS) for kept in coin.choice([(0, 1), (1, 0)])]
        self.began: list[float] = []

    def is_due(self) -> bool:
        """At the start of a stretch; the first one of the training warms up."""
        if not super().is_due():
            return False
        self.began.append(time.perf_counter())
        stretch = len(self.began) - 1
        if stretch == len(self.kept):
            raise EnoughError
        return bool(self.kept[stretch])


def bench() -> dict[str, Any]:
    """Seconds of all stretches, and the fraction a checkpoint adds: mean and median of pairs."""
    data = ml.load("fashion-mnist").take(slice(0, N_IMAGES))
    recipe = ml.get_recipe("simple-cnn")
    recipe = replace(recipe, phases=(replace(recipe.phases[0], epochs=1000),), precision="float32")
    classifier = classifier_of(recipe, "cpu").set_params(validation_fraction=0)
    with tempfile.TemporaryDirectory(dir=".") as name:
        checkpointer = Sometimes(Path(name))
        try:
            with checkpointer.signals_delayed():
                classifier.fit(data.images, data.labels, checkpointer=checkpointer)
        except EnoughError:
            assert list(Path(name).glob(FILES))
    ends = checkpointer.began[1:]
    stretches = [end - began for began, end in zip(checkpointer.began, ends, strict=False)]
    seconds: dict[str, list[float]] = {"without": [], "with": []}
    for kept, taken in zip(checkpointer.kept, stretches, strict=True):
        seconds["with" if kept else "without"].append(taken)
    shares = [w / wo - 1 for w, wo in zip(seconds["with"], seconds["without"], strict=True)]
    return {
        "threads": torch.get_num_threads(),
        "n_images": N_IMAGES,
        "every": EVERY,
        "seconds": seconds,
        "added_share": statistics.median(shares),
        "added_share_mean": list(mean_interval(shares)),  # and half its 95 % interval
    }


if __name__ == "__main__":
    run_benchmark("checkpoints", bench)
