"""Spaces: what may be searched, as values, as JSON and as recipes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistlab.errors import RecipeError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.recipes import RECIPES, get_recipe
from mnistlab.recipes.spaces import BY_MODEL, DENSE, OF_PHASES, SPACES, TRANSFER, space_of
from mnistlab.runs import count_recipe_parameters
from mnistlab.space import Choice, Layers, Range, Space, read_space

WIDTHS = Range(32, 512, logarithmic=True)


def drawn_from(space: Space) -> st.SearchStrategy[dict[str, Any]]:
    """Any point of a space."""

    def values(kind: Range | Choice) -> st.SearchStrategy[Any]:
        if isinstance(kind, Choice):
            return st.sampled_from(kind.choices)
        if kind.is_whole:
            return st.integers(int(kind.low), int(kind.high))
        return st.floats(kind.low, kind.high)

    return st.fixed_dictionaries({k: values(kind) for k, kind in space.dimensions().items()})


@pytest.mark.parametrize("name", ["layered-mlp", "mlp-tuned", "simple-cnn", "svm"])
@settings(deadline=None, max_examples=30)  # the first one imports torch
@given(data=st.data())
def test_every_point_of_a_space_is_a_recipe_that_can_be_built(
    name: str, data: st.DataObject
) -> None:
    recipe = get_recipe(name)
    point = data.draw(drawn_from(space_of(recipe)))
    found = space_of(recipe).applied(recipe, point)
    if found.model != "svm":
        assert count_recipe_parameters(found) > 0
    # what is not in the space is as it was
    same = replace(found, phases=(), model_args={}, augmentation={}, expect={})
    assert same == replace(recipe, phases=(), model_args={}, augmentation={}, expect={})


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_a_space_that_fits(name: str) -> None:
    space_of(get_recipe(name)).check(get_recipe(name))


def test_a_recipe_has_its_own_space_before_that_of_its_model() -> None:
    assert SPACES.keys() <= RECIPES.keys()
    assert space_of(get_recipe("layered-mlp")) is SPACES["layered-mlp"]
    assert space_of(get_recipe("svm")) is BY_MODEL["svm"]
    theirs = replace(get_recipe("mlp"), name="theirs", model="another")
    assert space_of(theirs) is OF_PHASES
    assert space_of(get_recipe("transfer-lite0")) is TRANSFER


def test_layers_become_widths() -> None:
    space = Space({"hidden_sizes": Layers(1, 3, WIDTHS)})
    names = ["layers", "width 1", "width 2", "width 3"]
    assert list(space.dimensions()) == names
    found = space.applied(get_recipe("mlp"), dict(zip(names, (2, 300, 40, 500), strict=True)))
    assert found.model_args["hidden_sizes"] == (300, 40)
    point = {**dict(zip(names, (1, 300, 40, 500), strict=True)), "dropout": 0.1}
    assert space.in_use(point) == {names[0]: 1, names[1]: 300, "dropout": 0.1}


def test_two_kinds_of_layers_are_told_apart() -> None:
    kinds = {path: Layers(1, 2, Range(4, 8)) for path in ("channels", "hidden_sizes")}
    assert list(Space(kinds).dimensions()) == [
        f"{path}: {part}" for path in kinds for part in ("layers", "width 1", "width 2")
    ]


def test_drawn_numbers_are_written_short() -> None:
    space = Space({"learning_rate": Range(1e-4, 1.0)})
    found = space.applied(get_recipe("mlp"), {"learning_rate": 0.012345678})
    assert found.phases[0].learning_rate == 0.01235


def test_the_nearest_point_to_a_recipe() -> None:
    untuned = get_recipe("layered-mlp")
    assert DENSE.nearest(untuned) == {
        "layers": 1,
        "width 1": 64,  # the recipe is narrower
        "width 2": 64,
        "width 3": 64,
        "learning_rate": 1e-4,
        "weight_decay": 1e-6,  # the recipe has none, which lies below
        "dropout": 0.0,  # as the model has it where a recipe does not say
        "batch_norm": False,
    }
    paths = {
        "channels": Choice(((8, 16), (16, 32))),
        "phases.0.learning_rate": Range(0.2, 0.3),
        "model_args.dropout": Range(0.1, 0.5),
        "augmentation.shift": Range(0, 3),
        "batch_size": Range(8, 32),
        "optimizer": Choice(("adam", "sgd")),
    }
    assert Space(paths).nearest(get_recipe("cnn-small")) == {
        "channels": (16, 32),
        "phases.0.learning_rate": 0.2,
        "model_args.dropout": 0.1,
        "augmentation.shift": 0,
        "batch_size": 32,
        "optimizer": "sgd",
    }


def test_where_no_point_is_near() -> None:
    elsewhere = Space({"optimizer": Choice(("adam", "adamw"))})
    assert elsewhere.nearest(get_recipe("mlp")) is None
    two = replace(get_recipe("mlp"), phases=(Phase("sgd", 0.1, 1), Phase("sgd", 0.01, 1)))
    assert Space({"learning_rate": Range(1e-3, 1.0)}).nearest(two) is None
    assert Space({"gamma": Range(0.1, 1.0)}).nearest(get_recipe("svm")) is None  # it is "scale"


def test_a_space_comes_back_from_its_file(tmp_path: Path) -> None:
    space = Space(
        {
            "hidden_sizes": Layers(1, 3, WIDTHS),
            "learning_rate": Range(1e-3, 1.0, logarithmic=True),
            "augmentation.shift": Range(0, 3),
            "optimizer": Choice(("adam", "sgd")),
            "channels": Choice(((8, 16), (16, 32))),
        }
    )
    path = tmp_path / "space.json"
    path.write_text(json.dumps(space.to_json()))
    assert read_space(path) == space
    assert not read_space(path).fields["learning_rate"].is_whole
    assert read_space(path).fields["augmentation.shift"].is_whole


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ("[]", "must be an object"),
        ("{}", "no field to search"),
        ('{"dropout": {"low": 0}}', "Field required"),
        ('{"dropout": {"low": 1, "high": 0}}', "low < high"),
        ('{"dropout": {"low": 0, "high": 1e999}}', "finite ends"),
        ('{"dropout": {"low": 0, "high": NaN}}', "finite"),
        ('{"epochs": {"low": 1, "high": 1%s}}' % ("0" * 400), "finite ends"),
        ('{"epochs": {"low": 1, "high": 1%s}}' % ("0" * 9999), "no JSON"),
        ('{"dropout": {"choices": []}}', "two values"),
        (f'{{"dropout": {{"choices": {list(range(1001))}}}}}', "1,001 values"),
        (
            '{"hidden_sizes": {"fewest": 1, "most": 1000000000, "width": {"low": 1, "high": 2}}}',
            "most",
        ),
        (json.dumps({f"field{i}": {"low": 0, "high": 1} for i in range(101)}), "1 to 100 fields"),
        (" " * 1_000_001, "1,000,000 bytes"),
        ('{"dropout": {"low": 0.0, "high": 1, "logarithmic": true}}', "low > 0"),
        ('{"dropout": {"low": 0.0, "high": 1, "step": 2}}', "step"),
        ('{"dropout": 3}', "object"),
        ('{"dropout": {"low": "0", "high": 1}}', "valid"),
        ('{"dropout": {"choices": [0.1]}}', "two values"),
        ('{"dropout": {"choices": [0.1, 0.1]}}', "all different"),
        ('{"hidden_sizes": {"fewest": 2, "most": 2, "width": {"low": 1, "high": 2}}}', "fewest"),
        ('{"hidden_sizes": {"fewest": 1, "most": 2, "width": {"low": 0, "high": 2}}}', "from 1"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_a_bad_file_is_one_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    path.write_text(text)
    with pytest.raises(RecipeError) as caught:
        read_space(path)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        read_space(tmp_path / "space.json")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"droput": Range(0.0, 0.5)}, "droput"),
        ({"learning_rate": Range(-1.0, 0.5)}, "positive"),
        ({"optimizer": Choice(("adam", "lion"))}, "unknown optimizer 'lion'"),
        ({"phases.3.learning_rate": Range(0.1, 0.5)}, "numbered 0 to 0"),
        ({"hidden_sizes": Range(1, 9)}, "hidden_sizes"),
        ({"epochs": Range(0.5, 2.5)}, "epochs"),
    ],
)
def test_a_space_that_does_not_fit_its_recipe(fields: dict[str, Any], said: str) -> None:
    recipe: Recipe = get_recipe("mlp")
    with pytest.raises(RecipeError, match="the space does not fit mlp: ") as caught:
        Space(fields).check(recipe)
    assert said in str(caught.value)
