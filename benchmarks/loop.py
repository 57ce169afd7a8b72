"""One epoch of SimpleCNN (A9) on Fashion-MNIST, batch 64: the loop beside plain PyTorch.

The peer is a first, usual program: torchvision's data set, a DataLoader and
transforms per image, the network with ReLU before the pool, plain Adam. Both train on the
same 55,000 images and then validate on the same 5,000, and both are timed; turns
alternate, and each pair of turns gives one ratio.
"""

from __future__ import annotations

import gzip
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

import mnistlab as ml
from benchmarks.ledger import run_benchmark
from mnistlab.runs import classifier_of
from mnistlab.training import hardware, kernels

N_TURNS = 3
Turn = Callable[[int], tuple[float, float]]  # seed -> seconds of the epoch, validation accuracy


class PlainCNN(nn.Module):
    """A9 as one usually writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.dropout = nn.Dropout(0.5)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, 10) of images (N, 1, 28, 28)."""
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = self.dropout(torch.relu(self.fc1(torch.flatten(x, 1))))
        logits: Tensor = self.fc2(x)
        return logits


def plain_turn(root: Path, n_workers: int) -> Turn:
    """One epoch of the plain loop."""
    from torchvision import datasets, transforms

    normalise = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.2860,), (0.3530,))]
    )
    images = datasets.FashionMNIST(root, train=True, transform=normalise)
    train, val = Subset(images, range(55_000)), Subset(images, range(55_000, 60_000))

    def turn(seed: int) -> tuple[float, float]:
        torch.manual_seed(seed)
        model = PlainCNN()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        criterion = nn.CrossEntropyLoss()
        loader = DataLoader(train, batch_size=64, shuffle=True, num_workers=n_workers)
        start = time.perf_counter()
        model.train()
        running_loss = 0.0
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        model.eval()
        with torch.no_grad():
            correct = sum(
                int((model(inputs).argmax(1) == labels).sum())
                for inputs, labels in DataLoader(val, batch_size=1000)
            )
        return time.perf_counter() - start, correct / len(val)

    return turn


def our_turn(data: ml.Dataset, precision: str) -> Turn:
    """One epoch of the library's loop."""
    recipe = ml.get_recipe("simple-cnn")
    phase = replace(recipe.phases[0], epochs=1)
    recipe = replace(recipe, phases=(phase,), precision=precision, scaling="standard")
    parts = ml.split(data, "official")

    def turn(seed: int) -> tuple[float, float]:
        classifier = classifier_of(replace(recipe, seed=seed), "cpu")
        classifier.fit(parts.train.images, parts.train.labels, parts.val.images, parts.val.labels)
        epoch = classifier.history_[0]
        return epoch["time_s"], epoch["val_accuracy"]

    return turn


def warm_up(data: ml.Dataset, precision: str) -> None:
    """Train for a few steps."""
    recipe = ml.get_recipe("simple-cnn")
    classifier = classifier_of(replace(recipe, precision=precision), "cpu")
    classifier.set_params(phases=None, n_epochs=1)
    classifier.fit(data.images[:640], data.labels[:640])


@contextmanager
def torchvision_root(data: ml.Dataset) -> Iterator[Path]:
    """A folder where torchvision finds Fashion-MNIST without a download."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "FashionMNIST" / "raw"
        for packed in ml.export(data, raw, format="idx"):
            packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        yield Path(folder)


def bench() -> dict[str, Any]:
    """Seconds per epoch, accuracy and ratios of every arm; turns alternate."""
    data = ml.load("fashion-mnist")
    precisions = ["float32"]
    if hardware.has_bfloat16(torch.device("cpu")):
        precisions.append("bfloat16")
    with torchvision_root(data) as root:
        turns = {f"plain, {n} workers": plain_turn(root, n) for n in (0, 2)}
        turns |= {f"mnistlab {precision}": our_turn(data, precision) for precision in precisions}
        for precision in precisions:  # what is compiled or loaded once is no part of an epoch
            warm_up(data, precision)
        seconds: dict[str, list[float]] = {name: [] for name in turns}
        accuracy: dict[str, list[float]] = {name: [] for name in turns}
        for seed in range(N_TURNS):
            for name, turn in turns.items():
                elapsed, val_accuracy = turn(seed)
                seconds[name].append(elapsed)
                accuracy[name].append(val_accuracy)
                print(f"{name}: {elapsed:.1f} s, {val_accuracy:.4f}", file=sys.stderr, flush=True)
    plain = min((name for name in turns if "plain" in name), key=lambda n: sum(seconds[n]))
    ratios = {
        name: [p / own for p, own in zip(seconds[plain], seconds[name], strict=True)]
        for name in turns
        if "plain" not in name
    }
    return {
        "threads": torch.get_num_threads(),
        "kernels": kernels.version(),
        "seconds": seconds,
        "val_accuracy": accuracy,
        "faster_plain": plain,
        "speedup_over_faster_plain": {n: statistics.median(r) for n, r in ratios.items()},
        "speedup_pairs": ratios,
    }


if __name__ == "__main__":
    run_benchmark("loop", bench)
