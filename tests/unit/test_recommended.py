"""The recommended recipe: on whatever images, without a name, and what the commands say of it."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mnistlab as ml
from mnistlab import machine
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError
from mnistlab.phases import Phase
from mnistlab.recipes import GROUPS, RECIPES, needs, sizes
from mnistlab.runs import classifier_of, count_recipe_parameters
from mnistlab.runs.building import n_steps
from mnistlab.study.quick import _short

ONE_EPOCH = ["--set", "epochs=1", "--set", "model_args.channels=[4,8]", "--set", "blocks=0"]


@pytest.fixture
def csv(stripes: Dataset, tmp_path: Path) -> Path:
    ml.export(stripes, tmp_path / "csv", format="csv")
    return tmp_path / "csv"


@pytest.mark.parametrize(
    ("min_steps", "steps_per_epoch", "n_epochs"),
    [(0, 7, 10), (70, 7, 10), (71, 7, 11), (400, 1, 400), (400, 1000, 10)],
)
def test_a_small_set_takes_more_epochs(min_steps: int, steps_per_epoch: int, n_epochs: int) -> None:
    assert Phase(epochs=10, min_steps=min_steps).n_epochs(steps_per_epoch) == n_epochs


@pytest.mark.parametrize("model", ["mlp", "scratch"])
def test_both_loops_train_at_least_so_many_steps(model: str, stripes: Dataset) -> None:
    phase = Phase("sgd", 1e-2, epochs=2, schedule="linear", min_steps=20)
    recipe = replace(ml.get_recipe("softmax"), model=model, phases=(phase,), batch_size=60)
    few = stripes.take(slice(0, 180))  # three steps per epoch
    classifier = classifier_of(recipe, "cpu").fit(few.images, few.labels, few.images, few.labels)
    assert len(classifier.history_) == 7
    # the schedule is of all seven epochs: the last of 21 steps has the last rate
    assert classifier.history_[-1]["learning_rate"] == pytest.approx(1e-2 * (1 / 21) / 0.8)
    assert n_steps(recipe, 180) == 21


def test_epochs_that_are_set_are_meant() -> None:
    recipe = ml.get_recipe()
    assert recipe.phases[0].min_steps > 0
    assert ml.set_fields(recipe, {"epochs": "3"}).phases[0].n_epochs(1) == 3
    assert ml.set_fields(recipe, {"phases.0.epochs": "3"}).phases[0].n_epochs(1) == 3
    longer = ml.set_fields(recipe, {"epochs": "3", "min_steps": "50"})
    assert longer.phases[0].n_epochs(1) == 50
    assert _short(recipe.phases[0]).n_epochs(1) <= 3


def test_min_steps_at_its_default_changes_no_hash() -> None:
    plain = ml.get_recipe("softmax")
    assert replace(plain, phases=(replace(plain.phases[0], min_steps=0),)) == plain
    changed = replace(plain, phases=(replace(plain.phases[0], min_steps=9),))
    assert changed.content_hash != plain.content_hash
    with pytest.raises(RecipeError, match="min_steps must be at least 0, got -1"):
        Phase(min_steps=-1)


@pytest.mark.parametrize("shape", [(8, 8), (28, 20), (64, 64)], ids=str)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_learns_images_of_any_size_in_either_precision(
    shape: tuple[int, int], precision: str
) -> None:
    """A square, left or right or nowhere, nine to one to one, black on white."""
    random = np.random.default_rng(0)
    y = np.array([0] * 36 + [1] * 4 + [2] * 4).repeat(2)
    X = random.integers(200, 256, (len(y), *shape), dtype=np.uint8)
    third = (shape[0] // 3, shape[1] // 3)
    for image, label in zip(X, y, strict=True):
        if label:
            left = third[1] // 2 if label == 1 else shape[1] - third[1] - third[1] // 2
            image[third[0] : 2 * third[0], left : left + third[1]] = 0
    small = {"channels": (8, 16), "blocks": (0, 1)}
    recipe = replace(ml.get_recipe(), precision=precision, model_args=small)
    recipe = ml.set_fields(recipe, {"epochs": "40", "batch_size": "22", "ema_decay": "0.9"})
    classifier = classifier_of(recipe, "cpu").fit(X, y, X, y)
    predicted = classifier.predict(X)
    assert min((predicted[y == k] == k).mean() for k in range(3)) > 0.8
    assert all(math.isfinite(epoch["train_loss"]) for epoch in classifier.history_)


def test_nothing_is_mirrored_unless_asked() -> None:
    recipe = ml.get_recipe()
    assert "flip" not in recipe.augmentation
    assert recipe.test_time_augmentation == ()
    assert ml.set_fields(recipe, {"augmentation.flip": "0.5"}).augmentation["flip"] == 0.5


def test_without_a_name_python_gets_it_too() -> None:
    assert ml.get_recipe() == ml.get_recipe(ml.RECOMMENDED)
    assert ml.RECOMMENDED in RECIPES
    assert next(iter(GROUPS[0].purposes)) == ml.RECOMMENDED


def test_train_without_a_recipe_says_which_it_takes(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "--data", str(csv), *ONE_EPOCH, "--out", str(tmp_path / "runs")]
    assert run_command([*arguments, "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith(
        "no recipe given: resnet-small, the recommended one; mnistlab recipes lists others\n"
    )
    run = ml.open_run(json.loads(shown.out.splitlines()[-1])["path"])
    assert run.recipe.name == ml.RECOMMENDED
    assert run.result["epochs"] == 1
    named = ["train", ml.RECOMMENDED, *arguments[1:]]
    assert run_command(named) == 0
    assert "no recipe given" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train", "mnistlab train --data my-images/"),
        ("train --set epochs=1", "mnistlab train --data my-images/"),
        ("train softmax --resume runs/x", "not both"),
        ("train my.csv", "my.csv is data, not a recipe: mnistlab train --data my.csv"),
        ("train there", "there is data, not a recipe: mnistlab train --data there"),
        ("train some/where", "some/where is data, not a recipe"),
        ("train mnist", "mnist is data, not a recipe: mnistlab train --data mnist"),
        ("cv fashion-mini", "RECIPE --data fashion-mini"),
        ("tune my.npz", "my.npz is data, not a recipe"),
        ("train --data simple-cnn", "simple-cnn is a recipe, not data"),
        ("train --data simple-cn", "'simple-cnn' is a recipe: mnistlab train simple-cnn --data"),
        ("train softmx", "did you mean 'softmax'"),
        ("train --data fashion-mnit", "fashion-mnist"),
    ],
)
def test_a_recipe_and_data_taken_for_each_other(
    arguments: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert run_command(arguments.split()) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_every_recipe_is_in_one_group_and_says_what_it_is_for() -> None:
    grouped = [name for group in GROUPS for name in group.purposes]
    assert sorted(grouped) == sorted(RECIPES)
    assert all(purpose for group in GROUPS for purpose in group.purposes.values())


def test_recipes_begin_with_where_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["recipes", "--json"]) == 0
    *shown, last = capsys.readouterr().out.splitlines()
    headings = [line.removeprefix("# ") for line in shown if line.startswith("# ")]
    assert headings == [group.title for group in GROUPS]
    first = shown[shown.index("# start here") + 1]
    assert first.startswith(f"{ml.RECOMMENDED} ")
    assert "your own images" in first
    described = json.loads(last)
    assert described[0]["group"] == "start here"
    assert {each["needs"] for each in described if each["model"] != "transfer"} == {None}


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_what_is_listed_of_a_recipe_is_what_building_it_gives(name: str) -> None:
    recipe = ml.get_recipe(name)
    assert sizes.N_PARAMETERS[name] == count_recipe_parameters(recipe)
    assert sizes.EXTRAS.get(name, (None,))[0] == needs(recipe)


def test_a_recipe_of_the_users_is_built_to_be_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = replace(ml.get_recipe("mlp"), name="mine", model_args={"hidden_sizes": [7]})
    monkeypatch.setitem(RECIPES, "mine", lambda: mine)
    assert run_command(["recipes", "--json"]) == 0
    described = json.loads(capsys.readouterr().out.splitlines()[-1])[-1]
    assert (described["name"], described["n_parameters"]) == ("mine", 784 * 7 + 7 + 7 * 10 + 10)


class Refusing:
    """An import hook that refuses timm, as those of restricted environments do."""

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == "timm":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize("how", ["absent", "refused"])
def test_recipes_are_listed_without_timm(
    how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if how == "absent":
        monkeypatch.setitem(sys.modules, "timm", None)  # an import of it fails
    else:
        for name in [n for n in sys.modules if n.partition(".")[0] == "timm"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(sys, "meta_path", [Refusing(), *sys.meta_path])
    assert not machine.has_library("timm")
    assert not ml.weights_at_hand("efficientnet_lite0")
    assert run_command(["recipes", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = {recipe["name"]: recipe for recipe in json.loads(lines[-1])}
    assert listed.keys() == RECIPES.keys()
    without = {name for name, recipe in listed.items() if recipe["needs"]}
    assert without == {name for name in RECIPES if needs(ml.get_recipe(name))} == {"transfer-lite0"}
    assert listed["transfer-lite0"]["n_parameters"] is None
    assert listed["transfer-resnet18"]["n_parameters"] > 10_000_000
    (line,) = [line for line in lines if line.startswith("transfer-lite0")]
    assert "needs mnistlab[transfer]" in line
