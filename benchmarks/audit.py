"""How many of MNIST's rejected test labels `data audit` finds, over several seeds.

Fifteen labels of MNIST's test part are rejected by human readers. Every seed draws its own folds
and trains the audit's networks on them with the default settings; recall is the fraction of the
fifteen among the first 50 and 100 test images of its ranking.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from typing import Any

import torch

import mnistlab as ml
from benchmarks.ledger import run_benchmark
from mnistlab.auditing.finding import audit, quick_recipe

# Their positions in the test part are common knowledge; none was found here.
REJECTED = (
    *(947, 1621, 1901, 2130, 2462, 2597, 2654, 3520),
    *(3558, 5937, 6651, 6783, 8527, 9679, 9729),
)
DEPTHS = (50, 100)
N_SEEDS = 3


def bench() -> dict[str, Any]:
    """For every seed, how many of the fifteen are among the first 50 and 100 suspects."""
    data = ml.load("mnist")
    found: dict[str, list[int]] = {str(depth): [] for depth in DEPTHS}
    missed: list[list[int]] = []
    for seed in range(N_SEEDS):
        recipe = replace(quick_recipe(len(data)), seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            audited = audit(data, recipe=recipe, out=folder)
        ranked = audited.ranked("test").tolist()
        for depth in DEPTHS:
            found[str(depth)].append(len({*ranked[:depth]} & {*REJECTED}))
        missed.append(sorted({*REJECTED} - {*ranked[: max(DEPTHS)]}))
        print(f"seed {seed}: {found}, missed {missed[-1]}", file=sys.stderr)
    return {
        "threads": torch.get_num_threads(),
        "engine": audited.to_json()["engine"],
        "n_folds": len(audited.accuracy),
        "n_rejected": len(REJECTED),
        "n_ranked": len(ranked),
        "found": found,
        "missed": missed,
    }


if __name__ == "__main__":
    run_benchmark("audit", bench, precision="auto")
