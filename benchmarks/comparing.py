"""The answers of `mnistlab compare` for two seeds of one recipe, and for SimpleCNN and E1.

Fashion-MNIST, recipes as published. Each pair is compared on its test images, and then the two
recipes over all seeds.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import mnistlab as ml
from benchmarks.ledger import run_benchmark

RECIPES = ("simple-cnn", "softmax")
N_SEEDS = 3


def bench() -> dict[str, Any]:
    """The answers, with the accuracies that they mention."""
    data = ml.load("fashion-mnist")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        runs = {
            name: [
                ml.evaluate(ml.train(replace(ml.get_recipe(name), seed=seed), data, out=out), data)
                for seed in range(N_SEEDS)
            ]
            for name in RECIPES
        }
        answers = {}
        for name, of_recipe in runs.items():
            answers[f"{name}, two seeds"] = ml.compare(of_recipe[:2], out=out).answer
        first = [of_recipe[0] for of_recipe in runs.values()]
        everything = [run for of_recipe in runs.values() for run in of_recipe]
        answers["one seed each"] = ml.compare(first, out=out).answer
        answers[f"{N_SEEDS} seeds each"] = ml.compare(everything, out=out).answer
    for question, answer in answers.items():
        print(f"{question}: {answer}", file=sys.stderr)
    return {
        "threads": torch.get_num_threads(),
        "answers": answers,
        "test_accuracy": {
            name: [run.result["test_accuracy"] for run in of_recipe]
            for name, of_recipe in runs.items()
        },
    }


if __name__ == "__main__":
    run_benchmark("comparing", bench, precision="auto")
