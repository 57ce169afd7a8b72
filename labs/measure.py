"""Trains the solutions on the complete sets, as the write-ups trained their networks.

    python -m labs.measure              # lists what there is to measure, and how long it takes
    python -m labs.measure 2 3          # all rows of chapters 2 and 3
    python -m labs.measure E1 --record  # one row; its line is added to the ledger

Run it in the top folder of a checkout. It prints one JSON line per row, with the published number
beside the measured one: the test accuracy, unless `of` says "validation".
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim import SGD, Adam
from torch.utils.data import DataLoader, TensorDataset

import mnistlab as ml

sys.path.insert(0, str(Path(__file__).parent))  # as for a chapter

import measure_final
from solutions import cnn, cv, data, loop, mlp, optimizers, softmax, torch_mlp, transfer

SEED = 0
Numbers = dict[str, Any]
Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Row:
    """One row of a write-up. time: about how long, on one quiet core."""

    chapter: int
    published: str
    data: str
    measure: Callable[[], Numbers]
    time: str
    of: str = "test"


@cache
def course_data() -> Arrays:
    """A1: all 70,000 MNIST images, split 70/15/15 and scaled per pixel."""
    whole = ml.load("mnist")
    X = whole.images.reshape(len(whole), -1).astype(np.float32)
    X_train, X_val, X_test, *labels = data.split_data(X, whole.labels)
    return (*data.scale_per_pixel(X_train, X_val, X_test), *labels)


@cache
def train_and_test(name: str) -> Arrays:
    """The published training and test images, from 0 to 1: X_train, y_train, X_test, y_test."""
    split = ml.split(ml.load(name), "train-test")
    X, X_test = (
        part.images.reshape(len(part), -1).astype(np.float32) / 255
        for part in (split.train, split.test)
    )
    return X, split.train.labels, X_test, split.test.labels


def softmax_regression() -> Numbers:
    """E1."""
    X, y, X_test, y_test = train_and_test("mnist")
    model = softmax.SoftmaxRegression(784, 10, learning_rate=0.1)
    model.train(X, y, epochs=5, batch_size=64)
    return {"accuracy": accuracy(model.predict(X_test), y_test)}


def hidden_layer() -> Numbers:
    """E2, with chapter 3's network; without momentum it is plain SGD."""
    X, y, X_test, y_test = train_and_test("mnist")
    network = mlp.MLPFromScratch(784, 100, 10, learning_rate=0.1, momentum=0.0, seed=SEED)
    network.train(X, y, epochs=5, batch_size=64)
    return {"accuracy": accuracy(network.predict(X_test), y_test)}


def course_mlp() -> Numbers:
    """A4."""
    X_train, X_val, X_test, y_train, y_val, y_test = course_data()
    network = mlp.MLPFromScratch(seed=SEED)
    history = network.train(X_train, y_train, X_val, y_val, epochs=50, batch_size=128)
    val_accuracy = history["val_accuracy"][-1]
    return {"accuracy": accuracy(network.predict(X_test), y_test), "val_accuracy": val_accuracy}


def batch_sizes() -> Numbers:
    """A5."""
    X_train, X_val, _, y_train, y_val, _ = course_data()
    results = optimizers.compare_batch_sizes((X_train, y_train, X_val, y_val), epochs=50)
    return {
        "accuracy": {size: result["val_accuracy"][-1] for size, result in results.items()},
        "seconds_per_epoch": {size: r["seconds_per_epoch"] for size, r in results.items()},
    }


def support_vectors() -> Numbers:
    """A6: the grid on the first 5,000 images, its best point on all."""
    X_train, X_val, X_test, y_train, y_val, y_test = course_data()
    search = cv.tune_svm(X_train[:5000], y_train[:5000])
    best = search.best_estimator_.fit(X_train, y_train)
    return {
        "accuracy": accuracy(best.predict(X_test), y_test),
        "val_accuracy": accuracy(best.predict(X_val), y_val),
        "best": search.best_params_,
    }


class DoubleSoftmax(torch_mlp.MLP):
    """Write-up B's network: 784-64-10, with softmax in forward and again in the loss."""

    def __init__(self) -> None:
        super().__init__(784, 64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Probabilities where scores are expected."""
        return super().forward(x).softmax(1)


def double_softmax(batch_size: int, learning_rate: float, epochs: int) -> Numbers:
    """B1 to B5: pixels from -1 to 1."""
    X, y, X_test, y_test = train_and_test("fashion-mnist")
    torch.manual_seed(SEED)
    parts = ((2 * X - 1, y), (2 * X_test - 1, y_test))
    train, test = (TensorDataset(torch.tensor(a), torch.tensor(b)) for a, b in parts)
    model = DoubleSoftmax()
    optimizer = SGD(model.parameters(), lr=learning_rate)
    return trained(model, train, test, optimizer, batch_size, epochs)


def convolutional(
    make: Callable[[], nn.Module], optimizer: type[torch.optim.Optimizer], rate: float, epochs: int
) -> Numbers:
    """E3 (SGD) and A9 (Adam)."""
    X, y, X_test, y_test = train_and_test("mnist")
    torch.manual_seed(SEED)
    train, test = images(X, y), images(X_test, y_test)
    model = make()
    steps = optimizer(model.parameters(), lr=rate)  # type: ignore[call-arg]
    return trained(model, train, test, steps, 64, epochs)


def final_model() -> Numbers:
    """C17; `measure_final` says what differs from the write-up."""
    X, y, X_test, y_test = train_and_test("fashion-mnist")
    return measure_final.final_model((X, y), (X_test, y_test), SEED)


def transferred() -> Numbers:
    """A13: the head, then the last three blocks too."""
    if not ml.weights_at_hand("mobilenet_v2"):
        return {"accuracy": None, "why": "the ImageNet weights of MobileNetV2 are not here"}
    X, y, X_test, y_test = train_and_test("fashion-mnist")
    torch.manual_seed(SEED)
    model = transfer.TransferLearningModel(10, pretrained=True)
    numbers: Numbers = {}
    for n_blocks, rate, epochs in ((0, 1e-3, 5), (3, 1e-4, 3)):
        model.unfreeze_layers(n_blocks)
        trainable = [each for each in model.parameters() if each.requires_grad]
        optimizer = Adam(trainable, lr=rate)
        numbers = trained(model, images(X, y), images(X_test, y_test), optimizer, 64, epochs)
    return numbers


def trained(
    model: nn.Module,
    train: TensorDataset,
    test: TensorDataset,
    optimizer: torch.optim.Optimizer,
    batch_size: int,
    epochs: int,
) -> Numbers:
    """The accuracy after the last epoch; the test part is seen once, after it."""
    batches = DataLoader(train, min(batch_size, len(train)), shuffle=True)
    nothing: list[tuple[torch.Tensor, torch.Tensor]] = [
        (train.tensors[0][:1], train.tensors[1][:1])
    ]
    criterion = nn.CrossEntropyLoss()
    loop.train_model(model, batches, nothing, criterion, optimizer, epochs)
    _, test_accuracy = loop.evaluate_model(model, DataLoader(test, 1000), criterion)
    return {"accuracy": test_accuracy}


def images(X: np.ndarray, y: np.ndarray) -> TensorDataset:
    """Rows of 784 pixels as images (N, 1, 28, 28)."""
    return TensorDataset(torch.tensor(X.reshape(-1, 1, 28, 28)), torch.tensor(y))


def accuracy(predicted: np.ndarray, y: np.ndarray) -> float:
    """The fraction of equal labels."""
    return float((predicted == y).mean())


def _b(batch_size: int, learning_rate: float, epochs: int) -> Callable[[], Numbers]:
    return lambda: double_softmax(batch_size, learning_rate, epochs)


B4 = {2: "0.609", 4: "0.789", 6: "0.836", 15: "0.818", 20: "0.811"}
CLOTHES = "fashion-mnist"
ROWS = {
    "E1": Row(2, "about 0.92", "mnist", softmax_regression, "10 s"),
    "E2": Row(3, "about 0.97", "mnist", hidden_layer, "10 s"),
    "A4": Row(3, "none", "mnist", course_mlp, "1 min"),
    "A5": Row(4, "none", "mnist", batch_sizes, "4 min", of="validation"),
    "A6": Row(5, "none", "mnist", support_vectors, "8 min"),
    "B1": Row(6, "0.09", CLOTHES, _b(60_000, 0.01, 10), "10 s"),
    "B2": Row(6, "0.80", CLOTHES, _b(60_000, 0.1, 2001), "30 min"),
    "B3": Row(6, "0.8527", CLOTHES, _b(10, 0.1, 10), "1 min"),
    "B5": Row(6, "0.8179", CLOTHES, _b(10, 0.01, 20), "2 min"),
    **{f"B4-{n}": Row(6, p, CLOTHES, _b(n, 0.1, 10), f"{20 // n + 1} min") for n, p in B4.items()},
    "E3": Row(
        7, "0.98 to 0.99", "mnist", lambda: convolutional(cnn.SmallCNN, SGD, 0.1, 5), "2 min"
    ),
    "A9": Row(7, "none", "mnist", lambda: convolutional(cnn.SimpleCNN, Adam, 1e-3, 10), "10 min"),
    "C17": Row(8, "0.916", CLOTHES, final_model, "3 h"),
    "A13": Row(9, "none", CLOTHES, transferred, "1 h"),
}


def main(words: list[str]) -> None:
    """Measure the rows that are named, by themselves or by their chapter."""
    wanted = {word for word in words if not word.startswith("-")}
    if unknown := wanted - ROWS.keys() - {str(row.chapter) for row in ROWS.values()}:
        raise ml.MnistlabError(f"neither a row nor a chapter: {', '.join(sorted(unknown))}")
    for name, row in ROWS.items():
        if not wanted:
            print(f"{name:5} chapter {row.chapter}, {row.data}, {row.time}")
        elif wanted & {name, str(row.chapter)}:
            start = time.perf_counter()
            line = {"row": name, "chapter": row.chapter, "data": row.data, "of": row.of}
            line |= {"published": row.published, "seed": SEED}
            numbers = row.measure()
            line |= {"time_s": round(time.perf_counter() - start, 1)} | numbers
            print(json.dumps(line), flush=True)
            if "--record" in words:
                record(line)


def record(line: Numbers) -> None:
    """Add a line to the ledger."""
    from benchmarks import ledger
    from mnistlab.training import hardware

    env = hardware.describe("cpu", line.get("precision", "float32"))
    ledger.append([{"kind": "course", "name": line["row"], "figures": line, "env": env}])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ml.MnistlabError as error:  # such as data that is not on this machine
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
