"""Numbers that are none, endless or far too large: one line, before memory is taken."""

from __future__ import annotations

import itertools
import json
import math
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mnistlab as ml
from mnistlab import bounds, machine, scratch
from mnistlab.classifiers import ScratchClassifier, SVMClassifier, TorchClassifier
from mnistlab.classifiers.methods import count_parameters
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError
from mnistlab.field_paths import set_fields
from mnistlab.phases import Phase
from mnistlab.recipe import read_recipe
from mnistlab.recipes import get_recipe
from mnistlab.runs import building

HUGE = 10**400  # no float holds it
NO_NUMBERS = [math.nan, math.inf, -math.inf, 1e300, HUGE, -HUGE]
FLOATS = [
    *("learning_rate", "weight_decay", "min_improvement", "label_smoothing", "ema_decay"),
    *("clip_norm", "block_decay"),
]
COUNTS = ["epochs", "patience", "unfrozen", "kept_views"]


def refused(attempt: Callable[[], Any], *words: str) -> str:
    with pytest.raises(RecipeError) as caught:
        attempt()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 300
    assert all(word in message for word in words), message
    return message


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: str(value)[:9])
@pytest.mark.parametrize("name", FLOATS)
def test_a_phase_has_numbers_within_reason(name: str, value: float) -> None:
    refused(lambda: Phase(**{name: value}), name)


@pytest.mark.parametrize("name", COUNTS)
def test_a_phase_counts_within_reason(name: str) -> None:
    for value in (HUGE, 10**7, -1):
        refused(lambda value=value: Phase(**{name: value}), name)


@pytest.mark.parametrize(
    ("recipe", "setting"),
    [
        *itertools.product(
            ["simple-cnn"],
            [
                *(f"{name}={value}" for name in FLOATS for value in ("nan", "inf", "1e400")),
                *(f"phases.0.{name}=-inf" for name in FLOATS),
                *(f"{name}={10**20}" for name in COUNTS),
                *(f"augmentation.{name}=nan" for name in ("rotate", "shift", "flip", "mixup")),
                "augmentation.rotate=1e400",
                'augmentation={"zoom": 1e400}',
                "dropout=nan",
                "dropout=[0.1, 1e400]",
                "channels=[100000000]",
                "kernel_sizes=1000000000000",
                "pad_to=0",
                "pad_to=2000",
                f"pad_to={10**30}",
                "batch_size=0",
                f"batch_size={10**12}",
                f"n_train={10**12}",
                f"n_val={10**30}",
                f"checkpoint_steps={10**12}",
                f"seed={10**5000}" if False else f"seed={10**100}",
                'test_time_augmentation=["flip", "flip"]',
                'test_time_augmentation=["turn"]',
                "class_weight=even",
            ],
        ),
        ("mlp", "hidden_sizes=[1000000000]"),
        ("mlp", "hidden_sizes=[1000000, 1000000]"),
        ("mlp", "hidden_sizes=[0]"),
        ("mlp", "hidden_sizes=" + json.dumps([1] * 10_000)),
        ("scratch-mlp", "hidden_sizes=[1000000000]"),
        ("scratch-mlp", "hidden_sizes=[1000000, 1000000]"),
        ("scratch-mlp", "channels=" + json.dumps([10**9])),
        ("scratch-mlp", "dropout=inf"),
        *(("svm", f"{name}={value}") for name in ("C", "gamma") for value in ("nan", "inf", "0")),
        ("svm", "C=1e400"),
        ("svm", "n_calibration_folds=1000000000"),
    ],
)
def test_settings_far_from_reason_are_one_line_and_no_folder(
    recipe: str, setting: str, stripes: Dataset, tmp_path: Path
) -> None:
    name, _, value = setting.partition("=")

    def attempt() -> None:
        changed = set_fields(get_recipe(recipe), {name: value})
        ml.train(changed, stripes, out=tmp_path, threads=1)

    refused(attempt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "1" + "0" * 400])
@pytest.mark.parametrize(
    "place", ["learning_rate", "model_args", "augmentation", "expect", "unknown augmentation"]
)
def test_recipe_files_with_such_numbers_are_one_line(text: str, place: str, tmp_path: Path) -> None:
    plain = get_recipe("simple-cnn").to_json()
    plain["phases"][0]["learning_rate"] = "HERE" if place == "learning_rate" else 0.1
    plain["model_args"]["dropout"] = "HERE" if place == "model_args" else 0.1
    plain["augmentation"] = {"flip" if place == "augmentation" else "rotate": "HERE"}
    plain["expect"] = {"mnist": [0.1, "HERE"]}
    if "augmentation" not in place:
        plain["augmentation"] = {}
    if place != "expect":
        plain["expect"] = {}
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(plain).replace('"HERE"', text))
    assert str(path) in refused(lambda: read_recipe(path), "recipe.json")


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: str(value)[:9])
def test_recipes_made_in_python_too(value: float) -> None:
    recipe = get_recipe("simple-cnn")
    for changes in (
        {"augmentation": {"turn": value}},
        {"model_args": {"dropout": value}},
        {"model_args": {"dropout": (0.1, [value])}},
        {"expect": {"mnist": (0.1, value)}},
    ):
        refused(lambda changes=changes: replace(recipe, **changes))


def test_what_is_within_reason_stays_possible() -> None:
    Phase(learning_rate=1e-300, weight_decay=0, clip_norm=1e30, epochs=1_000_000, block_decay=1)
    recipe = replace(get_recipe("softmax"), batch_size=1_000_000, n_train=70_000, pad_to=1024)
    assert recipe.content_hash != get_recipe("softmax").content_hash


# Before memory is taken


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        ((9, 7), {"hidden_sizes": ()}),
        ((9, 7), {"hidden_sizes": (5, 6), "batch_norm": True, "dropout": 0.1}),
        ((13, 9), {"hidden_sizes": (4,), "channels": (3, 2)}),
        ((13, 9), {"hidden_sizes": (), "channels": (3,), "batch_norm": True}),
    ],
)
def test_weights_by_hand_are_counted_without_making_them(
    shape: tuple[int, int], arguments: dict
) -> None:
    network = scratch.build(shape, 4, **arguments)
    assert count_parameters("scratch", shape, 4, arguments) == network.weights.size


@pytest.mark.parametrize("model", ["scratch", "mlp"])
def test_counting_takes_no_memory(model: str) -> None:
    count_parameters(model, (28, 28), 10, {})  # imports
    tracemalloc.start()
    try:
        n_weights = count_parameters(model, (28, 28), 10, {"hidden_sizes": (600_000,)})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert n_weights == 785 * 600_000 + 600_001 * 10
    assert peak < 2**20


@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        ("scratch", {"hidden_sizes": (700_000,)}),
        ("scratch", {"channels": (10_000, 10_000), "hidden_sizes": ()}),
        ("mlp", {"hidden_sizes": (700_000,)}),
        ("mlp", {"hidden_sizes": (30_000, 30_000)}),
        ("cnn", {"channels": (10_000, 10_000)}),
        ("cnn", {"channels": (4, 4), "kernel_sizes": 100_000}),
        ("cnn", {"channels": (1000,), "hidden_sizes": (100_000,)}),
    ],
)
def test_networks_that_no_file_could_hold_are_refused(model: str, arguments: dict) -> None:
    refused(lambda: count_parameters(model, (28, 28), 10, arguments), "weights")
    classifier: Any = (
        ScratchClassifier(**arguments)
        if model == "scratch"
        else TorchClassifier(model, model_args=arguments)
    )
    X = np.zeros((20, 28, 28), dtype=np.uint8)
    refused(lambda: classifier.fit(X, np.arange(20) % 10), "weights")


def test_networks_larger_than_the_machine_are_refused(
    stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = set_fields(get_recipe("mlp"), {"hidden_sizes": "[1000]", "epochs": "1"})
    n_weights = building.count_recipe_parameters(recipe, (12, 12), 4)
    assert n_weights is not None
    copies = {"sgd": 3, "momentum": 4, "adam": 5}
    for optimizer, n in copies.items():
        changed = set_fields(recipe, {"optimizer": optimizer})
        monkeypatch.setattr(machine, "memory_bytes", lambda n=n: 4 * n * n_weights - 1)
        refused(
            lambda changed=changed: ml.train(changed, stripes, out=tmp_path),
            optimizer,
            "GiB",
            "mlp",
        )
        assert list(tmp_path.iterdir()) == []
        monkeypatch.setattr(machine, "memory_bytes", lambda n=n: 4 * n * n_weights)
        building.check_memory(changed, n_weights)
    averaged = set_fields(recipe, {"optimizer": "sgd", "ema_decay": "0.9"})
    monkeypatch.setattr(machine, "memory_bytes", lambda: 4 * 3 * n_weights)
    refused(lambda: building.check_memory(averaged, n_weights), "GiB")
    monkeypatch.setattr(machine, "memory_bytes", lambda: None)
    building.check_memory(averaged, n_weights)
    building.check_memory(get_recipe("svm"), None)


def test_the_machine_says_how_much_memory_it_has() -> None:
    there = machine.memory_bytes()
    assert there is None or 2**28 < there < 2**48


# Estimators


@pytest.mark.parametrize(
    ("classifier", "word"),
    [
        (TorchClassifier(learning_rate=math.nan), "learning_rate"),
        (TorchClassifier(batch_size=0), "batch_size"),
        (TorchClassifier(batch_size=HUGE), "batch_size"),
        (TorchClassifier(pad_to=100_000), "pad_to"),
        (TorchClassifier(hidden_sizes=(4,), model_args={"dropout": math.nan}), "dropout"),
        (TorchClassifier(augmentation={"flip": math.nan}), "flip"),
        (TorchClassifier(weight_decay=math.inf), "weight_decay"),
        (ScratchClassifier(learning_rate=math.inf), "learning_rate"),
        (ScratchClassifier(batch_size=-1), "batch_size"),
        (ScratchClassifier(dropout=math.nan), "dropout"),
        (ScratchClassifier(n_epochs=HUGE), "epochs"),
        (SVMClassifier(C=math.inf), "C"),
        (SVMClassifier(C=math.nan), "C"),
        (SVMClassifier(gamma=math.inf), "gamma"),
    ],
    ids=str,
)
def test_estimators_refuse_them_in_fit(classifier: Any, word: str, stripes: Dataset) -> None:
    refused(lambda: classifier.fit(stripes.images[:40], stripes.labels[:40]), word)


# Messages


def test_what_is_shown_is_short() -> None:
    assert bounds.shown(3) == "3"
    assert bounds.shown("a") == "'a'"
    assert bounds.shown(10**9000) == "a number of more than 60 digits"
    assert len(bounds.shown("x" * 10**6)) == 60
    assert len(bounds.shown((1,) * 10**4)) == 60
