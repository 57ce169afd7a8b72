"""The first losses of every recipe, kept in losses.txt and changed only on purpose.

After a wanted change of numbers: raise NUMERICS in mnistlab/recipe.py and run
`MNISTLAB_WRITE_GOLDEN=1 python -m pytest tests/golden`.
"""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path

import pytest

from mnistlab.data import load
from mnistlab.recipe import Recipe
from mnistlab.recipes import RECIPES, get_recipe
from mnistlab.recipes.double_softmax import FULL_BATCH
from mnistlab.recipes.exercises import VARIANTS
from mnistlab.recipes.portfolio import CONV_ARMS, DENSE_ARMS
from mnistlab.recipes.transfer import TRANSFER
from mnistlab.run import classifier_of
from mnistlab.training import hardware

GOLDEN = Path(__file__).with_name("losses.txt")
N_BATCHES, N_EPOCHS = 10, 3  # thirty steps, several phases sharing the epochs
N_FULL_STEPS, N_FULL = 20, 640  # where a batch is the whole set: so many epochs, and images
# Thirty steps of these take several seconds, of the final model a minute and a half: they are as
# many, of smaller batches.
SLOW = ("simple-cnn-augmented", *VARIANTS, *CONV_ARMS, *TRANSFER, "final", "final-tuned")
SMALL_BATCH = 16
# Raw pixels and many layers blow rounding up: by up to 1.5 % with kernels of other CPUs.
TOLERANCE = dict.fromkeys(("simple-cnn-deep", *DENSE_ARMS, *CONV_ARMS, "final"), 0.05)


def shortened(recipe: Recipe) -> tuple[Recipe, int]:
    """The recipe for its first losses, and on how many images."""
    if recipe.name in SLOW:
        recipe = replace(recipe, batch_size=SMALL_BATCH)
    n_images, n_epochs = N_BATCHES * recipe.batch_size, N_EPOCHS // max(1, len(recipe.phases))
    if recipe.batch_size == FULL_BATCH:
        n_images, n_epochs = N_FULL, N_FULL_STEPS
    if recipe.expansion == "fourfold":
        n_images //= 4
    if recipe.model == "transfer":  # its weights need not be on this machine
        recipe = replace(recipe, model_args={**recipe.model_args, "weights": "none"})
    phases = tuple(replace(phase, epochs=n_epochs, min_steps=0) for phase in recipe.phases)
    return replace(recipe, phases=phases, precision="float32"), n_images


def first_losses(name: str) -> list[float]:
    """Training losses of short epochs in float32 on one thread; an SVM's first intercepts."""
    recipe, n_images = shortened(get_recipe(name))
    classifier = classifier_of(recipe, "cpu")
    data = load("fashion-mini").take(slice(0, n_images))
    if recipe.phases:
        classifier.set_params(validation_fraction=0)
    with hardware.n_threads(1):
        classifier.fit(data.images, data.labels)
    if not recipe.phases:
        return classifier.machine_.intercepts[:N_EPOCHS].tolist()
    return [epoch["train_loss"] for epoch in classifier.history_]


def kept() -> dict[str, list[float]]:
    lines = (line.split() for line in GOLDEN.read_text(encoding="utf-8").splitlines())
    return {name: [float(loss) for loss in losses] for name, *losses in lines}


@pytest.mark.parametrize("name", [name for name in RECIPES if get_recipe(name).phases])
def test_at_least_twenty_steps_are_kept(name: str) -> None:
    recipe, n_images = shortened(get_recipe(name))
    n_examples = n_images * (4 if recipe.expansion else 1)
    n_epochs = sum(phase.epochs for phase in recipe.phases)
    assert n_epochs * math.ceil(n_examples / recipe.batch_size) >= 20
    assert len(kept()[name]) == n_epochs


def test_every_recipe_is_kept() -> None:
    if os.environ.get("MNISTLAB_WRITE_GOLDEN"):
        lines = [f"{name} {' '.join(f'{x:.6f}' for x in first_losses(name))}" for name in RECIPES]
        GOLDEN.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert kept().keys() == RECIPES.keys()


@pytest.mark.parametrize("name", RECIPES)
def test_first_losses_are_as_kept(name: str) -> None:
    losses = first_losses(name)
    assert losses == first_losses(name)
    # Another CPU's kernels round differently; a changed recipe differs far more than this.
    assert losses == pytest.approx(kept()[name], rel=TOLERANCE.get(name, 2e-3), abs=1e-3)
