"""A study of eight equal arms on Ray: one node with one core, and two of them.

Every arm trains the same small convolutional network on Fashion-MNIST, with one thread and the same
number of steps. Seconds are of the whole study, from connecting to the table; the nodes are started
before. Turns alternate.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mnistlab as ml
from benchmarks.ledger import run_benchmark
from benchmarks.ray_cluster import cluster
from mnistlab.study import Arm, ArmResult, Study

N_TURNS, N_ARMS, N_EPOCHS = 2, 8, 2
WORKERS = (1, 2)
COSTS = ("train_time_s", "predict_time_s", "training_memory_mb")


def equal_arms() -> Study:
    """The same work eight times; each arm has its own learning rate, so that tables differ."""
    recipe = replace(ml.get_recipe("cnn-small"), precision="float32")
    phase = replace(recipe.phases[0], epochs=N_EPOCHS)

    def arm(number: int) -> Arm:
        phases = (replace(phase, learning_rate=0.1 - 0.005 * number),)
        return Arm(replace(recipe, name=f"arm-{number}", phases=phases))

    def decide(arms: Sequence[ArmResult]) -> str:
        return f"{statistics.fmean(arm.mean('test_accuracy') for arm in arms):.4f} on average."

    arms = tuple(arm(number) for number in range(N_ARMS))
    return Study("equal-arms", "", "What do more workers bring?", arms, decide, n_seeds=1)


def timed(n_workers: int, data: ml.Dataset, out: Path) -> tuple[float, dict[str, Any]]:
    """Seconds of the study on that many workers, and its table without times."""
    with cluster(n_workers) as running:
        os.environ["RAY_ADDRESS"] = running.address
        start = time.perf_counter()
        result = ml.run_study(equal_arms(), data, out=out, on="ray", threads=1)
        seconds = time.perf_counter() - start
    table = json.loads((result.path / "result.json").read_text(encoding="utf-8"))
    for arm in table["arms"]:
        arm.update(dict.fromkeys(COSTS))
    return seconds, table


def bench() -> dict[str, Any]:
    """Seconds of every turn, the median ratio of one worker to two, and whether tables agree."""
    data = ml.load("fashion-mnist")
    seconds: dict[int, list[float]] = {n: [] for n in WORKERS}
    tables = []
    for _ in range(N_TURNS):
        for n_workers in WORKERS:
            with tempfile.TemporaryDirectory() as out:
                taken, table = timed(n_workers, data, Path(out))
            seconds[n_workers].append(taken)
            tables.append(table)
            print({n_workers: round(taken, 1)}, file=sys.stderr)
    ratios = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
    return {
        "threads": 1,
        "n_arms": N_ARMS,
        "seconds": {str(n): taken for n, taken in seconds.items()},
        "faster": statistics.median(ratios),
        "same_tables": all(table == tables[0] for table in tables),
    }


if __name__ == "__main__":
    run_benchmark("ray_workers", bench)
