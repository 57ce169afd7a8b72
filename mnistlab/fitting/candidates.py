"""What a fit tries: our recipes, and the recommended one smaller, larger and with mirrored images.

A candidate has one phase, so that it can be trained for any number of epochs. All of them give
every class the same weight, and choose the epoch by the loss: few validation images make an
accuracy of few values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from mnistlab.data import Dataset
from mnistlab.errors import RecipeError
from mnistlab.models.pretrained import weights_at_hand
from mnistlab.recipe import Recipe
from mnistlab.recipes import RECOMMENDED, get_recipe
from mnistlab.runs.building import check_trainable, count_recipe_parameters

FIRST = "mlp-tuned"  # there within seconds, whatever the images
SMALL = "cnn-small-tuned"
MACHINE = "svm"
PRETRAINED = "transfer-lite0"
PLAIN = "records-fashion-93"  # three convolutions: of all networks the best within a minute
TINY, WIDE = (16, 32, 64), (48, 96, 192)  # channels; the recommended recipe has 32, 64, 128
MIRRORED = {"flip": 0.5}
# What a short fit tries beside the first network: the first of them that is fast enough.
IN_HASTE = ("convolutions", "convolutions-small")
EXPONENT = 0.25  # of loss over training time, where one point is all that is known
# Networks of more weights begin with a higher loss and gain for longer. Measured on
# Fashion-MNIST from 2 to 40 seconds: 0.16 with 20,000 and 29,000 weights, 0.24 with 104,000, 0.27
# with 422,000.
FEW_WEIGHTS, EXPONENT_OF_FEW, MORE_PER_DECADE, LARGEST_EXPONENT = 25_000, 0.16, 0.08, 0.3
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

    def exponent(self, train: Dataset) -> float:
        """How fast its loss falls with the time of its training, before that is measured."""
        n_weights = count_recipe_parameters(self.recipe, train.images.shape[1:], train.n_classes)
        if n_weights is None or any(phase.unfrozen is not None for phase in self.recipe.phases):
            return EXPONENT
        more = MORE_PER_DECADE * math.log10(max(n_weights, 1) / FEW_WEIGHTS)
        return min(max(EXPONENT_OF_FEW + more, MORE_PER_DECADE), LARGEST_EXPONENT)

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
    plain = replace(
        get_recipe(PLAIN), name="convolutions", augmentation={}, test_time_augmentation=()
    )
    networks = [get_recipe(name) for name in ("softmax-tuned", FIRST, "cnn-small-tuned")]
    networks += [
        replace(
            plain, name="convolutions-small", model_args={**plain.model_args, "channels": TINY}
        ),
        replace(base, name="resnet-tiny", model_args={**base.model_args, "channels": TINY}),
        get_recipe("simple-cnn-tuned"),
        plain,
        replace(
            plain,
            name="convolutions-mirrored",
            augmentation=MIRRORED,
            test_time_augmentation=("flip",),
        ),
        base,
        replace(base, name="resnet-mirrored", augmentation={**base.augmentation, **MIRRORED}),
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
    phases = (replace(phase, monitor="loss", keep="best"),)
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
