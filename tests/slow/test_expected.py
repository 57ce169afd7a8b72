"""Each recipe's expected test accuracy as a floor and a ceiling; `make slow`, some four hours.

A result above the ceiling is as suspicious as one below the floor.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mnistlab.data import available, load
from mnistlab.recipes import RECIPES, get_recipe
from mnistlab.recipes.records import RECORDS
from mnistlab.runs import evaluate, train
from mnistlab.writeups.a_course.transfer import TRANSFER

# Recipes that expect nothing yet, and why. Each leaves this list when `expect` is written from
# what a study has measured at full size.
NOT_YET = {
    "the studies lr-schedule, early-stopping and augmentation train arms of other lengths": (
        "simple-cnn-plateau",
        "simple-cnn-early-stopping",
        "simple-cnn-augmented",
    ),
    "their authors' weights cannot be had here": tuple(
        name for name in TRANSFER if name != "transfer-lite0"
    ),
    "days on two cores": ("final",),
    "benchmarks.records measures them, ten seeds each": tuple(
        name for name in RECORDS if not get_recipe(name).expect
    ),
}
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
    without = [name for names in NOT_YET.values() for name in names]
    assert len(set(without)) == len(without)
    assert {name for name, _ in CASES} == RECIPES.keys() - set(without)
    for name in without:
        assert not get_recipe(name).expect, f"{name} expects something: take it off the list"
    assert {data for _, data in CASES} == {"mnist", "fashion-mnist"}
