"""What the golden files must notice, tried on every recipe: tolerances are wide enough for other
CPUs, and far too narrow for another training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import kept_losses
import numpy as np
import pytest
import torch
from first_losses import first_losses, shortened

from mnistlab.classifiers import ScratchClassifier, TorchClassifier
from mnistlab.recipe import Recipe
from mnistlab.recipes import RECIPES, get_recipe

KEPT = kept_losses.read()
LEARNING = [name for name in RECIPES if get_recipe(name).phases]


def at_another_rate(recipe: Recipe, number: int) -> Recipe:
    """In the phase of that number alone."""
    phases = list(recipe.phases)
    phases[number] = replace(phases[number], learning_rate=1.1 * phases[number].learning_rate)
    return replace(recipe, phases=tuple(phases))


def in_other_batches(recipe: Recipe) -> Recipe:
    n_images = shortened(recipe)[1] * (4 if recipe.expansion else 1)
    return replace(recipe, batch_size=min(recipe.batch_size, n_images) // 2)


CHANGES: dict[str, Callable[[Recipe], Recipe]] = {
    "batch size": in_other_batches,
    "seed": lambda recipe: replace(recipe, seed=recipe.seed + 1),
    "scaling": lambda recipe: replace(
        recipe, scaling="symmetric" if recipe.scaling == "min-max" else "min-max"
    ),
}


def noticed(name: str, change: Callable[[Recipe], Recipe]) -> bool:
    """Whether the first steps of the recipe, shortened and then changed, are not those kept."""
    recipe, n_images = shortened(get_recipe(name))
    found = first_losses(change(recipe), n_images, steps_alone=True)
    return KEPT[name].differing(recipe, *found) != []


def every_phase() -> Iterator[Any]:
    """Of each model, optimizer and what it trains the first; others and backbones are slow."""
    seen = set()
    for name in RECIPES:
        recipe = get_recipe(name)
        for number, phase in enumerate(recipe.phases):
            kind = recipe.model, phase.optimizer, phase.unfrozen
            is_slow = kind in seen or recipe.model == "transfer"
            yield pytest.param(name, number, marks=[pytest.mark.slow] if is_slow else [])
            seen.add(kind)


@pytest.mark.parametrize(("name", "number"), list(every_phase()))
def test_a_learning_rate_a_tenth_higher_is_noticed(name: str, number: int) -> None:
    """Of that phase alone: the steps of every phase are kept from fresh weights on."""
    recipe, n_images = shortened(get_recipe(name))
    (phase,) = at_another_rate(recipe, number).phases[number : number + 1]
    alone = replace(recipe, phases=(phase,))
    steps, _ = first_losses(alone, n_images, steps_alone=True)
    assert KEPT[name].of_phase(number).differing(alone, steps, []) != []


def test_a_softer_margin_is_noticed() -> None:
    """A support vector machine has neither rate nor seed, and its kernel adapts to the scaling."""

    def softened(recipe: Recipe) -> Recipe:
        arguments = dict(recipe.model_args)
        # On gradients the few images are apart: a margin ten thousand times as soft is a change.
        softer = 1.1 if "features" not in arguments else 10_000
        return replace(recipe, model_args=arguments | {"C": arguments.get("C", 1.0) / softer})

    machines = [name for name in RECIPES if name not in LEARNING]
    assert machines == ["svm", "records-mnist-svm", "records-fashion-svm"]
    assert all(noticed(name, softened) for name in machines)


def every_change() -> Iterator[tuple[str, str]]:
    for name in LEARNING:
        for change in CHANGES:
            # Its first layer is normalised by batch, which undoes another scaling of all pixels.
            if (name, change) != ("records-mnist-mlp", "scaling"):
                yield name, change


@pytest.mark.slow
@pytest.mark.parametrize(("name", "change"), list(every_change()))
def test_every_other_change_is_noticed(name: str, change: str) -> None:
    assert noticed(name, CHANGES[change])


def larger_by_a_twentieth(self: Any, *args: Any) -> Any:
    network = self.build_as_ever(*args)
    if isinstance(network, torch.nn.Module):
        with torch.no_grad():
            for weights in network.parameters():
                weights *= 1.05
    else:
        network.weights *= np.float32(1.05)
    return network


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNING)
def test_another_initialisation_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (TorchClassifier, ScratchClassifier):
        monkeypatch.setattr(kind, "build_as_ever", kind._build, raising=False)
        monkeypatch.setattr(kind, "_build", larger_by_a_twentieth)
    assert noticed(name, lambda recipe: recipe)
