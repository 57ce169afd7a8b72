"""Write-up A's classical half: the network in NumPy alone (A4), E3's network so, and the SVM (A6).

All on row A1's split of the 70,000 MNIST images, 49,000 / 10,500 / 10,500.
"""

from __future__ import annotations

from dataclasses import replace

from mnistlab.phases import Phase
from mnistlab.recipe import Recipe


def scratch_mlp() -> Recipe:
    """A4 as published, 101,770 parameters. `mnistlab train scratch-mlp --data mnist`, 25 s."""
    return Recipe(
        name="scratch-mlp",
        expect={"mnist": (0.973, 0.9795)},
        system="A4",
        summary="784-128-10 in NumPy",
        model="scratch",
        model_args={"hidden_sizes": (128,)},
        split="stratified-70-15-15",
        scaling="min-max",
        phases=(Phase("momentum", learning_rate=0.01, epochs=50),),
        batch_size=128,
    )


def scratch_mlp_tuned() -> Recipe:
    """A4's network; rate, schedule and weight decay chosen on validation (decision 0004)."""
    return replace(
        scratch_mlp(),
        name="scratch-mlp-tuned",
        expect={"mnist": (0.978, 0.9825)},
        phases=(Phase("momentum", 0.1, 50, "cosine", weight_decay=5e-4),),
    )


def scratch_cnn() -> Recipe:
    """E3's network in NumPy, 20,490 parameters. `mnistlab train scratch-cnn --set n_train=10000`.

    Five epochs of 10,000 images take half a minute, of 49,000 two and a half.
    """
    return replace(
        scratch_mlp(),
        name="scratch-cnn",
        expect={"mnist": (0.984, 0.991)},
        system="E3",
        summary="conv 16, conv 32, linear in NumPy",
        model_args={"channels": (16, 32), "hidden_sizes": ()},
        phases=(Phase("adam", learning_rate=3e-3, epochs=5, schedule="one-cycle"),),
        batch_size=64,
    )


def layered_mlp() -> Recipe:
    """D3 before it is tuned, `mnistlab tune layered-mlp`: one narrow layer, a far too small rate.

    Write-up D prints no settings; these are ours, and bad on purpose.
    """
    return Recipe(
        name="layered-mlp",
        expect={"mnist": (0.8, 0.88), "fashion-mnist": (0.69, 0.77)},
        system="D3",
        summary="784-32-10 in NumPy, untuned",
        model="scratch",
        model_args={"hidden_sizes": (32,)},
        scaling="min-max",
        phases=(Phase("momentum", learning_rate=1e-4, epochs=20, schedule="cosine"),),
        batch_size=128,
    )


def svm() -> Recipe:
    """A6: RBF SVM at the grid's best point (study svm-grid). `mnistlab train svm --data mnist`."""
    return Recipe(
        name="svm",
        expect={"mnist": (0.9816, 0.9866), "fashion-mnist": (0.8966, 0.9079)},
        system="A6",
        summary="support vector machine, RBF kernel",
        model="svm",
        model_args={"C": 10.0, "gamma": "scale"},
        split="stratified-70-15-15",
        scaling="min-max",
        phases=(),
    )
