"""Each recipe's expected test accuracy as a floor and a ceiling; `make slow`, most of an hour.

A result above the ceiling is as suspicious as one below the floor.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mnistlab.data import available, load
from mnistlab.recipes import RECIPES, get_recipe
from mnistlab.run import evaluate, train

CASES = [(name, data) for name in RECIPES for data in get_recipe(name).expect]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("name", "data"), CASES)
def test_recipe_reaches_what_it_expects(name: str, data: str, tmp_path: Path) -> None:
    if available(data) is None:
        pytest.skip(f"{data} is not on this machine: set MNISTLAB_DATA")
    dataset = load(data)
    run = evaluate(train(get_recipe(name), dataset, out=tmp_path), dataset)
    floor, ceiling = get_recipe(name).expect[data]
    assert floor <= run.result["test_accuracy"] <= ceiling


def test_every_recipe_expects_something_of_both_sets() -> None:
    assert {name for name, _ in CASES} == RECIPES.keys()
    assert {data for _, data in CASES} == {"mnist", "fashion-mnist"}
