"""What every classifier and every model of the project must do, whoever wrote it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from mnistlab.classifiers import TorchClassifier
from mnistlab.classifiers.storage import load_classifier, save_classifier
from mnistlab.data import Dataset
from mnistlab.models import MODELS

FAST = {"n_epochs": 30, "learning_rate": 0.02, "batch_size": 16, "precision": "float32"}
SMALL = {
    "mlp": {"hidden_sizes": (16,)},
    "cnn": {"channels": (4, 8), "hidden_sizes": (16,), "dropout": 0.1},
}


@parametrize_with_checks(
    [
        TorchClassifier("mlp", **FAST, random_state=0),
        TorchClassifier("mlp", hidden_sizes=(16,), **FAST, random_state=0),
    ]
)
def test_scikit_learn_contract(estimator: TorchClassifier, check) -> None:
    check(estimator)


def test_every_model_is_under_contract() -> None:
    assert SMALL.keys() == MODELS.keys()


@pytest.fixture(params=sorted(SMALL))
def model(request: pytest.FixtureRequest) -> str:
    return request.param


def untrained(model: str, **changes) -> TorchClassifier:
    parameters = {"model_args": SMALL[model], "random_state": 0, "precision": "float32"}
    return TorchClassifier(model, **parameters | changes)


def test_loss_at_initialisation_is_near_chance(model: str, stripes: Dataset) -> None:
    classifier = untrained(model, phases=()).fit(stripes.images, stripes.labels)
    p = classifier.predict_proba(stripes.images)
    loss = -np.log(p[np.arange(len(p)), stripes.labels]).mean()
    assert abs(loss - math.log(4)) < 0.25


def test_overfits_32_images(model: str) -> None:
    random = np.random.default_rng(0)
    X = random.integers(0, 256, (32, 12, 12), dtype=np.uint8)
    y = random.integers(0, 4, 32)
    args = SMALL[model] | {"dropout": 0.0}
    classifier = untrained(
        model, model_args=args, n_epochs=150, learning_rate=0.01, validation_fraction=0
    )
    assert classifier.fit(X, y).score(X, y) == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_same_seed_and_threads_give_the_same_bits(
    model: str, stripes: Dataset, threads: int
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        weights = []
        for noise in (1, 2):
            torch.manual_seed(noise)  # the caller's random state must not matter
            classifier = untrained(model, n_epochs=3).fit(stripes.images, stripes.labels)
            weights.append(classifier.network_.state_dict())
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_other_seeds_give_other_weights(model: str, stripes: Dataset) -> None:
    first, second = (
        untrained(model, n_epochs=1, random_state=seed).fit(stripes.images, stripes.labels)
        for seed in (0, 1)
    )
    assert not np.array_equal(
        first.predict_proba(stripes.images), second.predict_proba(stripes.images)
    )


def test_saved_and_loaded_it_is_the_same(model: str, stripes: Dataset, tmp_path) -> None:
    classifier = untrained(model, n_epochs=2).fit(stripes.images, stripes.labels)
    save_classifier(classifier, tmp_path / "model.safetensors")
    loaded = load_classifier(tmp_path / "model.safetensors")
    assert np.array_equal(
        classifier.predict_proba(stripes.images), loaded.predict_proba(stripes.images)
    )
    assert clone(loaded).get_params().keys() == classifier.get_params().keys()


def test_inputs_are_not_changed(model: str, stripes: Dataset) -> None:
    for X in (stripes.images.copy(), stripes.images / np.float32(255)):
        y, kept = stripes.labels.copy(), X.copy()
        untrained(model, n_epochs=1).fit(X, y).predict_proba(X)
        assert np.array_equal(X, kept)
        assert np.array_equal(y, stripes.labels)


def test_read_only_arrays_are_accepted(model: str, stripes: Dataset) -> None:
    X = stripes.images.copy()
    X.flags.writeable = False
    untrained(model, n_epochs=1).fit(X, stripes.labels).predict(X)


def test_a_batch_of_one_and_rows_give_what_images_give(model: str, stripes: Dataset) -> None:
    classifier = untrained(model, n_epochs=2).fit(stripes.images, stripes.labels)
    whole = classifier.predict_proba(stripes.images[:20])
    np.testing.assert_allclose(whole.sum(1), 1, atol=1e-12)
    one = np.vstack([classifier.predict_proba(image[None]) for image in stripes.images[:20]])
    np.testing.assert_allclose(one, whole, atol=1e-5)
    rows = stripes.images.reshape(len(stripes), -1)
    by_rows = untrained(model, n_epochs=2).fit(rows, stripes.labels)
    assert np.array_equal(by_rows.predict_proba(rows[:20]), whole)


def test_learns_with_any_labels_and_floats(model: str, stripes: Dataset) -> None:
    names = np.array(["shirt", "bag", "coat", "dress"])[stripes.labels]
    train, test = slice(0, 480), slice(480, None)
    classifier = untrained(model, n_epochs=20, learning_rate=0.01, batch_size=32)
    classifier.fit(stripes.images[train] / 255.0, names[train])
    assert classifier.classes_.tolist() == ["bag", "coat", "dress", "shirt"]
    assert classifier.score(stripes.images[test] / 255.0, names[test]) > 0.9


def test_wrong_shapes_are_refused(model: str, stripes: Dataset) -> None:
    classifier = untrained(model, n_epochs=1).fit(stripes.images, stripes.labels)
    with pytest.raises(ValueError, match="trained on images of"):
        classifier.predict(np.zeros((2, 12, 13), dtype=np.uint8))
    with pytest.raises(ValueError, match="a class that y does not have"):
        classifier.fit(stripes.images, stripes.labels, stripes.images[:2], np.array([0, 9]))


def test_works_in_scikit_learns_tools(stripes: Dataset) -> None:
    X, y = stripes.images.reshape(len(stripes), -1).astype(np.float32), stripes.labels
    classifier = TorchClassifier(
        "mlp", learning_rate=0.01, n_epochs=4, batch_size=32, random_state=0
    )
    search = GridSearchCV(
        Pipeline([("scale", StandardScaler()), ("net", classifier)]),
        {"net__hidden_sizes": [(), (16,)], "net__learning_rate": [1e-5, 0.02]},
        cv=2,
    )
    search.fit(X, y)
    assert search.best_params_["net__learning_rate"] == 0.02
    assert cross_val_score(classifier, X, y, cv=2).mean() > 0.8
