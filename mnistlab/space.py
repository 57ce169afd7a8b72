"""What a search may change in a recipe, and within which bounds.

A space is declared beside a recipe: fields, named as `--set` names them, and the values each may
have. A sampler sees it as plain dimensions: numbers and choices.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mnistlab.errors import RecipeError
from mnistlab.field_paths import set_fields, value_of
from mnistlab.recipe import Recipe, validated

MOST_FIELDS, MOST_CHOICES, MOST_LAYERS = 100, 1000, 100
LARGEST = 2**53  # whole numbers up to here are exact in float64, in which samplers compute
MOST_BYTES = 1_000_000  # of a space file


@dataclass(frozen=True)
class Range:
    """A number from low to high, both included; a whole number where both are integers.

    logarithmic: sampled uniformly in its logarithm. Raises RecipeError for invalid bounds.
    """

    low: int | float
    high: int | float
    logarithmic: bool = False

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            if (isinstance(end, int) and abs(end) > LARGEST) or not math.isfinite(end):
                raise RecipeError("a range needs finite ends, and whole ones up to 2^53")
        if not self.low < self.high:
            raise RecipeError(f"a range needs low < high, got {self.low} and {self.high}")
        if self.logarithmic and self.low <= 0:
            raise RecipeError(f"a logarithmic range needs low > 0, got {self.low}")

    @property
    def is_whole(self) -> bool:
        """Whether it holds whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def nearest(self, value: Any) -> int | float | None:
        """The nearest value in the range; None for what is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return min(max(int(value) if self.is_whole else value, self.low), self.high)


@dataclass(frozen=True)
class Choice:
    """One of several values of any kind: names, numbers, widths of layers."""

    choices: tuple[Any, ...]

    def __post_init__(self) -> None:
        # JSON has lists where recipes have tuples.
        values = tuple(tuple(v) if isinstance(v, list) else v for v in self.choices)
        object.__setattr__(self, "choices", values)
        if len(values) > MOST_CHOICES:
            raise RecipeError(f"a choice of {len(values):,} values; at most {MOST_CHOICES:,}")
        if len(values) < 2 or len({json.dumps(value) for value in values}) < len(values):
            raise RecipeError(f"a choice needs two values or more, all different, got {values}")

    def nearest(self, value: Any) -> Any:
        """The value itself if it is one of them, else None."""
        return value if value in self.choices else None


@dataclass(frozen=True)
class Layers:
    """From `fewest` to `most` layers; the width of each lies in the range."""

    fewest: int
    most: int
    width: Range

    def __post_init__(self) -> None:
        if not 0 <= self.fewest < self.most <= MOST_LAYERS:
            raise RecipeError(
                f"layers need 0 <= fewest < most <= {MOST_LAYERS}, got {self.fewest}, {self.most}"
            )
        if not self.width.is_whole or self.width.low < 1:
            raise RecipeError("widths of layers are whole numbers from 1 on")


Dimension = Range | Choice


@dataclass(frozen=True)
class Space:
    """Fields of a recipe by their path, such as "learning_rate", and the values each may have."""

    fields: Mapping[str, Range | Choice | Layers]

    def __post_init__(self) -> None:
        if not 1 <= len(self.fields) <= MOST_FIELDS:
            raise RecipeError(
                f"a space needs from 1 to {MOST_FIELDS} fields to search, got {len(self.fields)}"
            )

    def dimensions(self) -> dict[str, Dimension]:
        """The dimensions for a sampler, by name; Layers become a number and the width of each."""
        found: dict[str, Dimension] = {}
        for path, field in self.fields.items():
            if isinstance(field, Layers):
                found[self._number(path)] = Range(field.fewest, field.most)
                # Every trial has all widths, so that all trials are points of one space.
                found |= {self._width(path, i): field.width for i in range(field.most)}
            else:
                found[path] = field
        return found

    def applied(self, recipe: Recipe, point: Mapping[str, Any]) -> Recipe:
        """The recipe at a point; RecipeError for a field it does not have, as `--set` raises it."""
        values = {
            path: [point[self._width(path, i)] for i in range(point[self._number(path)])]
            if isinstance(field, Layers)
            else point[path]
            for path, field in self.fields.items()
        }
        return set_fields(recipe, {path: _text(value) for path, value in values.items()})

    def in_use(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """The dimensions that matter at a point: not the widths of layers that it does not have."""
        unused = {
            self._width(path, i)
            for path, field in self.fields.items()
            if isinstance(field, Layers)
            for i in range(point[self._number(path)], field.most)
        }
        return {name: value for name, value in point.items() if name not in unused}

    def nearest(self, recipe: Recipe) -> dict[str, Any] | None:
        """The point nearest to the recipe; None where a field has no nearest value."""
        every, found = self.dimensions(), {}
        for path, field in self.fields.items():
            value = value_of(recipe, path)
            if isinstance(field, Layers):
                widths = value if isinstance(value, tuple) else ()
                found[self._number(path)] = len(widths)
                unused = (field.width.low,) * field.most  # of layers that are not there
                found |= {self._width(path, i): (*widths, *unused)[i] for i in range(field.most)}
            else:
                found[path] = value
        point = {name: kind.nearest(found[name]) for name, kind in every.items()}
        return None if None in point.values() else point

    def check(self, recipe: Recipe) -> None:
        """RecipeError for a field that the recipe does not have, or a bound that it cannot have."""
        every = self.dimensions()
        for name, kind in every.items():
            ends = kind.choices if isinstance(kind, Choice) else (kind.low, kind.high)
            for end in ends:
                first = {other: _first(each) for other, each in every.items()}
                try:
                    self.applied(recipe, first | {name: end})
                except RecipeError as error:
                    said = str(error).removeprefix("--set ")
                    raise RecipeError(f"the space does not fit {recipe.name}: {said}") from error

    def _number(self, path: str) -> str:
        return f"{self._whose(path)}layers"

    def _width(self, path: str, place: int) -> str:
        return f"{self._whose(path)}width {place + 1}"

    def _whose(self, path: str) -> str:
        """A prefix that names the layers, where there are several kinds of them."""
        kinds = [field for field in self.fields.values() if isinstance(field, Layers)]
        return f"{path}: " if len(kinds) > 1 else ""

    def to_json(self) -> dict[str, Any]:
        """Plain values, ready for JSON; `read_space` gives an equal space back."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)["fields"]))
        return plain


def read_space(path: Path | str) -> Space:
    """The space in a JSON file: {"learning_rate": {"low": 0.001, "high": 1, "logarithmic": true}}.

    {"choices": [...]} is a choice, {"fewest": 1, "most": 3, "width": {"low": ..., "high": ...}}
    are layers. RecipeError, naming the file, for anything else.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise RecipeError(f"{path}: over {MOST_BYTES:,} bytes, which is no space to search")
        plain = json.loads(content)
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{path}: no JSON: {error}") from error
    if not isinstance(plain, dict):
        raise RecipeError(f"{path}: must be an object, a field each")
    fields = {name: _field(value, f"{path}: {name}") for name, value in plain.items()}
    if not fields:
        raise RecipeError(f"{path}: holds no field to search")
    try:
        return Space(fields)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def _field(plain: Any, where: str) -> Range | Choice | Layers:
    """The kind of values, recognised by its keys."""
    there = plain if isinstance(plain, dict) else {}
    kind: type[Any] = Choice if "choices" in there else Layers if "fewest" in there else Range
    found: Range | Choice | Layers = validated(kind, json.dumps(plain), where)
    return found


def _first(kind: Dimension) -> Any:
    return kind.choices[0] if isinstance(kind, Choice) else kind.low


def _text(value: Any) -> str:
    """A value as `--set` takes it; four digits of a sampled number are enough."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)
