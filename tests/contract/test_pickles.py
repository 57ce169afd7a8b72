"""What joblib does with classifiers and images: pickles, and files mapped for reading alone."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from mnistlab import scratch
from mnistlab.classifiers import ScratchClassifier, SVMClassifier, TorchClassifier
from mnistlab.data import Dataset

NETWORK = {"n_epochs": 2, "random_state": 0}
DENSE = NETWORK | {"hidden_sizes": (64,)}
CONVOLUTIONAL = {"channels": (4, 8), "hidden_sizes": (256,)}
CLASSIFIERS: dict[str, Callable[..., Any]] = {
    "torch": partial(TorchClassifier, "mlp", precision="float32", **DENSE),
    "torch cnn": partial(
        TorchClassifier, "cnn", model_args=CONVOLUTIONAL, precision="float32", **NETWORK
    ),
    "scratch": partial(ScratchClassifier, batch_norm=True, dropout=0.2, **DENSE),
    "scratch convolutional": partial(ScratchClassifier, **CONVOLUTIONAL, **NETWORK),
    "svm": SVMClassifier,
    "svm calibrated": partial(SVMClassifier, calibrated=True, random_state=0),
}
every_classifier = pytest.mark.parametrize("name", CLASSIFIERS)
every_network_by_hand = pytest.mark.parametrize("name", ["scratch", "scratch convolutional"])


def outputs(classifier: Any, X: Any) -> np.ndarray:
    known = hasattr(classifier, "predict_proba")
    return classifier.predict_proba(X) if known else classifier.decision_function(X)


def mapped(array: np.ndarray, path: Path) -> np.ndarray:
    np.save(path, array)
    return np.load(path, mmap_mode="r")


@every_classifier
def test_a_pickle_is_about_as_large_as_what_was_learnt(name: str, stripes: Dataset) -> None:
    classifier = CLASSIFIERS[name]().fit(stripes.images, stripes.labels)
    n_bytes = sum(array.nbytes for array in classifier.arrays().values())
    before = len(pickle.dumps(classifier))
    assert before < 1.1 * n_bytes + 20_000
    outputs(classifier, np.repeat(stripes.images, 5, axis=0))
    assert len(pickle.dumps(classifier)) == before  # prediction leaves nothing behind


@every_classifier
def test_a_classifier_mapped_for_reading_alone_predicts(
    name: str, stripes: Dataset, tmp_path: Path
) -> None:
    classifier = CLASSIFIERS[name]().fit(stripes.images, stripes.labels)
    expected = outputs(classifier, stripes.images)
    joblib.dump(classifier, tmp_path / "classifier.joblib")
    loaded = joblib.load(tmp_path / "classifier.joblib", mmap_mode="r")
    for X in (stripes.images, stripes.images[:3], mapped(stripes.images, tmp_path / "X.npy")):
        # Kernels may differ by how arrays lie in memory, and by how many rows there are.
        np.testing.assert_allclose(outputs(loaded, X), expected[: len(X)], rtol=1e-4, atol=1e-6)
    assert loaded.n_parameters_ == classifier.n_parameters_
    loaded.fit(stripes.images, stripes.labels)  # and is trained anew as if it were new
    np.testing.assert_array_equal(outputs(loaded, stripes.images), expected)


@every_classifier
def test_images_labels_and_weights_mapped_for_reading_alone_are_taken(
    name: str, stripes: Dataset, tmp_path: Path
) -> None:
    X, y = stripes.images[:200], stripes.labels[:200]
    weights = 1.0 + np.arange(200) % 2
    arrays = [
        mapped(array, tmp_path / f"{place}.npy") for place, array in enumerate((X, y, weights))
    ]
    first = CLASSIFIERS[name]().fit(X, y, sample_weight=weights)
    second = CLASSIFIERS[name]().fit(*arrays[:2], sample_weight=arrays[2])
    np.testing.assert_array_equal(outputs(first, X), outputs(second, arrays[0]))


@every_network_by_hand
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))])
def test_a_copy_of_a_network_by_hand_is_one_that_learns(
    name: str, copied: Callable, stripes: Dataset
) -> None:
    """Its layers' arrays are views into its own vector of weights, which the optimizer changes."""
    network = CLASSIFIERS[name]().fit(stripes.images, stripes.labels).network_
    twin, X, y = copied(network), stripes.images[:32], stripes.labels[:32]
    loss = scratch.SoftmaxCrossEntropy()
    for one in (network, twin):
        before = one.state()
        for _ in range(3):
            loss.forward(one.forward(X, training=True), y)
            one.backward(loss.backward())
            scratch.SGD(one.weights, one.gradient).step(0.1)
        assert any(not np.array_equal(before[key], value) for key, value in one.arrays())
    for key, value in twin.arrays():
        np.testing.assert_array_equal(value, dict(network.arrays())[key])


def test_a_layer_of_the_readers_own_keeps_what_it_was_made_with() -> None:
    class Tinted(scratch.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.tint = np.linspace(0, 1, 9)

        def forward(self, X: Any, training: bool = False) -> Any:
            self.X = X
            return X * self.tint.astype(X.dtype)

        def backward(self, dY: Any) -> Any:
            return dY * self.tint

    random = np.random.default_rng(0)
    network = scratch.Network([Tinted(), scratch.Linear(9, 3, random)])
    X = random.normal(size=(5, 9)).astype(np.float32)
    expected = network.predict_logits(X)
    twin = copy.deepcopy(network)
    assert not hasattr(twin.layers[0], "X")
    np.testing.assert_array_equal(twin.predict_logits(X), expected)
    assert scratch.check_gradients(network, X, np.arange(5) % 3).worst < 1e-6
