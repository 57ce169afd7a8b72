"""Write-ups B and E as published, against plain PyTorch: all images train, the last epoch counts.

The oracle is torch's own layers, loss and optimizer, from the same first weights and in the same
random order. Nothing of the project's loop, scaling or split is in it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mnistlab.data import Dataset, load
from mnistlab.recipe import Recipe
from mnistlab.recipes import get_recipe
from mnistlab.runs import classifier_of, evaluate, train

N_TRAIN, N_TEST, N_EPOCHS, SEED = 300, 100, 2, 5


def tiny() -> Dataset:
    """A published set of 300 training and 100 test images."""
    whole = load("fashion-mini")
    images = np.concatenate([whole.images[:N_TRAIN], whole.images[-N_TEST:]])
    labels = np.concatenate([whole.labels[:N_TRAIN], whole.labels[-N_TEST:]])
    return Dataset(
        "tiny", images, labels, whole.class_names, n_official_train=N_TRAIN, is_published=True
    )


def mlp_twice() -> nn.Module:
    """Write-up B's network: softmax in the forward pass, and again in cross_entropy."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(1)
    )


def softmax_regression() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def two_convolutions() -> nn.Module:
    """Write-up E's third model."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(1568, 10),
    )


def symmetric(pixels: Tensor) -> Tensor:
    return (pixels / 255 - 0.5) / 0.5


def to_one(pixels: Tensor) -> Tensor:
    return pixels / 255


def plain_training(
    network: nn.Module, X: Tensor, y: Tensor, batch_size: int, rate: float
) -> list[float]:
    """Mean loss of every epoch; the network is left as the last step left it."""
    optimizer = torch.optim.SGD(network.parameters(), lr=rate)
    shuffler = torch.Generator().manual_seed(SEED)
    losses = []
    for _ in range(N_EPOCHS):
        total = 0.0
        for batch in torch.randperm(len(y), generator=shuffler).split(batch_size):
            loss = cross_entropy(network(X[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / len(y))
    return losses


def weights_of(recipe: Recipe, data: Dataset) -> list[Tensor]:
    """Those of the untrained network of a recipe."""
    untrained = classifier_of(replace(recipe, phases=())).fit(data.images, data.labels)
    return [parameter.detach().clone() for parameter in untrained.network_.parameters()]


def shortened(name: str, rate: float | None = None) -> Recipe:
    recipe = get_recipe(name)
    (phase,) = recipe.phases
    phase = replace(phase, epochs=N_EPOCHS, learning_rate=rate or phase.learning_rate)
    return replace(recipe, phases=(phase,), seed=SEED, precision="float32")


@pytest.mark.parametrize(
    ("name", "make", "scaled", "batch_size", "rate", "last_is_worse"),
    [
        ("double-softmax", mlp_twice, symmetric, 10, 0.1, False),
        ("softmax", softmax_regression, to_one, 64, 0.1, False),
        ("cnn-small", two_convolutions, to_one, 64, 0.1, False),
        # At a rate far too large the second epoch is worse than the first, and read all the same.
        ("softmax", softmax_regression, to_one, 64, 20.0, True),
    ],
)
def test_a_recipe_as_published_trains_as_plain_torch_does(
    name: str,
    make: type,
    scaled: type,
    batch_size: int,
    rate: float,
    last_is_worse: bool,
    tmp_path: Path,
) -> None:
    data = tiny()
    recipe = shortened(name, rate if last_is_worse else None)
    network = make()
    with torch.no_grad():
        for mine, ours in zip(network.parameters(), weights_of(recipe, data), strict=True):
            mine.copy_(ours)
    X = scaled(torch.from_numpy(data.images[:N_TRAIN]).float().unsqueeze(1))
    losses = plain_training(network, X, torch.from_numpy(data.labels[:N_TRAIN]), batch_size, rate)

    run = evaluate(train(recipe, data, out=tmp_path, threads=1), data, threads=1)

    assert (losses[-1] > losses[0]) == last_is_worse
    assert [line["train_loss"] for line in run.log] == pytest.approx(losses, rel=1e-4)
    trained = run.classifier().network_.parameters()
    for mine, ours in zip(network.parameters(), trained, strict=True):
        torch.testing.assert_close(ours, mine, rtol=1e-3, atol=1e-4)
    X_test = scaled(torch.from_numpy(data.images[N_TRAIN:]).float().unsqueeze(1))
    right = network(X_test).argmax(1).numpy() == data.labels[N_TRAIN:]
    assert run.result["test_accuracy"] == pytest.approx(right.mean())
