"""Steps a second of A9, C8 and C17 on Fashion-MNIST: the loop beside plain PyTorch.

The peer is what one writes on the first day: the images as float tensors in a TensorDataset, a
shuffling DataLoader, the layers in the order the write-ups give, plain Adam, the loss read at
every step. Both train for one epoch of the same images, without validation; turns alternate,
and each pair of turns gives one ratio.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.functional import pad
from torch.utils.data import DataLoader, TensorDataset

import mnistlab as ml
from benchmarks.ledger import median_ratio, run_benchmark
from benchmarks.loop import PlainCNN
from mnistlab.runs import classifier_of
from mnistlab.training import hardware

N_TURNS = 3


class System(NamedTuple):
    """A row of the write-ups: its recipe, the same network typed plainly, images of an epoch."""

    recipe: str
    plain: Callable[[], nn.Module]
    n_images: int


def plain_base() -> nn.Module:
    """C8 as one usually writes it."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(2304, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def plain_final() -> nn.Module:
    """C17 as one usually writes it."""
    return nn.Sequential(*_convolutions(), nn.Flatten(), *_linears())


def _convolutions() -> Iterator[nn.Module]:
    sizes = pairwise((1, 64, 128, 256, 512))
    for (n_in, n_out), kernel, dropout, pools in zip(
        sizes, (2, 2, 2, 4), (0.1, 0.3, 0.5, 0.5), (True, True, False, False), strict=True
    ):
        yield from (nn.Conv2d(n_in, n_out, kernel), nn.BatchNorm2d(n_out), nn.ReLU())
        yield nn.Dropout2d(dropout)
        if pools:
            yield nn.MaxPool2d(2)


def _linears() -> Iterator[nn.Module]:
    sizes = pairwise((4608, 512, 256, 128, 64))
    for (n_in, n_out), dropout in zip(sizes, (0.1, 0.3, 0.5, 0.5), strict=True):
        yield from (nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU(), nn.Dropout(dropout))
    yield nn.Linear(64, 10)


SYSTEMS = {
    "A9": System("simple-cnn", PlainCNN, 19_200),
    "C8": System("conv-base", plain_base, 15_360),
    "C17": System("final", plain_final, 5_120),
}


def plain_epoch_s(system: System, data: ml.Dataset, seed: int) -> float:
    """Seconds of one epoch of the plain loop."""
    recipe = ml.get_recipe(system.recipe)
    torch.manual_seed(seed)
    images = torch.tensor(data.images[:, None], dtype=torch.float32)
    if recipe.pad_to is not None:
        images = pad(images, (2, 2, 2, 2))
    if recipe.scaling == "min-max":
        images = images / 255
    examples = TensorDataset(images, torch.tensor(data.labels))
    loader = DataLoader(examples, batch_size=recipe.batch_size, shuffle=True)
    model = system.plain()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    model.train()
    start = time.perf_counter()
    running_loss = 0.0
    for inputs, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    return time.perf_counter() - start


def our_epoch_s(system: System, data: ml.Dataset, seed: int, precision: str) -> float:
    """Seconds of one epoch of the library's loop."""
    recipe = ml.get_recipe(system.recipe)
    phase = replace(recipe.phases[0], epochs=1, weight_decay=0.0)
    recipe = replace(
        recipe, phases=(phase,), precision=precision, seed=seed, expansion=None, expect={}
    )
    classifier = classifier_of(recipe, "cpu").set_params(validation_fraction=0)
    classifier.fit(data.images, data.labels)
    return float(classifier.history_[0]["time_s"])


def measure(system: System, everything: ml.Dataset) -> dict[str, Any]:
    """Steps a second of every turn of each loop, and the median ratios to the plain one."""
    data = everything.take(slice(0, system.n_images))
    n_steps = system.n_images // ml.get_recipe(system.recipe).batch_size
    loops: dict[str, Callable[[int], float]] = {
        "plain": lambda seed: plain_epoch_s(system, data, seed),
        "float32": lambda seed: our_epoch_s(system, data, seed, "float32"),
    }
    if hardware.has_bfloat16(torch.device("cpu")):
        loops["bfloat16"] = lambda seed: our_epoch_s(system, data, seed, "bfloat16")
    steps: dict[str, list[float]] = {name: [] for name in loops}
    for seed in range(N_TURNS):
        for name, epoch_s in loops.items():
            steps[name].append(n_steps / epoch_s(seed))
    print({name: [round(s, 1) for s in turns] for name, turns in steps.items()}, file=sys.stderr)
    return {
        "batch_size": ml.get_recipe(system.recipe).batch_size,
        "n_images": system.n_images,
        "steps_per_s": steps,
        "faster": {
            name: median_ratio(turns, steps["plain"])
            for name, turns in steps.items()
            if name != "plain"
        },
    }


def bench() -> dict[str, Any]:
    """The measurements of every system."""
    data = ml.load("fashion-mnist")
    plain_epoch_s(SYSTEMS["A9"], data.take(slice(0, 6_400)), 0)  # a process's first is slower
    return {
        "threads": torch.get_num_threads(),
        "systems": {row: measure(system, data) for row, system in SYSTEMS.items()},
    }


if __name__ == "__main__":
    run_benchmark("steps", bench)
