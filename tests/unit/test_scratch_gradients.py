"""Every layer's backward against differences of the loss, and the check against wrong backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import pytest

from mnistlab import scratch
from mnistlab.scratch.layer import Array, Layer

LIMIT = 1e-6
IMAGES = (4, 6, 6, 2)


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


# Each layer alone in front of Flatten, whose features are then the logits.
ALONE: dict[str, tuple[Callable[[], Layer], tuple[int, ...]]] = {
    "Linear": (lambda: scratch.Linear(5, 4, rng()), (6, 5)),
    "ReLU": (scratch.ReLU, IMAGES),
    "LeakyReLU": (scratch.LeakyReLU, IMAGES),
    "LeakyReLU steep": (lambda: scratch.LeakyReLU(0.3), (6, 5)),
    "Tanh": (scratch.Tanh, IMAGES),
    "Sigmoid": (scratch.Sigmoid, IMAGES),
    "Dropout": (lambda: scratch.Dropout(0.4, rng()), IMAGES),
    "Dropout of none": (lambda: scratch.Dropout(0.0, rng()), (6, 5)),
    "BatchNorm rows": (lambda: scratch.BatchNorm(5), (6, 5)),
    "BatchNorm images": (lambda: scratch.BatchNorm(2), IMAGES),
    "Conv2d": (lambda: scratch.Conv2d(2, 3, rng()), IMAGES),
    "Conv2d 1x1": (lambda: scratch.Conv2d(2, 3, rng(), kernel_size=1, padding=0), IMAGES),
    "Conv2d 2x2": (lambda: scratch.Conv2d(2, 2, rng(), kernel_size=2, padding=1), IMAGES),
    "Conv2d unpadded": (lambda: scratch.Conv2d(2, 2, rng(), padding=0), (3, 4, 7, 2)),
    "Conv2d 5x5": (lambda: scratch.Conv2d(1, 2, rng(), kernel_size=5, padding=2), (3, 5, 4, 1)),
    "Conv2d padded past its kernel": (
        lambda: scratch.Conv2d(1, 2, rng(), kernel_size=1, padding=2),
        (3, 3, 2, 1),
    ),
    "MaxPool2d": (scratch.MaxPool2d, IMAGES),
    "MaxPool2d not dividing": (scratch.MaxPool2d, (3, 5, 7, 2)),
    "MaxPool2d 3x3": (lambda: scratch.MaxPool2d(3), (3, 7, 8, 2)),
    "MaxPool2d 1x1": (lambda: scratch.MaxPool2d(1), (3, 2, 3, 2)),
    "Flatten": (scratch.Flatten, IMAGES),
    "Reshape": (lambda: scratch.Reshape(4, 3), (5, 2, 6)),
    "Scaling": (lambda: scratch.Scaling(0.3, 1.7), IMAGES),
}


def subclasses(of: type[Layer]) -> Iterator[type[Layer]]:
    for kind in of.__subclasses__():
        yield kind
        yield from subclasses(kind)


def test_every_layer_there_is_has_a_check() -> None:
    checked = {type(make()) for make, _ in ALONE.values()}
    assert checked == {k for k in subclasses(Layer) if k.__module__.startswith("mnistlab.")}


@pytest.mark.parametrize("name", ALONE)
def test_layer_alone(name: str) -> None:
    make, shape = ALONE[name]
    random = np.random.default_rng(5)
    network = scratch.Network([make(), scratch.Flatten()], np.float64)
    network.weights[:] = random.normal(size=network.weights.shape)
    X, y = random.normal(size=shape), random.integers(0, 2, shape[0])
    check = scratch.check_gradients(network, X, y)
    assert check.worst < LIMIT, str(check)
    assert check.errors.keys() == {f"0.{name}" for name in network.layers[0].trained} | {"X"}
    assert check.n_checked + check.n_kinks == sum(
        min(100, array.size) for array in (*(w for _, w, _ in network.parameters()), X)
    )
    assert check.n_kinks <= check.n_checked // 50


NETWORKS = list(
    product(
        scratch.ACTIVATIONS, scratch.INITIALISATIONS, (False, True), (0.0, 0.3), ((), (3,), (2, 3))
    )
)


@pytest.mark.parametrize(
    ("activation", "initialisation", "batch_norm", "dropout", "channels"), NETWORKS
)
def test_whole_network(
    activation: str,
    initialisation: str,
    batch_norm: bool,
    dropout: float,
    channels: tuple[int, ...],
) -> None:
    network = scratch.build(
        (5, 6),
        3,
        (6, 5),
        channels,
        activation,
        initialisation,
        batch_norm,
        dropout,
        scaling=(0.5, 2.0),
        seed=1,
    )
    X = np.random.default_rng(2).normal(size=(6, 5, 6))
    check = scratch.check_gradients(network, X, np.arange(6) % 3, n_entries=8)
    assert check.worst < LIMIT, str(check)
    assert check.n_kinks <= check.n_checked // 10


def wrong(layer: Layer, **methods: object) -> Layer:
    """The same layer with some methods in place of its own."""
    layer.__class__ = type(f"Wrong{type(layer).__name__}", (type(layer),), methods)
    return layer


def times(array: str, factor: float) -> dict[str, object]:
    def backward_parameters(layer: Layer, dY: Array) -> None:
        super(type(layer), layer).backward_parameters(dY)
        getattr(layer, array)[...] *= factor

    return {"backward_parameters": backward_parameters}


def way_back_times(factor: float) -> dict[str, object]:
    return {"backward": lambda layer, dY: super(type(layer), layer).backward(dY) * factor}


def without_variance(layer: scratch.BatchNorm, dY: Array) -> Array:
    layer.backward_parameters(dY)
    return (dY - dY.mean((0, 1, 2))) * (layer.gamma * layer.inverse_deviation)


# Place in the network below, what is wrong there, the arrays whose errors must tell.
CONV = {"X", "1.W", "1.b"}
LINEAR = CONV | {"4.gamma", "4.beta", "6.W", "6.b"}
WRONG: dict[str, tuple[int, dict[str, object], set[str]]] = {
    "scaling the wrong way": (0, {"backward": lambda layer, dY: dY * layer.scale}, {"X"}),
    "kernel a little too steep": (1, times("dW", 1.001), {"1.W"}),
    "no bias gradient": (1, times("db", 0.0), {"1.b"}),
    "convolution's dX a little too steep": (1, way_back_times(1.001), {"X"}),
    "pool to every place": (2, {"backward": lambda _, dY: dY.repeat(2, 1).repeat(2, 2)}, CONV),
    "ReLU lets all through": (3, {"backward": lambda _, dY: dY}, CONV),
    "gamma's sign": (4, times("dgamma", -1.0), {"4.gamma"} | CONV),
    "beta's gradient without its end": (4, times("dbeta", [1.0, 0.0]), {"4.beta"} | CONV),
    "nothing through the variance": (4, {"backward": without_variance}, CONV),
    "bias a little too steep": (6, times("db", 1.001), {"6.b"}),
    "linear dX's sign": (6, way_back_times(-1.0), LINEAR - {"6.W", "6.b"}),
    "sigmoid without Y": (7, {"backward": lambda layer, dY: dY * (1 - layer.Y)}, LINEAR),
    "dropout not divided": (8, {"backward": lambda layer, dY: dY * (layer.mask > 0)}, LINEAR),
    "last weights": (9, times("dW", 1.001), {"9.W"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_backward_is_told_under_the_right_name(name: str) -> None:
    place, methods, names = WRONG[name]
    random = rng()
    layers = [
        scratch.Scaling(0.5, 2.0),
        scratch.Conv2d(1, 2, random),
        scratch.MaxPool2d(2),
        scratch.ReLU(),
        scratch.BatchNorm(2),
        scratch.Flatten(),
        scratch.Linear(8, 6, random),
        scratch.Sigmoid(),
        scratch.Dropout(0.3, random),
        scratch.Linear(6, 3, random),
    ]
    X, y = random.normal(size=(6, 4, 4, 1)), np.arange(6) % 3
    assert scratch.check_gradients(scratch.Network(layers), X, y).worst < LIMIT
    wrong(layers[place], **methods)
    check = scratch.check_gradients(scratch.Network(layers), X, y)
    assert {name for name, error in check.errors.items() if error > 1e-5} == names, str(check)


class OnlyBackward(scratch.Linear):
    """A first layer that fills its gradients in backward alone: in training it never learns."""

    def backward(self, dY: Array) -> Array:
        super().backward_parameters(dY)
        return dY @ self.W.T

    def backward_parameters(self, dY: Array) -> None:
        Layer.backward_parameters(self, dY)


def test_the_shortcut_that_training_takes_in_the_first_layer_is_checked() -> None:
    network = scratch.Network([OnlyBackward(4, 3, rng())], np.float64)
    check = scratch.check_gradients(network, rng().normal(size=(5, 4)), np.arange(5) % 3)
    assert check.errors == pytest.approx({"0.W": 1, "0.b": 1, "X": 0}, abs=LIMIT)


@pytest.mark.parametrize(
    ("layer", "X", "n_kinks"),
    [
        (scratch.ReLU(), [[1.0, 0.0, -1.0], [0.0, 2.0, 3.0]], 2),
        (scratch.LeakyReLU(), [[1.0, 0.0, -1.0], [0.0, 2.0, 3.0]], 2),
        (scratch.MaxPool2d(2), [[[[0.5], [0.5]], [[0.1], [0.2]]]], 2),
    ],
)
def test_kinks_are_left_out_and_counted(layer: Layer, X: list, n_kinks: int) -> None:
    network, y = scratch.Network([layer, scratch.Flatten()], np.float64), [0] * len(X)
    if isinstance(layer, scratch.MaxPool2d):
        network = scratch.Network([layer, scratch.Flatten(), scratch.Linear(1, 2, rng())])
    check = scratch.check_gradients(network, X, y)
    assert check.worst < LIMIT
    assert check.n_kinks == n_kinks
    wrong(layer, pattern=lambda layer: None)
    assert scratch.check_gradients(network, X, y).errors["X"] > 0.1


@pytest.mark.parametrize("given_as", [np.uint8, np.float64])
def test_the_network_and_the_images_are_left_as_they_were(given_as: type) -> None:
    network = scratch.build((4, 4), 3, (6,), (2,), batch_norm=True, dropout=0.5)
    X, y = rng().integers(0, 256, (6, 4, 4)).astype(given_as), np.arange(6) % 3
    X.setflags(write=False)
    network.forward(X, training=True)
    network.gradient[:] = 7
    generator = next(lay for lay in network.layers if isinstance(lay, scratch.Dropout)).random
    state, generator_state = network.state(), generator.bit_generator.state
    first, second, other = (
        scratch.check_gradients(network, X, y, n_entries=5, seed=s) for s in (0, 0, 1)
    )
    assert first == second != other
    assert first.worst < LIMIT
    assert (network.gradient == 7).all()
    assert network.weights.dtype == np.float32
    assert generator.bit_generator.state == generator_state
    assert all(np.array_equal(array, state[name]) for name, array in network.state().items())


def test_the_check_prints_a_line_for_each_array() -> None:
    check = scratch.GradientCheck({"2.W": 1.23e-9, "X": 4e-3}, n_checked=120, n_kinks=3)
    assert str(check).splitlines() == [
        "2.W          1.2e-09",
        "X            4.0e-03",
        "120 compared, 3 at a kink left out",
    ]
    assert check.worst == 4e-3
