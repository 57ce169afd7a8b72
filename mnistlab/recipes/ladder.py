"""Write-up E's three rungs and write-up A's SimpleCNN, each as published and tuned.

Published means the write-up's own optimizer, rate, batch and epochs, and for write-up E the whole
training part, without validation, read at the last epoch. Tuned means the
same network, with optimizer, schedule and rate chosen on the validation part within
ten epochs; docs/decisions/0003 lists what was tried.
"""

from __future__ import annotations

from dataclasses import replace

from mnistlab.phases import Phase
from mnistlab.recipe import Recipe

PUBLISHED = Phase("sgd", learning_rate=0.1, epochs=5, keep="last")


def softmax() -> Recipe:
    """E1: softmax regression, 7,850 parameters. `mnistlab train softmax --data mnist`, 5 s."""
    return Recipe(
        name="softmax",
        expect={"mnist": (0.91, 0.93), "fashion-mnist": (0.815, 0.85)},
        system="E1",
        summary="softmax regression 784-10",
        model="mlp",
        model_args={"hidden_sizes": ()},
        split="train-test",
        scaling="min-max",
        phases=(PUBLISHED,),
    )


def mlp() -> Recipe:
    """E2: one hidden layer of 100, 79,510 parameters. `mnistlab train mlp --data mnist`, 6 s."""
    return replace(
        softmax(),
        name="mlp",
        expect={"mnist": (0.955, 0.975), "fashion-mnist": (0.835, 0.87)},
        system="E2",
        summary="one hidden layer, 784-100-10",
        model_args={"hidden_sizes": (100,)},
    )


def cnn_small() -> Recipe:
    """E3: convolutions of 16 and 32, 20,490 parameters. `mnistlab train cnn-small --data mnist`."""
    return replace(
        softmax(),
        name="cnn-small",
        expect={"mnist": (0.98, 0.991), "fashion-mnist": (0.87, 0.9)},
        system="E3",
        summary="conv 16, conv 32, linear",
        model="cnn",
        model_args={"channels": (16, 32)},
    )


def simple_cnn() -> Recipe:
    """A9 with A10's loop (Adam, batch 64), 421,642 parameters; ten epochs at Adam's usual rate."""
    return Recipe(
        name="simple-cnn",
        expect={"mnist": (0.989, 0.9945), "fashion-mnist": (0.912, 0.926)},
        system="A9",
        summary="conv 32, conv 64, linear 128 with dropout",
        model="cnn",
        model_args={"channels": (32, 64), "hidden_sizes": (128,), "dropout": 0.5},
        scaling="min-max",
        phases=(Phase("adam", learning_rate=1e-3, epochs=10),),
    )


def softmax_tuned() -> Recipe:
    """E1's network, tuned."""
    return replace(
        softmax(),
        name="softmax-tuned",
        split="auto",
        expect={"mnist": (0.924, 0.931), "fashion-mnist": (0.84, 0.852)},
        phases=(Phase("adam", 3e-3, 10, "cosine"),),
        batch_size=128,
    )


def mlp_tuned() -> Recipe:
    """E2's network, tuned."""
    return replace(
        mlp(),
        name="mlp-tuned",
        split="auto",
        expect={"mnist": (0.977, 0.984), "fashion-mnist": (0.88, 0.893)},
        scaling="standard",
        phases=(Phase("momentum", 0.05, 10, "cosine"),),
        batch_size=128,
    )


def cnn_small_tuned() -> Recipe:
    """E3's network, tuned."""
    return replace(
        cnn_small(),
        name="cnn-small-tuned",
        split="auto",
        expect={"mnist": (0.989, 0.9935), "fashion-mnist": (0.908, 0.92)},
        scaling="standard",
        phases=(Phase("adam", 3e-3, 10, "one-cycle"),),
    )


def simple_cnn_tuned() -> Recipe:
    """A9's network, tuned."""
    return replace(
        simple_cnn(),
        name="simple-cnn-tuned",
        expect={"mnist": (0.992, 0.996), "fashion-mnist": (0.922, 0.93)},
        scaling="standard",
        phases=(Phase("adam", 3e-3, 10, "one-cycle"),),
        batch_size=128,
    )
