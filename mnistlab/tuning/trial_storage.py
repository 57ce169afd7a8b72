"""The storage of a search: which points are tried, by whom, and with what outcome.

Everything of Optuna is here. The storage lies in the search's folder as a journal and is shared by
any number of processes; each claims a trial, reports its epochs and its end.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock, JournalStorage
from optuna.trial import FrozenTrial, TrialState

from mnistlab import locks
from mnistlab.errors import RecipeError, RunError
from mnistlab.space import Choice, Dimension, Space
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
SAMPLERS = ("tpe", "random", "grid")
N_UNJUDGED = 8  # first trials, which nothing can be compared with
SHARE_UNJUDGED = 0.25  # of a trial's epochs, in which a good rate may look bad
FEWEST_FOR_IMPORTANCE = 4


@dataclass(frozen=True)
class Plan:
    """What is searched and how: the same plan on the same data tries the same points.

    n_epochs: of a full trial, for the pruner; 0 where there are none. start: the point to begin
    with, if any.
    """

    space: Space
    sampler: str
    seed: int
    n_epochs: int
    start: Mapping[str, Any] | None


class TrialStorage:
    """The trials of one plan in a folder.

    Raises RecipeError for a sampler there is not, or a grid of ranges.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        if plan.sampler not in SAMPLERS:
            raise RecipeError(f"unknown sampler {plan.sampler!r}; there are: {', '.join(SAMPLERS)}")
        self.folder, self.plan = folder, plan
        # Of a grid there are no more points than those.
        self._most = n_grid_points(plan.space) if plan.sampler == "grid" else None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with self._locked():
            self._study = _open(folder / "journal.jsonl", plan)

    @contextmanager
    def next(self, n_trials: int) -> Iterator[tuple[int, dict[str, Any]] | None]:
        """Number and point of a trial, this process's own until the block ends; None: all taken.

        One that another process left behind comes first; there are never more than n_trials.
        """
        with ExitStack() as claim:
            with self._locked():
                taken = self._abandoned(claim) or self._fresh(claim, n_trials)
            yield taken

    def report(self, number: int, epoch: int, accuracy: float) -> bool:
        """After an epoch, counted from 0: whether the trial is worth going on with."""
        with self._locked():
            trial = self._trial(number)
            if epoch not in self._found(number).intermediate_values:  # else gone over once more
                trial.report(accuracy, epoch)
            return not trial.should_prune()

    def end(
        self, number: int, state: str, accuracy: float | None, time_s: float, why: str = ""
    ) -> None:
        """A trial is over; accuracy is given of a complete one."""
        with self._locked():
            trial = self._trial(number)
            trial.set_user_attr("time_s", time_s)
            trial.set_user_attr("why", why)
            self._study.tell(trial, accuracy, ENDS[state])

    def trials(self) -> tuple[Trial, ...]:
        """All that have begun."""
        with self._locked():
            found = self._study.get_trials(deepcopy=False)
        dimensions = self.plan.space.dimensions()
        begun = (trial for trial in found if trial.state != TrialState.WAITING)
        return tuple(_plain(trial, dimensions) for trial in begun)

    def time_s(self) -> float:
        """Seconds from the first trial's beginning to the last one's end."""
        with self._locked():
            trials = self._study.get_trials(deepcopy=False)
        starts = [trial.datetime_start for trial in trials if trial.datetime_start]
        ends = [trial.datetime_complete for trial in trials if trial.datetime_complete]
        return (max(ends) - min(starts)).total_seconds() if starts and ends else 0.0

    def importance(self) -> dict[str, float]:
        """Share of each dimension in how accuracy varies over trials, the largest first.

        By fANOVA (Hutter et al. 2014), of the dimensions every trial has: the width of a third
        layer says nothing where there is none. A trial ended early counts with the accuracy it had
        then, or those that are poor at once would be missed. Nothing where there are too few.
        """
        with self._locked():
            found = self._study.get_trials(deepcopy=False)
        found = [trial for trial in found if trial.state.is_finished() and trial.value is not None]
        if len(found) < FEWEST_FOR_IMPORTANCE or len({trial.value for trial in found}) == 1:
            return {}
        space = self.plan.space
        used = [space.in_use(_point(trial, space.dimensions())) for trial in found]
        names = [name for name in space.dimensions() if all(name in point for point in used)]
        study = optuna.create_study()
        for trial in found:
            of_all = {name: trial.params[name] for name in names}
            kinds = {name: trial.distributions[name] for name in names}
            study.add_trial(
                optuna.create_trial(params=of_all, distributions=kinds, value=trial.value)
            )
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
        return {name: float(share) for name, share in shares.items()}

    def _abandoned(self, claim: ExitStack) -> tuple[int, dict[str, Any]] | None:
        """A running trial that no process holds."""
        for found in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            try:
                claim.enter_context(self._claimed(found.number))
            except BlockingIOError:
                continue
            return found.number, self._drawn(self._trial(found.number), found.number)
        return None

    def _fresh(self, claim: ExitStack, n_trials: int) -> tuple[int, dict[str, Any]] | None:
        begun = [t for t in self._study.get_trials(deepcopy=False) if t.state != TrialState.WAITING]
        if len(begun) >= (n_trials if self._most is None else min(n_trials, self._most)):
            return None
        self._set(len(begun))
        self._study.sampler = sampler_of(self.plan, len(begun))
        trial = self._study.ask()
        claim.enter_context(self._claimed(trial.number))
        return trial.number, self._drawn(trial, trial.number)

    def _set(self, number: int) -> None:
        """Let the trial of that number take its set point, if it has one that is not set yet."""
        if self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            return  # a process killed just then has set it, or an earlier version all of a grid
        point = set_point(self.plan, number)
        if point is not None:
            dimensions = self.plan.space.dimensions()
            self._study.enqueue_trial({k: _kept(dimensions[k], v) for k, v in point.items()})

    def _drawn(self, trial: optuna.Trial, number: int) -> dict[str, Any]:
        """The trial's point, drawn now or before."""
        self._study.sampler = sampler_of(self.plan, number)
        dimensions = self.plan.space.dimensions()
        return {name: _draw(trial, name, kind) for name, kind in dimensions.items()}

    def trial_folder(self, number: int) -> Path:
        """Where a trial trains."""
        return self.folder / f"trial-{number:04d}"

    def _claimed(self, number: int) -> AbstractContextManager[None]:
        return locks.claimed(self.trial_folder(number), keep="*")

    def _locked(self) -> AbstractContextManager[None]:
        return locks.locked(self.folder / "journal.lock")

    def _found(self, number: int) -> FrozenTrial:
        return self._study.get_trials(deepcopy=False)[number]

    def _trial(self, number: int) -> optuna.Trial:
        # Optuna has no public way to take over a trial that another process began.
        return optuna.Trial(self._study, self._found(number)._trial_id)


class _Held(JournalFileOpenLock):
    """No lock of the journal's own: the storage holds one of the system around everything."""

    def acquire(self) -> bool:
        """At once."""
        return True

    def release(self) -> None:
        """Nothing is held."""


def sampler_of(plan: Plan, number: int) -> optuna.samplers.BaseSampler:
    """One trial's sampler, seeded by it: a search gone on with draws as an undisturbed one."""
    seed = int(np.random.SeedSequence([plan.seed, number]).generate_state(1)[0])
    if plan.sampler != "tpe":  # a grid's points are there before any is asked for
        return optuna.samplers.RandomSampler(seed)
    return optuna.samplers.TPESampler(seed=seed)


def n_grid_points(space: Space) -> int:
    """How many points a grid has; RecipeError for a space with ranges."""
    for name, kind in space.dimensions().items():
        if not isinstance(kind, Choice):
            raise RecipeError(f"a grid needs choices, and {name} is a range")
    return math.prod(len(kind.choices) for kind in _choices(space).values())


def set_point(plan: Plan, number: int) -> Mapping[str, Any] | None:
    """The point of a trial that needs no drawing: of a grid each, else the first of all.

    A grid is counted through like an odometer, the last dimension fastest: it may have more points
    than any memory has room for.
    """
    if plan.sampler != "grid":
        return plan.start if number == 0 else None
    point = {}
    for name, kind in reversed(_choices(plan.space).items()):
        number, place = divmod(number, len(kind.choices))
        point[name] = kind.choices[place]
    return dict(reversed(point.items()))


def _choices(space: Space) -> dict[str, Choice]:
    return {name: kind for name, kind in space.dimensions().items() if isinstance(kind, Choice)}


def _open(path: Path, plan: Plan) -> optuna.Study:
    """The journal's study, begun where there is none; RunError for a journal that is damaged."""
    _drop_torn_line(path)
    try:
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(path), lock_obj=_Held(str(path)))),
            study_name="search",
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(
                N_UNJUDGED, n_warmup_steps=round(SHARE_UNJUDGED * plan.n_epochs)
            ),
        )
        study.get_trials(deepcopy=False)
    except (*DAMAGED, optuna.exceptions.OptunaError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise RunError(f"{path}: cannot be read: {said}") from error
    return study


def _drop_torn_line(path: Path) -> None:
    """A process that died, or a full disk, may have left a line without its end."""
    if path.exists():
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            os.truncate(path, len(whole))


def _draw(trial: optuna.Trial, name: str, kind: Dimension) -> Any:
    """A dimension's value; of a choice Optuna keeps the place, for a value may be anything."""
    if isinstance(kind, Choice):
        return kind.choices[trial.suggest_categorical(name, range(len(kind.choices)))]
    if kind.is_whole:
        return trial.suggest_int(name, int(kind.low), int(kind.high), log=kind.logarithmic)
    return trial.suggest_float(name, kind.low, kind.high, log=kind.logarithmic)


def _kept(kind: Dimension, value: Any) -> Any:
    """A value as Optuna keeps it."""
    return kind.choices.index(value) if isinstance(kind, Choice) else value


def _point(trial: FrozenTrial, dimensions: Mapping[str, Dimension]) -> dict[str, Any]:
    return {
        name: kind.choices[trial.params[name]] if isinstance(kind, Choice) else trial.params[name]
        for name, kind in dimensions.items()
        if name in trial.params
    }


def _plain(trial: FrozenTrial, dimensions: Mapping[str, Dimension]) -> Trial:
    curve = trial.intermediate_values
    return Trial(
        trial.number,
        STATES[trial.state],
        _point(trial, dimensions),
        trial.value,
        tuple(curve[epoch] for epoch in sorted(curve)),
        trial.user_attrs.get("time_s"),
        trial.user_attrs.get("why", ""),
    )
