"""The storage of a search: its trials, which process claims them, and how they end.

It lies in the search's folder as an Optuna journal, shared by any number of processes. Each claims
a trial, reports its epochs and its end. Not Optuna's RDB storage with heartbeat: that fails the
trial of a dead process after a grace period and queues its point as a new trial, whose number, and
with it every later point, differs from those of a search that was never stopped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock, JournalStorage
from optuna.trial import FrozenTrial, TrialState

from mnistlab import atomic, locks
from mnistlab.errors import RunError
from mnistlab.space import Space
from mnistlab.tuning.proposals import (
    Plan,
    n_grid_points,
    point_of,
    sampler_of,
    set_point,
    stored,
    suggested,
)
from mnistlab.tuning.trial import COMPLETE, FAILED, PRUNED, RUNNING, Trial

STATES = {
    TrialState.COMPLETE: COMPLETE,
    TrialState.PRUNED: PRUNED,
    TrialState.RUNNING: RUNNING,
    TrialState.WAITING: RUNNING,
    TrialState.FAIL: FAILED,
}
ENDS = {name: state for state, name in STATES.items() if state.is_finished()}
DAMAGED = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
N_UNPRUNED = 8  # first trials, which have nothing to be compared with
FRACTION_UNPRUNED = 0.25  # of a trial's epochs, during which a good learning rate may look bad
FEWEST_FOR_IMPORTANCE = 4

Claimed = tuple[int, dict[str, Any]]  # number and point of a trial


class TrialStorage:
    """The trials of one plan in a folder; RecipeError for a grid of ranges."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        self._most = n_grid_points(plan.space) if plan.sampler == "grid" else None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with self._locked():
            self._study = _open(folder / "journal.jsonl", plan)

    @contextmanager
    def next(self, n_trials: int) -> Iterator[Claimed | None]:
        """Number and point of a trial, claimed by this process until the block ends; None: no more.

        A trial that another process abandoned comes first; there are never more than n_trials.
        """
        with ExitStack() as claim:
            with self._locked():
                claimed = self._abandoned(claim) or self._new(claim, n_trials)
            yield claimed

    def report(self, number: int, epoch: int, accuracy: float) -> bool:
        """Report an epoch, counted from 0; whether the trial is worth continuing."""
        with self._locked():
            trial = self._trial(number)
            if epoch not in self._found(number).intermediate_values:  # else repeated on resuming
                trial.report(accuracy, epoch)
            return not trial.should_prune()

    def end(
        self, number: int, state: str, accuracy: float | None, time_s: float, why: str = ""
    ) -> None:
        """End a trial; the accuracy is that of a complete one."""
        with self._locked():
            trial = self._trial(number)
            trial.set_user_attr("time_s", time_s)
            trial.set_user_attr("why", why)
            self._study.tell(trial, accuracy, ENDS[state])

    def trials(self) -> tuple[Trial, ...]:
        """All trials that have begun."""
        with self._locked():
            return tuple(_plain(trial, self.plan.space) for trial in self._begun())

    def time_s(self) -> float:
        """Seconds from the beginning of the first trial to the end of the last."""
        with self._locked():
            trials = self._study.get_trials(deepcopy=False)
        starts = [trial.datetime_start for trial in trials if trial.datetime_start]
        ends = [trial.datetime_complete for trial in trials if trial.datetime_complete]
        return (max(ends) - min(starts)).total_seconds() if starts and ends else 0.0

    def importance(self) -> dict[str, float]:
        """Fraction of the variance of accuracy over trials due to each dimension, largest first.

        By fANOVA (Hutter et al. 2014), over the dimensions that every trial has: the width of a
        third layer means nothing where there is none. A trial that was pruned counts with its last
        accuracy, or bad settings would be missed. Empty where there are too few trials.
        """
        with self._locked():
            found = self._study.get_trials(deepcopy=False)
        found = [trial for trial in found if trial.state.is_finished() and trial.value is not None]
        if len(found) < FEWEST_FOR_IMPORTANCE or len({trial.value for trial in found}) == 1:
            return {}
        space = self.plan.space
        used = [space.in_use(point_of(trial, space)) for trial in found]
        names = [name for name in space.dimensions() if all(name in point for point in used)]
        study = optuna.create_study()
        for trial in found:
            of_all = {name: trial.params[name] for name in names}
            kinds = {name: trial.distributions[name] for name in names}
            study.add_trial(
                optuna.create_trial(params=of_all, distributions=kinds, value=trial.value)
            )
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        fractions = optuna.importance.get_param_importances(study, evaluator=evaluator)
        return {name: float(fraction) for name, fraction in fractions.items()}

    def _begun(self) -> list[FrozenTrial]:
        found = self._study.get_trials(deepcopy=False)
        return [trial for trial in found if trial.state != TrialState.WAITING]

    def _abandoned(self, claim: ExitStack) -> Claimed | None:
        """A running trial that no process claims: the system drops the claims of the dead."""
        for found in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            try:
                claim.enter_context(self._claim(found.number))
            except BlockingIOError:
                continue
            return found.number, self._point(self._trial(found.number), found.number)
        return None

    def _new(self, claim: ExitStack, n_trials: int) -> Claimed | None:
        number = len(self._begun())
        if number >= (n_trials if self._most is None else min(n_trials, self._most)):
            return None
        self._set(number)
        self._study.sampler = sampler_of(self.plan, number)
        trial = self._study.ask()
        claim.enter_context(self._claim(trial.number))
        return trial.number, self._point(trial, trial.number)

    def _set(self, number: int) -> None:
        """Enqueue the set point of the trial of that number, if it has one."""
        if self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            return  # enqueued by a process that was killed just then, or by an earlier version
        point = set_point(self.plan, number)
        if point is not None:
            self._study.enqueue_trial(stored(point, self.plan.space))

    def _point(self, trial: optuna.Trial, number: int) -> dict[str, Any]:
        """The trial's point; what a killed process had not yet suggested is suggested now."""
        self._study.sampler = sampler_of(self.plan, number)
        dimensions = self.plan.space.dimensions()
        return {name: suggested(trial, name, kind) for name, kind in dimensions.items()}

    def trial_folder(self, number: int) -> Path:
        """The folder in which a trial trains."""
        return self.folder / f"trial-{number:04d}"

    def _claim(self, number: int) -> AbstractContextManager[None]:
        return locks.claimed(self.trial_folder(number), keep="*")

    def _locked(self) -> AbstractContextManager[None]:
        return locks.locked(self.folder / "journal.lock")

    def _found(self, number: int) -> FrozenTrial:
        return self._study.get_trials(deepcopy=False)[number]

    def _trial(self, number: int) -> optuna.Trial:
        # Optuna has no public way to take over a trial that another process began.
        return optuna.Trial(self._study, self._found(number)._trial_id)


class _NoLock(JournalFileOpenLock):
    """No lock of the journal's own: TrialStorage holds one of the system around every access.

    Optuna's is a file, which a dead process leaves behind; others break it after 30 seconds.
    """

    def acquire(self) -> bool:
        """Succeed at once."""
        return True

    def release(self) -> None:
        """Nothing is held."""


def _open(path: Path, plan: Plan) -> optuna.Study:
    """The study in a journal, new where there is none; RunError for a damaged journal."""
    _drop_torn_line(path)
    try:
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(path), lock_obj=_NoLock(str(path)))),
            study_name="search",
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(
                N_UNPRUNED, n_warmup_steps=round(FRACTION_UNPRUNED * plan.n_epochs)
            ),
        )
        study.get_trials(deepcopy=False)
    except (*DAMAGED, optuna.exceptions.OptunaError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise RunError(f"{path}: cannot be read: {said}") from error
    return study


def _drop_torn_line(path: Path) -> None:
    """A process that was killed, or a full disk, may have left a last line without its end."""
    if path.exists():
        try:
            atomic.check_regular(path)
        except OSError as error:
            raise RunError(f"{path}: cannot be read: {error.strerror}") from error
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            os.truncate(path, len(whole))


def _plain(trial: FrozenTrial, space: Space) -> Trial:
    curve = trial.intermediate_values
    return Trial(
        trial.number,
        STATES[trial.state],
        point_of(trial, space),
        trial.value,
        tuple(curve[epoch] for epoch in sorted(curve)),
        trial.user_attrs.get("time_s"),
        trial.user_attrs.get("why", ""),
    )
