"""Distances to the nearest training images, against scikit-learn and torch's own hooks."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

import mnistlab as ml
from mnistlab.evaluation.neighbours import (
    N_NEAREST,
    N_REFERENCE,
    Reference,
    distances,
    nearest,
    of_length_one,
    threshold_of,
)
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs.neighbours import FILE, features_of, read_reference, reference_of
from mnistlab.runs.run_data import recorded_parts

QUICK: dict[str, Any] = {"random_state": 0, "n_epochs": 1, "batch_size": 50}
RECIPE = Recipe("small", "C19", "mlp", (Phase("adam", 0.01, 2),), {"hidden_sizes": [24]})


@pytest.fixture(scope="module")
def images() -> ml.Dataset:
    """200 images of the embedded set."""
    return ml.load("fashion-mini").take(np.arange(200))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> ml.Run:
    """A run of 1,200 images of the embedded set."""
    recipe = ml.set_fields(RECIPE, {"n_train": "1200"})
    return ml.train(recipe, out=tmp_path_factory.mktemp("runs"), threads=1)


@pytest.fixture
def run(trained: ml.Run, tmp_path: Path) -> ml.Run:
    """The same run, in a folder that a test may change."""
    shutil.copytree(trained.path, tmp_path / "run", ignore=shutil.ignore_patterns(FILE))
    return ml.open_run(tmp_path / "run")


@pytest.mark.parametrize("n_rows", [2, 5, 700])
def test_the_nearest_are_scikit_learns(n_rows: int) -> None:
    random = np.random.default_rng(0)
    known = of_length_one(random.normal(size=(n_rows, 20)))
    asked = of_length_one(random.normal(size=(1100, 20)))  # more than one block
    asked[3] = known[0]
    reference = Reference(known, np.arange(n_rows), 0.5)
    n = min(N_NEAREST, n_rows)
    apart, rows = NearestNeighbors(n_neighbors=n).fit(known).kneighbors(asked)
    np.testing.assert_array_equal(nearest(asked, reference, N_NEAREST), rows)
    np.testing.assert_allclose(distances(asked, reference), apart.mean(axis=1), atol=1e-6)
    assert distances(asked[:0], reference).shape == (0,)
    assert nearest(asked[:0], reference, N_NEAREST).shape == (0, n)


def test_rows_have_the_length_one_and_zeros_stay() -> None:
    rows = of_length_one(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.0, 0.0]])


def test_one_percent_of_the_images_are_above_the_threshold() -> None:
    found = np.random.default_rng(0).permutation(1000) / 1000
    assert (found > threshold_of(found)).sum() == 9
    assert threshold_of(found[:1]) == found[0]


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("mlp", {"hidden_sizes": [12], "batch_norm": True, "dropout": 0.5}),
        ("mlp", {"hidden_sizes": [12], "softmax_output": True}),
        ("cnn", {"channels": [4], "hidden_sizes": [9]}),
        ("residual", {"channels": [4, 8], "blocks": [0, 1], "dropout": 0.5}),
        ("transfer", {"backbone": "resnet18", "weights": "none"}),
    ],
)
def test_features_are_what_enters_the_last_linear_layer(
    model: str, settings: dict[str, Any], images: ml.Dataset
) -> None:
    few = images.take(np.arange(60))
    classifier = ml.TorchClassifier(
        model=model, model_args=settings, pad_to=32, test_time_augmentation=("flip",), **QUICK
    ).fit(few.images, few.labels)
    seen = []
    network = classifier.network_
    linear = [layer for layer in network.modules() if isinstance(layer, torch.nn.Linear)][-1]
    handle = linear.register_forward_pre_hook(lambda layer, given: seen.append(given[0]))
    classifier.set_params(test_time_augmentation=()).predict_proba(few.images)
    handle.remove()
    expected = torch.nn.functional.normalize(torch.cat(seen)).numpy()
    classifier.set_params(test_time_augmentation=("flip",))
    np.testing.assert_allclose(features_of(classifier, few.images), expected, atol=1e-6)
    assert features_of(classifier, few.images[:0]).shape == (0, expected.shape[1])


@pytest.mark.parametrize(
    "classifier",
    [
        ml.ScratchClassifier(hidden_sizes=(), **QUICK),
        ml.TorchClassifier(model="mlp", scaling="standard", **QUICK),
        ml.SVMClassifier(),
    ],
    ids=["softmax by hand", "softmax regression", "support vectors"],
)
def test_features_are_pixels_where_nothing_is_learned_before(
    classifier: Any, images: ml.Dataset
) -> None:
    rows = images.images.reshape(200, -1).astype(np.float64)
    expected = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    fitted = classifier.fit(images.images, images.labels)
    np.testing.assert_allclose(features_of(fitted, images.images), expected, atol=1e-6)
    black = features_of(fitted, np.zeros((2, 28, 28), np.uint8))
    np.testing.assert_array_equal(black, np.zeros((2, 784)))
    assert features_of(fitted, images.images[:0]).shape == (0, 784)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_features_of_a_network_by_hand_are_those_of_the_same_torch_network(
    channels: tuple[int, ...], images: ml.Dataset
) -> None:
    from mnistlab.exporting.modules import by_hand

    many = np.concatenate([images.images] * 3)  # more than a batch
    classifier = ml.ScratchClassifier(hidden_sizes=(16,), channels=channels, **QUICK)
    classifier.fit(images.images, images.labels)
    network = by_hand(classifier.network_).eval()
    with torch.inference_mode():
        rows = network[:-1](torch.from_numpy(many).unsqueeze(1).float())
    expected = torch.nn.functional.normalize(rows).numpy()
    np.testing.assert_allclose(features_of(classifier, many), expected, atol=1e-6)
    assert features_of(classifier, many[:0]).shape == (0, 16)


def test_a_run_is_compared_with_training_images_of_every_class(run: ml.Run) -> None:
    reference = reference_of(run)
    assert reference is not None
    data = ml.runs.dataset_of(run)
    parts = recorded_parts(run.path, run.recipe, run.data, data)
    images, labels = data.images[reference.places], data.labels[reference.places]
    assert len(reference.places) == N_REFERENCE == len(set(reference.places))
    np.testing.assert_array_equal(
        np.bincount(labels, minlength=10),
        np.rint(np.bincount(parts.train.labels) * N_REFERENCE / len(parts.train)),
    )
    classifier = run.classifier("cpu")
    np.testing.assert_array_equal(features_of(classifier, images), reference.features)
    assert np.isin(
        images.reshape(len(images), -1), parts.train.images.reshape(len(parts.train), -1)
    ).all()
    found = distances(features_of(classifier, parts.val.images), reference)
    assert 0 < (found > reference.threshold).mean() <= 0.01


def test_images_of_noise_are_unlike_the_training_images(run: ml.Run) -> None:
    reference = reference_of(run)
    assert reference is not None
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28), dtype=np.uint8)
    found = distances(features_of(run.classifier("cpu"), noise), reference)
    assert (found > reference.threshold).mean() > 0.9


def test_the_reference_is_read_again_and_made_anew_for_other_weights(run: ml.Run) -> None:
    first = reference_of(run)
    assert first is not None
    again = read_reference(run)
    assert again is not None
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    result = dict(run.result, weights_sha256="0" * 64)
    assert read_reference(ml.Run(run.path, run.recipe, run.data, run.env, result)) is None


def changed(path: Path, **arrays: Any) -> None:
    with np.load(path) as stored:
        np.savez(path, **{**stored, **arrays})


@pytest.mark.parametrize(
    "arrays",
    [
        {"features": np.full((1000, 24), np.nan, np.float32)},
        {"features": np.ones((1000, 24), np.float32)},
        {"features": np.ones((5, 24), np.float32)},
        {"n_features": np.array([2**40])},
        {"n_features": np.array([-1])},
        {"places": np.full(1000, 10**6)},
        {"places": np.full(1000, -1)},
        {"threshold": np.array([np.nan])},
        {"threshold": np.array(["much"])},
        {"made_for": np.zeros(64, np.uint8)},
    ],
    ids=lambda arrays: "".join(arrays),
)
def test_a_damaged_or_hostile_file_is_replaced(run: ml.Run, arrays: dict[str, Any]) -> None:
    first = reference_of(run)
    changed(run.path / FILE, **arrays)
    assert read_reference(run) is None
    second = reference_of(run)
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.features, second.features)
    assert read_reference(run) is not None


def test_a_file_that_is_no_archive_is_replaced(run: ml.Run) -> None:
    (run.path / FILE).write_bytes(b"\x80\x04.")  # a pickle
    assert read_reference(run) is None
    assert reference_of(run) is not None


def test_where_nothing_can_be_saved_the_reference_is_only_computed(
    run: ml.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mnistlab.atomic.write_bytes", full)
    assert reference_of(run) is not None
    assert not (run.path / FILE).exists()


def test_without_the_data_there_is_none_and_a_note_says_why(run: ml.Run) -> None:
    notes: list[str] = []
    data = {**run.data, "source": {}}
    alone = ml.Run(run.path, run.recipe, data, run.env, run.result)
    assert reference_of(alone, on_note=notes.append) is None
    (said,) = notes
    assert said.startswith("images unlike the training data cannot be told: ")
    assert "trained on arrays" in said


def test_without_validation_images_the_threshold_is_of_training_images(
    tmp_path: Path, stripes: ml.Dataset
) -> None:
    from mnistlab.runs.neighbours import computed_reference

    recipe = ml.set_fields(RECIPE, {"split": "train-test"})
    run = ml.train(recipe, stripes, out=tmp_path, threads=1)
    assert run.data["n_val"] == 0
    reference = computed_reference(run, stripes, run.classifier("cpu"))
    assert len(reference.places) == 240  # half of them
    others = np.setdiff1d(np.arange(480), reference.places)
    found = distances(features_of(run.classifier("cpu"), stripes.images[others]), reference)
    assert 0 < (found > reference.threshold).sum() <= 2
