"""Records: how fast two CPU cores reach an accuracy; settings were chosen on validation images.

Those with a time train the network of models/residual.py, whose batch normalisation and ReLU follow
the max-pool. The others ask what a method reaches at all: a network without convolutions or by hand
in NumPy, a support vector machine. All train on every training image, and a network's weights of
the last epoch count. `mnistlab records` trains them with the clock running, and docs/records.md
shows what was measured.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import Any, NamedTuple

from mnistlab.bounds import shown
from mnistlab.errors import RecipeError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe


class Record(NamedTuple):
    """A target: mean test accuracy over seeds, within so many seconds of training.

    The seconds are meant for two cores that do nothing else and multiply in bfloat16; None where
    the accuracy is all that is asked of a method.
    """

    data: str
    accuracy: float
    seconds: float | None


RECORDS = {
    "records-mnist-99": Record("mnist", 0.990, 4),
    "records-mnist-995": Record("mnist", 0.995, 20),
    "records-fashion-916": Record("fashion-mnist", 0.916, 30),
    "records-fashion-93": Record("fashion-mnist", 0.930, 90),
    "records-fashion-94": Record("fashion-mnist", 0.940, 300),
    "records-mnist-mlp": Record("mnist", 0.989, None),
    "records-fashion-mlp": Record("fashion-mnist", 0.910, None),
    "records-mnist-numpy": Record("mnist", 0.990, None),
    "records-mnist-svm": Record("mnist", 0.994, None),
    "records-fashion-svm": Record("fashion-mnist", 0.926, None),
}


def record_of(name: str) -> Record:
    """The target of that record; RecipeError for an unknown name."""
    if name not in RECORDS:
        close = get_close_matches(name, RECORDS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(RECORDS)}"
        raise RecipeError(f"unknown record {shown(name)}; {hint}")
    return RECORDS[name]


def records_mnist_99() -> Recipe:
    """99 % of MNIST in seconds: one epoch of three convolutions."""
    return _record(
        "records-mnist-99",
        "three convolutions, one epoch",
        channels=(16, 16, 32),  # 16-32-64 is more accurate than it must be, and slower
        epochs=1,
        expect={"mnist": (0.988, 0.9925)},
    )


def records_mnist_995() -> Recipe:
    """99.5 % of MNIST: wider, for several epochs of shifted images."""
    return _record(
        "records-mnist-995",
        "three wider convolutions, shifted images in training and in prediction",
        channels=(16, 64, 128),
        epochs=5,
        batch_size=256,
        learning_rate=2e-2,
        augmentation={"shift": 1},
        test_time_augmentation=("shift",),
        expect={"mnist": (0.9945, 0.9967)},
    )


def records_fashion_916() -> Recipe:
    """91.6 % of Fashion-MNIST, the best accuracy of the write-ups."""
    return _record(
        "records-fashion-916",
        "three wider convolutions, mirrored images, two epochs",
        channels=(32, 64, 128),
        epochs=2,
        augmentation={"flip": 0.5},
        test_time_augmentation=("flip",),
        expect={"fashion-mnist": (0.913, 0.9245)},
    )


def records_fashion_93() -> Recipe:
    """93 % of Fashion-MNIST: the same, for longer."""
    return _record(
        "records-fashion-93",
        "three wider convolutions, mirrored images",
        channels=(32, 64, 128),
        epochs=8,
        augmentation={"flip": 0.5},
        test_time_augmentation=("flip",),
        expect={"fashion-mnist": (0.9295, 0.9395)},
    )


def records_fashion_94() -> Recipe:
    """94 % of Fashion-MNIST: with residual blocks, for longer, images shifted as well."""
    return _record(
        "records-fashion-94",
        "residual network, mirrored and shifted images",
        channels=(32, 64, 128),
        blocks=(0, 1, 1),
        epochs=20,
        augmentation={"flip": 0.5, "shift": 1},
        test_time_augmentation=("flip",),
    )


def records_mnist_mlp() -> Recipe:
    """98.9 % of MNIST without convolutions, and without changed images."""
    return _dense(
        "records-mnist-mlp", "two wide hidden layers, much dropout", (1024, 1024), 15, dropout=0.4
    )


def records_fashion_mlp() -> Recipe:
    """91 % of Fashion-MNIST without convolutions: mirrored and shifted images, for longer."""
    return _dense(
        "records-fashion-mlp",
        "two wide hidden layers, mirrored and shifted images",
        (1536, 1024),
        epochs=60,
        dropout=0.3,
        augmentation={"flip": 0.5, "shift": 1},
        test_time_augmentation=("flip",),
    )


def records_mnist_numpy() -> Recipe:
    """99 % of MNIST by hand: NumPy alone, three epochs."""
    recipe = _record("records-mnist-numpy", "two convolutions by hand, in NumPy", (), epochs=3)
    by_hand = {"channels": (8, 16), "hidden_sizes": (64,), "batch_norm": True}
    return replace(recipe, model="scratch", model_args=by_hand)


def records_mnist_svm() -> Recipe:
    """99.4 % of MNIST by a support vector machine on gradients, with virtual support vectors."""
    return _machine("records-mnist-svm", "support vectors, shifted, on gradients", virtual_shift=1)


def records_fashion_svm() -> Recipe:
    """92.6 % of Fashion-MNIST by a support vector machine on gradients."""
    return _machine("records-fashion-svm", "support vector machine on gradients")


def _machine(name: str, summary: str, **arguments: Any) -> Recipe:
    return Recipe(
        name=name,
        system="-",
        summary=summary,
        model="svm",
        model_args={"C": 10.0, "features": "hog", **arguments},
        data=RECORDS[name].data,
        split="train-test",
        scaling="min-max",
        phases=(),
    )


def _dense(
    name: str,
    summary: str,
    hidden_sizes: tuple[int, ...],
    epochs: int,
    dropout: float,
    **fields: Any,
) -> Recipe:
    recipe = _record(name, summary, (), epochs, learning_rate=5e-3, batch_size=256, **fields)
    layers = {"hidden_sizes": hidden_sizes, "batch_norm": True, "dropout": dropout}
    return replace(recipe, model="mlp", model_args=layers)


def _record(
    name: str,
    summary: str,
    channels: tuple[int, ...],
    epochs: int,
    blocks: int | tuple[int, ...] = 0,
    dropout: float = 0.0,
    learning_rate: float = 1e-2,
    batch_size: int = 128,
    **fields: Any,
) -> Recipe:
    """What all records share; fields: of the recipe."""
    return Recipe(
        name=name,
        system="-",
        summary=summary,
        model="residual",
        model_args={"channels": channels, "blocks": blocks, "dropout": dropout},
        data=RECORDS[name].data,
        split="train-test",
        batch_size=batch_size,
        phases=(
            Phase(
                "adamw",
                learning_rate=learning_rate,
                epochs=epochs,
                schedule="one-cycle",
                weight_decay=0.05,
                label_smoothing=0.1,
                keep="last",
            ),
        ),
        **fields,
    )
