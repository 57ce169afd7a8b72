"""The first losses of every recipe, kept in text files and changed only on purpose.

A new recipe: `make golden RECIPES="its-name"`. After a wanted change of numbers: raise NUMERICS in
mnistlab/recipe.py and run `make golden`. Both train under several makes of CPU, and how far those
are apart decides, number by number, what another make may differ by: kept_losses.py.
"""

from __future__ import annotations

import math

import kept_losses
import pytest
from first_losses import N_STEPS, first_losses, shortened

from mnistlab.recipes import RECIPES, get_recipe
from mnistlab.training import kernels
from mnistlab.writeups.a_course.transfer import TRANSFER

KEPT = kept_losses.read()
LEARNING = [name for name in RECIPES if get_recipe(name).phases]
LONG = ("final", "final-tuned", *TRANSFER)  # whose epochs take seconds each
LONGEST = ("transfer-resnet18", "transfer-efficientnet-b0")
# One of each kind of network: whether the same bits come again does not depend on the recipe.
AGAIN = set({get_recipe(name).model: name for name in RECIPES if name not in LONG}.values())


@pytest.mark.parametrize("name", LEARNING)
def test_at_least_twenty_steps_are_kept(name: str) -> None:
    recipe, n_images = shortened(get_recipe(name))
    n_examples = n_images * (4 if recipe.expansion else 1)
    n_epochs = sum(phase.epochs for phase in recipe.phases)
    assert n_epochs * math.ceil(n_examples / recipe.batch_size) >= 20
    assert len(KEPT[name].epochs) == n_epochs
    assert len(KEPT[name].steps) == N_STEPS * len(recipe.phases)


def test_every_recipe_is_kept_and_how_far_cpus_are_apart() -> None:
    assert KEPT.keys() == RECIPES.keys()
    for kept in KEPT.values():
        assert len(kept.spread) == len(kept.steps) + len(kept.epochs)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in LONGEST else []) for n in RECIPES],
)
def test_first_losses_are_as_kept(name: str) -> None:
    recipe, n_images = shortened(get_recipe(name))
    steps, epochs = first_losses(recipe, n_images, steps_alone=name in LONG)
    if name in AGAIN:  # of the long ones the second time is below
        again = first_losses(recipe, n_images, steps_alone=bool(recipe.phases))
        assert again == (steps, [] if recipe.phases else epochs), "the same bits"
    assert KEPT[name].differing(recipe, steps, epochs) == []


@pytest.mark.skipif(not kernels.are_available(), reason="numba is not installed (extra fast)")
@pytest.mark.parametrize("name", ["simple-cnn-tuned", "cnn-small", "conv-base", "resnet-small"])
def test_first_losses_are_as_kept_with_compiled_kernels(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(kernels.VARIABLE, "on")
    recipe, n_images = shortened(get_recipe(name))
    assert kernels.in_use()
    steps, _ = first_losses(recipe, n_images, steps_alone=True)
    assert KEPT[name].differing(recipe, steps, []) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_first_epochs_are_as_kept(name: str) -> None:
    recipe, n_images = shortened(get_recipe(name))
    steps, epochs = first_losses(recipe, n_images)
    assert len(epochs) == len(KEPT[name].epochs) > 0
    assert KEPT[name].differing(recipe, steps, epochs) == []
    assert first_losses(recipe, n_images, steps_alone=True) == (steps, []), "the same bits"


@pytest.mark.parametrize("name", LEARNING)
def test_the_first_loss_is_the_same_on_every_cpu(name: str) -> None:
    """Before training multiplies what rounding does; what is kept has six decimals."""
    assert kept_losses.FACTOR * KEPT[name].spread[0] <= kept_losses.LEAST_OF_A_STEP
