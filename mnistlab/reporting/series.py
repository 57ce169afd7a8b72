"""Which arms of a comparison stand for themselves, and which are points of one series."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnistlab.recipe import UNHASHED
from mnistlab.study import ArmResult, whole_of

N_POINTS = 3  # fewer are no series
_ASIDE = (*UNHASHED, "seed", "n_val", "n_train")  # the last has a section of its own


@dataclass(frozen=True)
class Series:
    """Arms that differ in one number of their recipe alone, the smallest first.

    setting: that number's name, such as "learning rate".
    """

    setting: str
    values: tuple[float, ...]
    arms: tuple[ArmResult, ...]


def series_of(arms: Sequence[ArmResult]) -> list[Series]:
    """Every series of three arms or more, in the arms' order; an arm may be in several."""
    numbers = [dict(_numbers(arm.arm.recipe.to_json())) for arm in arms]
    found = []
    for path in dict.fromkeys(path for of_arm in numbers for path in of_arm):
        alike: dict[str, dict[float, ArmResult]] = defaultdict(dict)
        for arm, of_arm in zip(arms, numbers, strict=True):
            if path in of_arm:
                alike[_rest(arm, path)].setdefault(of_arm[path], arm)
        for by_value in alike.values():
            if len(by_value) >= N_POINTS:
                values = tuple(sorted(by_value))
                name = next(step for step in reversed(path) if not step.isdecimal())
                ordered = tuple(by_value[value] for value in values)
                found.append(Series(name.replace("_", " "), values, ordered))
    places = {id(arm): place for place, arm in enumerate(arms)}
    return sorted(found, key=lambda series: min(places[id(arm)] for arm in series.arms))


def standing_apart(arms: Sequence[ArmResult]) -> list[ArmResult]:
    """The arms that are neither points of a series nor another arm on fewer images."""
    in_series = {id(arm) for series in series_of(arms) for arm in series.arms}
    return [arm for arm in arms if id(arm) not in in_series and whole_of(arm, arms) is None]


def repeats(arms: Sequence[ArmResult]) -> list[ArmResult]:
    """Arms meant for fewer images of a data set that has no more: another arm once again."""
    wholes = [(arm, whole_of(arm, arms)) for arm in arms]
    return [
        arm
        for arm, whole in wholes
        if whole and arm.runs[0].data["n_train"] == whole.runs[0].data["n_train"]
    ]


def _numbers(plain: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every number in a recipe's JSON with the way to it."""
    if isinstance(plain, Mapping):
        for key, value in plain.items():
            if path or key not in _ASIDE:
                yield from _numbers(value, (*path, key))
    elif isinstance(plain, list):
        for place, value in enumerate(plain):
            yield from _numbers(value, (*path, str(place)))
    elif isinstance(plain, int | float) and not isinstance(plain, bool):
        yield path, float(plain)


def _rest(arm: ArmResult, path: tuple[str, ...]) -> str:
    """All of the arm's recipe that counts, without the number at the end of the path."""
    plain = arm.arm.recipe.to_json()
    for name in UNHASHED:
        del plain[name]
    inside: Any = plain
    for step in path[:-1]:
        inside = inside[int(step)] if isinstance(inside, list) else inside[step]
    inside[int(path[-1]) if isinstance(inside, list) else path[-1]] = None
    return json.dumps(plain, sort_keys=True)
