from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistlab.data import Dataset
from mnistlab.errors import RecipeError
from mnistlab.field_paths import set_fields
from mnistlab.phases import OPTIMIZERS, SCHEDULES, Phase
from mnistlab.phases.phase import MONITORS
from mnistlab.recipe import Recipe, from_json, read_recipe
from mnistlab.recipes import RECIPES, get_recipe

INTEGERS = st.integers(-(10**20), 10**20)
phases = st.builds(
    Phase,
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    learning_rate=st.floats(1e-6, 10),
    epochs=st.integers(1, 500),
    schedule=st.sampled_from(sorted(SCHEDULES)),
    weight_decay=st.floats(0, 1),
    monitor=st.sampled_from(MONITORS),
    label_smoothing=st.floats(0, 0.9),
    ema_decay=st.floats(0, 0.999),
    clip_norm=st.none() | st.floats(1e-3, 10),
)
recipes = st.builds(
    Recipe,
    name=st.text(),
    system=st.text(),
    model=st.text(),
    phases=st.lists(phases, max_size=4).map(tuple),
    model_args=st.dictionaries(st.text(), INTEGERS | st.lists(INTEGERS)),
    pad_to=st.none() | st.integers(1, 64),
    augmentation=st.dictionaries(st.text(), st.integers(0, 9) | st.floats(0, 9)),
    test_time_augmentation=st.lists(st.text()).map(tuple),
    mirror_characters=st.booleans(),
    batch_size=st.integers(1, 10_000),
    class_weight=st.sampled_from([None, "balanced"]),
    seed=st.integers(0, 2**32 - 1),
    expect=st.dictionaries(st.text(), st.tuples(st.floats(0, 1), st.floats(0, 1))),
)


@settings(deadline=None)
@given(recipes)
def test_json_round_trip(recipe: Recipe) -> None:
    again = from_json(json.loads(json.dumps(recipe.to_json())), "here")
    assert again == recipe
    assert again.content_hash == recipe.content_hash


def test_ready_recipes_survive_a_file(tmp_path: Path) -> None:
    for name in RECIPES:
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(get_recipe(name).to_json()))
        assert read_recipe(path) == get_recipe(name)
        assert read_recipe(path).content_hash == get_recipe(name).content_hash


def test_hash_follows_content_not_labels() -> None:
    recipe = get_recipe("mlp")
    relabelled = replace(
        recipe, name="x", system="y", summary="z", data="mnist", expect={"mnist": (0.0, 1.0)}
    )
    assert relabelled.content_hash == recipe.content_hash
    hashes = {recipe.content_hash} | {
        changed.content_hash
        for changed in (
            replace(recipe, seed=1),
            replace(recipe, batch_size=65),
            replace(recipe, scaling="none"),
            replace(recipe, precision="float32"),
            replace(recipe, split="official"),
            replace(recipe, model_args={"hidden_sizes": (101,)}),
            replace(recipe, phases=(replace(recipe.phases[0], learning_rate=0.2),)),
            replace(recipe, phases=recipe.phases * 2),
            replace(recipe, phases=(replace(recipe.phases[0], monitor="loss"),)),
            replace(recipe, phases=(replace(recipe.phases[0], min_improvement=0.1),)),
            replace(recipe, phases=(replace(recipe.phases[0], label_smoothing=0.1),)),
            replace(recipe, phases=(replace(recipe.phases[0], ema_decay=0.1),)),
            replace(recipe, phases=(replace(recipe.phases[0], clip_norm=0.1),)),
            replace(recipe, pad_to=32),
            replace(recipe, class_weight="balanced"),
            replace(recipe, expansion="flip-and-zoom"),
            replace(recipe, augmentation={"shift": 2}),
            replace(recipe, augmentation={"shift": 1}),
            replace(recipe, test_time_augmentation=("shift",)),
            replace(recipe, order="file"),
            replace(recipe, phases=(replace(recipe.phases[0], keep="best"),)),
        )
    }
    assert len(hashes) == 22


def test_an_order_there_is_not_is_one_line() -> None:
    with pytest.raises(RecipeError, match="unknown order 'sorted'; there are: shuffled, file"):
        replace(get_recipe("mlp"), order="sorted")
    assert set_fields(get_recipe("mlp"), {"order": "file", "keep": "last"}).order == "file"


def test_a_whole_strength_is_the_same_recipe_written_either_way() -> None:
    """As --set and a file give it back, 2.0 for 2."""
    recipe = replace(get_recipe("mlp"), augmentation={"shift": 2, "flip": 0.5})
    again = set_fields(recipe, {"augmentation.shift": "2", "augmentation.flip": "0.5"})
    assert again.augmentation == recipe.augmentation
    assert again.content_hash == recipe.content_hash


def test_a_field_at_its_default_does_not_change_the_hash() -> None:
    """So that runs made before a field was added are found after it."""
    short = Recipe("a", "E1", "mlp", (Phase("sgd", epochs=3),), {"hidden_sizes": (8,)}, seed=1)
    said = replace(short, batch_size=64, phases=(Phase("sgd", 1e-3, 3, weight_decay=0.0),))
    assert said.content_hash == short.content_hash
    assert short.content_hash.startswith("ead3b215e58bbce1")


def test_ready_recipes_all_differ() -> None:
    assert len({make().content_hash for make in RECIPES.values()}) == len(RECIPES)


def test_set_is_typed_and_reaches_inside() -> None:
    recipe = replace(get_recipe("simple-cnn"), phases=(Phase(), Phase("sgd")), expect={"x": (0, 1)})
    changed = set_fields(
        recipe,
        {
            "epochs": "3",
            "phases.1.learning_rate": ".5",
            "model_args.channels": "[8, 16]",
            "model_args.dropout": "0.25",
            "seed": "7",
            "precision": "float32",
        },
    )
    assert [phase.epochs for phase in changed.phases] == [3, 3]
    assert [phase.learning_rate for phase in changed.phases] == [1e-3, 0.5]
    assert changed.model_args["channels"] == (8, 16)
    assert changed.model_args["dropout"] == 0.25
    assert (changed.seed, changed.precision, changed.expect) == (7, "float32", {})
    assert recipe.phases[0].epochs == 10


def test_set_changes_images_and_takes_one_value_or_several() -> None:
    changed = set_fields(
        get_recipe("final"),
        {
            "pad_to": "null",
            "expansion": "null",
            "augmentation.shift": "2",
            "augmentation.flip": "0",
            "test_time_augmentation": '["flip"]',
            "mirror_characters": "true",
            "clip_norm": "1.5",
            "model_args.dropout": "[0.1, 0.2, 0.3, 0.4]",
            "model_args.channel_dropout": "0.5",
            "model_args.kernel_sizes": "3",
            "model_args.pools": "[true, false, true, false]",
        },
    )
    assert (changed.pad_to, changed.expansion) == (None, None)
    assert changed.augmentation == {"shift": 2, "flip": 0}
    assert (changed.test_time_augmentation, changed.mirror_characters) == (("flip",), True)
    assert [phase.clip_norm for phase in changed.phases] == [1.5] * 3
    assert changed.model_args["dropout"] == (0.1, 0.2, 0.3, 0.4)
    assert changed.model_args["channel_dropout"] == 0.5
    assert changed.model_args["kernel_sizes"] == 3
    assert changed.model_args["pools"] == (True, False, True, False)


def test_set_takes_an_argument_of_the_model_by_its_bare_name() -> None:
    changed = set_fields(
        get_recipe("transfer-mobilenet"), {"weights": "none", "model_args.channels": "repeat"}
    )
    assert (changed.model_args["weights"], changed.model_args["channels"]) == ("none", "repeat")
    assert set_fields(get_recipe("simple-cnn"), {"dropout": "0.25"}).model_args["dropout"] == 0.25
    assert set_fields(get_recipe("svm"), {"gamma": "auto"}).model_args["gamma"] == "auto"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("drop", "0.1", "did you mean 'dropout'"),
        ("dropout", "much", "--set dropout=much"),
        ("epoch", "3", "did you mean 'epochs'"),
        ("zzz", "3", "no such field; there are: augmentation, batch_norm, batch_size"),
        ("name", "x", "no such field"),
        ("epochs", "three", "--set epochs=three"),
        ("epochs", "1.5", "--set epochs=1.5"),
        ("batch_size", "0", "batch_size must be at least 1"),
        ("seed", "-1", "seed must be in"),
        ("split", "half", "unknown split 'half'"),
        ("optimizer", "foo", "unknown optimizer 'foo'"),
        ("phases.3.epochs", "3", "numbered 0 to 0"),
        ("phases.x.epochs", "3", "numbered 0 to 0"),
        ("phases.0.epoch", "3", "did you mean 'epochs'"),
        ("phases", "[]", "no such field"),
        ("model_args.drop", "0.1", "did you mean 'dropout'"),
        ("model_args.channels", "8", "--set model_args.channels=8"),
        ("model_args.channels", "[8", "--set model_args.channels=[8"),
        ("model_args.image_shape", "[1, 2]", "no such field"),
        ("model_args.dropout", "[0.1, x]", "--set model_args.dropout=[0.1, x]"),
        ("monitor", "val_loss", "unknown monitor 'val_loss'; there are: accuracy, loss"),
        ("label_smoothing", "1", "label_smoothing must be in 0 <= label_smoothing < 1, got 1"),
        ("clip_norm", "0", "clip_norm must be positive, got 0"),
        ("augmentation.flip", "often", "--set augmentation.flip=often"),
        ("augmentation", "null", "--set augmentation=null"),
    ],
)
def test_bad_settings_are_one_line(field: str, value: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        set_fields(get_recipe("simple-cnn"), {field: value})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[1]",
        "{}",
        '{"name": 1}',
        "\x00",
        "[" * 5000,
        '{"name": "a", "system": "b", "model": "mlp", "phases": [], "colour": 1}',
        '{"name": "a", "system": "b", "model": "mlp", "phases": [{"epochs": "3"}]}',
        '{"name": "a", "system": "b", "model": "mlp", "phases": [{"epochs": 0}]}',
        '{"name": "a", "system": "b", "model": "mlp", "phases": [{"epochz": 1}]}',
        '{"name": "a", "system": "b", "model": "mlp", "phases": [], "batch_size": 1e999}',
    ],
)
def test_hostile_recipe_files_are_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_recipe_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        read_recipe(tmp_path / "none.json")


def test_unknown_recipe_suggests() -> None:
    with pytest.raises(RecipeError, match="did you mean 'simple-cnn'"):
        get_recipe("simplecnn")


def test_a_penalty_without_support_vectors_is_refused(stripes: Dataset) -> None:
    from mnistlab.runs.building import check_trainable

    recipe = replace(get_recipe("svm"), model_args={"C": 1e-100})
    with pytest.raises(RecipeError, match="C must be at least 1e-12, got 1e-100"):
        check_trainable(recipe, stripes, "cpu")
