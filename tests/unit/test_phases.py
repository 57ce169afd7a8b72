"""Schedules beside torch's, and the rule that says which epoch is the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from mnistlab.errors import RecipeError
from mnistlab.phases import (
    SCHEDULES,
    Best,
    Epoch,
    Phase,
    TrainState,
    Validated,
    epoch_of_weights,
)

# Schedules


def rates_of_torch(
    make: Callable[[torch.optim.Optimizer], Any], n: int, losses: Sequence[float] | None = None
) -> list[float]:
    """The rate of each of n epochs from a rate of 1; stepped on the losses where there are any."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, rates = make(optimizer), []
    for epoch in range(n):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step() if losses is None else scheduler.step(losses[epoch])
    return rates


@pytest.mark.parametrize("n", [1, 4, 7, 40, 200])
def test_cosine_is_torchs(n: int) -> None:
    theirs = rates_of_torch(lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=n), n)
    assert [SCHEDULES["cosine"](t / n, []) for t in range(n)] == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("n", [4, 8, 60, 400])
def test_step_is_torchs(n: int) -> None:
    milestones = [n // 2, 3 * n // 4]
    theirs = rates_of_torch(lambda o: lr_scheduler.MultiStepLR(o, milestones, gamma=0.1), n)
    ours = [SCHEDULES["step"](t / n, []) for t in range(n)]
    assert ours == pytest.approx(theirs)
    assert sorted(set(ours), reverse=True) == pytest.approx([1, 0.1, 0.01])
    assert ours == [ours[0]] * (n // 2) + [ours[n // 2]] * (n // 4) + [ours[-1]] * (n // 4)


@pytest.mark.parametrize("n", [20, 100])
def test_one_cycle_is_a_warm_up_and_torchs_cosine(n: int) -> None:
    n_up = n // 5
    theirs = [t / n_up for t in range(n_up)]
    theirs += rates_of_torch(lambda o: lr_scheduler.CosineAnnealingLR(o, n - n_up), n - n_up)
    ours = [SCHEDULES["one-cycle"](t / n, []) for t in range(n)]
    assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "corners"),
    [
        ("constant", {0: 1, 1: 1}),
        ("warm-up", {0: 0, 0.2: 1, 1: 1}),
        ("linear", {0: 0, 0.2: 1, 1: 0}),
    ],
)
def test_straight_schedules_go_from_corner_to_corner(name: str, corners: dict) -> None:
    for t in np.linspace(0, 1, 1000, endpoint=False):
        expected = np.interp(t, list(corners), list(corners.values()))
        assert SCHEDULES[name](t, []) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "plateau"])
@given(st.lists(st.floats(), max_size=9), st.floats(0, 1, exclude_max=True))
def test_losses_move_the_plateau_alone(name: str, losses: list[float], t: float) -> None:
    assert SCHEDULES[name](t, losses) == SCHEDULES[name](t, [])


def plateau_of_torch(losses: Sequence[float]) -> list[float]:
    """Row A12's scheduler; its eps keeps rates from falling below 1e-8, so it is set to none."""
    return rates_of_torch(
        lambda o: lr_scheduler.ReduceLROnPlateau(o, mode="min", patience=3, eps=0),
        len(losses),
        losses,
    )


def our_plateau(losses: Sequence[float]) -> list[float]:
    return [SCHEDULES["plateau"](0.5, losses[:epoch]) for epoch in range(len(losses))]


@given(st.lists(st.floats(), max_size=40))
def test_plateau_is_torchs_on_any_losses(losses: list[float]) -> None:
    assert our_plateau(losses) == plateau_of_torch(losses)


@given(st.lists(st.sampled_from([1, 0.99995, 0.9999, 0.99985, 0.9998, 0.5]), max_size=60))
def test_plateau_is_torchs_at_its_threshold(losses: list[float]) -> None:
    assert our_plateau(losses) == plateau_of_torch(losses)


@pytest.mark.parametrize("seed", range(10))
def test_plateau_is_torchs_on_curves_like_those_of_training(seed: int) -> None:
    random = np.random.default_rng(seed)
    losses = (np.exp(-np.arange(60) / 8) + 0.3 + random.normal(0, 0.02, 60)).tolist()
    ours = our_plateau(losses)
    assert ours == plateau_of_torch(losses)
    assert len(set(ours)) > 3


def test_plateau_waits_for_the_fourth_epoch_without_a_gain() -> None:
    assert our_plateau([1.0] * 11) == pytest.approx([1] * 5 + [0.1] * 4 + [0.01] * 2)


# The best epoch


def epoch(
    train_loss: float = 1.0, val_loss: float | None = None, val_accuracy: float | None = None
) -> Epoch:
    return Epoch(0, 1, 1e-3, train_loss, 0.5, val_loss, val_accuracy, 1.0)


def validated(accuracy: float = 0.5, loss: float = 1.0) -> Epoch:
    return epoch(9.0, loss, accuracy)


def seen(phase: Phase, epochs: Sequence[Epoch], best: Best | None = None) -> list[bool]:
    """What Best says of each epoch until it is out of patience; its last answer ends the list."""
    best = best or Best()
    best.begin()
    answers = []
    for one in epochs:
        answers.append(best.see(one, phase))
        if best.is_out_of_patience(phase):
            break
    return answers


def test_accuracy_is_monitored_where_nothing_is_said() -> None:
    epochs = [validated(0.5, 1.0), validated(0.4, 0.1), validated(0.6, 5.0), validated(0.55, 0.0)]
    assert seen(Phase(), epochs) == [True, False, True, False]


def test_loss_is_monitored_on_request() -> None:
    epochs = [validated(0.5, 1.0), validated(0.4, 0.1), validated(0.6, 5.0), validated(0.55, 0.0)]
    assert seen(Phase(monitor="loss"), epochs) == [True, True, False, True]


@pytest.mark.parametrize("monitor", ["balanced_accuracy", "macro_f1"])
def test_what_counts_all_classes_alike_is_monitored_on_request(monitor: str) -> None:
    name, phase = f"val_{monitor}", Phase(monitor=monitor, patience=2)
    scores = [0.5, 0.6, 0.6, 0.55, 0.9]
    epochs = [replace(validated(0.9 - n / 10), **{name: s}) for n, s in enumerate(scores)]
    assert seen(phase, epochs) == [True, True, False, False]  # and then it is out of patience


def test_position_and_epochs_without_the_newer_scores_are_read() -> None:
    state = TrainState()
    state.end_epoch(0.5, 0.8, Validated(0.6, 0.7, 0.65, 0.64), 1.0)
    plain = state.to_plain()
    assert TrainState.from_plain(plain) == state
    assert plain["history"][0]["val_balanced_accuracy"] == 0.65
    for name in ("val_balanced_accuracy", "val_macro_f1"):
        del plain["history"][0][name]
    older = TrainState.from_plain(plain).history[0]
    assert (older.val_accuracy, older.val_balanced_accuracy, older.val_macro_f1) == (
        0.7,
        None,
        None,
    )


@pytest.mark.parametrize("monitor", ["accuracy", "loss", "balanced_accuracy", "macro_f1"])
def test_without_validation_training_loss_decides(monitor: str) -> None:
    epochs = [epoch(1.0), epoch(1.1), epoch(0.9), epoch(0.9)]
    assert seen(Phase(monitor=monitor), epochs) == [True, False, True, False]


@pytest.mark.parametrize(
    ("phase", "epochs"),
    [
        (Phase(), [validated(0.5, 1.0), validated(0.5, 0.5), validated(0.5, 2.0)]),
        (Phase(monitor="loss"), [validated(0.5), validated(0.6), validated(0.4)]),
        (Phase(), [epoch(0.0)] * 3),
    ],
)
def test_of_equal_epochs_the_first_is_best(phase: Phase, epochs: list[Epoch]) -> None:
    assert seen(phase, epochs) == [True, False, False]
    assert len(seen(replace(phase, patience=2), epochs * 2)) == 3


def test_patience_counts_epochs_in_a_row() -> None:
    accuracies = [0.5, 0.4, 0.6, 0.5, 0.5, 0.7, 0.6, 0.6, 0.6, 0.9]
    epochs = [validated(accuracy) for accuracy in accuracies]
    assert [len(seen(Phase(patience=patience), epochs)) for patience in (1, 2, 3, 4)] == [
        2,
        5,
        9,
        10,
    ]
    assert len(seen(Phase(), epochs)) == 10


def test_small_gains_are_kept_but_do_not_buy_time() -> None:
    """0.51 and 0.515 are the best so far, yet less than 0.02 above what patience counts from."""
    epochs = [validated(accuracy) for accuracy in (0.5, 0.51, 0.515, 0.9)]
    phase = Phase(patience=2, min_improvement=0.02)
    assert seen(phase, epochs) == [True, True, True]
    assert len(seen(replace(phase, patience=3), epochs)) == 4


def test_small_gains_add_up() -> None:
    """Four of 0.006 are one of 0.024: patience measures from the last gain that counted."""
    epochs = [validated(0.5 + 0.006 * n) for n in range(13)]
    assert seen(Phase(patience=4, min_improvement=0.02), epochs) == [True] * 13
    assert len(seen(Phase(patience=3, min_improvement=0.02), epochs)) == 4


def test_a_gain_of_exactly_the_minimum_is_none() -> None:
    epochs = [validated(accuracy) for accuracy in (0.25, 0.5, 0.75, 0.75)]
    assert len(seen(Phase(patience=1, min_improvement=0.25), epochs)) == 2
    assert len(seen(Phase(patience=1, min_improvement=0.2), epochs)) == 4


def test_minimum_improvement_of_a_loss_is_in_nats() -> None:
    epochs = [validated(loss=loss) for loss in (1.0, 0.95, 0.92, 0.5)]
    phase = Phase(monitor="loss", patience=2, min_improvement=0.1)
    assert seen(phase, epochs) == [True, True, True]


def test_a_phase_has_patience_of_its_own_and_the_best_so_far_stands() -> None:
    best, phase = Best(), Phase(patience=2)
    assert seen(phase, [validated(0.6)] * 9, best) == [True, False, False]
    assert seen(phase, [validated(0.6), validated(0.59), validated(0.9)], best) == [False, False]
    assert seen(phase, [validated(0.61), validated(0.7)], best) == [True, True]


def test_what_another_monitor_has_reached_cannot_be_compared() -> None:
    best = Best()
    assert seen(Phase(), [validated(0.9, 1.0)], best) == [True]
    by_loss = Phase(monitor="loss")
    assert seen(by_loss, [validated(0.1, 2.0), validated(0.1, 1.5)], best) == [True, True]
    assert seen(by_loss, [validated(0.9, 1.6), validated(0.9, 1.4)], best) == [False, True]
    assert seen(Phase(), [validated(0.2, 9.0), validated(0.1, 0.0)], best) == [True, False]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_last_epoch_said_to_be_best_is_the_first_of_the_best(accuracies: list[float]) -> None:
    answers = seen(Phase(), [validated(accuracy) for accuracy in accuracies])
    last = max(number for number, answer in enumerate(answers) if answer)
    assert last == accuracies.index(max(accuracies))


def test_the_epoch_of_the_weights_is_the_best_so_far_or_the_last_of_a_phase() -> None:
    """Accuracies of three phases of three epochs; epochs are counted through."""
    accuracies = (0.5, 0.9, 0.6), (0.7, 0.8, 0.7), (0.3, 0.4, 0.2)
    history = [
        replace(validated(accuracy), phase=number, epoch=3 * number + place)
        for number, of_phase in enumerate(accuracies)
        for place, accuracy in enumerate(of_phase, start=1)
    ]
    best, last = Phase(), Phase(keep="last")
    for phases, epoch_kept in (
        ((best, best, best), 2),
        ((last, best, best), 5),
        ((best, last, best), 8),  # what was best before a phase with last weights counts no more
        ((last, last, best), 8),
        ((best, best, last), 9),
    ):
        assert epoch_of_weights(history, phases) == epoch_kept
    assert epoch_of_weights(history[:7], (last, last, best)) == 7
    assert epoch_of_weights(history[:4], (last, last, best)) == 4
    assert epoch_of_weights([], (best,)) == 0


# What a phase refuses


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patience": 0}, "patience must be at least 1, got 0"),
        ({"learning_rate": -1e-3}, "learning_rate must be positive, got -0.001"),
        ({"clip_norm": 0.0}, "clip_norm must be positive, got 0.0"),
        ({"weight_decay": -0.1}, "weight_decay must not be negative, got -0.1"),
        ({"min_improvement": math.inf}, "min_improvement must be a finite number, got inf"),
        ({"label_smoothing": 1.0}, "label_smoothing must be in 0 <= label_smoothing < 1, got 1.0"),
        ({"ema_decay": 1.5}, "ema_decay must be in 0 <= ema_decay < 1, got 1.5"),
        (
            {"monitor": "val"},
            "unknown monitor 'val'; there are: accuracy, loss, balanced_accuracy, macro_f1",
        ),
        ({"keep": "first"}, "unknown keep 'first'; there are: best, last"),
        ({"schedule": "cos"}, "unknown schedule 'cos'; there are: constant, warm-up, linear, step"),
        ({"optimizer": "moun"}, "unknown optimizer 'moun'; there are: sgd, .*, adagrad, .*, muon"),
    ],
)
def test_an_impossible_phase_says_what_is_wrong(arguments: dict, message: str) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        Phase(**arguments)
    assert "\n" not in str(caught.value)


def test_edges_are_possible() -> None:
    edges = Phase(patience=1, epochs=1, label_smoothing=0, ema_decay=0, min_improvement=0)
    assert (edges.clip_norm, Phase(ema_decay=0.9999).ema_decay) == (None, 0.9999)
