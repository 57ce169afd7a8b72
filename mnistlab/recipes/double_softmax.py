"""Write-up B: an MLP 784-64-10 on Fashion-MNIST, its batch size, and its two softmaxes.

As published the forward pass ends in softmax and the loss applies another; the recipes whose
names end in -logits are the same with the mistake mended. All train on the whole training part,
without validation, and are read at their last epoch. Pixels run from -1 to 1. In float32:
of a network and batches as small as these bfloat16 only slows every step down.
"""

from __future__ import annotations

from dataclasses import replace

from mnistlab.phases import Phase
from mnistlab.recipe import Recipe

FULL_BATCH = 1_000_000  # larger than any training part here: each step sees all of it


def double_softmax() -> Recipe:
    """B3: batch 10, SGD 0.1, 10 epochs. `mnistlab train double-softmax --data fashion-mnist`."""
    return Recipe(
        name="double-softmax",
        system="B3",
        summary="784-64-10 with softmax twice, batch 10",
        model="mlp",
        model_args={"hidden_sizes": (64,), "softmax_output": True},
        split="train-test",
        scaling="symmetric",
        phases=(Phase("sgd", learning_rate=0.1, epochs=10, keep="last"),),
        batch_size=10,
        precision="float32",
        expect={"fashion-mnist": (0.74, 0.87)},  # by how many classes are never predicted
    )


def double_softmax_logits() -> Recipe:
    """B3 with the correct loss."""
    return _with_logits(double_softmax(), 0.84, 0.875)


def double_softmax_slow() -> Recipe:
    """B5: batch 10, SGD 0.01, 20 epochs."""
    return replace(
        double_softmax(),
        name="double-softmax-slow",
        system="B5",
        phases=(Phase("sgd", learning_rate=0.01, epochs=20, keep="last"),),
        expect={"fashion-mnist": (0.8, 0.86)},
    )


def double_softmax_slow_logits() -> Recipe:
    """B5 with the correct loss."""
    return _with_logits(double_softmax_slow(), 0.87, 0.89)


def full_batch() -> Recipe:
    """B1: every step sees all images, SGD 0.01, 10 epochs of one step each."""
    return replace(
        double_softmax(),
        name="full-batch",
        system="B1",
        summary="784-64-10 with softmax twice, full batch",
        phases=(Phase("sgd", learning_rate=0.01, epochs=10, keep="last"),),
        batch_size=FULL_BATCH,
        expect={"fashion-mnist": (0.05, 0.3)},
    )


def full_batch_logits() -> Recipe:
    """B1 with the correct loss."""
    return _with_logits(full_batch(), 0.2, 0.45)


def full_batch_long() -> Recipe:
    """B2: full batch, SGD 0.1, 2,001 epochs of one step each, measured at every hundredth."""
    return replace(
        full_batch(),
        name="full-batch-long",
        system="B2",
        phases=(Phase("sgd", learning_rate=0.1, epochs=2001, keep="last", snapshot_epochs=100),),
        expect={"fashion-mnist": (0.7, 0.83)},
    )


def full_batch_long_logits() -> Recipe:
    """B2 with the correct loss."""
    return _with_logits(full_batch_long(), 0.853, 0.873)


def _with_logits(recipe: Recipe, floor: float, ceiling: float) -> Recipe:
    args = {name: value for name, value in recipe.model_args.items() if name != "softmax_output"}
    return replace(
        recipe,
        name=f"{recipe.name}-logits",
        summary=recipe.summary.replace("softmax twice", "the correct loss"),
        model_args=args,
        expect={"fashion-mnist": (floor, ceiling)},
    )
