"""Networks by hand beside torch: same weights and batches, same numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mnistlab import models, scratch
from mnistlab.phases import OPTIMIZERS as PHASE_OPTIMIZERS
from mnistlab.scratch.layer import Array, Layer
from mnistlab.training.optimizers import build_optimizer

IMAGES = (4, 7, 6, 2)


def channels_first(X: Array) -> Tensor:
    """(N, H, W, C) as torch wants it, (N, C, H, W); rows as they are."""
    return torch.from_numpy(np.moveaxis(X, -1, 1).copy())


def channels_last(X: Tensor) -> Array:
    return np.moveaxis(X.detach().numpy(), 1, -1)


def assert_same_passes(
    layer: Layer, twin: Callable[[Tensor], Tensor], shape: tuple[int, ...], X: Array | None = None
) -> Array:
    """Forward and backward agree on random numbers; returns the dY that was passed back."""
    random = np.random.default_rng(1)
    X = random.normal(size=shape) if X is None else X
    X_twin = channels_first(X).requires_grad_()
    Y_twin, Y = twin(X_twin), layer.forward(X, training=True)
    np.testing.assert_allclose(Y, channels_last(Y_twin), rtol=1e-10, atol=1e-14)
    dY = random.normal(size=Y.shape)
    Y_twin.backward(channels_first(dY))
    np.testing.assert_allclose(layer.backward(dY), channels_last(X_twin.grad), atol=1e-12)
    return dY


def conv_like(layer: scratch.Conv2d, n_in: int) -> nn.Conv2d:
    k, n_out = layer.kernel_size, len(layer.b)
    twin = nn.Conv2d(n_in, n_out, k, padding=layer.padding).double()
    twin.load_state_dict({"weight": torch_kernel(layer.W, k), "bias": torch.from_numpy(layer.b)})
    return twin


def torch_kernel(W: Array, k: int) -> Tensor:
    """(k * k * n_in, n_out) as torch keeps it, (n_out, n_in, k, k)."""
    return torch.from_numpy(W.reshape(k, k, -1, W.shape[1]).transpose(3, 2, 0, 1).copy())


@pytest.mark.parametrize(("k", "padding"), [(1, 0), (2, 1), (3, 0), (3, 1), (3, 3), (5, 2)])
def test_convolution(k: int, padding: int) -> None:
    layer = scratch.Conv2d(2, 3, np.random.default_rng(0), k, padding)
    pair = conv_like(scratch.Network([layer], np.float64).layers[0], n_in=2)
    dY = assert_same_passes(layer, pair, IMAGES)
    np.testing.assert_allclose(torch_kernel(layer.dW, k), pair.weight.grad, rtol=1e-10)
    np.testing.assert_allclose(layer.db, dY.sum((0, 1, 2)), rtol=1e-10)


@pytest.mark.parametrize(
    ("layer", "twin"),
    [
        (scratch.ReLU(), nn.ReLU()),
        (scratch.LeakyReLU(), nn.LeakyReLU()),
        (scratch.Tanh(), nn.Tanh()),
        (scratch.Sigmoid(), nn.Sigmoid()),
        (scratch.MaxPool2d(2), nn.MaxPool2d(2)),
        (scratch.MaxPool2d(3), nn.MaxPool2d(3)),
        (scratch.Scaling(0.5, 3.0), lambda x: (x - 0.5) / 3.0),
        (scratch.Dropout(0.0, np.random.default_rng(0)), nn.Dropout(0.0)),
        (scratch.Reshape(6, 7, 2), lambda x: x.movedim(1, -1).reshape(4, 6, 7, 2).movedim(-1, 1)),
    ],
    ids=lambda part: type(part).__name__,
)
def test_layers_without_parameters(layer: Layer, twin: Callable[[Tensor], Tensor]) -> None:
    assert_same_passes(layer, twin, IMAGES)


def test_flatten_of_rows_and_linear() -> None:
    layer, twin = scratch.Linear(12, 5, np.random.default_rng(0)), nn.Linear(12, 5).double()
    scratch.Network([layer], np.float64)
    twin.load_state_dict({"weight": torch.from_numpy(layer.W.T), "bias": torch.zeros(5)})
    assert_same_passes(layer, twin, (7, 12))
    np.testing.assert_allclose(layer.dW.T, twin.weight.grad, rtol=1e-10)
    np.testing.assert_allclose(layer.db, twin.bias.grad, rtol=1e-10)
    X = np.random.default_rng(0).normal(size=(3, 4, 5))
    flat = scratch.Flatten()
    np.testing.assert_array_equal(flat.forward(X), nn.Flatten()(torch.from_numpy(X)))
    np.testing.assert_array_equal(flat.backward(X.reshape(3, -1)), X)


def test_pool_chooses_among_equal_numbers_as_torch_does() -> None:
    X = np.random.default_rng(0).integers(0, 2, (20, 8, 9, 3)).astype(np.float64)
    assert_same_passes(scratch.MaxPool2d(2), nn.MaxPool2d(2), X.shape, X)


@pytest.mark.parametrize(
    ("shape", "make"), [((9, 3), nn.BatchNorm1d), ((5, 4, 3, 3), nn.BatchNorm2d)]
)
def test_batch_norm_and_what_it_remembers(shape: tuple[int, ...], make: type[nn.Module]) -> None:
    layer, twin = scratch.BatchNorm(3), make(3).double()
    network = scratch.Network([layer], np.float64)
    network.weights[:] = [0.5, 1.5, -2.0, 0.1, 0.2, 0.3]
    twin.load_state_dict(
        {"weight": torch.tensor(layer.gamma), "bias": torch.tensor(layer.beta)}, strict=False
    )
    for seed in range(3):
        X = np.random.default_rng(seed).normal(2, 3, shape)
        twin.zero_grad()
        assert_same_passes(layer, twin, shape, X)
        np.testing.assert_allclose(layer.dgamma, twin.weight.grad, rtol=1e-10)
        np.testing.assert_allclose(layer.dbeta, twin.bias.grad, rtol=1e-10)
    np.testing.assert_allclose(layer.running_mean, twin.running_mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_variance, twin.running_var, rtol=1e-12)
    np.testing.assert_allclose(layer.forward(X), channels_last(twin.eval()(channels_first(X))))


def test_dropout_means_what_torchs_does() -> None:
    """The masks are drawn differently; the numbers they are made of are the same."""
    X = np.ones((50, 40), np.float32)
    Y = scratch.Dropout(0.3, np.random.default_rng(0)).forward(X, training=True)
    torch.manual_seed(0)
    twin = nn.Dropout(0.3)(torch.from_numpy(X)).numpy()
    assert np.unique(Y).tolist() == np.unique(twin).tolist()
    assert (Y == 0).mean() == pytest.approx((twin == 0).mean(), abs=0.06)


@pytest.mark.parametrize("weight_decay", [0.0, 0.03])
@pytest.mark.parametrize("name", scratch.OPTIMIZERS)
def test_fifty_steps_of_every_optimizer(name: str, weight_decay: float) -> None:
    random = np.random.default_rng(0)
    network = scratch.Network(
        [scratch.Linear(6, 8, random), scratch.Tanh(), scratch.Linear(8, 3, random)], np.float64
    )
    twin = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    with torch.no_grad():
        for (_, w, _), theirs in zip(network.parameters(), twin.parameters(), strict=True):
            theirs.copy_(torch.from_numpy(w.T))
    rate = 0.1 if "sgd" in name else 0.02
    optimizer = scratch.OPTIMIZERS[name](network.weights, network.gradient, weight_decay)
    optimizer_twin = build_optimizer(name, twin.parameters(), rate, weight_decay)
    loss, losses, losses_twin = scratch.SoftmaxCrossEntropy(), [], []
    for _ in range(50):
        X, y = random.normal(size=(10, 6)), random.integers(0, 3, 10)
        losses.append(loss.forward(network.forward(X, training=True), y))
        network.backward(loss.backward())
        optimizer.step(rate)
        loss_twin = cross_entropy(twin(torch.from_numpy(X)), torch.from_numpy(y))
        losses_twin.append(loss_twin.item())
        optimizer_twin.zero_grad()
        loss_twin.backward()
        optimizer_twin.step()
    np.testing.assert_allclose(losses, losses_twin, rtol=1e-5)
    for (_, w, _), theirs in zip(network.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(w.T, theirs.detach(), rtol=1e-5, atol=1e-9)


def test_both_loops_know_the_same_optimizers() -> None:
    assert scratch.OPTIMIZERS.keys() == PHASE_OPTIMIZERS.keys() - {"muon"}


def test_momentum_is_row_a4s_under_a_rate_that_changes() -> None:
    """v = m v - lr g, w = w + v: there torch, which applies the rate to v, goes elsewhere."""
    random = np.random.default_rng(0)
    w, g = np.ones(4), np.empty(4)
    optimizer, expected, v = scratch.Momentum(w, g), np.ones(4), np.zeros(4)
    for learning_rate in (0.1, 0.01, 0.3):
        g[:] = random.normal(size=4)
        v = 0.9 * v - learning_rate * g
        expected = expected + v
        optimizer.step(learning_rate)
        np.testing.assert_array_equal(w, expected)


@pytest.mark.parametrize(("side", "hidden_sizes"), [(28, ()), (10, (7,))])
def test_the_network_of_row_e3(side: int, hidden_sizes: tuple[int, ...]) -> None:
    """Row E3: convolutions of 16 and 32 channels, then linear; torch's has channels first."""
    network = scratch.build((side, side), 10, hidden_sizes, (16, 32), dtype=np.float64)
    arguments = {"channels": (16, 32), "hidden_sizes": hidden_sizes}
    twin = models.build("cnn", (side, side), 10, arguments).double()
    assert models.count_parameters(twin) == network.weights.size
    network.weights[:] += np.random.default_rng(1).normal(0, 0.1, network.weights.size)
    quarter = side // 4

    def as_torch(array: Array) -> Tensor:
        if len(array) == quarter * quarter * 32:  # its rows are pixels, then channels
            array = (
                array.reshape(quarter, quarter, 32, -1).transpose(2, 0, 1, 3).reshape(array.shape)
            )
        is_kernel = array.ndim == 2 and array.shape in {(9, 16), (9 * 16, 32)}
        return torch_kernel(array, 3) if is_kernel else torch.from_numpy(array.T.copy())

    with torch.no_grad():
        for (_, w, _), theirs in zip(network.parameters(), twin.parameters(), strict=True):
            theirs.copy_(as_torch(w))
    X = np.random.default_rng(0).normal(size=(5, side, side))
    y, loss = np.arange(5), scratch.SoftmaxCrossEntropy()
    logits, logits_twin = network.forward(X, training=True), twin(torch.from_numpy(X[:, None]))
    np.testing.assert_allclose(logits, logits_twin.detach(), rtol=1e-9)
    cross_entropy(logits_twin, torch.from_numpy(y)).backward()
    loss.forward(logits, y)
    network.backward(loss.backward())
    for (name, _, g), theirs in zip(network.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(as_torch(g), theirs.grad, rtol=1e-7, atol=1e-10, err_msg=name)


@settings(deadline=None)
@given(arrays(np.float64, (3, 4), elements=st.floats(-1e4, 1e4)), st.integers(0, 3))
def test_softmax_cross_entropy(logits: Array, label: int) -> None:
    y, loss = np.array([label, 0, 3]), scratch.SoftmaxCrossEntropy()
    twin = torch.tensor(logits, requires_grad=True)
    loss_twin = cross_entropy(twin, torch.from_numpy(y))
    loss_twin.backward()
    assert loss.forward(logits, y) == pytest.approx(loss_twin.item(), rel=1e-12, abs=1e-14)
    np.testing.assert_allclose(loss.backward(), twin.grad, atol=1e-15)
    np.testing.assert_allclose(scratch.softmax(logits), twin.softmax(1).detach(), atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits_give_finite_losses(dtype: type) -> None:
    logits = np.array([[1e4, -1e4, 0], [-1e4, 1e4, 1e4], [-1e4] * 3], dtype)
    before, loss = logits.copy(), scratch.SoftmaxCrossEntropy()
    value = loss.forward(logits, np.array([1, 1, 0]))
    assert value == pytest.approx((2e4 + math.log(2) + math.log(3)) / 3)
    expected = [[1, -1, 0], [0, -0.5, 0.5], [-2 / 3, 1 / 3, 1 / 3]]
    np.testing.assert_allclose(loss.backward() * 3, expected, atol=1e-6)
    assert loss.backward().dtype == dtype
    np.testing.assert_array_equal(logits, before)
