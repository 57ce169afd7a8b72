"""Write-up C: seven feed-forward and seven convolutional networks, and the final model.

What its code does, to the letter: images are padded to 32 x 32 and enter raw, 0 to 255; each is
four adjacent ones, of the validation part too; batches are taken in order, never shuffled.
Optimizers are torch's at their default rate of 0.001. At most 30 epochs, patience 3 on
the accuracy of the fourfold validation part, the best weights kept. Decision 0023 says more;
mnistlab/studies/portfolio.py has the improved variants beside these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mnistlab.phases import Phase
from mnistlab.recipe import Recipe

ADAM = Phase("adam", learning_rate=1e-3, epochs=30, patience=3)
SGD = replace(ADAM, optimizer="sgd")
DECAYED = replace(ADAM, weight_decay=1e-2)
DENSE = {"hidden_sizes": (512, 128, 128, 128)}
CONVOLUTIONAL = {"channels": (32, 64), "hidden_sizes": (64,), "padded": False}

# Test accuracy on Fashion-MNIST, floor and ceiling: around what one seed gave, and wider for
# plain SGD on raw pixels, which swings by points.
EXPECT = {
    "dense-base": (0.872, 0.893),
    "dense-wide": (0.878, 0.899),
    "dense-deep": (0.875, 0.897),
    "dense-sgd": (0.76, 0.86),
    "dense-decay": (0.853, 0.874),
    "dense-norm": (0.887, 0.905),
    "dense-dropout": (0.835, 0.87),
    "conv-base": (0.902, 0.92),
    "conv-wide": (0.901, 0.92),
    "conv-deep": (0.904, 0.924),
    "conv-sgd": (0.885, 0.91),
    "conv-decay": (0.893, 0.912),
    "conv-norm": (0.912, 0.929),
    "conv-dropout": (0.898, 0.917),
}


def _recipe(
    name: str, system: str, summary: str, model: str, model_args: dict[str, Any], phase: Phase
) -> Recipe:
    return Recipe(
        name=name,
        system=system,
        summary=summary,
        model=model,
        model_args=model_args,
        split="test-first-60-20-20",
        scaling="none",
        pad_to=32,
        expansion="flip-and-zoom",
        phases=(phase,),
        batch_size=256,
        order="file",
        expect={"fashion-mnist": EXPECT[name]},
    )


def _dense(name: str, system: str, summary: str, phase: Phase = ADAM, **args: Any) -> Recipe:
    return _recipe(f"dense-{name}", system, summary, "mlp", DENSE | args, phase)


def _conv(name: str, system: str, summary: str, phase: Phase = ADAM, **args: Any) -> Recipe:
    return _recipe(f"conv-{name}", system, summary, "cnn", CONVOLUTIONAL | args, phase)


DENSE_ARMS: dict[str, Callable[[], Recipe]] = {
    "dense-base": lambda: _dense("base", "C1", "1024-512-128-128-128-10"),
    "dense-wide": lambda: _dense(
        "wide", "C2", "1024-512-512-512-256-10", hidden_sizes=(512, 512, 512, 256)
    ),
    "dense-deep": lambda: _dense(
        "deep", "C3", "1024-512, seven of 128, 10", hidden_sizes=(512, *[128] * 7)
    ),
    "dense-sgd": lambda: _dense("sgd", "C4", "base with plain SGD", SGD),
    "dense-decay": lambda: _dense("decay", "C5", "base with weight decay 0.01", DECAYED),
    "dense-norm": lambda: _dense("norm", "C6", "base with batch normalisation", batch_norm=True),
    "dense-dropout": lambda: _dense(
        "dropout", "C7", "base with dropout 0.5 to 0.2", dropout=(0.5, 0.4, 0.3, 0.2)
    ),
}
CONV_ARMS: dict[str, Callable[[], Recipe]] = {
    "conv-base": lambda: _conv("base", "C8", "conv 32, conv 64, linear 2304-64-10"),
    "conv-wide": lambda: _conv(
        "wide", "C9", "conv 32, conv 64, linear 2304-128-10", hidden_sizes=(128,)
    ),
    "conv-deep": lambda: _conv(
        "deep",
        "C10",
        "conv 64, conv 128, linear 4608-64-64-32-10",
        channels=(64, 128),
        hidden_sizes=(64, 64, 32),
    ),
    "conv-sgd": lambda: _conv("sgd", "C11", "base with plain SGD", SGD),
    "conv-decay": lambda: _conv("decay", "C12", "base with weight decay 0.01", DECAYED),
    "conv-norm": lambda: _conv("norm", "C13", "base with batch normalisation", batch_norm=True),
    "conv-dropout": lambda: _conv(
        "dropout", "C14", "base with half the channels dropped", channel_dropout=0.5
    ),
}


def shuffled(recipe: Recipe) -> Recipe:
    """The same in another order for each epoch, which write-up C's code never does."""
    return replace(recipe, name=f"{recipe.name}-shuffled", order="shuffled", expect={})


def final() -> Recipe:
    """C17 as published: three phases of at most 200 epochs. Days on two cores.

    Each has an early stopping of its own and goes on from the last weights of the one before; the
    result is the best epoch of the third.
    """
    first = Phase(
        "adam", learning_rate=1e-3, epochs=200, weight_decay=1e-3, patience=4, keep="last"
    )
    second = replace(first, optimizer="sgd")
    return replace(
        CONV_ARMS["conv-norm"](),
        name="final",
        expect={},
        system="C17",
        summary="four convolutions to 512, linear 4608-512-256-128-64-10",
        model_args={
            "channels": (64, 128, 256, 512),
            "kernel_sizes": (2, 2, 2, 4),
            "pools": (True, True, False, False),
            "padded": False,
            "batch_norm": True,
            "hidden_batch_norm": True,
            "channel_dropout": (0.1, 0.3, 0.5, 0.5),
            "hidden_sizes": (512, 256, 128, 64),
            "dropout": (0.1, 0.3, 0.5, 0.5),
        },
        phases=(first, second, replace(second, weight_decay=0.0, keep="best")),
    )


def final_tuned() -> Recipe:
    """C17's layers, trained another way in three phases: half an hour or less.

    What was tried on validation is in decision 0006.
    """
    first = Phase("adamw", learning_rate=3e-3, epochs=20, schedule="one-cycle", weight_decay=0.05)
    second = replace(first, learning_rate=5e-4, epochs=4, schedule="cosine", ema_decay=0.995)
    third = replace(second, optimizer="momentum", learning_rate=5e-3, epochs=2, weight_decay=5e-4)
    base = final()
    return replace(
        base,
        name="final-tuned",
        expect={"fashion-mnist": (0.927, 0.937)},
        summary="the layers of final, each share of dropout halved",
        model_args={
            **base.model_args,
            "channel_dropout": (0.05, 0.15, 0.25, 0.25),
            "dropout": (0.05, 0.15, 0.25, 0.25),
        },
        split="shuffled-60-20-20",
        scaling="standard",
        order="shuffled",
        expansion=None,
        augmentation={"flip": 0.5, "shift": 2},
        test_time_augmentation=("flip",),
        phases=(first, second, third),
        batch_size=128,
    )
