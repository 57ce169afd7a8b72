"""Ready recipes by name. The write-ups' are in mnistlab/writeups, the recommended one here.

To add one, write a function that returns a Recipe, name it in RECIPES, and say in GROUPS what it
is for.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from mnistlab.errors import RecipeError
from mnistlab.recipe import Recipe
from mnistlab.recipes import recommended, records
from mnistlab.recipes.groups import GROUPS, Group, needs
from mnistlab.writeups import b_double_softmax, d_layered_mlp, e_case_study
from mnistlab.writeups.a_course import by_hand, simple_cnn, transfer
from mnistlab.writeups.c_portfolio import final, fourteen

__all__ = ["GROUPS", "RECIPES", "RECOMMENDED", "Group", "get_recipe", "needs"]

RECOMMENDED = "resnet-small"  # what `mnistlab train --data X` trains

RECIPES: dict[str, Callable[[], Recipe]] = {
    "resnet-small": recommended.resnet_small,
    "softmax": e_case_study.softmax,
    "softmax-tuned": e_case_study.softmax_tuned,
    "mlp": e_case_study.mlp,
    "mlp-tuned": e_case_study.mlp_tuned,
    "cnn-small": e_case_study.cnn_small,
    "cnn-small-tuned": e_case_study.cnn_small_tuned,
    "simple-cnn": simple_cnn.simple_cnn,
    "simple-cnn-tuned": simple_cnn.simple_cnn_tuned,
    "scratch-mlp": by_hand.scratch_mlp,
    "scratch-mlp-tuned": by_hand.scratch_mlp_tuned,
    "scratch-cnn": by_hand.scratch_cnn,
    "layered-mlp": d_layered_mlp.layered_mlp,
    "svm": by_hand.svm,
    "simple-cnn-plateau": simple_cnn.simple_cnn_plateau,
    "simple-cnn-early-stopping": simple_cnn.simple_cnn_early_stopping,
    "simple-cnn-augmented": simple_cnn.simple_cnn_augmented,
    **simple_cnn.VARIANTS,
    "double-softmax": b_double_softmax.double_softmax,
    "double-softmax-logits": b_double_softmax.double_softmax_logits,
    "double-softmax-slow": b_double_softmax.double_softmax_slow,
    "double-softmax-slow-logits": b_double_softmax.double_softmax_slow_logits,
    "full-batch": b_double_softmax.full_batch,
    "full-batch-logits": b_double_softmax.full_batch_logits,
    "full-batch-long": b_double_softmax.full_batch_long,
    "full-batch-long-logits": b_double_softmax.full_batch_long_logits,
    **fourteen.DENSE_ARMS,
    **fourteen.CONV_ARMS,
    "final": final.final,
    "final-tuned": final.final_tuned,
    **transfer.TRANSFER,
    "records-mnist-99": records.records_mnist_99,
    "records-mnist-995": records.records_mnist_995,
    "records-fashion-916": records.records_fashion_916,
    "records-fashion-93": records.records_fashion_93,
    "records-fashion-94": records.records_fashion_94,
    "records-mnist-mlp": records.records_mnist_mlp,
    "records-fashion-mlp": records.records_fashion_mlp,
    "records-mnist-numpy": records.records_mnist_numpy,
    "records-mnist-svm": records.records_mnist_svm,
    "records-fashion-svm": records.records_fashion_svm,
}


def get_recipe(name: str = RECOMMENDED) -> Recipe:
    """The ready recipe of that name, by default the recommended one.

    Raises RecipeError for an unknown name.
    """
    if not isinstance(name, str) or name not in RECIPES:
        close = get_close_matches(str(name), RECIPES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "see `mnistlab recipes`"
        raise RecipeError(f"unknown recipe {name!r}; {hint}")
    return RECIPES[name]()
