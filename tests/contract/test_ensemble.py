"""An ensemble is a classifier like the others; scikit-learn's VotingClassifier is the oracle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from mnistlab.classifiers import (
    EnsembleClassifier,
    ScratchClassifier,
    SVMClassifier,
    TorchClassifier,
)
from mnistlab.classifiers.methods import method_of
from mnistlab.classifiers.selection import balanced_log_loss, greedy_selection
from mnistlab.classifiers.storage import KEY, load_classifier, save_classifier
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError, RunError
from mnistlab.evaluation import log_loss, tempered

FAST = {"n_epochs": 30, "learning_rate": 0.02, "batch_size": 16, "random_state": 0}
NETWORK = TorchClassifier("mlp", hidden_sizes=(8,), precision="float32", **FAST)
BY_HAND = ScratchClassifier((8,), optimizer="adam", **FAST)
MACHINE = SVMClassifier(calibrated=True, n_calibration_folds=2, random_state=0)


@parametrize_with_checks(
    [EnsembleClassifier([BY_HAND, NETWORK])],
    expected_failed_checks=lambda estimator: {},
)
def test_scikit_learn_contract(estimator: Any, check) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def fitted(stripes: Dataset) -> EnsembleClassifier:
    """Of three kinds of members, chosen on 120 other images."""
    members = [clone(each).set_params(n_epochs=2) for each in (NETWORK, BY_HAND)]
    train, val = slice(0, 480), slice(480, None)
    X, y = stripes.images, stripes.labels
    return EnsembleClassifier([*members, MACHINE]).fit(X[train], y[train], X[val], y[val])


def test_it_says_what_a_voting_classifier_would(
    fitted: EnsembleClassifier, stripes: Dataset
) -> None:
    rows = stripes.images.reshape(len(stripes), -1)
    voting = VotingClassifier(
        [(str(place), member) for place, member in enumerate(fitted.members_)],
        voting="soft",
        weights=fitted.weights_,
    )
    voting.estimators_, voting.classes_ = list(fitted.members_), fitted.classes_
    plain = EnsembleClassifier().take(
        fitted.members_, fitted.weights_, np.ones(len(fitted.weights_))
    )
    np.testing.assert_allclose(
        plain.predict_proba(rows), voting.predict_proba(rows), rtol=0, atol=1e-12
    )


def test_each_member_has_a_temperature_of_its_own(
    fitted: EnsembleClassifier, stripes: Dataset
) -> None:
    images = stripes.images[:20]
    expected = sum(
        weight * tempered(member.predict_proba(images), temperature)
        for member, weight, temperature in zip(
            fitted.members_, fitted.weights_, fitted.temperatures_, strict=True
        )
    )
    np.testing.assert_allclose(fitted.predict_proba(images), expected, atol=1e-12)
    np.testing.assert_allclose(fitted.predict_proba(images).sum(1), 1, atol=1e-12)
    assert (fitted.temperatures_ != 1).any()


def test_saved_and_loaded_it_is_the_same(
    fitted: EnsembleClassifier, stripes: Dataset, tmp_path: Path
) -> None:
    save_classifier(fitted, tmp_path / "model.safetensors")
    loaded = load_classifier(tmp_path / "model.safetensors", "cpu")
    assert isinstance(loaded, EnsembleClassifier)
    one = loaded.predict_proba(stripes.images[:1])
    assert np.array_equal(
        loaded.predict_proba(stripes.images), fitted.predict_proba(stripes.images)
    )
    np.testing.assert_allclose(one, fitted.predict_proba(stripes.images[:1]), atol=1e-6)
    assert [type(member) for member in loaded.members_] == [type(m) for m in fitted.members_]
    assert loaded.n_parameters_ == fitted.n_parameters_ > 0
    assert len(clone(loaded).members) == len(fitted.members_)


def test_a_member_without_weight_is_left_out(stripes: Dataset) -> None:
    X, y = stripes.images[:60], stripes.labels[:60]
    members = [clone(NETWORK).set_params(n_epochs=1, random_state=s).fit(X, y) for s in (0, 1, 2)]
    ensemble = EnsembleClassifier().take(members, np.array([0.5, 0, 0.5]), np.ones(3))
    assert ensemble.members_ == (members[0], members[2])
    assert ensemble.heaviest is members[0]


def test_without_validation_images_all_members_count_the_same(stripes: Dataset) -> None:
    ensemble = EnsembleClassifier([BY_HAND, NETWORK]).fit(stripes.images, stripes.labels)
    assert ensemble.weights_.tolist() == [0.5, 0.5]


def test_what_does_not_fit_together_is_refused(
    fitted: EnsembleClassifier, stripes: Dataset
) -> None:
    X, y = stripes.images[:60], stripes.labels[:60]
    quick = clone(NETWORK).set_params(n_epochs=1)
    narrow, few = clone(quick).fit(X[:, :, 2:], y), clone(quick).fit(X[y < 3], y[y < 3])
    other = clone(quick).fit(X, y)
    halves = np.array([0.5, 0.5])
    for second, words in (
        (narrow, "different classes or images"),
        (few, "different classes or images"),
        (fitted, "cannot be an ensemble"),
        (SVMClassifier().fit(X, y), "SVMClassifier gives no probabilities"),
    ):
        with pytest.raises(ValueError, match=words):
            EnsembleClassifier().take([other, second], halves, np.ones(2))
    with pytest.raises(ValueError, match="at least one member"):
        EnsembleClassifier().fit(X, y)
    with pytest.raises(ValueError, match="sum to 1"):
        EnsembleClassifier().take([other, other], np.array([0.5, 0.4]), np.ones(2))
    with pytest.raises(ValueError, match="temperatures"):
        EnsembleClassifier().take([other, other], halves, np.array([1.0, 0.0]))


def rewritten(path: Path, change) -> None:
    """A file with its description and arrays changed."""
    with safe_open(path, framework="np") as file:
        description = json.loads(file.metadata()[KEY])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(description, arrays)
    save_file(arrays, path, {KEY: json.dumps(description)})


def nested(description: dict, arrays: dict) -> None:
    member = description["parameters"]["members"][0]
    member["classifier"], member["parameters"] = "EnsembleClassifier", {"members": []}


HOSTILE = {
    "an ensemble in an ensemble": (nested, "cannot be an ensemble"),
    "no members": (lambda d, a: d["parameters"].update(members=[]), "not those of this ensemble"),
    "members that are no list": (lambda d, a: d["parameters"].update(members=3), "cannot be"),
    "a member that is no object": (lambda d, a: d["parameters"].update(members=[3]), "cannot be"),
    "an unknown member": (
        lambda d, a: d["parameters"]["members"][0].update(classifier="os.system"),
        "is no classifier",
    ),
    "weights of 2": (lambda d, a: a.update(weights=2 * a["weights"]), "sum to 1"),
    "a weight of 0": (lambda d, a: a["weights"].__setitem__(0, 0.0), "has no weight"),
    "a weight too many": (lambda d, a: a.update(weights=np.ones(9) / 9), "not those of"),
    "a temperature of -1": (lambda d, a: a["temperatures"].__setitem__(0, -1.0), "positive"),
    "weights in float32": (
        lambda d, a: a.update(weights=a["weights"].astype(np.float32)),
        "not those of",
    ),
    "no weights": (lambda d, a: a.pop("weights"), "not those of"),
    "arrays of nobody": (lambda d, a: a.update({"9/x": np.ones(2)}), "not those of"),
    "arrays missing": (
        lambda d, a: [a.pop(name) for name in list(a) if name.startswith("0/")],
        "model.safetensors",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_no_ensemble_is_one_line(
    name: str, fitted: EnsembleClassifier, tmp_path: Path
) -> None:
    change, words = HOSTILE[name]
    path = tmp_path / "model.safetensors"
    save_classifier(fitted, path)
    rewritten(path, change)
    with pytest.raises(RunError, match=words) as caught:
        load_classifier(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_ensemble_is_no_recipe_to_train() -> None:
    method = method_of("ensemble")
    assert method.n_parameters((28, 28), 10, {"minutes": 2.0}) is None
    assert not method.learns_in_epochs
    with pytest.raises(RecipeError, match="mnistlab fit DATA --minutes N"):
        method.make(model_args={"minutes": 1.0}, phases=())
    for minutes in (0.0, -1.0, float("nan"), 1e9):
        with pytest.raises(RecipeError, match="minutes"):
            method.n_parameters((28, 28), 10, {"minutes": minutes})


def noisy(labels: np.ndarray, right: float, random: np.random.Generator) -> np.ndarray:
    """Probabilities (N, 4) of a classifier that is right so often, and unsure by chance."""
    logits = random.normal(size=(len(labels), 4))
    logits[np.arange(len(labels)), labels] += np.where(random.random(len(labels)) < right, 3.0, 0.0)
    return tempered(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), 1.0)


def test_a_selection_is_never_worse_than_the_best_alone() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 300)
    p = np.stack([noisy(labels, right, random) for right in (0.5, 0.7, 0.72, 0.74, 0.3)])
    selection = greedy_selection(p, labels)
    alone = [balanced_log_loss(labels, each) for each in p]
    assert selection.loss < min(alone)
    assert selection.weights.sum() == pytest.approx(1)
    mean = np.tensordot(selection.weights, p, 1)
    assert balanced_log_loss(labels, mean) == pytest.approx(selection.loss)
    assert selection.weights[[1, 2, 3]].sum() > selection.weights[[0, 4]].sum()


def test_copies_gain_nothing_and_one_is_enough() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 4, 100)
    p = noisy(labels, 0.7, random)
    assert greedy_selection(p[None], labels).weights.tolist() == [1.0]
    several = greedy_selection(np.stack([p, p, p]), labels)
    assert several.loss == pytest.approx(balanced_log_loss(labels, p))


def test_few_images_leave_an_average_of_all_that_are_good() -> None:
    """With thirty images chance would choose one of ten equals."""
    random = np.random.default_rng(2)
    labels = np.arange(32) % 4
    p = np.stack([noisy(labels, 0.7, random) for _ in range(10)])
    assert np.count_nonzero(greedy_selection(p, labels).weights) >= 4


def test_at_most_so_many_members_are_chosen() -> None:
    random = np.random.default_rng(3)
    labels = random.integers(0, 4, 200)
    p = np.stack([noisy(labels, 0.6, random) for _ in range(20)])
    assert np.count_nonzero(greedy_selection(p, labels, most=3).weights) <= 3


def test_every_class_counts_the_same_in_the_loss() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    p = np.tile([0.8, 0.2], (100, 1))
    each = [-np.log(0.8), -np.log(0.2)]
    assert balanced_log_loss(labels, p) == pytest.approx(np.mean(each))
    even = np.arange(100) % 2
    assert balanced_log_loss(even, p) == pytest.approx(log_loss(even, p))


def test_an_exported_ensemble_answers_as_the_classifier(
    fitted: EnsembleClassifier, stripes: Dataset
) -> None:
    from mnistlab.exporting.ensemble_module import exported_module

    images = stripes.images[:50]
    for temperature in (None, 0.5):
        module = exported_module(fitted, temperature)
        with torch.no_grad():
            p = module(torch.from_numpy(images)).numpy()
        expected = tempered(fitted.predict_proba(images), temperature or 1.0)
        np.testing.assert_allclose(p, expected, atol=1e-5)
