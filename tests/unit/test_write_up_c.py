"""Write-up C to the letter: scikit-learn cuts, SciPy zooms, a plain PyTorch loop trains beside.

The data are made and the networks are trained here without a line of mnistlab's, as the write-up's
code does it; the recipes must give the same images, accuracies and weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import zoom
from sklearn.model_selection import train_test_split
from torch import nn

import mnistlab as ml
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError
from mnistlab.recipe import Recipe
from mnistlab.recipes import get_recipe
from mnistlab.runs import Run

Arrays = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def few() -> Dataset:
    """900 images of the embedded sample, in one part: to be cut as a recipe says."""
    whole = ml.load("fashion-mini")
    return Dataset("few", whole.images[:900], whole.labels[:900], whole.class_names)


def cut_by_write_up(X: np.ndarray, y: np.ndarray) -> tuple[Arrays, Arrays, Arrays]:
    """Training, validation and test part, in scikit-learn's order."""
    X_rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
    X_train, X_val, y_train, y_val = train_test_split(
        X_rest, y_rest, test_size=0.25, random_state=42
    )
    return (X_train, y_train), (X_val, y_val), (X_test, y_test)


def fourfold(images: Sequence[np.ndarray]) -> np.ndarray:
    """Four adjacent images of each, made one by one."""
    made = []
    for image in images:
        height, width = image.shape
        factors = (height / (height - 4), width / (width - 4))
        large = zoom(image[2:-2, 2:-2], factors, order=0)
        made += [image, np.fliplr(image), large, np.fliplr(large)]
    return np.stack(made)


@pytest.mark.parametrize("n", [20, 21, 22, 23, 24, 97, 101, 103, 998, 1001, 70_000])
def test_the_split_is_two_calls_of_scikit_learn(n: int) -> None:
    numbers = np.arange(n)
    images = numbers.astype("<u4").view(np.uint8).reshape(n, 2, 2)
    cut = ml.split(Dataset("numbered", images, numbers % 2, ("a", "b")), "test-first-60-20-20")
    parts = cut_by_write_up(numbers, numbers % 2)
    for part, (expected, labels) in zip((cut.train, cut.val, cut.test), parts, strict=True):
        found = np.ascontiguousarray(part.images).reshape(-1, 4).view("<u4").ravel()
        assert np.array_equal(found, expected)
        assert np.array_equal(part.labels, labels)


@dataclass
class Trained:
    """What a plain loop gives: validation accuracy of each epoch, and weights."""

    accuracies: list[float]
    best: dict[str, torch.Tensor]
    last: dict[str, torch.Tensor]

    @property
    def best_epoch(self) -> int:
        return int(np.argmax(self.accuracies))


def trained_until_it_stops(
    network: nn.Module,
    parts: tuple[Arrays, Arrays],
    optimizer: torch.optim.Optimizer,
    most_epochs: int,
    patience: int,
) -> Trained:
    """Batches of 256 in order; the best epoch is the first of the highest accuracy."""
    (X, y), (X_val, y_val) = (
        (torch.from_numpy(images).float()[:, None], torch.from_numpy(labels))
        for images, labels in parts
    )
    accuracies: list[float] = []
    best: dict[str, torch.Tensor] = {}
    n_without = 0
    for _ in range(most_epochs):
        network.train()
        for first in range(0, len(X), 256):
            loss = nn.functional.cross_entropy(network(X[first : first + 256]), y[first:][:256])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            accuracy = (network(X_val).argmax(1) == y_val).double().mean().item()
        if not accuracies or accuracy > max(accuracies):
            best, n_without = deepcopy(network.state_dict()), 0
        else:
            n_without += 1
        accuracies.append(accuracy)
        if n_without == patience:
            break
    return Trained(accuracies, best, deepcopy(network.state_dict()))


def parts_of_write_up(data: Dataset) -> tuple[Arrays, Arrays]:
    """Training and validation part, padded to 32 x 32 and fourfold."""
    X = np.pad(data.images, ((0, 0), (2, 2), (2, 2)))
    train, val, _ = cut_by_write_up(X, data.labels)
    return (fourfold(train[0]), np.repeat(train[1], 4)), (fourfold(val[0]), np.repeat(val[1], 4))


def trained_by_recipe(recipe: Recipe, data: Dataset, out: Path) -> Run:
    recipe = replace(recipe, precision="float32")
    return ml.train(recipe, data, out=out, device="cpu", threads=1)


def by_phase(run: Run) -> list[list[float]]:
    """Validation accuracies of the epochs of each phase."""
    return [
        [line["val_accuracy"] for line in run.log if line["phase"] == number]
        for number in range(len(run.recipe.phases))
    ]


def distance(run: Run, expected: dict[str, torch.Tensor]) -> float:
    """The largest difference of a weight, as a fraction of the largest one in its tensor."""
    found: nn.Module = run.classifier("cpu").network_[1]  # without the layer that scales pixels
    pairs = zip(found.state_dict().values(), expected.values(), strict=True)
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)


def dense(*sizes: int) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Flatten()]
    for n_in, n_out in pairwise(sizes[:-1]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return [*layers, nn.Linear(*sizes[-2:])]


def convolutional() -> list[nn.Module]:
    layers: list[nn.Module] = []
    for n_in, n_out in ((1, 32), (32, 64)):
        layers += [nn.Conv2d(n_in, n_out, 3), nn.ReLU(), nn.MaxPool2d(2)]
    return [*layers, *dense(2304, 64, 10)]


ARMS: dict[str, tuple[Callable[[], list[nn.Module]], Any, int]] = {
    "dense-base": (lambda: dense(1024, 512, 128, 128, 128, 10), torch.optim.Adam, 30),
    "dense-sgd": (lambda: dense(1024, 512, 128, 128, 128, 10), torch.optim.SGD, 12),
    "conv-base": (convolutional, torch.optim.Adam, 3),
}
TOLERANCE = 1e-5  # with the loop's layout and optimizer kernel even the bits are the same


@pytest.mark.parametrize(
    "name", ["dense-base", "dense-sgd", pytest.param("conv-base", marks=pytest.mark.slow)]
)
def test_an_arm_is_a_plain_training_on_arrays_cut_and_zoomed_by_others(
    name: str, few: Dataset, tmp_path: Path
) -> None:
    """The same accuracy after every epoch, as many epochs, the weights of the same epoch."""
    layers, optimizer, most_epochs = ARMS[name]
    recipe = get_recipe(name)
    phase = replace(recipe.phases[0], epochs=most_epochs)
    run = trained_by_recipe(replace(recipe, phases=(phase,)), few, tmp_path)
    torch.manual_seed(0)
    network = nn.Sequential(*layers()).to(memory_format=torch.channels_last)
    made = optimizer(network.parameters(), lr=1e-3, fused=True)
    plain = trained_until_it_stops(network, parts_of_write_up(few), made, most_epochs, 3)
    assert by_phase(run) == [plain.accuracies]
    assert distance(run, plain.best) < TOLERANCE
    assert run.result["expanded_val_accuracy"] == max(plain.accuracies)
    if name == "dense-base":  # stopped early, and the best epoch is not the last
        assert plain.best_epoch == len(plain.accuracies) - 4 < most_epochs - 4
        assert distance(run, plain.last) > 0.1


SMALL = {"channels": (4, 8, 8, 16), "hidden_sizes": (32, 16), "dropout": (0.1, 0.3)}


def small_final() -> nn.Sequential:
    """C17's layers in order, fewer channels and hidden layers."""
    layers: list[nn.Module] = []
    for (n_in, n_out), kernel, pool, drop in zip(
        pairwise((1, 4, 8, 8, 16)), (2, 2, 2, 4), (1, 1, 0, 0), (0.1, 0.3, 0.5, 0.5), strict=True
    ):
        layers += [nn.Conv2d(n_in, n_out, kernel), nn.BatchNorm2d(n_out), nn.ReLU()]
        layers += [*([nn.MaxPool2d(2)] * pool), nn.Dropout2d(drop)]
    layers.append(nn.Flatten())
    for n_in, n_out, drop in ((144, 32, 0.1), (32, 16, 0.3)):
        layers += [nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU(), nn.Dropout(drop)]
    return nn.Sequential(*layers, nn.Linear(16, 10))


KINDS = ((torch.optim.Adam, 1e-3), (torch.optim.SGD, 1e-3), (torch.optim.SGD, 0.0))


def test_final_goes_on_from_last_weights_and_ends_with_the_best_of_its_third_phase(
    few: Dataset, tmp_path: Path
) -> None:
    """C17, small, at rates that stop its first phase early, when it is worse than it was."""
    few, recipe = few.take(slice(0, 450)), get_recipe("final")
    rate, most_epochs, patience = 0.02, 8, (1, 2, 4)
    phases = tuple(
        replace(phase, learning_rate=rate, epochs=most_epochs, patience=n)
        for phase, n in zip(recipe.phases, patience, strict=True)
    )
    recipe = replace(recipe, model_args={**recipe.model_args, **SMALL}, phases=phases)
    parts, plain = parts_of_write_up(few), []
    torch.manual_seed(0)
    # In the layout that the loop has: else Dropout2d drops other channels.
    network = small_final().to(memory_format=torch.channels_last)
    for (kind, decay), n in zip(KINDS, patience, strict=True):
        optimizer = kind(network.parameters(), lr=rate, weight_decay=decay, fused=True)
        plain.append(trained_until_it_stops(network, parts, optimizer, most_epochs, n))
    assert plain[0].best_epoch < len(plain[0].accuracies) - 1 < most_epochs - 1
    assert plain[2].best_epoch < len(plain[2].accuracies) - 1
    run = trained_by_recipe(recipe, few, tmp_path)
    assert by_phase(run) == [phase.accuracies for phase in plain]
    assert distance(run, plain[2].best) < TOLERANCE < 0.1 < distance(run, plain[2].last)
    assert run.result["expanded_val_accuracy"] == max(plain[2].accuracies) < max(by_phase(run)[1])
    from_best = replace(recipe, phases=tuple(replace(phase, keep="best") for phase in phases[:2]))
    other = trained_by_recipe(from_best, few, tmp_path)
    assert by_phase(other)[0] == plain[0].accuracies
    assert by_phase(other)[1] != plain[1].accuracies


def test_images_that_come_class_by_class_are_not_taken_in_their_order(
    few: Dataset, tmp_path: Path
) -> None:
    """As folders do; a file without parts is cut, and so mixed, before."""
    in_classes = np.argsort(few.labels[:700], kind="stable")
    by_class = replace(few.take(np.append(in_classes, range(700, 900))), n_official_train=700)
    recipe = replace(get_recipe("dense-base"), precision="float32")
    with pytest.raises(
        RecipeError, match="few come class by class; --set order=shuffled"
    ) as caught:
        ml.train(recipe, by_class, out=tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    (phase,) = recipe.phases
    short = replace(recipe, phases=(replace(phase, epochs=1),))
    for change, data in (
        ("shuffled", by_class),
        ("file", replace(by_class, n_official_train=None)),
    ):
        run = ml.train(replace(short, order=change), data, out=tmp_path, device="cpu")
        assert run.result["epochs"] == 1
