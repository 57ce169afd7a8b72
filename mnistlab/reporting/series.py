"""Which arms of a comparison stand for themselves, and which are points of one series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnistlab.recipe import UNHASHED
from mnistlab.study import ArmResult, whole_of

N_POINTS = 3  # fewer are no series
Path = tuple[str, ...]

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
    recipes = [dict(_values(arm.arm.recipe.to_json())) for arm in arms]
    found = []
    paths = dict.fromkeys(path for recipe in recipes for path in recipe)
    for path in (path for path in paths if path[0] not in _ASIDE):
        alike: dict[str, dict[float, ArmResult]] = defaultdict(dict)
        for arm, recipe in zip(arms, recipes, strict=True):
            number = recipe.get(path)
            if isinstance(number, int | float) and not isinstance(number, bool):
                alike[_rest(recipe, path)].setdefault(float(number), arm)
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


def marked_names(arms: Sequence[ArmResult]) -> tuple[str, ...]:
    """The arms that have a mark of their own in figures and tables."""
    return tuple(arm.arm.name for arm in standing_apart(arms))


def _values(plain: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in a recipe's JSON with the way to it, that of a list by its place."""
    if isinstance(plain, list):
        plain = {str(place): value for place, value in enumerate(plain)}
    if isinstance(plain, Mapping):
        for key, value in plain.items():
            yield from _values(value, (*path, key))
    else:
        yield path, plain


def _rest(recipe: Mapping[Path, Any], path: Path) -> str:
    """All of a recipe that counts, without the number at the end of the path."""
    return str([item for item in recipe.items() if item[0] != path and item[0][0] not in UNHASHED])
