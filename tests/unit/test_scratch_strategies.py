"""Label smoothing, clipping, moving averages and Adagrad by hand, beside torch's."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mnistlab import scratch
from mnistlab.errors import RecipeError
from mnistlab.phases import Callbacks, Epoch, Phase
from mnistlab.scratch.layer import Array
from mnistlab.scratch.training import MovingAverage, clip
from mnistlab.training import loop as torch_loop

NAMES = {"W": "weight", "gamma": "weight", "b": "bias", "beta": "bias"}
NAMES |= {"running_mean": "running_mean", "running_variance": "running_var"}


def pair() -> tuple[scratch.Network, nn.Sequential]:
    """6-8-3 with batch normalisation, by hand and torch's, with the same weights.

    Normalisation comes first: the gradient of a bias before it is nothing but rounding, which
    Adagrad and Adam would blow up.
    """
    random = np.random.default_rng(0)
    layers = [scratch.BatchNorm(6), scratch.Linear(6, 8, random), scratch.Tanh()]
    network = scratch.Network([*layers, scratch.Linear(8, 3, random)], np.float64)
    twin = nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    twin.load_state_dict(as_torch(network.state()), strict=False)
    return network, twin


def as_torch(state: dict[str, Array]) -> dict[str, torch.Tensor]:
    """A state under torch's names; num_batches_tracked is torch's alone."""
    named = {}
    for key, array in state.items():
        layer, _, name = key.partition(".")
        named[f"{layer}.{NAMES[name]}"] = torch.from_numpy(array.T.copy())
    return named


def assert_same(
    network: scratch.Network, twin: nn.Module, rtol: float = 1e-9, atol: float = 1e-12
) -> None:
    theirs = twin.state_dict()
    ours = as_torch(network.state())
    assert ours.keys() == {name for name in theirs if "num_batches" not in name}
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], rtol=rtol, atol=atol, err_msg=name)


def batches(n: int) -> list[tuple[Array, Array]]:
    random = np.random.default_rng(1)
    return [(random.normal(size=(10, 6)), random.integers(0, 3, 10)) for _ in range(n)]


# Each alone, 30 steps


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_label_smoothing(smoothing: float) -> None:
    network, twin = pair()
    loss, optimizer = scratch.SoftmaxCrossEntropy(smoothing), torch.optim.SGD(twin.parameters(), 1)
    losses, losses_twin = [], []
    for X, y in batches(30):
        losses.append(loss.forward(network.forward(X, training=True), y))
        network.backward(loss.backward())
        network.weights -= network.gradient
        loss_twin = cross_entropy(
            twin(torch.from_numpy(X)), torch.from_numpy(y), label_smoothing=smoothing
        )
        losses_twin.append(loss_twin.item())
        optimizer.zero_grad()
        loss_twin.backward()
        optimizer.step()
    np.testing.assert_allclose(losses, losses_twin, rtol=1e-9)
    assert_same(network, twin)


@settings(deadline=None)
@given(
    arrays(np.float64, (3, 4), elements=st.floats(-1e4, 1e4)), st.integers(0, 3), st.floats(0, 0.99)
)
def test_the_smoothed_loss_and_its_gradient(logits: Array, label: int, smoothing: float) -> None:
    y, loss = np.array([label, 0, 3]), scratch.SoftmaxCrossEntropy(smoothing)
    twin = torch.tensor(logits, requires_grad=True)
    loss_twin = cross_entropy(twin, torch.from_numpy(y), label_smoothing=smoothing)
    loss_twin.backward()
    assert loss.forward(logits, y) == pytest.approx(loss_twin.item(), rel=1e-11, abs=1e-11)
    np.testing.assert_allclose(loss.backward(), twin.grad, atol=1e-15)


@pytest.mark.parametrize("largest", [0.05, 0.7, 1e9])
def test_clipping(largest: float) -> None:
    """torch divides by the norm + 1e-6, which the tolerance allows for."""
    network, twin = pair()
    loss, optimizer = scratch.SoftmaxCrossEntropy(), torch.optim.SGD(twin.parameters(), 0.5)
    norms = []
    for X, y in batches(30):
        loss.forward(network.forward(X, training=True), y)
        network.backward(loss.backward())
        norms.append(float(np.linalg.norm(network.gradient)))
        clip(network.gradient, largest)
        assert np.linalg.norm(network.gradient) == pytest.approx(min(norms[-1], largest))
        network.weights -= 0.5 * network.gradient
        optimizer.zero_grad()
        cross_entropy(twin(torch.from_numpy(X)), torch.from_numpy(y)).backward()
        nn.utils.clip_grad_norm_(twin.parameters(), largest)
        optimizer.step()
    assert_same(network, twin, rtol=1e-5, atol=1e-6)
    if largest == 0.7:  # some were cut and some were not
        assert min(norms) < largest < max(norms)


def test_a_gradient_of_nothing_is_left_alone() -> None:
    gradient = np.zeros(3)
    clip(gradient, 1.0)
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("weight_decay", [0.0, 0.03])
def test_adagrad(weight_decay: float) -> None:
    network, twin = pair()
    optimizer = scratch.OPTIMIZERS["adagrad"](network.weights, network.gradient, weight_decay)
    optimizer_twin = torch.optim.Adagrad(twin.parameters(), 0.1, weight_decay=weight_decay)
    loss = scratch.SoftmaxCrossEntropy()
    for X, y in batches(30):
        loss.forward(network.forward(X, training=True), y)
        network.backward(loss.backward())
        optimizer.step(0.1)
        optimizer_twin.zero_grad()
        cross_entropy(twin(torch.from_numpy(X)), torch.from_numpy(y)).backward()
        optimizer_twin.step()
    assert_same(network, twin, rtol=1e-7)


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
def test_the_moving_average_with_its_buffers(decay: float) -> None:
    network, twin = pair()
    average = MovingAverage(network, decay)
    average_twin = AveragedModel(twin, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    loss, optimizer = scratch.SoftmaxCrossEntropy(), torch.optim.SGD(twin.parameters(), 0.5)
    for X, y in batches(30):
        loss.forward(network.forward(X, training=True), y)
        network.backward(loss.backward())
        network.weights -= 0.5 * network.gradient
        average.follow()
        optimizer.zero_grad()
        cross_entropy(twin(torch.from_numpy(X)), torch.from_numpy(y)).backward()
        optimizer.step()
        average_twin.update_parameters(twin)
    assert_same(network, twin)
    average.swap()
    assert_same(network, average_twin.module)
    average.swap()
    assert_same(network, twin)


def test_the_average_starts_at_the_first_steps_weights() -> None:
    network, _ = pair()
    average = MovingAverage(network, 0.75)
    average.swap()  # before there is one, nothing happens
    network.weights[:] = 4
    average.follow()
    network.weights[:] = 8
    average.follow()
    average.swap()
    np.testing.assert_array_equal(network.weights, 5)
    average.swap()
    np.testing.assert_array_equal(network.weights, 8)


# All in the loop


def blobs(n: int, seed: int) -> scratch.Examples:
    random, y = np.random.default_rng(seed), np.arange(n) % 3
    X = random.normal(size=(n, 6))
    X[np.arange(n), y] += 2
    return scratch.Examples(X, y)


def numbers(epoch: Epoch) -> dict[str, float]:
    values = asdict(epoch)
    return {name: values[name] for name in values if name != "time_s" and values[name] is not None}


@pytest.mark.parametrize("validated", [True, False])
@pytest.mark.parametrize(
    "phases",
    [
        [Phase("sgd", 0.2, 4, label_smoothing=0.1)],
        [Phase("sgd", 0.2, 4, clip_norm=0.1)],
        [Phase("sgd", 0.2, 4, ema_decay=0.9)],
        [Phase("adagrad", 0.05, 4)],
        [Phase("sgd", 1e-9, 12, "plateau", monitor="loss")],
        [
            Phase("adam", 0.02, 3, "warm-up", 0.01, ema_decay=0.8),
            Phase("sgd", 0.5, 9, "plateau", patience=2, monitor="loss", min_improvement=0.01),
            Phase("adagrad", 0.02, 3, "step", label_smoothing=0.2, ema_decay=0.5, clip_norm=0.3),
        ],
    ],
    ids=["label smoothing", "clipping", "average", "adagrad", "plateau", "all"],
)
def test_both_loops_tell_the_same_history(
    phases: list[Phase], validated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, twin = pair()
    shuffler = np.random.default_rng(7)  # each loop shuffles by its library: give torch this one
    monkeypatch.setattr(
        torch, "randperm", lambda n, generator: torch.from_numpy(shuffler.permutation(n))
    )
    parts = [blobs(70, 0), blobs(60, 1) if validated else None]
    parts_twin = [part and torch_loop.Examples(*map(torch.from_numpy, part[:2])) for part in parts]
    history = scratch.train(network, *parts, phases, scratch.Settings(16, 7))
    history_twin = torch_loop.train(twin, *parts_twin, phases, torch_loop.Settings(16, 0))
    assert len(history) == len(history_twin)
    for mine, theirs in zip(history, history_twin, strict=True):
        # Losses of the torch loop are float32.
        assert numbers(mine) == pytest.approx(numbers(theirs), rel=1e-5)
    assert_same(network, twin, rtol=1e-4)


def test_the_average_is_what_is_judged_and_kept() -> None:
    """At a rate that throws the weights about, they are worse than their average."""
    network, validation = pair()[0], blobs(60, 1)
    judged: list[float] = []
    history = scratch.train(
        network,
        blobs(70, 0),
        validation,
        [Phase("sgd", 1.0, 6, ema_decay=0.9)],
        scratch.Settings(8, 0),
        callbacks=Callbacks(
            on_epoch=lambda epoch: judged.append(scratch.training.measure(network, validation)[0])
        ),
    )
    losses = [epoch.val_loss for epoch in history]
    assert judged == losses  # while an epoch is reported, the network is its average
    best = max(range(6), key=lambda n: (history[n].val_accuracy, -n))
    assert scratch.training.measure(network, validation)[0] == losses[best]
    assert any(a > b for a, b in pairwise(losses))


def test_an_optimizer_that_is_not_written_by_hand_is_refused() -> None:
    with pytest.raises(RecipeError, match="'muon' is not written by hand; there are: sgd, ") as e:
        scratch.train(pair()[0], blobs(9, 0), None, [Phase("muon")], scratch.Settings(3, 0))
    assert "\n" not in str(e.value)
