"""Solutions of chapters 1 to 5 against the functions of NumPy, scikit-learn and PyTorch."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
import torch
from scipy.special import softmax as scipy_softmax
from sklearn.decomposition import PCA
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, cross_val_score, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import check_estimator
from torch import Tensor
from torch.nn import functional

from benchmarks.ledger import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "labs"))  # as `python labs/03_mlp_by_hand.py` has it

from solutions import (
    cv,
    data,
    estimator,
    gradients,
    layers,
    mlp,
    optimizers,
    softmax,
)

X = np.random.default_rng(0).normal(size=(12, 20))
Y = np.arange(12) % 5


# Chapter 1


def test_the_split_is_that_of_the_write_up() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 70_000)
    parts = data.split_data(np.arange(70_000), labels)
    assert [len(part) for part in parts[:3]] == [49_000, 10_500, 10_500]
    train, rest = train_test_split(
        np.arange(70_000), test_size=0.3, random_state=42, stratify=labels
    )
    np.testing.assert_array_equal(parts[0], train)
    val, test = train_test_split(rest, test_size=0.5, random_state=42, stratify=labels[rest])
    np.testing.assert_array_equal(parts[1], val)
    np.testing.assert_array_equal(parts[2], test)
    for indices, given in zip(parts[:3], parts[3:], strict=True):
        np.testing.assert_array_equal(labels[indices], given)


def test_pixels_are_scaled_as_by_scikit_learn() -> None:
    train, val, test = X[:6].copy(), X[6:9], X[9:]
    train[:, 3] = 2.0  # a pixel without a range
    scaler = MinMaxScaler().fit(train)
    for ours, part in zip(data.scale_per_pixel(train, val, test), (train, val, test), strict=True):
        np.testing.assert_allclose(ours, scaler.transform(part))


def test_principal_components_are_those_of_scikit_learn() -> None:
    theirs = PCA(4, svd_solver="full").fit(X)
    coordinates, explained = data.principal_components(X, 4)
    np.testing.assert_allclose(explained, theirs.explained_variance_ratio_)
    np.testing.assert_allclose(np.abs(coordinates), np.abs(theirs.transform(X)))


# Chapters 2 and 3


def test_softmax_and_cross_entropy() -> None:
    scores = X[:, :5] * 400  # exp of these overflows
    np.testing.assert_allclose(softmax.softmax(scores), scipy_softmax(scores, axis=1))
    probabilities = scipy_softmax(X[:, :5], axis=1)
    loss = log_loss(Y, probabilities)
    assert softmax.cross_entropy(probabilities, Y) == pytest.approx(loss, abs=1e-6)


def torch_loss(weights: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
    hidden = (x @ weights["W1"] + weights["b1"]).relu()
    return functional.cross_entropy(hidden @ weights["W2"] + weights["b2"], y)


def leaves(network: mlp.MLPFromScratch) -> dict[str, Tensor]:
    names = ("W1", "b1", "W2", "b2")
    return {name: torch.tensor(getattr(network, name), requires_grad=True) for name in names}


def test_the_gradients_of_softmax_regression_are_autograds() -> None:
    model = softmax.SoftmaxRegression(20, 5)
    model.W += 0.1 * X[:5].T
    W, b = (torch.tensor(each, requires_grad=True) for each in (model.W, model.b))
    functional.cross_entropy(torch.tensor(X) @ W + b, torch.tensor(Y)).backward()
    ours = model.backward(X, Y)
    np.testing.assert_allclose(ours["W"], W.grad, atol=1e-12)
    np.testing.assert_allclose(ours["b"], b.grad, atol=1e-12)
    losses = model.train(X, Y, epochs=30, batch_size=5)
    assert losses[-1] < losses[0]


def test_the_mlp_steps_as_torch_does() -> None:
    """Ten steps with momentum on the same batch: the same weights as autograd and torch.optim."""
    ours = mlp.MLPFromScratch(20, 7, 5, learning_rate=0.1)
    weights = leaves(ours)
    optimizer = torch.optim.SGD(weights.values(), lr=0.1, momentum=0.9)
    for _ in range(10):
        optimizer.zero_grad()
        loss = torch_loss(weights, torch.tensor(X), torch.tensor(Y))
        loss.backward()
        optimizer.step()
        assert ours.compute_loss(Y, ours.forward(X)) == pytest.approx(loss.item(), abs=1e-6)
        ours.update(ours.backward(X, Y))
    for name, tensor in weights.items():
        np.testing.assert_allclose(getattr(ours, name), tensor.detach(), rtol=1e-10)


def test_the_mlp_starts_and_learns_as_described() -> None:
    network = mlp.MLPFromScratch()
    assert network.W1.std() == pytest.approx(math.sqrt(2 / 784), rel=0.02)
    assert not network.b1.any()
    small = mlp.MLPFromScratch(20, 16, 5, learning_rate=0.1)
    before = X.copy()
    history = small.train(X, Y, X, Y, epochs=60, batch_size=5)
    assert history["val_accuracy"][-1] == 1
    assert len(history["train_loss"]) == 60
    np.testing.assert_array_equal(X, before)


def test_numerical_gradients_are_autograds() -> None:
    network = mlp.MLPFromScratch(20, 7, 5)
    weights = leaves(network)
    torch_loss(weights, torch.tensor(X), torch.tensor(Y)).backward()
    for name, tensor in weights.items():
        before = getattr(network, name).copy()
        found = gradients.numerical_gradient(
            lambda: network.compute_loss(Y, network.forward(X)), getattr(network, name)
        )
        np.testing.assert_allclose(found, tensor.grad, atol=1e-6)
        np.testing.assert_array_equal(getattr(network, name), before)


def test_layers_have_autograds_gradients() -> None:
    network = layers.LayeredMLP((20, 7, 5))
    linear = [layer for layer in network.layers if isinstance(layer, layers.Linear)]
    by_name = zip(
        ("W1", "b1", "W2", "b2"),
        (each for layer in linear for each in (layer.W, layer.b)),
        strict=True,
    )
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in by_name}
    loss = torch_loss(weights, torch.tensor(X), torch.tensor(Y))
    loss.backward()
    ours = network.compute_loss(np.eye(5)[Y], network.forward(X))
    assert ours == pytest.approx(loss.item(), abs=1e-6)
    network.backward(np.eye(5)[Y])
    found = [each for layer in linear for each in (layer.dW, layer.db)]
    for ours_gradient, tensor in zip(found, weights.values(), strict=True):
        np.testing.assert_allclose(ours_gradient, tensor.grad, atol=1e-12)


# Chapters 4 and 5


@pytest.mark.parametrize(
    ("ours", "theirs", "arguments"),
    [
        (optimizers.SGD, torch.optim.SGD, {}),
        (optimizers.Momentum, torch.optim.SGD, {"momentum": 0.9}),
        (optimizers.RMSprop, torch.optim.RMSprop, {}),
        (optimizers.Adam, torch.optim.Adam, {}),
    ],
)
def test_optimizers_step_as_torchs(ours: type, theirs: type, arguments: dict) -> None:
    parameters = [X[:3].copy(), X[3, :4].copy()]
    tensors = [torch.tensor(each, requires_grad=True) for each in parameters]
    optimizer, reference = ours(parameters, 0.01), theirs(tensors, lr=0.01, **arguments)
    for i in range(8):
        slopes = [np.sin(i + each) for each in parameters]
        for tensor, slope in zip(tensors, slopes, strict=True):
            tensor.grad = torch.tensor(slope)
        optimizer.step(slopes)
        reference.step()
    for parameter, tensor in zip(parameters, tensors, strict=True):
        np.testing.assert_allclose(parameter, tensor.detach(), rtol=1e-9)


def test_cross_validation_is_scikit_learns() -> None:
    ours = cv.k_fold_indices(13, 5)
    theirs = list(KFold(5).split(np.zeros(13)))
    for pair, reference in zip(ours, theirs, strict=True):
        for indices, expected in zip(pair, reference, strict=True):
            np.testing.assert_array_equal(indices, expected)
    accuracies = cv.cross_validate(GaussianNB, X, Y, 3)
    np.testing.assert_allclose(accuracies, cross_val_score(GaussianNB(), X, Y, cv=KFold(3)))


def test_the_svm_is_searched_as_in_the_write_up() -> None:
    search = cv.tune_svm(np.repeat(X, 2, axis=0), np.repeat(Y, 2))
    points = {(point["C"], point["gamma"]) for point in search.cv_results_["params"]}
    assert points == {(C, gamma) for C in (0.1, 1, 10) for gamma in ("scale", "auto", 0.01)}
    assert search.n_splits_ == 3
    assert search.best_estimator_.kernel == "rbf"


def test_the_estimator_keeps_scikit_learns_contract() -> None:
    check_estimator(estimator.MLPClassifier(hidden_size=16, epochs=30, batch_size=16))
