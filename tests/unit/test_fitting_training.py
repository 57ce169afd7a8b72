"""Training until a moment: epochs planned anew, weights salvaged, machines sized by their growth.

Clocks here are moved by the training itself, one step after the other.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mnistlab.classifiers import SVMClassifier
from mnistlab.data import Dataset, split
from mnistlab.errors import DataError
from mnistlab.fitting import costs, machines
from mnistlab.fitting.beginning import recipe_for
from mnistlab.fitting.candidates import Candidate, Size, candidates
from mnistlab.fitting.clock import Clock
from mnistlab.fitting.costs import Cost, measured, part_of
from mnistlab.fitting.planning import Plan
from mnistlab.fitting.subject import Subject
from mnistlab.fitting.training import RUNNING, Task, clear_running, running_plan, trained
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Execution
from mnistlab.runs.checkpoints import FILES

AVERAGED = Candidate(
    "averaged",
    Recipe(
        "averaged",
        "-",
        "mlp",
        (Phase("adam", 0.01, schedule="one-cycle", ema_decay=0.9, monitor="loss"),),
        {"hidden_sizes": (16,)},
        batch_size=40,  # of 440 images: eleven steps an epoch
        precision="float32",
    ),
)
STEP_S = 0.1


class Moved:
    """A clock that each step of a training moves."""

    def __init__(self) -> None:
        self.time, self.step_s = 0.0, STEP_S

    def __call__(self) -> float:
        return self.time

    def step(self) -> None:
        self.time += self.step_s


@pytest.fixture(scope="module")
def subject(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    recipe = recipe_for(stripes, 1.0, 0)
    parts = split(stripes)
    path = tmp_path_factory.mktemp("runs") / "fit-stripes"
    return Subject(recipe, stripes, parts, Execution(), "float32", path)


def task_of(
    subject: Subject, folder: Path, now: Moved, epochs: int, ends_s: float, number: int = 1
) -> Task:
    plan = Plan("averaged", "main", 3, ends_s, Size(epochs, len(subject.split.train)))
    clock = Clock(60.0, now=now)
    return Task(plan, number, AVERAGED, subject, folder, clock, ends_s, 0.0)


def steps_per_epoch(subject: Subject) -> int:
    return -(-len(subject.split.train) // 40)


def test_a_training_that_fits_is_made_as_planned(subject: Subject, tmp_path: Path) -> None:
    now, ends_s = Moved(), 5.4 * steps_per_epoch(subject) * STEP_S
    found = trained(task_of(subject, tmp_path, now, 5, ends_s), now.step)
    assert (found.state, found.size.epochs) == ("complete", 5)
    assert len(found.steps_s) == 5 * steps_per_epoch(subject)
    assert found.classifier is not None
    assert len(found.classifier.history_) == 5
    assert running_plan(tmp_path, 1) == Plan("averaged", "main", 3, ends_s, found.size)
    clear_running(tmp_path)
    assert not list(tmp_path.iterdir())


def test_slower_steps_shorten_the_schedule_and_not_the_training(
    subject: Subject, tmp_path: Path
) -> None:
    """Twenty epochs were planned, of which half will fit: the rate still falls to its end."""
    now, per_epoch = Moved(), steps_per_epoch(subject)
    ends_s = 10.5 * per_epoch * STEP_S
    found = trained(task_of(subject, tmp_path, now, 20, ends_s), now.step)
    assert found.state == "complete"
    assert 8 <= found.size.epochs <= 10
    assert now.time <= ends_s
    assert found.classifier is not None
    rates = [line["learning_rate"] for line in found.classifier.history_]
    assert len(rates) == found.size.epochs
    assert rates[-1] < 0.05 * max(rates)


def test_faster_steps_lengthen_it_a_little(subject: Subject, tmp_path: Path) -> None:
    now = Moved()
    found = trained(task_of(subject, tmp_path, now, 10, 1000.0), now.step)
    assert found.size.epochs == 15  # half as many again, whatever the time


def test_a_moving_average_may_begin_where_a_training_is_lengthened(
    subject: Subject, tmp_path: Path
) -> None:
    """Twelve steps are too few for one, and eighteen have it: the checkpoint has none to load."""
    now, n_train = Moved(), len(subject.split.train)
    two_steps = Candidate("averaged", replace(AVERAGED.recipe, batch_size=-(-n_train // 2)))
    decays = [two_steps.for_size(Size(n, n_train), 3).phases[0].ema_decay for n in (6, 9)]
    assert decays[0] == 0 < decays[1]
    task = replace(task_of(subject, tmp_path, now, 6, 1000.0), candidate=two_steps)
    found = trained(task, now.step)
    assert (found.state, found.size.epochs) == ("complete", 9)
    assert found.classifier is not None
    assert len(found.classifier.history_) == 9


@pytest.mark.parametrize("n_steps", [15, 25])
def test_when_the_time_is_over_what_was_learned_is_kept(
    subject: Subject, tmp_path: Path, n_steps: int
) -> None:
    now = Moved()
    task = task_of(subject, tmp_path, now, 3, (n_steps + 1) * STEP_S)
    found = trained(task, now.step)
    assert (found.state, len(found.steps_s)) == ("stopped", n_steps)
    assert now.time <= task.ends_s
    assert found.classifier is not None
    val = subject.split.val
    assert found.classifier.score(val.images, val.labels) > 0.5
    assert found.classifier.classes_.tolist() == [0, 1, 2, 3]


def test_a_killed_training_is_continued_from_its_checkpoint(
    subject: Subject, tmp_path: Path
) -> None:
    class KilledError(Exception):
        pass

    now = Moved()
    now.step_s = 3.0  # more than lies between two checkpoints

    def step() -> None:
        now.step()
        if now.time > 90:
            raise KilledError

    task = task_of(subject, tmp_path, now, 3, 10_000.0)
    with pytest.raises(KilledError):
        trained(task, step)
    assert list(tmp_path.glob(FILES))
    assert (tmp_path / RUNNING).exists()
    assert running_plan(tmp_path, 1) == task.plan
    again = trained(task_of(subject, tmp_path, Moved(), 3, 10_000.0), lambda: None)
    assert again.state == "complete"
    assert len(again.steps_s) < 3 * steps_per_epoch(subject)
    assert again.classifier is not None
    whole = trained(task_of(subject, tmp_path / "other", Moved(), 3, 10_000.0), lambda: None)
    assert whole.classifier is not None
    one, other = again.classifier.arrays(), whole.classifier.arrays()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_what_is_left_of_another_training_is_removed(subject: Subject, tmp_path: Path) -> None:
    now = Moved()
    trained(task_of(subject, tmp_path, now, 2, 8 * STEP_S), now.step)
    assert running_plan(tmp_path, 2) is None
    assert not list(tmp_path.iterdir())
    (tmp_path / RUNNING).write_text('{"number": 1}')
    (tmp_path / "checkpoint-000000001-0.safetensors").write_bytes(b"")
    assert running_plan(tmp_path, 1) is None
    assert not list(tmp_path.iterdir())


def test_a_training_has_a_part_of_every_class(stripes: Dataset) -> None:
    few = part_of(stripes, 6)
    assert sorted(set(few.labels.tolist())) == [0, 1, 2, 3]
    assert part_of(stripes, 10**6) is stripes


def test_costs_are_measured_on_a_few_steps(subject: Subject) -> None:
    cost = measured(AVERAGED, subject.split.train, "cpu", 10.0)
    assert 0 < cost.step_s < 10
    assert cost.image_s == 0


@pytest.mark.parametrize(
    ("of_several", "chosen"),
    [
        ([0.6, 0.6], 2),
        ([5.0, 0.6, 0.6], 2),
        ([5.0, 5.0], 1),
        ([0.6, 5.0, 0.6], 2),
        ([0.6, 2, 2], 1),
    ],
)
def test_a_moment_of_disturbance_does_not_choose_one_thread(
    of_several: list[float], chosen: int, monkeypatch: pytest.MonkeyPatch, stripes: Dataset
) -> None:
    left = list(of_several)  # seconds of a step with two threads, measurement by measurement

    def timed(*_: Any) -> Cost:
        return Cost(1.0 if torch.get_num_threads() == 1 else left.pop(0), 64, 0.0)

    monkeypatch.setattr(costs, "measured", timed)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert costs.faster_threads(AVERAGED, AVERAGED, stripes, 1.0) == chosen
    finally:
        torch.set_num_threads(before)
    assert left == []


def test_candidates_are_those_that_the_images_allow(subject: Subject, stripes: Dataset) -> None:
    names = [each.name for each in candidates(subject.split.train, "cpu", 60.0)]
    assert {"softmax-tuned", "mlp-tuned", "resnet-small", "svm"} <= set(names)
    assert "transfer-lite0" not in names  # its weights alone take a minute's half to load
    tiny = Dataset("tiny", stripes.images[:, :2, :2], stripes.labels, stripes.class_names)
    assert "simple-cnn-tuned" not in [each.name for each in candidates(tiny, "cpu", 60.0)]
    digits = Dataset("d", stripes.images, stripes.labels, stripes.class_names, of_characters=True)
    assert "resnet-mirrored" in names
    assert "resnet-mirrored" not in [each.name for each in candidates(digits, "cpu", 60.0)]
    gap = Dataset("gap", stripes.images, stripes.labels, (*stripes.class_names, "e"))
    with pytest.raises(DataError, match="no image of class 'e'"):
        candidates(gap, "cpu", 60.0)


def test_networks_of_more_weights_promise_more_of_a_longer_training(subject: Subject) -> None:
    train = subject.split.train
    known = {each.name: each for each in candidates(train, "cpu", 60.0)}
    rising = ("softmax-tuned", "convolutions-small", "convolutions", "resnet-wide")
    exponents = [known[name].exponent(train) for name in rising]
    assert exponents == sorted(set(exponents))
    assert 0 < exponents[0] < exponents[-1] <= 0.3


def test_mirrored_images_are_also_mirrored_in_prediction(subject: Subject) -> None:
    known = {each.name: each.recipe for each in candidates(subject.split.train, "cpu", 60.0)}
    assert known["convolutions-mirrored"].test_time_augmentation == ("flip",)
    assert known["convolutions"].test_time_augmentation == ()
    assert known["convolutions"].augmentation == {}


def test_a_short_training_forgets_its_first_weights() -> None:
    decays = [AVERAGED.for_size(Size(n, 400), 0).phases[0].ema_decay for n in (1, 2, 6, 100)]
    assert decays[0] == 0.0
    assert decays == sorted(decays)
    assert decays[-1] == 0.9
    assert AVERAGED.for_size(Size(7, 400), 5).seed == 5


class Timed:
    """A support vector machine whose training takes n^2 / 1e5 seconds of a clock that it moves."""

    def __init__(self, now: Moved) -> None:
        self.now = now

    def fit(self, X: Any, y: Any) -> Timed:
        self.now.time += len(X) ** 2 / 1e5
        return self


@pytest.mark.parametrize("seconds", [0.5, 2.0, 20.0, 1e4])
def test_a_machine_is_as_large_as_its_time_allows(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = Moved()
    monkeypatch.setattr(machines, "classifier_of", lambda recipe, device: Timed(now))
    labels = np.arange(4000, dtype=np.int64) % 4
    train = Dataset("many", np.zeros((4000, 2, 2), np.uint8), labels, ("a", "b", "c", "d"))
    machine = Candidate("svm", Recipe("svm", "-", "svm", ()))
    found = machines.trained_machine(machine, train, 0, seconds, "cpu", now)
    assert isinstance(found.classifier, Timed)
    assert now.time <= max(seconds, 0.1)
    largest = min((1e5 * seconds) ** 0.5, 4000)
    assert found.n_train >= 0.3 * largest
    assert (found.n_train == 4000) == (seconds == 1e4)


def test_of_a_class_with_three_images_no_machine_is_trained(stripes: Dataset) -> None:
    few = stripes.take(np.flatnonzero((stripes.labels > 0) | (np.arange(len(stripes)) < 12)))
    (machine,) = [c for c in candidates(stripes, "cpu", 60.0) if c.name == "svm"]
    found = machines.trained_machine(machine, few, 0, 5.0, "cpu", Moved())
    assert found.classifier is None


def test_a_machine_gives_probabilities(stripes: Dataset) -> None:
    (machine,) = [c for c in candidates(stripes, "cpu", 60.0) if c.name == "svm"]
    found = machines.trained_machine(machine, stripes, 0, 1e3, "cpu", Moved())
    assert isinstance(found.classifier, SVMClassifier)
    assert found.n_train == len(stripes)
    assert found.classifier.predict_proba(stripes.images[:3]).shape == (3, 4)
