"""One epoch of A4's NumPy network, 784-128-10, batch 128, momentum: beside PyTorch and sklearn.

All train on the same 49,000 MNIST images of row A1's split, float32, same learning rate, same
number of threads, for N_EPOCHS epochs. Turns alternate; the time of a turn is the median seconds of
its epochs. PyTorch is eager, the whole set is one float32 tensor and a batch is one gather from it;
once with torch's default momentum step and once with the fused one. scikit-learn is MLPClassifier,
where an epoch is one iteration of its solver. Validation is never timed. limit_s is the time of the
epoch's matrix products alone, in NumPy.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from torch import nn

import mnistlab as ml
from benchmarks.ledger import run_benchmark
from mnistlab import machine, scratch
from mnistlab.phases import Phase
from mnistlab.training import hardware

N_TURNS, N_EPOCHS = 7, 5
BATCH, RATE, WIDTH = 128, 0.01, 128
Turn = Callable[[int], tuple[float, float]]  # seed -> seconds an epoch, validation accuracy


def our_turn(parts: ml.Split) -> Turn:
    """mnistlab.scratch on uint8 images: scaling is part of the epoch."""
    train = scratch.Examples(parts.train.images, parts.train.labels)

    def turn(seed: int) -> tuple[float, float]:
        network = scratch.build((28, 28), 10, (WIDTH,), scaling=(0.0, 255.0), seed=seed)
        phases = [Phase("momentum", RATE, N_EPOCHS)]
        history = scratch.train(network, train, None, phases, scratch.Settings(BATCH, seed))
        predicted = network.predict_logits(parts.val.images).argmax(1)
        return median(epoch.time_s for epoch in history), accuracy(predicted, parts.val)

    return turn


def torch_turn(parts: ml.Split, fused: bool) -> Turn:
    """Plain eager PyTorch on tensors in memory, scaled beforehand."""
    X, y = torch.from_numpy(rows(parts.train)), torch.from_numpy(parts.train.labels)
    X_val = torch.from_numpy(rows(parts.val))

    def turn(seed: int) -> tuple[float, float]:
        torch.manual_seed(seed)
        first, second = nn.Linear(784, WIDTH), nn.Linear(WIDTH, 10)
        network = nn.Sequential(first, nn.ReLU(), second)
        for layer in (first, second):  # A4's first weights, so that both learn alike
            nn.init.normal_(layer.weight, std=(2 / layer.in_features) ** 0.5)
            nn.init.zeros_(layer.bias)
        optimizer = torch.optim.SGD(
            network.parameters(), lr=RATE, momentum=0.9, fused=fused or None
        )
        criterion, seconds = nn.CrossEntropyLoss(), []
        for _ in range(N_EPOCHS):
            start = time.perf_counter()
            for batch in torch.randperm(len(y)).split(BATCH):
                optimizer.zero_grad()
                loss = criterion(network(X[batch]), y[batch])
                loss.backward()
                optimizer.step()
            seconds.append(time.perf_counter() - start)
        with torch.no_grad():
            predicted = network(X_val).argmax(1).numpy()
        return median(seconds), accuracy(predicted, parts.val)

    return turn


def sklearn_turn(parts: ml.Split) -> Turn:
    """MLPClassifier with the same network, rate, momentum and batch, no L2, no early stop."""
    X, y, X_val = rows(parts.train), parts.train.labels, rows(parts.val)

    def turn(seed: int) -> tuple[float, float]:
        classifier = MLPClassifier(
            (WIDTH,),
            solver="sgd",
            learning_rate_init=RATE,
            momentum=0.9,
            nesterovs_momentum=False,
            alpha=0.0,
            batch_size=BATCH,
            max_iter=N_EPOCHS,
            random_state=seed,
        )
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # five epochs are meant
            classifier.fit(X, y)
        seconds = (time.perf_counter() - start) / N_EPOCHS
        return seconds, accuracy(classifier.predict(X_val), parts.val)

    return turn


def products_alone(parts: ml.Split) -> float:
    """Seconds of the five matrix products of every batch of an epoch, nothing else."""
    random = np.random.default_rng(0)

    def matrix(*shape: int) -> NDArray[np.float32]:
        return random.random(shape, np.float32)

    # Each product has a place of its own to go to, so that no number grows.
    X, H, S = matrix(BATCH, 784), matrix(BATCH, WIDTH), matrix(BATCH, 10)
    W, V = matrix(784, WIDTH), matrix(WIDTH, 10)
    Y, Z = matrix(BATCH, WIDTH), matrix(BATCH, 10)
    dV, dH, dW = matrix(WIDTH, 10), matrix(BATCH, WIDTH), matrix(784, WIDTH)
    start = time.perf_counter()
    for _ in range(len(parts.train) // BATCH):
        np.matmul(X, W, out=Y)
        np.matmul(H, V, out=Z)
        np.matmul(H.T, S, out=dV)
        np.matmul(S, V.T, out=dH)
        np.matmul(X.T, H, out=dW)
    return time.perf_counter() - start


def rows(part: ml.Dataset) -> NDArray[np.float32]:
    return part.images.reshape(len(part), -1).astype(np.float32) / np.float32(255)


def accuracy(predicted: NDArray[Any], part: ml.Dataset) -> float:
    return float(np.mean(predicted == part.labels))


def median(values: Any) -> float:
    return float(statistics.median(values))


def bench() -> dict[str, Any]:
    """Seconds per epoch by turn, with one thread and two; accuracies; ratios to the peers."""
    parts = ml.split(ml.load("mnist"), "stratified-70-15-15")
    by_threads = {}
    for threads in (1, 2):
        with machine.n_threads(threads), hardware.n_threads(threads):
            by_threads[str(threads)] = compare(parts)
    return {"n_train": len(parts.train), "n_epochs": N_EPOCHS, "by_threads": by_threads}


def compare(parts: ml.Split) -> dict[str, Any]:
    """All peers, with the number of threads that is set now."""
    turns = {
        "mnistlab": our_turn(parts),
        "torch": torch_turn(parts, fused=False),
        "torch fused": torch_turn(parts, fused=True),
        "scikit-learn": sklearn_turn(parts),
    }
    seconds: dict[str, list[float]] = {name: [] for name in turns}
    val_accuracy: dict[str, list[float]] = {name: [] for name in turns}
    limits = []
    for seed in range(N_TURNS):
        for name, turn in turns.items():
            elapsed, reached = turn(seed)
            seconds[name].append(elapsed)
            val_accuracy[name].append(reached)
            print(f"{name}: {elapsed:.3f} s, {reached:.4f}", file=sys.stderr, flush=True)
        limits.append(products_alone(parts))
    faster_torch = min(("torch", "torch fused"), key=lambda name: median(seconds[name]))
    return {
        "seconds": seconds,
        "val_accuracy": val_accuracy,
        "limit_s": median(limits),
        "faster_torch": faster_torch,
        "ratio": {
            name: median(
                own / peer for own, peer in zip(seconds["mnistlab"], seconds[name], strict=True)
            )
            for name in turns
            if name != "mnistlab"
        },
        "ratio_to_limit": median(seconds["mnistlab"]) / median(limits),
    }


if __name__ == "__main__":
    run_benchmark("scratch_mlp", bench)
