"""The first losses of every recipe, kept in losses.txt and changed only on purpose.

After a wanted change of numbers: raise NUMERICS in mnistlab/recipe.py and run
`MNISTLAB_WRITE_GOLDEN=1 python -m pytest tests/golden`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mnistlab.data import load
from mnistlab.recipes import RECIPES, get_recipe
from mnistlab.run import classifier_of
from mnistlab.training import hardware

GOLDEN = Path(__file__).with_name("losses.txt")
N_BATCHES, N_EPOCHS = 10, 3


def first_losses(name: str) -> list[float]:
    """Training losses of three short epochs in float32 on one thread; an SVM's first intercepts."""
    recipe = get_recipe(name)
    short = tuple(replace(phase, epochs=N_EPOCHS) for phase in recipe.phases)
    classifier = classifier_of(replace(recipe, phases=short, precision="float32"), "cpu")
    data = load("fashion-mini").take(slice(0, N_BATCHES * recipe.batch_size))
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
    assert losses == pytest.approx(kept()[name], rel=2e-3, abs=1e-3)
