"""The layers by hand beside a naive reading of what they compute."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mnistlab import scratch
from mnistlab.scratch.layer import Layer

some_times = settings(deadline=None, max_examples=60)
images = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6), st.integers(1, 3))


def in_network(layer: Layer, seed: int) -> Layer:
    """The layer with arrays for its gradients, in float64, and random parameters."""
    network = scratch.Network([layer], np.float64)
    network.weights[:] = np.random.default_rng(seed).normal(size=network.weights.shape)
    return layer


@some_times
@given(images, st.integers(1, 3), st.integers(1, 4), st.integers(0, 3), st.integers(0, 99))
def test_convolution_is_what_five_loops_compute(
    shape: tuple[int, int, int, int], n_out: int, k: int, padding: int, seed: int
) -> None:
    n, height, width, n_in = shape
    high, wide = height + 2 * padding - k + 1, width + 2 * padding - k + 1
    assume(min(high, wide) >= 1)
    random = np.random.default_rng(seed)
    layer = in_network(scratch.Conv2d(n_in, n_out, random, k, padding), seed)
    X, dY = random.normal(size=shape), random.normal(size=(n, high, wide, n_out))
    W = layer.W.reshape(k, k, n_in, n_out)
    Y = np.zeros((n, high, wide, n_out))
    dX, dW = np.zeros_like(X), np.zeros_like(W)
    for image in range(n):
        for i in range(high):
            for j in range(wide):
                Y[image, i, j] = layer.b
                for a in range(k):
                    for b in range(k):
                        row, column = i + a - padding, j + b - padding
                        if not (0 <= row < height and 0 <= column < width):
                            continue
                        x, dy = X[image, row, column], dY[image, i, j]
                        Y[image, i, j] += x @ W[a, b]
                        dX[image, row, column] += W[a, b] @ dy
                        dW[a, b] += np.outer(x, dy)
    for _ in range(2):  # the second pass finds its memory full of the first one's numbers
        np.testing.assert_allclose(layer.forward(X), Y, atol=1e-12)
        np.testing.assert_allclose(layer.backward(dY), dX, atol=1e-12)
        np.testing.assert_allclose(layer.dW.reshape(W.shape), dW, atol=1e-12)
        np.testing.assert_allclose(layer.db, dY.sum((0, 1, 2)), atol=1e-12)


@some_times
@given(images, st.integers(1, 3), st.integers(0, 99))
def test_max_pool_is_what_loops_over_blocks_compute(
    shape: tuple[int, int, int, int], size: int, seed: int
) -> None:
    n, height, width, channels = shape
    high, wide = height // size, width // size
    assume(min(high, wide) >= 1)
    random = np.random.default_rng(seed)
    X = random.integers(-2, 3, shape).astype(np.float64)  # so few numbers that many are equal
    dY = random.normal(size=(n, high, wide, channels))
    Y, dX = np.zeros_like(dY), np.zeros_like(X)
    for image, i, j, c in np.ndindex(dY.shape):
        block = X[image, i * size : (i + 1) * size, j * size : (j + 1) * size, c]
        a, b = np.unravel_index(block.argmax(), block.shape)  # the first of equal ones
        Y[image, i, j, c] = block[a, b]
        dX[image, i * size + a, j * size + b, c] = dY[image, i, j, c]
    layer = scratch.MaxPool2d(size)
    for _ in range(2):
        np.testing.assert_array_equal(layer.forward(X), Y)
        np.testing.assert_array_equal(layer.backward(dY), dX)


@pytest.mark.parametrize("activation", scratch.ACTIVATIONS)
def test_an_activation_and_the_pool_may_be_swapped(activation: str) -> None:
    random = np.random.default_rng(0)
    X, dY = random.normal(size=(3, 7, 6, 2)), random.normal(size=(3, 3, 3, 2))
    results = []
    for first_activation in (True, False):
        layers = [scratch.ACTIVATIONS[activation](), scratch.MaxPool2d(2)]
        layers = layers if first_activation else layers[::-1]
        Y = layers[1].forward(layers[0].forward(X))
        results.append((Y, layers[0].backward(layers[1].backward(dY))))
    for before, after in zip(*results, strict=True):
        np.testing.assert_allclose(before, after, rtol=1e-13)


@some_times
@given(arrays(np.float64, 6, elements=st.floats(-1e3, 1e3)))
def test_activations_are_their_formulas(x: np.ndarray) -> None:
    layers = {name: make() for name, make in scratch.ACTIVATIONS.items()}
    expected = {
        "relu": [max(v, 0.0) for v in x],
        "leaky-relu": [v if v > 0 else 0.01 * v for v in x],
        "tanh": [math.tanh(v) for v in x],
        "sigmoid": [1 / (1 + math.exp(-v)) if v > -700 else 0.0 for v in x],
    }
    assert layers.keys() == expected.keys()
    for name, layer in layers.items():
        np.testing.assert_allclose(layer.forward(x[None])[0], expected[name], atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_of_extreme_numbers_does_not_overflow(dtype: type) -> None:
    layer = scratch.Sigmoid()
    assert layer.forward(np.array([[-1e30, 0, 1e30]], dtype)).tolist() == [[0, 0.5, 1]]
    assert layer.backward(np.ones((1, 3), dtype)).tolist() == [[0, 0.25, 0]]


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.9])
def test_dropout_keeps_the_mean_and_divides_what_is_left(p: float) -> None:
    layer = scratch.Dropout(p, np.random.default_rng(0))
    X, dY = np.full((400, 250), 3.0), np.full((400, 250), 2.0)
    Y = layer.forward(X, training=True).copy()
    dropped = Y == 0
    assert set(np.unique(Y)) <= {0.0, 3 * (1 / (1 - p))}
    four_deviations = 4 * math.sqrt(p * (1 - p) / X.size)
    assert dropped.mean() == pytest.approx(p, abs=four_deviations)
    assert Y.mean() == pytest.approx(3, abs=3 * four_deviations / (1 - p))
    np.testing.assert_array_equal(layer.backward(dY), np.where(dropped, 0, 2 / (1 - p)))
    assert np.array_equal(layer.forward(X, training=True), Y) == (p == 0)  # a new mask
    assert np.array_equal(layer.forward(X), X)
    assert layer.forward(X.astype(np.float32), training=True).dtype == np.float32


def test_batch_norm_follows_the_batches_it_has_seen() -> None:
    layer = in_network(scratch.BatchNorm(2), seed=0)
    layer.gamma[:], layer.beta[:] = (2, 3), (-1, 1)
    mean, variance = np.zeros(2), np.ones(2)
    for seed in range(3):
        X = np.random.default_rng(seed).normal(5, 4, (6, 3, 3, 2))
        Y = layer.forward(X, training=True)
        np.testing.assert_allclose(Y.mean((0, 1, 2)), [-1, 1], atol=1e-12)
        np.testing.assert_allclose(Y.std((0, 1, 2)), [2, 3], rtol=1e-5)
        mean = 0.9 * mean + 0.1 * X.mean((0, 1, 2))
        variance = 0.9 * variance + 0.1 * X.var((0, 1, 2), ddof=1)
    np.testing.assert_allclose(layer.running_mean, mean)
    np.testing.assert_allclose(layer.running_variance, variance)
    Y = (X - mean) / np.sqrt(variance + 1e-5) * (2, 3) + (-1, 1)
    np.testing.assert_allclose(layer.forward(X), Y)
    np.testing.assert_allclose(layer.running_mean, mean)  # not changed by looking


def test_batch_norm_of_a_single_example_stays_finite() -> None:
    layer = in_network(scratch.BatchNorm(3), seed=0)
    np.testing.assert_allclose(layer.forward(np.ones((1, 3)), training=True)[0], layer.beta)
    np.testing.assert_allclose(layer.running_variance, 0.9)
    assert np.isfinite(layer.backward(np.ones((1, 3)))).all()


@pytest.mark.parametrize(("name", "variance"), [("he", 2 / 300), ("xavier", 2 / (300 + 500))])
def test_first_weights_have_the_variance_of_their_paper(name: str, variance: float) -> None:
    W = scratch.INITIALISATIONS[name](300, 500, np.random.default_rng(0))
    assert W.shape == (300, 500)
    # The sample variance of n normal numbers deviates by sqrt(2 / n) of itself, the mean by 1.
    assert W.var() / variance == pytest.approx(1, abs=4 * math.sqrt(2 / W.size))
    assert W.mean() == pytest.approx(0, abs=4 * math.sqrt(variance / W.size))
    within_one_deviation = (np.abs(W) < math.sqrt(variance)).mean()
    assert within_one_deviation == pytest.approx(0.6827, abs=0.005)  # a normal distribution


def test_layers_are_initialised_by_what_their_numbers_see() -> None:
    random = np.random.default_rng(0)
    linear, conv = scratch.Linear(400, 300, random), scratch.Conv2d(16, 300, random, 5)
    assert linear.W.var() == pytest.approx(2 / 400, rel=0.02)
    assert conv.W.var() == pytest.approx(2 / (5 * 5 * 16), rel=0.02)
    assert not linear.b.any()
    assert not conv.b.any()
    assert scratch.Linear(400, 300, random, scratch.xavier).W.var() == pytest.approx(
        2 / 700, rel=0.02
    )


def test_he_keeps_the_size_of_a_signal_through_many_relu_layers() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 256))
    for _ in range(10):
        X = scratch.ReLU().forward(scratch.Linear(256, 256, random).forward(X))
    assert (X**2).mean() == pytest.approx(1, rel=0.5)
