"""Whatever the test part holds, training, cross-validation and searches come to the same."""

from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest

from mnistlab.data import Dataset, split
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Run, cross_validate, train
from mnistlab.tuning import tune

PHASES = (Phase("momentum", 0.02, 2),)
RECIPES = (
    Recipe("torch", "-", "mlp", PHASES, {"hidden_sizes": (8,)}, scaling="standard"),
    Recipe("by-hand", "-", "scratch", PHASES, {"hidden_sizes": (8,)}, scaling="standard"),
    Recipe("machine", "-", "svm", (), scaling="standard"),
)
SPLITS = ("official", "stratified-70-15-15", "shuffled-60-20-20")
COSTS = ("train_time_s", "peak_memory_mb", "training_memory_mb")


def with_another_test_part(dataset: Dataset, protocol: str) -> Dataset:
    """The same but for the pixels of the images that the split sets aside for the test."""
    whole = replace(dataset, images=np.zeros_like(dataset.images))
    number = np.arange(len(dataset))
    marked = whole.images.copy()
    marked[:, 0, 0], marked[:, 0, 1] = number % 256, number // 256
    test = split(replace(whole, images=marked), protocol).test.images.astype(int)
    places = test[:, 0, 0] + 256 * test[:, 0, 1]
    images = dataset.images.copy()
    images[places] = 255 - images[places]
    return replace(dataset, images=images)


def figures(run: Run) -> dict:
    return {key: value for key, value in run.result.items() if key not in COSTS}


@pytest.mark.parametrize("protocol", SPLITS)
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_training_never_sees_the_test_part(
    recipe: Recipe, protocol: str, stripes: Dataset, tmp_path: Path
) -> None:
    recipe, other = replace(recipe, split=protocol), with_another_test_part(stripes, protocol)
    assert other.fingerprint != stripes.fingerprint
    one = train(recipe, stripes, out=tmp_path)
    two = train(recipe, other, out=tmp_path)
    assert one.path != two.path
    assert figures(one) == figures(two)
    weights = [(run.path / "model.safetensors").read_bytes() for run in (one, two)]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_cross_validation_never_sees_the_test_part(
    recipe: Recipe, stripes: Dataset, tmp_path: Path
) -> None:
    other = with_another_test_part(stripes, "official")
    one, two = (
        cross_validate(recipe, dataset, n_folds=3, out=tmp_path / dataset.fingerprint[:8])
        for dataset in (stripes, other)
    )
    assert one.accuracy == two.accuracy


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_search_never_sees_the_test_part(
    recipe: Recipe, stripes: Dataset, tmp_path: Path
) -> None:
    other = with_another_test_part(stripes, "official")
    one, two = (
        tune(recipe, dataset, n_trials=3, n_seeds=1, out=tmp_path / dataset.fingerprint[:8])
        for dataset in (stripes, other)
    )
    assert one.recipe == two.recipe
    told = [[(t.point, t.accuracy, t.curve) for t in found.trials] for found in (one, two)]
    assert told[0] == told[1]
    # As tuples, in which NaN equals itself: the interval of a single seed is no number.
    gains = [astuple(found.gain("val_accuracy")) for found in (one, two)]
    assert gains[0] == gains[1]


def test_a_changed_training_part_does_change_the_weights(stripes: Dataset, tmp_path: Path) -> None:
    """The other tests can fail."""
    images = stripes.images.copy()
    images[0] = 255 - images[0]
    runs = [
        train(RECIPES[0], dataset, out=tmp_path)
        for dataset in (stripes, replace(stripes, images=images))
    ]
    weights = [(run.path / "model.safetensors").read_bytes() for run in runs]
    assert weights[0] != weights[1]
