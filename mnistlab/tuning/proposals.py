"""Which point of a space each trial of a search tries: set beforehand, or proposed by a sampler."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna

from mnistlab.errors import RecipeError
from mnistlab.space import Choice, Dimension, Space

SAMPLERS = ("tpe", "random", "grid")


@dataclass(frozen=True)
class Plan:
    """What is searched and how: the same plan on the same data tries the same points.

    n_epochs: of a full trial, for the pruner; 0 where there are none. start: the point of the first
    trial, if any. Raises RecipeError for an unknown sampler.
    """

    space: Space
    sampler: str
    seed: int
    n_epochs: int
    start: Mapping[str, Any] | None

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise RecipeError(f"unknown sampler {self.sampler!r}; there are: {', '.join(SAMPLERS)}")


def sampler_of(plan: Plan, number: int) -> optuna.samplers.BaseSampler:
    """The sampler of one trial, seeded with its number.

    So a resumed search proposes the same points as one that was never stopped: one sampler for all
    trials would have to be restored to the random state it had.
    """
    seed = int(np.random.SeedSequence([plan.seed, number]).generate_state(1)[0])
    if plan.sampler != "tpe":  # the points of a grid are set before a sampler is asked
        return optuna.samplers.RandomSampler(seed)
    return optuna.samplers.TPESampler(seed=seed)


def n_grid_points(space: Space) -> int:
    """How many points a grid has; RecipeError for a space with ranges."""
    for name, kind in space.dimensions().items():
        if not isinstance(kind, Choice):
            raise RecipeError(f"a grid needs choices, and {name} is a range")
    return math.prod(len(kind.choices) for kind in _choices(space).values())


def set_point(plan: Plan, number: int) -> Mapping[str, Any] | None:
    """The point of a trial that needs no sampler: each of a grid, else the first trial's.

    A grid is counted through like an odometer, the last dimension fastest: it may have more points
    than fit into memory.
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


def suggested(trial: optuna.Trial, name: str, kind: Dimension) -> Any:
    """The value of a dimension in a trial, suggested now or before."""
    if isinstance(kind, Choice):  # as a place: Optuna stores numbers and text only
        return kind.choices[trial.suggest_categorical(name, range(len(kind.choices)))]
    if kind.is_whole:
        return trial.suggest_int(name, int(kind.low), int(kind.high), log=kind.logarithmic)
    return trial.suggest_float(name, kind.low, kind.high, log=kind.logarithmic)


def stored(point: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """A point as Optuna stores it: see `suggested`."""
    return {
        name: kind.choices.index(point[name]) if isinstance(kind, Choice) else point[name]
        for name, kind in space.dimensions().items()
    }


def point_of(trial: optuna.trial.FrozenTrial, space: Space) -> dict[str, Any]:
    """The point of a stored trial, as far as it was suggested."""
    return {
        name: kind.choices[trial.params[name]] if isinstance(kind, Choice) else trial.params[name]
        for name, kind in space.dimensions().items()
        if name in trial.params
    }
