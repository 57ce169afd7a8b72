"""A stored classifier comes back the same, and any other file is refused on one line."""

from __future__ import annotations

import json
import math
import pickle
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save
from sklearn.exceptions import NotFittedError

from mnistlab import machine
from mnistlab.classifiers import ScratchClassifier, SVMClassifier, TorchClassifier
from mnistlab.classifiers.storage import KEY, load_classifier, save_classifier
from mnistlab.errors import RunError
from mnistlab.phases import Phase

X = np.random.default_rng(0).integers(0, 256, (30, 4, 5), dtype=np.uint8)
Y = np.array(["bag", "coat", "hat"])[np.arange(30) % 3]
UNTRAINED: dict[str, Any] = {
    "torch": TorchClassifier("mlp", hidden_sizes=(3,), n_epochs=1, precision="float32"),
    "scratch": ScratchClassifier((3,), phases=(Phase("adam", epochs=1), Phase(epochs=1))),
    "normalised": ScratchClassifier((3,), channels=(2,), batch_norm=True, dropout=0.1, n_epochs=1),
    "double": ScratchClassifier((3,), n_epochs=1, precision="float64"),
    "svm": SVMClassifier(C=10.0, gamma=0.3),
    "calibrated": SVMClassifier(calibrated=True, n_calibration_folds=2),
    "gradients": SVMClassifier(features="hog", scaling="min-max-per-pixel"),
}
every_classifier = pytest.mark.parametrize("name", UNTRAINED)


@cache
def fitted(name: str) -> Any:
    return UNTRAINED[name].set_params(random_state=5).fit(X, Y)


def said(classifier: Any, images: np.ndarray = X) -> np.ndarray:
    known = hasattr(classifier, "predict_proba")
    return classifier.predict_proba(images) if known else classifier.decision_function(images)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def plain(parameters: dict[str, Any]) -> Any:
    """As JSON has it, which knows no tuples and no phases."""
    return json.loads(json.dumps(parameters, default=vars))


@every_classifier
def test_it_comes_back_the_same(name: str, path: Path) -> None:
    classifier = fitted(name)
    save_classifier(classifier, path)
    loaded = load_classifier(path, "cpu")
    assert type(loaded) is type(classifier)
    assert np.array_equal(said(loaded), said(classifier))
    assert np.array_equal(loaded.predict(X), classifier.predict(X))
    changes = {"device": "cpu"} if name == "torch" else {}
    assert plain(loaded.get_params()) == plain(classifier.get_params()) | changes
    assert loaded.classes_.tolist() == ["bag", "coat", "hat"]
    assert (loaded.image_shape_, loaded.n_features_in_) == ((4, 5), 20)
    assert loaded.n_parameters_ == classifier.n_parameters_
    assert loaded.arrays().keys() == classifier.arrays().keys()
    for key, array in classifier.arrays().items():
        assert array.dtype == loaded.arrays()[key].dtype
        assert np.array_equal(array, loaded.arrays()[key])
    content = path.read_bytes()
    save_classifier(loaded.set_params(**changes and {"device": "auto"}), path)
    assert path.read_bytes() == content


@every_classifier
def test_a_loaded_classifier_can_be_trained_again(name: str, path: Path) -> None:
    save_classifier(fitted(name), path)
    again = load_classifier(path).fit(X, Y)
    assert np.array_equal(said(again), said(fitted(name)))


@every_classifier
@pytest.mark.parametrize(
    "labels", [np.arange(30) % 3 - 1, np.arange(30) % 3 * 1.0, (np.arange(30) % 3).astype(np.uint8)]
)
def test_labels_come_back_as_numbers(name: str, labels: np.ndarray, path: Path) -> None:
    classifier = UNTRAINED[name].set_params(random_state=5).__sklearn_clone__().fit(X, labels)
    save_classifier(classifier, path)
    assert np.array_equal(load_classifier(path).predict(X), classifier.predict(X))


@every_classifier
def test_nothing_is_pickled(name: str, path: Path, monkeypatch) -> None:
    save_classifier(fitted(name), path)
    load_classifier(path)  # torch, when first used, imports modules that name the pickler

    def forbidden(*args: Any, **options: Any) -> None:
        raise AssertionError("a pickle")

    for function in ("load", "loads", "dump", "dumps", "Unpickler", "Pickler"):
        monkeypatch.setattr(pickle, function, forbidden)
    save_classifier(fitted(name), path)
    load_classifier(path)
    content = path.read_bytes()
    (n_header,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + n_header])
    description = json.loads(header.pop("__metadata__")[KEY])
    assert description.keys() == {"classifier", "parameters", "classes", "image_shape"}
    n_bytes = sum(array.nbytes for array in fitted(name).arrays().values())
    assert len(content) == 8 + n_header + n_bytes


def test_seeds_of_every_kind(path: Path) -> None:
    classifier = SVMClassifier()
    for seed, kept in (
        (7, 7),
        (np.int64(7), 7),
        (None, None),
        (np.random.RandomState(7), None),
    ):
        save_classifier(classifier.set_params(random_state=seed).fit(X, Y), path)
        assert load_classifier(path).random_state == kept


def test_numbers_of_a_parameter_grid_are_stored_as_numbers(path: Path) -> None:
    save_classifier(SVMClassifier(C=np.float64(2), gamma=np.float32(0.5)).fit(X, Y), path)
    loaded = load_classifier(path)
    assert (loaded.C, loaded.gamma) == (2.0, 0.5)
    network = ScratchClassifier(np.array([3, 2]), n_epochs=np.int64(1)).fit(X, Y)
    save_classifier(network, path)
    assert load_classifier(path).hidden_sizes == [3, 2]


def test_what_cannot_be_stored_is_said_before_a_file_is_there(path: Path) -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        save_classifier(SVMClassifier(), path)
    strange = SVMClassifier().fit(X, Y).set_params(scaling=object())
    with pytest.raises(TypeError, match="type object cannot be stored"):
        save_classifier(strange, path)
    assert not path.exists()


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_there_is_no_such_file(kind: str, path: Path) -> None:
    if kind == "folder":
        path.mkdir()
    refused(path)


def refused(path: Path, words: str = "") -> None:
    with pytest.raises(RunError) as caught:
        load_classifier(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert words in message


@cache
def stored(name: str) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        save_classifier(fitted(name), Path(folder) / "m")
        return (Path(folder) / "m").read_bytes()


def description_of(content: bytes) -> dict[str, Any]:
    (n_header,) = struct.unpack("<Q", content[:8])
    return json.loads(json.loads(content[8 : 8 + n_header])["__metadata__"][KEY])


def rewritten(
    name: str,
    description: Callable[[dict[str, Any]], Any] = lambda d: d,
    arrays: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]] = lambda a: a,
) -> bytes:
    """The file of a classifier with one of its two parts changed."""
    content = stored(name)
    changed = json.dumps(description(description_of(content)))
    copies = {key: array.copy() for key, array in load(content).items()}
    return save({k: np.ascontiguousarray(v) for k, v in arrays(copies).items()}, {KEY: changed})


def replacing(
    arrays: dict[str, np.ndarray],
) -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
    return lambda own: own | arrays


def test_files_of_the_first_version_hold_torch_networks(path: Path) -> None:
    def without_kind(description: dict[str, Any]) -> dict[str, Any]:
        del description["classifier"]
        return description

    path.write_bytes(rewritten("torch", without_kind))
    loaded = load_classifier(path)
    assert type(loaded) is TorchClassifier
    assert np.array_equal(said(loaded), said(fitted("torch")))
    path.write_bytes(rewritten("scratch", without_kind))
    refused(path)


@every_classifier
def test_a_file_cut_anywhere_is_refused(name: str, path: Path) -> None:
    content = stored(name)
    for end in [0, 1, 7, 8, 9, 100, *range(200, len(content), 97), len(content) - 1]:
        path.write_bytes(content[:end])
        refused(path)
    path.write_bytes(content + b"\0")
    refused(path)


@every_classifier
def test_a_file_of_another_kind_is_refused(name: str, path: Path) -> None:
    content = stored(name)
    for foreign in (
        b"\xff" * 100,
        pickle.dumps({"weights": [1, 2]}),
        content.replace(b"mnistlab.classifier", b"someone.classifier"),
        save(load(content)),
        save({"a": np.zeros(3)}, {KEY: "not JSON"}),
        save({"a": np.zeros(3)}, {KEY: "[" * 100_000}),
    ):
        path.write_bytes(foreign)
        refused(path)


@every_classifier
def test_a_file_that_names_another_classifier_is_refused(name: str, path: Path) -> None:
    own = type(fitted(name)).__name__
    for other in {"TorchClassifier", "ScratchClassifier", "SVMClassifier"} - {own}:
        path.write_bytes(rewritten(name, lambda d, other=other: d | {"classifier": other}))
        refused(path)
    for other in ("RandomForestClassifier", "import_module", "__doc__", "", None, 3, [own], {}):
        path.write_bytes(rewritten(name, lambda d, other=other: d | {"classifier": other}))
        refused(path, "no classifier of this project")


STRANGE = [
    None,
    True,
    0,
    -1,
    3,
    0.5,
    1e300,
    math.nan,
    math.inf,
    "",
    "x",
    [],
    [[]],
    [1],
    {},
    {"a": 1},
]


@every_classifier
@pytest.mark.parametrize("field", ["parameters", "classes", "image_shape"])
def test_fields_of_another_type_are_refused(name: str, field: str, path: Path) -> None:
    for value in STRANGE:
        if field == "parameters" and value == {} and name == "svm":
            continue  # settings of training, which all have defaults
        path.write_bytes(rewritten(name, lambda d, value=value: d | {field: value}))
        refused(path)
    path.write_bytes(rewritten(name, lambda d: {k: v for k, v in d.items() if k != field}))
    refused(path)


@every_classifier
def test_a_description_of_another_type_is_refused(name: str, path: Path) -> None:
    for value in STRANGE:
        path.write_bytes(rewritten(name, lambda d, value=value: value))
        refused(path)


@every_classifier
@pytest.mark.parametrize(
    "classes",
    [
        ["bag", "coat"],
        ["bag", "coat", "hat", "shirt"],
        ["bag", "coat", "bag"],
        [["bag", "coat", "hat"]],
        ["bag", ["coat"], "hat"],
        ["bag", None, "hat"],
        [{}, {}, {}],
        "abc",
        {"bag": 0, "coat": 1, "hat": 2},
    ],
    ids=str,
)
def test_classes_that_do_not_fit_are_refused(name: str, classes: Any, path: Path) -> None:
    path.write_bytes(rewritten(name, lambda d: d | {"classes": classes}))
    refused(path)


@every_classifier
@pytest.mark.parametrize(
    "shape",
    [
        [4],
        [4, 5, 1],
        [4, 6],
        [-4, -5],
        [0, 5],
        [4.0, 5.0],
        [True, 20],
        ["4", "5"],
        [1e999, 5],
        [2**40, 2**40],
        [2**63, 1],
        [10**30, 1],
    ],
    ids=str,
)
def test_image_shapes_that_do_not_fit_are_refused(name: str, shape: Any, path: Path) -> None:
    path.write_bytes(rewritten(name, lambda d: d | {"image_shape": shape}))
    refused(path)


@every_classifier
def test_parameters_there_are_not_are_refused(name: str, path: Path) -> None:
    for parameters in ({"zzz": 1}, {"": 1}, {"self": 1}, {"random_state": 1, "a\nb": 1}):
        path.write_bytes(
            rewritten(name, lambda d, p=parameters: d | {"parameters": d["parameters"] | p})
        )
        refused(path)


@pytest.mark.parametrize(
    "phases", [3, "ab", [3], [[]], [{"zzz": 1}], [{"optimizer": "zzz"}], [{"epochs": "x"}]], ids=str
)
def test_phases_that_cannot_be_are_refused(phases: Any, path: Path) -> None:
    path.write_bytes(
        rewritten("scratch", lambda d: d | {"parameters": d["parameters"] | {"phases": phases}})
    )
    refused(path)


@pytest.mark.parametrize("args", [{"channels": ()}, {"channels": 3}, {"dropout": 2.0}, 3, [[]]])
def test_arguments_of_a_model_that_cannot_be_are_refused(args: Any, path: Path) -> None:
    change = {"model": "cnn", "model_args": args, "hidden_sizes": None}
    path.write_bytes(rewritten("torch", lambda d: d | {"parameters": d["parameters"] | change}))
    refused(path)


@pytest.mark.parametrize("views", [None, 3, "flip", ["zzz"], [["flip"]], [None]], ids=str)
def test_views_that_cannot_be_shown_are_refused(views: Any, path: Path) -> None:
    change = {"test_time_augmentation": views}
    path.write_bytes(rewritten("torch", lambda d: d | {"parameters": d["parameters"] | change}))
    refused(path)


@pytest.mark.parametrize("name", ["torch", "scratch", "normalised"])
@pytest.mark.parametrize(
    "change",
    [
        {"hidden_sizes": ()},
        {"hidden_sizes": (4,)},
        {"hidden_sizes": (3, 3)},
        {"hidden_sizes": 3},
        {"hidden_sizes": "3"},
        {"hidden_sizes": (3.0,)},
        {"hidden_sizes": (None,)},
        {"hidden_sizes": (-3,)},
        {"hidden_sizes": (2**62,)},
        {"hidden_sizes": (10**30,)},
    ],
    ids=str,
)
def test_networks_that_do_not_fit_are_refused(name: str, change: dict, path: Path) -> None:
    path.write_bytes(rewritten(name, lambda d: d | {"parameters": d["parameters"] | change}))
    refused(path)


@pytest.mark.parametrize(
    "change",
    [
        {"channels": (3,)},
        {"channels": ()},
        {"channels": (2, 2, 2, 2)},
        {"channels": 2},
        {"channels": (2.0,)},
        {"channels": (2**63, "x")},
        {"channels": (2**29, "x")},
        {"batch_norm": False},
        {"dropout": "x"},
        {"dropout": 2.0},
        {"activation": "zzz"},
        {"activation": []},
        {"initialisation": "a\nb"},
        {"precision": "float64"},
        {"precision": "a\nb"},
        {"precision": {}},
    ],
    ids=str,
)
def test_networks_by_hand_that_do_not_fit_are_refused(change: dict, path: Path) -> None:
    path.write_bytes(
        rewritten("normalised", lambda d: d | {"parameters": d["parameters"] | change})
    )
    refused(path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("torch", {"hidden_sizes": [30_000, 30_000]}),
        ("scratch", {"hidden_sizes": [20_000, 20_000]}),
        ("normalised", {"channels": [10_000, 10_000]}),
    ],
)
def test_networks_of_huge_size_are_refused_before_memory_is_taken(
    name: str, change: dict, path: Path
) -> None:
    path.write_bytes(rewritten(name, lambda d: d | {"parameters": d["parameters"] | change}))
    before = machine.start_measuring_memory()
    refused(path)
    assert machine.peak_memory_mb() - before < 50


@pytest.mark.parametrize("name", ["svm", "calibrated"])
def test_as_many_classes_as_are_claimed_take_no_memory(name: str, path: Path) -> None:
    many = {
        "n_support": np.zeros(4_000, np.int64),
        "vectors": np.zeros((0, 20), np.float32),
        "coefficients": np.zeros((3_999, 0), np.float32),
    }
    path.write_bytes(
        rewritten(name, lambda d: d | {"classes": list(range(4_000))}, replacing(many))
    )
    before = machine.start_measuring_memory()
    refused(path)
    assert machine.peak_memory_mb() - before < 50


def test_a_file_larger_than_any_model_is_not_read(path: Path) -> None:
    with path.open("wb") as file:
        file.write(stored("svm"))
        file.truncate(2**31 + 1)  # no room is taken on disk
    refused(path, "larger than any model")


@every_classifier
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(name: str, value: float, path: Path) -> None:
    for key, array in load(stored(name)).items():
        if array.dtype.kind == "f" and array.size:
            spoiled = array.copy()
            spoiled.ravel()[-1] = value
            path.write_bytes(rewritten(name, arrays=replacing({key: spoiled})))
            refused(path)


@every_classifier
def test_arrays_of_another_shape_or_type_are_refused(name: str, path: Path) -> None:
    for key, array in load(stored(name)).items():
        others = [
            np.zeros((*array.shape, 2), array.dtype),
            np.zeros(array.shape[:-1] if array.ndim > 1 else 5, array.dtype),
            array.astype(np.complex64),
            array.astype(bool),
            np.zeros(0, array.dtype) if array.size else np.zeros(1, array.dtype),
        ]
        for other in others:
            path.write_bytes(rewritten(name, arrays=replacing({key: other})))
            refused(path)


@pytest.mark.parametrize("name", ["torch", "scratch", "double", "normalised"])
def test_arrays_of_another_precision_are_refused(name: str, path: Path) -> None:
    """Converting them could leave numbers that are no longer finite."""
    for key, array in load(stored(name)).items():
        other = np.float32 if array.dtype == np.float64 else np.float64
        path.write_bytes(rewritten(name, arrays=replacing({key: array.astype(other)})))
        refused(path)


@every_classifier
def test_arrays_that_are_missing_are_refused(name: str, path: Path) -> None:
    for key in load(stored(name)):
        path.write_bytes(
            rewritten(name, arrays=lambda a, key=key: {k: v for k, v in a.items() if k != key})
        )
        refused(path)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("torch", "0.scale", np.array(0, np.float32)),
        ("scratch", "0.scale", np.zeros(1, np.float32)),
        ("double", "0.scale", np.zeros(1)),
        ("svm", "scaling", np.array([0.0, 0.0])),
        ("svm", "gamma", np.array(0.0)),
        ("svm", "gamma", np.array(-1.0)),
    ],
)
def test_pixels_divided_by_nothing_are_refused(
    name: str, key: str, value: np.ndarray, path: Path
) -> None:
    path.write_bytes(rewritten(name, arrays=replacing({key: value})))
    refused(path)


def loads_or_says_why(path: Path) -> None:
    try:
        classifier = load_classifier(path)
    except RunError:
        refused(path)
        return
    images = np.zeros((2, *classifier.image_shape_), dtype=np.uint8)
    with np.errstate(all="ignore"):  # the numbers may be any
        assert np.isin(classifier.predict(images), classifier.classes_).all()


@pytest.mark.parametrize("name", ["normalised", "calibrated"])
def test_a_flipped_bit_of_the_header_is_never_a_crash(name: str, path: Path) -> None:
    content = stored(name)
    (n_header,) = struct.unpack("<Q", content[:8])
    for position in range(0, 8 + n_header, 3):
        flipped = bytearray(content)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        loads_or_says_why(path)


FUZZ = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("name", ["scratch", "normalised", "svm", "calibrated"])
@FUZZ
@given(data=st.data())
def test_changed_bytes_are_never_a_crash(name: str, data: st.DataObject, path: Path) -> None:
    content = bytearray(stored(name))
    (n_header,) = struct.unpack("<Q", content[:8])
    for _ in range(data.draw(st.integers(1, 3))):
        within = data.draw(st.sampled_from([8, 8 + n_header, len(content)]))
        content[data.draw(st.integers(0, within - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    loads_or_says_why(path)


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.sampled_from([2**31, 2**63, -(2**63), 10**30])
    | st.floats()
    | st.sampled_from(["auto", "scale", "none", "float64", "relu", "adam", "a\nb", ""]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("name", ["torch", "scratch", "normalised", "svm", "calibrated"])
@FUZZ
@given(data=st.data())
def test_changed_descriptions_are_never_a_crash(name: str, data: st.DataObject, path: Path) -> None:
    def change(description: dict[str, Any]) -> dict[str, Any]:
        inside = data.draw(st.booleans())
        target = description["parameters"] if inside else description
        target[data.draw(st.sampled_from(sorted(target)))] = data.draw(ANY_JSON)
        return description

    path.write_bytes(rewritten(name, change))
    loads_or_says_why(path)
