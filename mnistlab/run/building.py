"""From a recipe to what it asks for: the classifier, the parts of the data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mnistlab.classifiers.methods import count_parameters, method_of
from mnistlab.data import Dataset, Split, split
from mnistlab.errors import DataError
from mnistlab.recipe import Recipe


def classifier_of(recipe: Recipe, device: str = "auto") -> Any:
    """The untrained classifier a recipe describes."""
    return method_of(recipe.model).make(
        model_args=recipe.model_args,
        phases=recipe.phases,
        batch_size=recipe.batch_size,
        scaling=recipe.scaling,
        precision=recipe.precision,
        device=device,
        random_state=recipe.seed,
    )


def count_recipe_parameters(
    recipe: Recipe, image_shape: tuple[int, int] = (28, 28), n_classes: int = 10
) -> int | None:
    """Trainable parameters of a recipe's model; None where training decides how many.

    Raises RecipeError for a model that does not exist or cannot be built.
    """
    return count_parameters(recipe.model, image_shape, n_classes, recipe.model_args)


def parts_of(recipe: Recipe, dataset: Dataset) -> Split:
    """The recipe's split of the data, its training part cut to the first n_train images."""
    parts = split(dataset, recipe.split)
    return replace(parts, train=parts.train.take(slice(0, recipe.n_train)))


def check_trainable(recipe: Recipe, train: Dataset, device: str) -> None:
    """Everything that can be known to fail before training: DataError or RecipeError."""
    method_of(recipe.model).describe(device, recipe.precision)
    height, width = train.images.shape[1:]
    count_recipe_parameters(recipe, (height, width), train.n_classes)
    if train.n_classes < 2:
        raise DataError(f"{train.name}: holds one class only; there is nothing to learn")
    missing = np.setdiff1d(np.arange(train.n_classes), train.labels)
    if len(missing):
        name = train.class_names[missing[0]]
        raise DataError(f"{train.name}: the training part has no image of class {name!r}")
