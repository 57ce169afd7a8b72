"""Ready recipes: functions that return a Recipe.

To add one, write it, name it in RECIPES, and say in GROUPS what it is for.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from mnistlab.errors import RecipeError
from mnistlab.recipe import Recipe
from mnistlab.recipes import (
    by_hand,
    double_softmax,
    exercises,
    ladder,
    portfolio,
    recommended,
    transfer,
)
from mnistlab.recipes.groups import GROUPS, Group, needs

__all__ = ["GROUPS", "RECIPES", "RECOMMENDED", "Group", "get_recipe", "needs"]

RECOMMENDED = "resnet-small"  # what `mnistlab train --data X` trains

RECIPES: dict[str, Callable[[], Recipe]] = {
    "resnet-small": recommended.resnet_small,
    "softmax": ladder.softmax,
    "softmax-tuned": ladder.softmax_tuned,
    "mlp": ladder.mlp,
    "mlp-tuned": ladder.mlp_tuned,
    "cnn-small": ladder.cnn_small,
    "cnn-small-tuned": ladder.cnn_small_tuned,
    "simple-cnn": ladder.simple_cnn,
    "simple-cnn-tuned": ladder.simple_cnn_tuned,
    "scratch-mlp": by_hand.scratch_mlp,
    "scratch-mlp-tuned": by_hand.scratch_mlp_tuned,
    "scratch-cnn": by_hand.scratch_cnn,
    "layered-mlp": by_hand.layered_mlp,
    "svm": by_hand.svm,
    "simple-cnn-plateau": exercises.simple_cnn_plateau,
    "simple-cnn-early-stopping": exercises.simple_cnn_early_stopping,
    "simple-cnn-augmented": exercises.simple_cnn_augmented,
    **exercises.VARIANTS,
    "double-softmax": double_softmax.double_softmax,
    "double-softmax-logits": double_softmax.double_softmax_logits,
    "double-softmax-slow": double_softmax.double_softmax_slow,
    "double-softmax-slow-logits": double_softmax.double_softmax_slow_logits,
    "full-batch": double_softmax.full_batch,
    "full-batch-logits": double_softmax.full_batch_logits,
    "full-batch-long": double_softmax.full_batch_long,
    "full-batch-long-logits": double_softmax.full_batch_long_logits,
    **portfolio.DENSE_ARMS,
    **portfolio.CONV_ARMS,
    "final": portfolio.final,
    "final-tuned": portfolio.final_tuned,
    **transfer.TRANSFER,
}


def get_recipe(name: str = RECOMMENDED) -> Recipe:
    """The ready recipe of that name, without one the recommended; RecipeError for unknown names."""
    if name not in RECIPES:
        close = get_close_matches(name, RECIPES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "see `mnistlab recipes`"
        raise RecipeError(f"unknown recipe {name!r}; {hint}")
    return RECIPES[name]()
