"""What a fit tries: our recipes, and the recommended one smaller, larger and with mirrored images.

A candidate has one phase, so that it can be trained for any number of epochs. All of them give
every class the same weight, and choose the epoch by the loss: few validation images make an
accuracy of few values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from mnistlab.data import Dataset
from mnistlab.errors import RecipeError
from mnistlab.models.pretrained import weights_at_hand
from mnistlab.recipe import Recipe
from mnistlab.recipes import RECOMMENDED, get_recipe
from mnistlab.runs.building import check_trainable

FIRST = "mlp-tuned"  # there within seconds, whatever the images
SMALL = "cnn-small-tuned"
MACHINE = "svm"
PRETRAINED = "transfer-lite0"
TINY, WIDE = (16, 32, 64), (48, 96, 192)  # channels; the recommended recipe has 32, 64, 128
PRETRAINED_FROM_S = 150.0
LEAST_STEPS = 400  # of a full training: ten epochs of a hundred images are twenty steps
N_CALIBRATION_FOLDS = 2


AVERAGES = 12  # spans of the moving average that a training must have; the recipe's has as many


class Size(NamedTuple):
    """How much a training takes: epochs, and how many images in each."""

    epochs: int
    n_train: int


@dataclass(frozen=True)
class Candidate:
    """A recipe that a fit may train; `name` is unique."""

    name: str
    recipe: Recipe

    @property
    def in_epochs(self) -> bool:
        """Whether it is trained epoch by epoch and can be stopped after any step."""
        return bool(self.recipe.phases)

    def full_epochs(self, n_train: int) -> int:
        """Epochs of a full training on so many images; more bring little."""
        per_epoch = -(-n_train // self.recipe.batch_size)
        return max(self.recipe.phases[0].epochs, -(-LEAST_STEPS // per_epoch))

    def for_size(self, size: Size, seed: int) -> Recipe:
        """The recipe with so many epochs, and with that seed.

        A moving average spans at most a twelfth of the steps: it must forget the first weights.
        """
        n_steps = size.epochs * -(-size.n_train // self.recipe.batch_size)
        longest = max(0.0, 1 - AVERAGES / max(n_steps, 1))
        phases = tuple(
            replace(p, epochs=size.epochs, min_steps=0, ema_decay=min(p.ema_decay, longest))
            for p in self.recipe.phases
        )
        return replace(self.recipe, name=self.name, phases=phases, seed=seed)


def candidates(train: Dataset, device: str, budget_s: float) -> list[Candidate]:
    """All candidates that can be trained on these images, on that device; the cheapest first.

    budget_s: of the whole fit; a pretrained network takes seconds to be loaded alone.
    """
    base = get_recipe()
    networks = [get_recipe(name) for name in ("softmax-tuned", FIRST, "cnn-small-tuned")]
    networks += [
        replace(base, name="resnet-tiny", model_args={**base.model_args, "channels": TINY}),
        get_recipe("simple-cnn-tuned"),
        base,
        replace(base, name="resnet-mirrored", augmentation={**base.augmentation, "flip": 0.5}),
        replace(base, name="resnet-wide", model_args={**base.model_args, "channels": WIDE}),
    ]
    recipes = [_fitting(recipe) for recipe in networks]
    recipes.append(_machine())
    pretrained = get_recipe(PRETRAINED)
    if budget_s >= PRETRAINED_FROM_S and weights_at_hand(str(pretrained.model_args["backbone"])):
        recipes.append(_fitting(replace(pretrained, phases=pretrained.phases[:1])))
    return [
        Candidate(recipe.name, recipe)
        for recipe in recipes
        if recipe.name == RECOMMENDED or _is_trainable(recipe, train, device)
    ]


def _fitting(recipe: Recipe) -> Recipe:
    (phase,) = recipe.phases
    phases = (replace(phase, monitor="loss"),)
    return replace(recipe, phases=phases, class_weight="balanced", split="auto", expect={})


def _machine() -> Recipe:
    recipe = get_recipe(MACHINE)
    calibrated = {"calibrated": True, "n_calibration_folds": N_CALIBRATION_FOLDS}
    arguments = {**recipe.model_args, **calibrated}
    return replace(
        recipe, model_args=arguments, class_weight="balanced", n_train=None, split="auto", expect={}
    )


def _is_trainable(recipe: Recipe, train: Dataset, device: str) -> bool:
    try:
        check_trainable(recipe, train, device)
    except RecipeError:  # such as convolutions on images of 3 x 3, or digits to be mirrored
        return False
    return True
