"""Networks as a whole: their vectors, states and inputs, and how they are built by name."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistlab import scratch
from mnistlab.errors import RecipeError
from mnistlab.scratch.network import EVALUATION_BATCH

# Every kind of layer at once, on images of 6 x 6 in three classes.
EVERYTHING = {"hidden_sizes": (5,), "channels": (3,), "batch_norm": True, "dropout": 0.5}


def build(**arguments: Any) -> scratch.Network:
    return scratch.build((6, 6), 3, **(EVERYTHING | {"dtype": np.float64} | arguments))


def images(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 6, 6), dtype=np.uint8)


def passed(network: scratch.Network, X: np.ndarray) -> np.ndarray:
    """A pass in both directions; logits of the forward one."""
    loss = scratch.SoftmaxCrossEntropy()
    logits = network.forward(X, training=True)
    loss.forward(logits, np.arange(len(X)) % 3)
    network.backward(loss.backward())
    return logits.copy()


def test_parameters_are_views_into_two_vectors() -> None:
    network = build()
    names = [name for name, _, _ in network.parameters()]
    assert " ".join(names) == ("2.W 2.b 3.gamma 3.beta 7.W 7.b 8.gamma 8.beta 11.W 11.b")
    passed(network, images(4))
    in_order = list(network.parameters())
    np.testing.assert_array_equal(
        network.weights, np.concatenate([w.ravel() for _, w, _ in in_order])
    )
    np.testing.assert_array_equal(
        network.gradient, np.concatenate([g.ravel() for _, _, g in in_order])
    )
    assert all(np.abs(g).max() > 0 for _, _, g in in_order)
    network.weights[:], network.gradient[:] = 3, 4
    assert all((w == 3).all() and (g == 4).all() for _, w, g in in_order)
    assert (network.layers[2].W == 3).all()
    assert (network.layers[11].db == 4).all()


def test_the_state_comes_back_and_is_a_copy() -> None:
    network, other = build(seed=0), build(seed=1)
    passed(network, images(8))  # so that the running statistics are not the first ones
    state, logits = network.state(), network.predict_logits(images(9))
    assert {"0.shift", "2.W", "3.running_mean", "3.running_variance", "11.b"} < state.keys()
    assert other.restore(state) is other
    np.testing.assert_array_equal(other.predict_logits(images(9)), logits)
    network.weights[:] = 0
    passed(other, images(8, seed=1))
    assert state["2.W"].any()
    network.restore(state)
    np.testing.assert_array_equal(network.predict_logits(images(9)), logits)


@pytest.mark.parametrize("case", ["missing", "unknown", "another shape"])
def test_foreign_arrays_are_refused(case: str) -> None:
    state = build().state()
    if case == "missing":
        name, _ = "7.b", state.pop("7.b")
    elif case == "unknown":
        name = "99.W"
        state[name] = np.zeros(3)
    else:
        name = "7.W"
        state[name] = state[name].T
    with pytest.raises(ValueError, match=f"'{name}' is not the array"):
        build().restore(state)


def test_another_dtype_is_a_network_of_its_own() -> None:
    network = build(dtype=np.float32, dropout=0.0)
    double = network.astype(np.float64)
    assert all(array.dtype == np.float32 for array in network.state().values())
    assert all(array.dtype == np.float64 for array in double.state().values())
    assert passed(double, images(4)).dtype == double.gradient.dtype == np.float64
    np.testing.assert_allclose(passed(network, images(4)), passed(double, images(4)), atol=1e-4)
    double.weights[:] = 0
    assert network.weights.any()
    assert network.astype(np.float32) is not network


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_number_type_gives_the_same_logits_in_the_networks_own(dtype: type) -> None:
    for layers_before in (0, 1):  # with and without the layer that scales
        network = build(dtype=dtype, scaling=(100.0, 50.0))
        network = scratch.Network(network.layers[layers_before:], dtype)
        expected = network.predict_logits(images(7))
        assert expected.dtype == dtype
        for given_as in (np.uint8, np.int64, np.float32, np.float64):
            X = images(7).astype(given_as)
            np.testing.assert_array_equal(network.predict_logits(X), expected)


@pytest.mark.parametrize("given_as", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("activation", scratch.ACTIVATIONS)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_the_input_is_not_changed(given_as: type, activation: str, channels: tuple) -> None:
    network = build(activation=activation, channels=channels, dtype=np.float32)
    for layers in (network.layers, network.layers[1:]):
        X = images(5).astype(given_as)
        X.setflags(write=False)
        passed(scratch.Network(layers), X)
        np.testing.assert_array_equal(X, images(5).astype(given_as))


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 2 * EVALUATION_BATCH + 50), st.integers(1, EVALUATION_BATCH))
def test_logits_do_not_depend_on_what_else_is_predicted(n: int, first: int) -> None:
    network = build(channels=(1,))
    X = images(2 * EVALUATION_BATCH + 50)
    together = network.predict_logits(X)
    for some in (slice(0, n), slice(first, first + 3), slice(first, first + EVALUATION_BATCH)):
        np.testing.assert_allclose(network.predict_logits(X[some]), together[some], atol=1e-12)


def test_logits_are_the_callers_to_keep() -> None:
    network = build()
    logits = network.predict_logits(images(6))
    kept = logits.copy()
    network.predict_logits(images(6, seed=1))
    passed(network, images(6, seed=1))
    np.testing.assert_array_equal(logits, kept)
    logits[:] = 0
    np.testing.assert_array_equal(build().predict_logits(images(6)), kept)


def test_memory_kept_from_a_larger_batch_does_not_show_in_a_smaller() -> None:
    used, fresh = build(dropout=0.0), build(dropout=0.0)
    for n, seed in ((9, 1), (4, 2), (9, 3)):
        passed(used, images(n, seed))
        used.predict_logits(images(20, seed))
        used.restore(fresh.state())
        np.testing.assert_array_equal(
            passed(used, images(n, seed=5)), passed(fresh, images(n, seed=5))
        )
        np.testing.assert_array_equal(used.gradient, fresh.gradient)
        used.restore(fresh.state())


def test_a_network_that_has_nothing_to_learn() -> None:
    network = scratch.Network([scratch.Scaling(0.1, 2.0), scratch.Flatten(), scratch.Tanh()])
    X = images(4) / 255
    np.testing.assert_allclose(passed(network, X), np.tanh((X - 0.1) / 2).reshape(4, -1), rtol=1e-6)
    assert network.weights.shape == network.gradient.shape == (0,)
    assert list(network.parameters()) == []
    assert scratch.check_gradients(network, X, [0, 1, 2, 3]).worst < 1e-6
    assert network.restore(network.state()).state().keys() == {"0.shift", "0.scale"}


@pytest.mark.parametrize(
    ("arguments", "n_parameters"),
    [
        ({"hidden_sizes": ()}, 784 * 10 + 10),
        ({}, 101_770),  # row A4: 784 * 128 + 128 + 128 * 10 + 10
        ({"hidden_sizes": (64, 32)}, 784 * 64 + 64 + 64 * 32 + 32 + 32 * 10 + 10),
        # Row E3: two convolutions of 3 x 3, images of 7 x 7 at their end.
        ({"channels": (16, 32), "hidden_sizes": ()}, 20_490),
        ({"channels": (4,), "hidden_sizes": (8,)}, 9 * 4 + 4 + 14 * 14 * 4 * 8 + 8 + 8 * 10 + 10),
        ({"batch_norm": True, "dropout": 0.5}, 101_770 + 2 * 128),
        ({"channels": (16, 32), "hidden_sizes": (), "batch_norm": True}, 20_490 + 2 * (16 + 32)),
    ],
)
def test_parameter_counts(arguments: dict, n_parameters: int) -> None:
    network = scratch.build((28, 28), 10, **arguments)
    assert network.weights.shape == (n_parameters,)
    assert network.predict_logits(np.zeros((2, 28, 28), np.uint8)).shape == (2, 10)


def test_layers_are_named_and_ordered() -> None:
    kinds = [type(layer).__name__ for layer in build(activation="leaky-relu").layers]
    assert " ".join(kinds) == (
        "Scaling Reshape Conv2d BatchNorm MaxPool2d LeakyReLU "
        "Flatten Linear BatchNorm LeakyReLU Dropout Linear"
    )


def test_the_seed_decides_the_weights() -> None:
    first = build(seed=4).weights
    np.testing.assert_array_equal(first, build(seed=4).weights)
    assert not np.array_equal(first, build(seed=5).weights)


@pytest.mark.parametrize("name", scratch.INITIALISATIONS)
def test_the_initialisation_is_that_of_every_layer(name: str) -> None:
    network = scratch.build((2, 2), 300, (400,), (500,), initialisation=name)
    trained = [w for _, w, _ in network.parameters() if w.ndim == 2]
    sizes = [(9, 500), (500, 400), (400, 300)]
    assert [w.shape for w in trained] == sizes
    expected = [2 / (n_in + (n_out if name == "xavier" else 0)) for n_in, n_out in sizes]
    assert [w.var() for w in trained] == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"activation": "rleu"}, "unknown activation 'rleu'; there are: relu, leaky-relu, tanh"),
        ({"initialisation": "hee"}, "unknown initialisation 'hee'; there are: he, xavier"),
        ({"hidden_sizes": (8, 0)}, "hidden_sizes must be at least 1, got 0"),
        ({"channels": (-1,)}, "channels must be at least 1, got -1"),
        ({"dropout": 1.0}, "0 <= dropout < 1, got 1.0"),
        ({"dropout": -0.1}, "0 <= dropout < 1, got -0.1"),
        ({"dropout": float("nan")}, "got nan"),
        ({"channels": (2, 2, 2)}, "images of 6x6 are too small to be halved 3 times"),
    ],
)
def test_what_cannot_be_built_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        build(**arguments)


def test_images_may_be_as_small_as_they_can_be_halved() -> None:
    network = scratch.build((4, 7), 3, (), (2, 2))
    assert network.predict_logits(np.zeros((1, 4, 7))).shape == (1, 3)
    with pytest.raises(RecipeError, match="images of 3x7 are too small"):
        scratch.build((3, 7), 3, (), (2, 2))


@pytest.mark.parametrize("room", ["scratch", "phases"])
def test_numpy_is_all_it_takes(room: str) -> None:
    heavy = {"torch", "torchvision", "sklearn", "scipy", "pandas", "polars", "matplotlib"}
    check = f"import sys, mnistlab.{room}; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
