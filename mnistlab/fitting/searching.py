"""The search of a fit: measure, plan, train, judge, publish, until the time is over."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from mnistlab import locks, machine
from mnistlab.classifiers.methods import Classifier, method_of
from mnistlab.classifiers.selection import Labels, Probabilities, balanced_log_loss
from mnistlab.errors import RunError, TrainingError
from mnistlab.evaluation import fit_temperature, tempered
from mnistlab.fitting import costs, machines, training
from mnistlab.fitting.best import Best, best_of
from mnistlab.fitting.candidates import FIRST, IN_HASTE, PRETRAINED, SMALL, Size
from mnistlab.fitting.clock import Clock, spent_s
from mnistlab.fitting.costs import Cost
from mnistlab.fitting.planning import Plan, Situation, next_plan
from mnistlab.fitting.publishing import Publisher
from mnistlab.fitting.status import Status, ended_text
from mnistlab.fitting.subject import Subject
from mnistlab.fitting.training import Task, Trained
from mnistlab.fitting.trials import COMPLETE, FAILED, FOLDER, STOPPED, Trial, TrialStorage
from mnistlab.recipes import RECOMMENDED
from mnistlab.runs import Run
from mnistlab.runs.making import make, partial_of
from mnistlab.runs.trainer import completed
from mnistlab.training.hardware import pick_device

MEASURED_FRACTION = 0.004  # of the budget, to measure the cost of one candidate
GAINED = 1e-4  # of the loss: an ensemble that is no better is not written
PRETRAINED_LEFT_S = 60.0
LATE = 1.25  # times what was planned may be taken, where there is time
SHOWN_S = 1.0  # between two lines of progress


@dataclass
class Search:
    """One fit. began: what time.monotonic() showed when the user began to wait."""

    subject: Subject
    on_status: Callable[[Status], None]
    began: float
    best: Best | None = None
    costs: dict[str, Cost] = field(default_factory=dict)
    doing: str = "measuring"
    shown_s: float = -math.inf

    @cached_property
    def is_new(self) -> bool:
        """Whether the run's folder is still to be made."""
        return self.subject.execution.force or not self.subject.path.exists()

    @cached_property
    def clock(self) -> Clock:
        """The time, with what earlier processes used unless the fit begins anew."""
        path = self.subject.path
        folder = (partial_of(path) if self.is_new else path) / FOLDER
        before = 0.0 if self.subject.execution.force else spent_s(folder)
        return Clock(self.subject.budget_s, before, self.began)

    @cached_property
    def publisher(self) -> Publisher:
        """Writes the best so far."""
        return Publisher(self.subject, self.clock)

    @property
    def left_s(self) -> float:
        """Seconds until the end must begin."""
        return self.clock.left - self.publisher.end_s

    def run(self) -> Run:
        """Search until the time is over; the run. RunError where another process is at it."""
        subject, execution = self.subject, self.subject.execution
        assert self.clock.budget_s > 0  # the used seconds are read before a folder is changed
        folder = subject.path / FOLDER
        if self.is_new:
            if folder.is_dir():
                self._check_idle(folder)
            # One thread is never far behind; which is best may be measured once it is there.
            with self._on_threads(execution.threads or 1):
                make(subject.path, execution.force, self._first)
        try:
            with (
                locks.claimed(folder, keep="*"),
                self.clock.recorded(folder),
                self._on_threads(execution.threads or self._threads()),
            ):
                self._continue()
        except BlockingIOError as error:
            raise RunError(f"{subject.path}: another process is at this fit") from error
        return completed(subject.path, execution.progress)

    def _check_idle(self, folder: Path) -> None:
        """RunError where another process is at the fit that would be replaced."""
        try:
            with locks.claimed(folder, keep="*"):
                pass
        except BlockingIOError as error:
            raise RunError(f"{self.subject.path}: another process is at this fit") from error

    @contextmanager
    def _on_threads(self, n: int | None) -> Iterator[None]:
        with method_of(self.subject.recipe.model).n_threads(n), machine.n_threads(n):
            yield

    def _threads(self) -> int | None:
        """How many threads are fastest now; None, as many as there are, on a GPU."""
        if pick_device(self.subject.device).type != "cpu":
            return None
        self._show("measuring threads")
        known, limit_s = self.subject.candidates, MEASURED_FRACTION * self.subject.budget_s
        large = next((known[name] for name in IN_HASTE if name in known), known[RECOMMENDED])
        small = known.get(SMALL, large)
        return costs.faster_threads(small, large, self.subject.split.train, limit_s)

    def _first(self, partial: Path) -> None:
        """Write the records, train the first network, and make it the run's best."""
        self.subject.execution.progress.on_folder(partial)
        self.subject.write_records(partial)
        self._open(partial / FOLDER)
        with self.clock.recorded(partial / FOLDER):
            while self.best is None:
                # Where the first one failed the others are needed; before that they can wait.
                for name in self.subject.candidates if self.storage.trials else [FIRST]:
                    self._measure(name)
                plan = self._plan()
                if plan is None:
                    raise TrainingError("no candidate could be trained on these images")
                self._try(plan, partial)
            self.publisher.publish(partial, self.storage, self.best)

    def _open(self, folder: Path) -> None:
        """The trials of earlier processes, and the best of them."""
        split = self.subject.split
        self.storage = TrialStorage(folder, len(split.val), split.val.n_classes)
        self.storage.read()
        if any(trial.counts for trial in self.storage.trials):
            self.best = best_of(self.storage, split.val)

    def _continue(self) -> None:
        """Train and publish until the time is over."""
        folder = self.subject.path / FOLDER
        self._open(folder)
        stopped = training.running_plan(folder, len(self.storage.trials) + 1)
        for name in self.subject.candidates:
            if self.left_s > 0:
                self._measure(name)
        while self.left_s > 0:
            plan, stopped = stopped or self._plan(), None
            if plan is None or plan.candidate not in self.costs:
                break
            before = math.inf if self.best is None else self.best.loss
            self._try(plan, self.subject.path)
            if self.best is not None and self.best.loss < before - GAINED:
                self.publisher.publish(self.subject.path, self.storage, self.best)
        if self.best is None:
            raise RunError(f"{folder}: holds no training; begin anew with --force")
        self._show("writing")
        self.publisher.publish(self.subject.path, self.storage, self.best, is_last=True)
        self.storage.clear()

    def _measure(self, name: str) -> None:
        """Measure the cost of a candidate, once."""
        if name in self.costs or name not in self.subject.candidates:
            return
        candidate = self.subject.candidates[name]
        if name == PRETRAINED and self.left_s < PRETRAINED_LEFT_S:  # weights take long to load
            return
        self._show(f"measuring {name}")
        self.costs[name] = Cost(0.0, 1, 0.0)  # of a support vector machine: see machines
        if candidate.in_epochs:
            limit_s = MEASURED_FRACTION * self.subject.budget_s
            train, device = self.subject.split.train, self.subject.device
            self.costs[name] = costs.measured(candidate, train, device, limit_s)

    def _plan(self) -> Plan | None:
        split, known = self.subject.split, self.subject.candidates
        full = {
            name: known[name].full_epochs(len(split.train))
            for name in self.costs
            if known[name].in_epochs
        }
        return next_plan(
            Situation(
                {name: self.costs[name] for name in known if name in self.costs},
                full,
                self.storage.trials,
                len(split.train),
                len(split.val),
                self.subject.budget_s,
                self.left_s,
                self.subject.recipe.seed,
                self.subject.exponents,
            )
        )

    def _try(self, plan: Plan, folder: Path) -> None:
        """Train as planned, and save the trial with the ensemble after it."""
        number, begin = len(self.storage.trials) + 1, self.clock.used
        self._show(f"{plan.candidate}, {plan.stage}, {plan.seconds:.0f} s")
        found = Trained(None, FAILED, Size(0, 1), [])
        try:
            if plan.size is None:
                found = self._machine(plan)
            else:
                found = self._network(plan, number, folder / FOLDER)
        except TrainingError as error:
            found = found._replace(why=str(error))
        training.clear_running(folder / FOLDER)
        self._judge(plan, number, begin, found)

    def _judge(self, plan: Plan, number: int, begin_s: float, found: Trained) -> None:
        """Save a trial with what validation says of it, and choose the ensemble anew."""
        val, p, temperature, accuracy, loss = self.subject.split.val, None, None, None, None
        if found.classifier is not None:
            raw, predict_s = self._predicted(found.classifier)
            cost = self.costs[plan.candidate]
            self.costs[plan.candidate] = replace(cost, predict_s=predict_s)
            temperature = fit_temperature(val.labels, raw)
            p = tempered(raw, temperature)
            loss, accuracy = balanced_log_loss(val.labels, p), _accuracy(val.labels, p)
        trial = Trial(
            number,
            plan.candidate,
            plan.stage,
            plan.seed,
            found.size.epochs,
            found.size.n_train,
            round(begin_s, 3),
            round(self.clock.used - begin_s, 3),
            loss,
            accuracy,
            temperature,
            found.state,
            note=found.why,
        )
        self.storage.save(trial, found.classifier, p)
        if trial.counts:
            self.best = best_of(self.storage, val)
        if self.best is not None:
            trial = replace(
                trial,
                best_accuracy=_accuracy(val.labels, self.best.probabilities),
                best_loss=self.best.loss,
                n_members=len(self.best.trials),
            )
            self.storage.write(trial)
        self._show(self.doing, ended_text(trial))

    def _predicted(self, classifier: Classifier) -> tuple[Probabilities, float]:
        """Probabilities of the validation images, and the seconds that each took."""
        images, start = self.subject.split.val.images, self.clock.used
        p = classifier.predict_proba(images)
        return p, (self.clock.used - start) / len(images)

    def _network(self, plan: Plan, number: int, folder: Path) -> Trained:
        cost, subject = self.costs[plan.candidate], self.subject
        after_s = 1.3 * len(subject.split.val) * (cost.predict_s + cost.image_s)
        most_s = max(self.left_s, plan.seconds if plan.stage == "first" else 0.0)
        ends_s = self.clock.used + min(LATE * plan.seconds + 0.5, most_s)
        candidate = subject.candidates[plan.candidate]
        task = Task(plan, number, candidate, subject, folder, self.clock, ends_s, after_s)
        found = training.trained(task, self._show_step)
        if found.steps_s:
            self.costs[plan.candidate] = costs.corrected(cost, found.steps_s)
        return found

    def _machine(self, plan: Plan) -> Trained:
        found = machines.trained_machine(
            self.subject.candidates[plan.candidate],
            self.subject.split.train,
            plan.seed,
            min(plan.seconds, self.left_s / 2),
            self.subject.device,
            self.clock.now,
        )
        size = Size(0, max(found.n_train, 1))
        if found.classifier is None:
            return Trained(None, STOPPED, size, [], "too few images of a class")
        return Trained(found.classifier, COMPLETE, size, [])

    def _show_step(self) -> None:
        if self.clock.used - self.shown_s >= SHOWN_S:
            self._show(self.doing)

    def _show(self, doing: str, ended: str = "") -> None:
        self.doing, self.shown_s = doing, self.clock.used
        best, labels = self.best, self.subject.split.val.labels
        accuracy = None if best is None else _accuracy(labels, best.probabilities)
        n_members, budget_s = 0 if best is None else len(best.trials), self.subject.budget_s
        self.on_status(Status(self.clock.used, budget_s, doing, accuracy, n_members, ended))


def _accuracy(labels: Labels, p: Probabilities) -> float:
    return float((p.argmax(1) == labels).mean())
