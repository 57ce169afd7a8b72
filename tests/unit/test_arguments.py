"""Arguments of the public functions: what is clear is taken, other kinds are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mnistlab as ml

LABELS = np.arange(60) % 3
IMAGES = np.random.default_rng(0).integers(0, 40, (60, 8, 8), dtype=np.uint8)
IMAGES += (LABELS * 90).astype(np.uint8)[:, None, None]
DATA = ml.Dataset("arrays", IMAGES, LABELS, ("a", "b", "c"))
RECIPE = ml.set_fields(ml.get_recipe("softmax"), {"epochs": "1"})


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of data in a file."""
    path = tmp_path_factory.mktemp("arguments") / "set.npz"
    np.savez(path, images=IMAGES, labels=LABELS)
    return path


@pytest.fixture(scope="module")
def run(path: Path) -> ml.Run:
    return ml.evaluate(ml.train(RECIPE, path, out=path.parent / "runs", threads=1))


def test_a_run_may_be_named_by_its_folder(run: ml.Run, path: Path, tmp_path: Path) -> None:
    assert ml.evaluate(str(run.path)).result["test_accuracy"] == run.result["test_accuracy"]
    assert ml.predict(run.path, path, tmp_path / "out.csv") == 60
    assert ml.predict(str(run.path), path, tmp_path / "o.csv", report=True) == 60
    assert len(ml.explain(run.path, path, limit=1).images) == 1
    assert ml.report(run.path) == ml.report(run)
    other = ml.evaluate(ml.train(replace(RECIPE, seed=1), path, out=tmp_path, threads=1))
    assert len(ml.compare([run.path, str(other.path)], out=tmp_path).contenders) == 2


def test_a_run_may_be_exported_by_its_folder(run: ml.Run, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="the extra 'export' is not installed")
    assert ml.export_onnx(run.path, tmp_path / "model.onnx").is_kept
    assert ml.export_page([str(run.path)], tmp_path / "page.html").n_bytes


@pytest.mark.parametrize("data", [(IMAGES, LABELS), IMAGES, 5, [str], {"images": IMAGES}])
@pytest.mark.parametrize(
    "use",
    [
        lambda data: ml.train(RECIPE, data),
        lambda data: ml.fit(data, 0.1),
        lambda data: ml.cross_validate(RECIPE, data),
        lambda data: ml.tune(RECIPE, data),
        lambda data: ml.audit(data),
        lambda data: ml.run_study(ml.get_study("batch-size"), data),
        lambda data: ml.load(data),
    ],
    ids=["train", "fit", "cross_validate", "tune", "audit", "run_study", "load"],
)
def test_data_of_another_kind_are_refused_with_what_to_write(
    use: Callable[[Any], object], data: Any
) -> None:
    kind = type(data).__name__
    with pytest.raises(TypeError, match=rf"^data must be .*, not {kind}; .*ml\.Dataset\("):
        use(data)


def test_other_data_of_an_evaluation_may_be_a_path_and_no_arrays(run: ml.Run, path: Path) -> None:
    assert ml.evaluate(run, path).result["test_accuracy"] == run.result["test_accuracy"]
    with pytest.raises(TypeError, match=r"^data must be .*, not ndarray"):
        ml.evaluate(run, IMAGES)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "use",
    [
        lambda recipe: ml.train(recipe, DATA),
        lambda recipe: ml.cross_validate(recipe, DATA),
        lambda recipe: ml.tune(recipe, DATA),
        lambda recipe: ml.audit(DATA, recipe=recipe),
        lambda recipe: ml.set_fields(recipe, {}),
    ],
    ids=["train", "cross_validate", "tune", "audit", "set_fields"],
)
def test_the_name_of_a_recipe_is_no_recipe(use: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match=r"^recipe must be a Recipe, not str; ml\.get_recipe"):
        use("softmax")


@pytest.mark.parametrize(
    "use",
    [
        ml.evaluate,
        ml.report,
        lambda run: ml.predict(run, "x.csv", "y.csv"),
        lambda run: ml.predict(run, "x.csv", "y.csv", report=True),
        lambda run: ml.explain(run, "x.csv"),
        lambda run: ml.compare([run, run]),
        lambda run: ml.export_onnx(run, "x.onnx"),
        lambda run: ml.export_page([run], "x.html"),
    ],
    ids=["evaluate", "report", "predict", "page", "explain", "compare", "onnx", "drawing"],
)
@pytest.mark.parametrize("run", [None, DATA, 3])
def test_what_is_no_run_is_refused(use: Callable[[Any], object], run: Any) -> None:
    with pytest.raises(
        TypeError, match=rf"^run must be a Run or its folder, not {type(run).__name__}"
    ):
        use(run)


@pytest.mark.parametrize("images", [IMAGES, ["a.png", "b.png"], None])
def test_arrays_are_predicted_by_the_classifier(run: ml.Run, images: Any, tmp_path: Path) -> None:
    for use in (ml.predict, ml.explain):
        with pytest.raises(TypeError, match=r"^images must be the path .*run\.classifier\(\)"):
            use(run, images, tmp_path / "out.html")
    assert not list(tmp_path.iterdir())
    assert run.classifier().predict(IMAGES).shape == (60,)


@pytest.mark.parametrize("minutes", ["1", None, [1]])
def test_minutes_are_a_number(minutes: Any, tmp_path: Path) -> None:
    with pytest.raises(ml.RecipeError, match=r"^minutes must be a number, got "):
        ml.fit(DATA, minutes, out=tmp_path)


@pytest.mark.parametrize("size", ["8", "8x8", (8,), (8, 8, 1), (8.0, 8.0), 8.5, (8, "8")])
def test_a_size_is_a_number_or_two(size: Any, path: Path) -> None:
    with pytest.raises(TypeError, match=r"^size must be a whole number or a pair \(H, W\), got "):
        ml.load(path, size=size)


def test_sizes_of_numpy_and_lists_are_sizes(path: Path) -> None:
    for size in ([8, 8], np.int64(8), np.array([8, 8])):
        assert ml.load(path, size=size).images.shape == (60, 8, 8)  # type: ignore[arg-type]


def test_a_column_may_be_named_by_its_number(tmp_path: Path) -> None:
    table = np.column_stack([LABELS, IMAGES.reshape(60, -1)])
    np.savetxt(
        tmp_path / "set.csv",
        table,
        "%d",
        ",",
        header=",".join(["label", *(f"p{i}" for i in range(64))]),
        comments="",
    )
    assert ml.load(tmp_path / "set.csv", label_column=1).class_names == ("0", "1", "2")
    with pytest.raises(TypeError, match=r"^label_column must be a name or a number, not list"):
        ml.load(tmp_path / "set.csv", label_column=["label"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [("epochs", 3), ("learning_rate", 0.5), ("hidden_sizes", [20, 10]), ("patience", None)],
)
def test_fields_are_set_to_values_as_to_text(field: str, value: Any) -> None:
    recipe = ml.get_recipe("mlp")
    text = "null" if value is None else str(value)
    assert ml.set_fields(recipe, {field: value}) == ml.set_fields(recipe, {field: text})


def test_a_field_is_not_set_to_an_object() -> None:
    with pytest.raises(TypeError, match=r"^epochs: cannot be set to set"):
        ml.set_fields(RECIPE, {"epochs": {1}})


@pytest.mark.parametrize("name", [None, 5, ["softmax"]])
def test_what_is_no_name_names_nothing(name: Any) -> None:
    with pytest.raises(ml.RecipeError, match="unknown recipe"):
        ml.get_recipe(name)
    with pytest.raises(ml.RecipeError, match="unknown study"):
        ml.get_study(name)
    with pytest.raises(ml.DataError, match="unknown data set"):
        ml.fetch(name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": IMAGES.tolist()}, r"images must be uint8 \(N, H, W\), got list"),
        ({"labels": LABELS.tolist()}, r"labels must be int64 \(N,\), got list"),
        ({"class_names": ("a", "b", "a")}, "class names must be different and not empty"),
        ({"class_names": "abc"}, "class_names must be a sequence of names, got str"),
        ({"class_names": ("a", "", "c")}, "class names must be different and not empty"),
        ({"class_names": ("a", " ", "c")}, "class names must be different and not empty"),
        ({"name": ""}, "a data set needs a name"),
    ],
)
def test_a_data_set_made_by_hand_is_checked(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ml.DataError, match=message):
        replace(DATA, **changes)


def test_class_names_of_any_sequence_are_the_same_names() -> None:
    for names in (["a", "b", "c"], np.array(["a", "b", "c"])):
        assert replace(DATA, class_names=names).fingerprint == DATA.fingerprint
    assert replace(DATA, class_names=(0, 1, 2)).class_names == ("0", "1", "2")
