"""The loop by hand, beside the torch loop where both must agree, and the phases both read."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import approx_fprime
from torch import nn

from mnistlab import scratch
from mnistlab.errors import RecipeError, TrainingError
from mnistlab.phases import SCHEDULES, Callbacks, Epoch, Phase
from mnistlab.scratch import Examples
from mnistlab.training import loop as torch_loop


def blobs(n: int, seed: int) -> Examples:
    """Noise of 3 x 3 with one brighter pixel for each of three classes."""
    random, y = np.random.default_rng(seed), np.arange(n) % 3
    X = random.normal(size=(n, 3, 3))
    X[np.arange(n), 0, y] += 2
    return Examples(X, y)


def network(**arguments: Any) -> scratch.Network:
    return scratch.build((3, 3), 3, (8,), **({"dtype": np.float64} | arguments))


def train(
    net: scratch.Network,
    *phases: Phase,
    n: int = 96,
    batch_size: int = 16,
    callbacks: Callbacks | None = None,
    **settings: Any,
) -> list[Epoch]:
    return scratch.train(
        net,
        blobs(n, 0),
        blobs(60, 1),
        phases,
        scratch.Settings(**({"batch_size": batch_size, "seed": 0} | settings)),
        callbacks,
    )


def numbers(epoch: Epoch) -> dict[str, float]:
    """All but the time, and the None of an epoch without validation."""
    return {k: v for k, v in asdict(epoch).items() if k != "time_s" and v is not None}


def weights(n: int) -> np.ndarray:
    """Of mean 1."""
    drawn = np.random.default_rng(n).uniform(0.5, 1.5, n)
    return drawn / drawn.mean()


def in_torch(examples: Examples) -> torch_loop.Examples:
    return torch_loop.Examples(
        *(None if array is None else torch.from_numpy(array) for array in examples)
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_weighted_loss_and_its_gradient_are_torchs_and_those_of_differences(
    smoothing: float,
) -> None:
    random, y = np.random.default_rng(0), np.arange(12) % 5
    logits, w = random.normal(size=(12, 5)), weights(12)
    loss = scratch.SoftmaxCrossEntropy(smoothing)
    theirs = torch.from_numpy(logits).requires_grad_()
    losses = nn.functional.cross_entropy(
        theirs, torch.from_numpy(y), reduction="none", label_smoothing=smoothing
    )
    (torch.from_numpy(w) * losses).mean().backward()
    assert loss.forward(logits, y, w) == pytest.approx(float(np.mean(w * losses.detach().numpy())))
    gradient = loss.backward()
    np.testing.assert_allclose(gradient, theirs.grad, atol=1e-12)
    slopes = approx_fprime(logits.ravel(), lambda z: loss.forward(z.reshape(12, 5), y, w))
    np.testing.assert_allclose(gradient.ravel(), slopes, atol=1e-6)


@pytest.mark.parametrize("validated", [True, False])
@pytest.mark.parametrize(
    "phases",
    [
        *([Phase("adam", 0.02, 5, schedule)] for schedule in SCHEDULES),
        *([Phase(optimizer, 0.02, 3, weight_decay=0.01)] for optimizer in scratch.OPTIMIZERS),
        [Phase("sgd", 0.1, 3), Phase("sgd", 3.0, 9, "cosine", patience=2), Phase("adamw", 0.01, 2)],
    ],
    ids=lambda phases: " ".join(f"{phase.optimizer} {phase.schedule}" for phase in phases),
)
def test_both_loops_tell_the_same_history(
    phases: list[Phase], validated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare_both_loops(phases, validated, False, monkeypatch)


@pytest.mark.parametrize("validated", [True, False])
def test_both_loops_tell_the_same_of_images_with_weights(
    validated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    phases = [Phase("sgd", 0.1, 3, label_smoothing=0.1), Phase("adam", 0.02, 3, monitor="macro_f1")]
    compare_both_loops(phases, validated, True, monkeypatch)


def compare_both_loops(
    phases: list[Phase], validated: bool, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network(activation="tanh")
    twin = nn.Sequential(nn.Flatten(), nn.Linear(9, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    with torch.no_grad():
        for (_, w, _), theirs in zip(net.parameters(), twin.parameters(), strict=True):
            theirs.copy_(torch.from_numpy(w.T))
    shuffler = np.random.default_rng(7)  # each loop shuffles by its library: give torch this one
    monkeypatch.setattr(
        torch, "randperm", lambda n, generator: torch.from_numpy(shuffler.permutation(n))
    )
    parts = [blobs(70, 0), blobs(60, 1) if validated else None]  # the last of 5 batches has 6
    if weighted:
        parts = [part and part._replace(w=weights(len(part.y))) for part in parts]
    parts_twin = [part and in_torch(part) for part in parts]
    history = scratch.train(net, *parts, phases, scratch.Settings(16, 7))
    history_twin = torch_loop.train(twin, *parts_twin, phases, torch_loop.Settings(16, 0))
    assert len(history) == len(history_twin)
    for mine, theirs in zip(history, history_twin, strict=True):
        # Losses of the torch loop are float32, and so are its weights of images.
        assert numbers(mine) == pytest.approx(numbers(theirs), rel=1e-4 if weighted else 1e-5)
        assert mine.learning_rate == theirs.learning_rate
    for (_, w, _), theirs in zip(net.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(w.T, theirs.detach(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("validated", [True, False])
def test_every_phase_leaves_the_best_weights_so_far(validated: bool) -> None:
    """The second phase ruins the network in all its epochs; the third can change nothing."""
    states, validation = [], blobs(60, 1) if validated else None
    net = network(batch_norm=True)
    phases = [Phase("adam", 0.05, 6), Phase("sgd", 30.0, 3), Phase("sgd", 1e-300, 1)]
    history = scratch.train(
        net,
        blobs(96, 0),
        validation,
        phases,
        scratch.Settings(16, 0),
        callbacks=Callbacks(on_epoch=lambda epoch: states.append(net.state())),
    )
    scores = [epoch.val_accuracy if validated else -epoch.train_loss for epoch in history]
    assert max(scores[6:9]) < max(scores[:6])
    best = states[int(np.argmax(scores))]  # the earliest of equal ones
    assert net.state().keys() == best.keys()
    assert all(np.array_equal(array, best[name]) for name, array in net.state().items())
    np.testing.assert_array_equal(states[9]["2.W"], states[int(np.argmax(scores[:9]))]["2.W"])


def trained_plainly(
    net: nn.Module, rates: tuple[float, ...], patience: int
) -> tuple[list[list[float]], list[dict[str, torch.Tensor]]]:
    """Accuracies and best weights of each phase, by SGD on batches in order, in plain torch.

    Each phase stops by itself and begins with the weights that the one before ended with.
    """
    (X, y), (X_val, y_val) = in_torch(blobs(96, 0))[:2], in_torch(blobs(60, 1))[:2]
    accuracies, best = [], []
    for rate in rates:
        optimizer, scores, weights, waited = torch.optim.SGD(net.parameters(), rate), [], {}, 0
        while waited < patience and len(scores) < 9:
            for images, labels in zip(X.split(16), y.split(16), strict=True):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(images), labels).backward()
                optimizer.step()
            scores.append((net(X_val).argmax(1) == y_val).double().mean().item())
            waited += 1
            if scores[-1] > max([0.0, *scores[:-1]]):
                weights = {name: w.clone() for name, w in net.state_dict().items()}
                waited = 0
        accuracies.append(scores)
        best.append(weights)
    return accuracies, best


def test_in_file_order_and_from_last_weights_it_is_a_plain_torch_loop() -> None:
    """The middle phase ruins the network, so that best and last weights are far apart."""
    rates, patience = (0.3, 5.0, 0.1), 2
    phases = [
        Phase("sgd", rate, 9, patience=patience, keep=keep)
        for rate, keep in zip(rates, ("last", "last", "best"), strict=True)
    ]
    net = network()
    twin = nn.Sequential(nn.Flatten(), nn.Linear(9, 8), nn.ReLU(), nn.Linear(8, 3)).double()
    with torch.no_grad():
        for (_, w, _), theirs in zip(net.parameters(), twin.parameters(), strict=True):
            theirs.copy_(torch.from_numpy(w.T))
    accuracies, best = trained_plainly(twin, rates, patience)
    history = train(net, *phases, order="file")
    assert [
        [epoch.val_accuracy for epoch in history if epoch.phase == number] for number in range(3)
    ] == accuracies
    for (_, w, _), theirs in zip(net.parameters(), best[2].values(), strict=True):
        np.testing.assert_allclose(w.T, theirs, rtol=1e-9, atol=1e-12)
    shuffled = train(network(), *phases)
    from_best = train(network(), *(replace(p, keep="best") for p in phases), order="file")
    for other in (shuffled, from_best):
        assert [epoch.val_accuracy for epoch in other] != [e.val_accuracy for e in history]


def test_an_order_there_is_not_is_refused() -> None:
    with pytest.raises(RecipeError, match="unknown order 'sorted'; there are: shuffled, file"):
        train(network(), Phase("sgd", 0.1, 1), order="sorted")


def test_patience_ends_a_phase_and_the_next_begins() -> None:
    """At a rate too small to change anything the first epoch is the best one."""
    phases = [Phase("sgd", 1e-300, 9, patience=2), Phase("sgd", 1e-300, 9, patience=3)]
    history = train(network(), *phases)
    assert [epoch.phase for epoch in history] == [0, 0, 0, 1, 1, 1]
    assert [epoch.epoch for epoch in history] == [1, 2, 3, 4, 5, 6]


def test_an_epoch_that_gains_gives_patience_back() -> None:
    history = scratch.train(
        network(), blobs(96, 0), None, [Phase("sgd", 0.02, 8, patience=1)], scratch.Settings(96, 0)
    )
    losses = [epoch.train_loss for epoch in history]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == 8


def test_same_seed_same_bits() -> None:
    def run(weights_seed: int, order_seed: int) -> tuple[list[dict[str, float]], bytes]:
        net = network(dtype=np.float32, dropout=0.3, batch_norm=True, seed=weights_seed)
        history = train(net, Phase("adam", 0.02, 3), seed=order_seed)
        return [numbers(epoch) for epoch in history], net.weights.tobytes()

    assert run(0, 0) == run(0, 0)
    assert run(0, 0)[1] != run(0, 1)[1]
    assert run(0, 0)[1] != run(1, 0)[1]


def test_a_batch_larger_than_the_set_is_the_set() -> None:
    nets = [network(), network()]
    histories = [
        train(net, Phase("sgd", 0.1, 4), n=30, batch_size=size)
        for net, size in zip(nets, (30, 1000), strict=True)
    ]
    for some, other in zip(*histories, strict=True):
        assert numbers(some) == numbers(other)
    np.testing.assert_array_equal(nets[0].weights, nets[1].weights)


def test_every_step_and_every_epoch_is_reported() -> None:
    steps, epochs = [], []
    history = train(
        network(),
        Phase(epochs=2),
        Phase(epochs=3),
        n=33,
        callbacks=Callbacks(on_step=lambda: steps.append(len(epochs)), on_epoch=epochs.append),
    )
    assert steps == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]  # 16 + 16 + 1 images an epoch
    assert epochs == history
    assert all(epoch.time_s > 0 for epoch in history)


@pytest.mark.parametrize(
    ("batch_size", "validation", "where"),
    [
        (16, blobs(60, 1), "train_loss"),
        (16, None, "train_loss"),
        (96, blobs(60, 1), "val_loss"),  # one step: its loss is still that of the first weights
    ],
)
def test_a_loss_that_is_not_finite_stops_and_is_reported(
    batch_size: int, validation: Examples | None, where: str
) -> None:
    seen: list[Epoch] = []
    with pytest.raises(TrainingError, match=r"no longer finite in epoch 1 .*1e\+30.*learning_rate"):
        scratch.train(
            network(dtype=np.float32),
            blobs(96, 0),
            validation,
            [Phase("sgd", 1e30, 9)],
            scratch.Settings(batch_size, 0),
            callbacks=Callbacks(on_epoch=seen.append),
        )
    assert len(seen) == 1
    assert not math.isfinite(getattr(seen[0], where))


def test_no_phase_leaves_the_network_alone() -> None:
    net = network()
    assert train(net) == []
    np.testing.assert_array_equal(net.weights, network().weights)


@pytest.mark.parametrize("channels", [(), (8,)])
def test_32_images_of_noise_are_learned_by_heart(channels: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    X, y = random.integers(0, 256, (32, 8, 8), dtype=np.uint8), random.integers(0, 10, 32)
    net = scratch.build((8, 8), 10, (64,), channels, scaling=(127.5, 74.0))
    phases = [Phase("adam", 0.01, 60)]
    history = scratch.train(net, Examples(X, y), None, phases, scratch.Settings(16, 0))
    assert history[-1].train_accuracy == 1
    assert history[-1].train_loss < 0.02
    assert (net.predict_logits(X).argmax(1) == y).all()


@pytest.mark.parametrize("n_classes", [2, 10, 26])
def test_the_first_loss_is_that_of_guessing(n_classes: int) -> None:
    random = np.random.default_rng(0)
    X = random.integers(0, 128, (200, 28, 28), dtype=np.uint8)
    y = np.arange(200) % n_classes
    net = scratch.build((28, 28), n_classes, scaling=(0.0, 255.0))
    for images, tolerance in ((X, 0.15), (X * 0, 1e-6)):
        history = scratch.train(
            net, Examples(images, y), None, [Phase("sgd", 1e-300, 1)], scratch.Settings(64, 0)
        )
        assert history[0].train_loss == pytest.approx(math.log(n_classes), abs=tolerance)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("constant", lambda t: 1.0),
        ("cosine", lambda t: math.cos(math.pi * t / 2) ** 2),
        ("one-cycle", lambda t: 5 * t if t < 0.2 else math.cos(math.pi * (t - 0.2) / 1.6) ** 2),
        ("linear", lambda t: min(5 * t, (1 - t) / 0.8)),
    ],
)
def test_schedules_are_their_formulas(name: str, formula: Callable[[float], float]) -> None:
    for t in np.linspace(0, 0.999, 200):
        assert SCHEDULES[name](t, []) == pytest.approx(formula(t), abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patience": 0}, "patience must be at least 1, got 0"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"learning_rate": -1e-3}, "learning_rate must be positive, got -0.001"),
        ({"learning_rate": math.inf}, "learning_rate must be a finite number, got inf"),
        ({"weight_decay": -0.1}, "weight_decay must not be negative, got -0.1"),
        ({"optimizer": "sdg"}, "unknown optimizer 'sdg'; there are: sgd, momentum, nesterov"),
        ({"schedule": "cos"}, "unknown schedule 'cos'; there are: constant, warm-up"),
    ],
)
def test_an_impossible_phase_says_what_is_wrong(arguments: dict, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Phase(**arguments)
    assert Phase(patience=1, weight_decay=0.0).patience == 1
