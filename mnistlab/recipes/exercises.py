"""Write-up A's experiments on SimpleCNN: optimizers (A11), the plateau schedule (A12), A15."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.recipes.ladder import simple_cnn, simple_cnn_tuned


def simple_cnn_plateau() -> Recipe:
    """A12: SimpleCNN with a tenth of the rate whenever validation loss stands still."""
    return replace(
        simple_cnn(),
        name="simple-cnn-plateau",
        expect={},
        system="A12",
        summary="SimpleCNN, rate reduced on a plateau",
        phases=(Phase("adam", learning_rate=1e-3, epochs=20, schedule="plateau", monitor="loss"),),
    )


def simple_cnn_early_stopping() -> Recipe:
    """A15: SimpleCNN until validation loss has not fallen for three epochs, at most 30."""
    return replace(
        simple_cnn(),
        name="simple-cnn-early-stopping",
        expect={},
        system="A15",
        summary="SimpleCNN, stopped early",
        phases=(Phase("adam", learning_rate=1e-3, epochs=30, patience=3, monitor="loss"),),
    )


def simple_cnn_augmented() -> Recipe:
    """A15: SimpleCNN on images shifted by up to two pixels."""
    return replace(
        simple_cnn_tuned(),
        name="simple-cnn-augmented",
        expect={},
        system="A15",
        summary="SimpleCNN on shifted images",
        augmentation={"shift": 2},
    )


def _variant(name: str, summary: str, floor: float, ceiling: float, /, **args: Any) -> Recipe:
    """SimpleCNN with other arguments, and the test accuracy expected on Fashion-MNIST."""
    base = simple_cnn_tuned()
    return replace(
        base,
        name=f"simple-cnn-{name}",
        expect={"fashion-mnist": (floor, ceiling)},
        system="A15",
        summary=summary,
        model_args={**base.model_args, **args},
    )


VARIANTS: dict[str, Callable[[], Recipe]] = {
    "simple-cnn-wide": lambda: _variant(
        "wide", "SimpleCNN with twice the channels", 0.922, 0.934, channels=(64, 128)
    ),
    "simple-cnn-deep": lambda: _variant(
        "deep",
        "SimpleCNN with two convolutions before each pool",
        0.926,
        0.939,
        channels=(32, 32, 64, 64),
        pools=(False, True, False, True),
    ),
    "simple-cnn-5x5": lambda: _variant(
        "5x5", "SimpleCNN with filters of 5x5", 0.918, 0.93, kernel_sizes=5
    ),
}
