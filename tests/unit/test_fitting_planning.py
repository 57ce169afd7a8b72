"""What a fit trains next, and how it keeps its time: no training here, and no real clock."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from mnistlab.fitting.candidates import Size
from mnistlab.fitting.clock import FILE, Clock, process_age_s, spent_s
from mnistlab.fitting.costs import Cost
from mnistlab.fitting.planning import ALL_ROUNDS, Plan, Situation, extrapolated, next_plan
from mnistlab.fitting.trials import Trial

N_TRAIN, N_VAL = 50_000, 2000
# Seconds of a step, and the loss of a full training: the slower, the better.
WORLD = {"softmax-tuned": (0.001, 0.45), "mlp-tuned": (0.002, 0.33), "resnet-small": (0.02, 0.2)}
COSTS = {
    name: Cost(step_s, 64, step_s / 200, fixed_s=0.05) for name, (step_s, _) in WORLD.items()
} | {"svm": Cost(0.0, 1, 0.0)}
FULL = dict.fromkeys(WORLD, 10)


def situation(trials: list[Trial], left_s: float, budget_s: float) -> Situation:
    return Situation(COSTS, FULL, trials, N_TRAIN, N_VAL, budget_s, left_s)


def loss_of(name: str, size: Size) -> float:
    """A power law of what it has seen, down to the loss of its full training."""
    if name == "svm":
        return 0.4
    seen = size.epochs * size.n_train / (10 * N_TRAIN)
    return WORLD[name][1] * max(seen, 1e-3) ** -0.25


def simulated(budget_s: float, slower: float = 1.0) -> tuple[list[Trial], float]:
    """All trainings of a fit, each `slower` than expected, and the seconds that they took."""
    trials: list[Trial] = []
    used = 0.0
    while (plan := next_plan(situation(trials, budget_s - used, budget_s))) is not None:
        size = plan.size or Size(0, 1000)
        expected = plan.seconds
        if plan.size is not None:
            expected = COSTS[plan.candidate].seconds(plan.size, N_VAL)
            assert plan.size.n_train <= N_TRAIN
            if plan.stage != "first":
                assert expected <= plan.seconds + 1e-6
        took = min(slower * expected, budget_s - used) if trials else expected
        trials.append(
            Trial(
                len(trials) + 1,
                plan.candidate,
                plan.stage,
                plan.seed,
                size.epochs,
                size.n_train,
                used,
                took,
                loss_of(plan.candidate, size),
                0.5,
                1.0,
            )
        )
        used += took
        assert len(trials) < 200
    return trials, used


@pytest.mark.parametrize("budget_s", [30.0, 60.0, 300.0, 1200.0, 7200.0])
def test_a_fit_uses_its_time_and_no_more(budget_s: float) -> None:
    trials, used = simulated(budget_s)
    assert 0.85 * budget_s <= used <= budget_s
    assert trials[0].stage == "first"
    assert trials[0].seconds <= 0.05 * budget_s + 0.5
    rounds = sum(trial.seconds for trial in trials if trial.stage.startswith("round"))
    assert rounds <= 1.05 * ALL_ROUNDS * budget_s


@pytest.mark.parametrize("slower", [0.5, 2.0])
def test_wrong_estimates_do_not_make_it_late(slower: float) -> None:
    trials, used = simulated(60.0, slower)
    assert used <= 60.0
    assert any(trial.stage == "main" for trial in trials)


@pytest.mark.parametrize("budget_s", [300.0, 1200.0])
def test_the_most_promising_curve_gets_the_main_trainings(budget_s: float) -> None:
    trials, _ = simulated(budget_s)
    main = [trial for trial in trials if trial.stage == "main"]
    assert {trial.candidate for trial in main} == {"resnet-small"}
    assert sum(trial.seconds for trial in main) > 0.5 * budget_s
    assert len({trial.seed for trial in trials if trial.stage == "main"}) == len(main)


def test_every_candidate_is_tried_before_any_is_trained_for_longer() -> None:
    trials, _ = simulated(300.0)
    stages = [trial.stage for trial in trials]
    assert stages == sorted(stages, key=["first", "round 1", "round 2", "main"].index)
    tried = {trial.candidate for trial in trials if trial.stage in ("first", "round 1")}
    assert tried == set(COSTS)
    second = {trial.candidate for trial in trials if trial.stage == "round 2"}
    assert "softmax-tuned" not in second  # the worst half is not trained again


def test_a_short_fit_tries_only_what_learns_fastest() -> None:
    """Where the time ends before the main training of the plain convolutions."""
    costs = {"convolutions-small": Cost(0.004, 64, 2e-5), "convolutions": Cost(0.01, 64, 5e-5)}

    def tried(budget_s: float) -> list[str]:
        full = FULL | dict.fromkeys(costs, 8)
        known = COSTS | costs
        return Situation(known, full, [], N_TRAIN, N_VAL, budget_s, budget_s).tried

    assert tried(60.0) == ["convolutions"]
    assert tried(20.0) == ["convolutions-small"]
    assert tried(600.0) == [*COSTS, *costs]
    assert situation([], 60.0, 60.0).tried == list(COSTS)  # their images are too small to have any


def test_a_candidate_that_is_too_slow_for_the_main_trainings_is_not_tried() -> None:
    def tried(budget_s: float) -> set[str]:
        return {trial.candidate for trial in simulated(budget_s)[0]}

    assert "resnet-small" not in tried(60.0)
    assert "resnet-small" in tried(120.0)


def test_long_time_makes_several_trainings_to_average() -> None:
    few = [trial for trial in simulated(300.0)[0] if trial.stage == "main"]
    many = [trial for trial in simulated(7200.0)[0] if trial.stage == "main"]
    assert len(few) <= 2 < len(many)


def test_where_the_first_network_failed_another_is_first() -> None:
    failed = Trial(1, "mlp-tuned", "first", 0, 1, 100, 0.0, 1.0, None, None, None, "failed")
    plan = next_plan(situation([failed], 50.0, 60.0))
    assert isinstance(plan, Plan)
    assert (plan.stage, plan.candidate) == ("first", "softmax-tuned")


def test_a_first_training_is_made_however_little_time_is_left() -> None:
    plan = next_plan(situation([], -5.0, 60.0))
    assert plan is not None
    assert plan.size is not None


def test_a_curve_is_a_power_law_that_does_not_rise() -> None:
    assert extrapolated([], 10) == float("inf")
    assert extrapolated([(1.0, 0.8)], 16) == pytest.approx(0.4)  # 16 ** -0.25 is a half
    assert extrapolated([(1.0, 0.8)], 0.5) == 0.8
    flat, steep = ([(1.0, 0.8), (2.0, later)] for later in (0.9, 0.5))
    assert extrapolated(steep, 8) < extrapolated(flat, 8) < 0.8
    assert extrapolated([(1.0, 0.8)], 16, 0.5) == pytest.approx(0.2)
    exact = [(t, 0.8 * t**-0.25) for t in (1.0, 3.0, 9.0)]
    assert extrapolated(exact, 27) == pytest.approx(0.8 * 27**-0.25)


@pytest.mark.parametrize("seconds", [0.2, 1.0, 3.0, 20.0, 100.0])
def test_a_size_is_the_largest_that_fits(seconds: float) -> None:
    cost = COSTS["resnet-small"]
    size = cost.size_for(seconds, N_TRAIN, N_VAL, 10)
    if size is None:
        assert cost.seconds(Size(1, 64 * 8), N_VAL) > seconds
        return
    assert cost.seconds(size, N_VAL) <= seconds
    larger = [Size(size.epochs + 1, N_TRAIN)]
    if size.n_train < N_TRAIN:
        larger = [size._replace(n_train=min(N_TRAIN, round(1.02 * size.n_train) + 64))]
    assert all(cost.seconds(each, N_VAL) > seconds for each in larger) or size.epochs == 10


def test_a_small_set_is_trained_for_many_epochs() -> None:
    size = COSTS["mlp-tuned"].size_for(5.0, 120, 30, 200)
    assert size == Size(200, 120)


class Ticks:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_used_time_is_continued_from_the_folder(tmp_path: Path) -> None:
    now = Ticks()
    clock = Clock(60.0, now=now)
    now.time += 12.5
    clock.record(tmp_path)
    now.time += 1.0
    clock.record(tmp_path)
    assert clock.left == pytest.approx(46.5)
    again = Clock(60.0, spent_s(tmp_path), now=now)
    now.time += 3
    assert again.used == pytest.approx(16.5)
    assert again.left == pytest.approx(43.5)


def test_time_before_the_clock_was_made_counts() -> None:
    now = Ticks()
    assert Clock(60.0, began=95.0, now=now).used == 5.0
    assert 0 <= process_age_s() < 24 * 3600


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (b"", 0.0),
        (b"1.5\n2.5\n", 2.5),
        (b"1.5\n22.5", 1.5),  # cut off: 22.5 may have become 225.0
        (b"1.5\nnan\ninf\n-3\nzzz\n\xff\n", 1.5),
    ],
)
def test_a_line_that_is_no_time_does_not_count(
    tmp_path: Path, content: bytes, seconds: float
) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert spent_s(tmp_path) == seconds


def test_time_is_recorded_while_nothing_else_asks(tmp_path: Path) -> None:
    clock, wait = Clock(10.0), threading.Event()
    with clock.recorded(tmp_path):
        wait.wait(0.3)
        seen = spent_s(tmp_path)
    assert 0.05 <= seen <= clock.used
    assert spent_s(tmp_path) == pytest.approx(clock.used, abs=0.05)


def test_a_folder_that_is_gone_does_not_end_a_fit(tmp_path: Path) -> None:
    Clock(10.0).record(tmp_path / "gone")
    assert spent_s(tmp_path / "gone") == 0.0


def test_plans_do_not_depend_on_anything_else() -> None:
    now = situation([], 60.0, 60.0)
    assert next_plan(now) == next_plan(replace(now))
