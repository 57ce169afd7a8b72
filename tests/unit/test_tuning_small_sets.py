"""A search on a set so small that phases have more epochs than the recipe says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mnistlab.data import Dataset
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Execution
from mnistlab.space import Choice, Space
from mnistlab.tuning.search import Search

RECIPE = Recipe("small", "A6", "mlp", (Phase("sgd", 0.1, 2, min_steps=70),), batch_size=64)


def test_the_pruner_knows_how_many_epochs_a_full_trial_has(
    stripes: Dataset, tmp_path: Path
) -> None:
    space = Space({"learning_rate": Choice((0.1, 0.2))})
    n_train = 480 - 480 // 12  # the last twelfth is validation
    for recipe, expected in ((RECIPE, 70 // (n_train // 64 + 1)), (_long(RECIPE), 50)):
        search = Search(recipe, stripes, space, 1, "tpe", 0, Execution(tmp_path, "cpu", 1))
        assert search.storage().plan.n_epochs == expected


def _long(recipe: Recipe) -> Recipe:
    return replace(recipe, phases=(replace(recipe.phases[0], epochs=50),))
