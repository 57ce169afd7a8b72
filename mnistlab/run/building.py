"""From a recipe to the classifier it describes. torch is imported when one is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnistlab.recipe import Recipe

if TYPE_CHECKING:
    from mnistlab.classifiers import TorchClassifier


def classifier_of(recipe: Recipe, device: str = "auto") -> TorchClassifier:
    """The untrained classifier a recipe describes."""
    from mnistlab.classifiers import TorchClassifier

    return TorchClassifier(
        model=recipe.model,
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
) -> int:
    """Trainable parameters of a recipe's network; no memory is taken for them.

    Raises RecipeError for a model that does not exist or cannot be built.
    """
    import torch

    from mnistlab.models import build, count_parameters

    with torch.device("meta"):
        return count_parameters(build(recipe.model, image_shape, n_classes, recipe.model_args))
