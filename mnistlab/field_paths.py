"""Paths of fields, such as "phases.0.learning_rate": how `--set`, spaces and logs name them.

This is the one place that walks them: a path is looked up in the JSON of a recipe, and read or set
there.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from mnistlab.bounds import shortened
from mnistlab.errors import RecipeError
from mnistlab.phases import Phase
from mnistlab.recipe import LABELS, Recipe, adapter_of, check_recipe, from_json

Plain = dict[str, Any]  # a recipe as JSON has it
Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class FieldPath:
    """What a path names in a recipe: one field, or the same field of every phase, and its type."""

    path: str
    fields: tuple[Keys, ...]
    kind: Any


def set_fields(recipe: Recipe, settings: Mapping[str, object]) -> Recipe:
    """The recipe with fields changed, as `--set field=value` does it.

    "phases.0.learning_rate" and "model_args.dropout" reach inside; a bare field of Phase, such as
    "epochs", changes every phase, and a bare argument of the model, such as "dropout", is that of
    model_args. Epochs that are set are meant: they are not raised to min_steps, unless that is set
    after them. Values are text, read as the field's type, or what the text would say. Raises
    RecipeError for unknown fields and values that do not fit.
    """
    check_recipe(recipe)
    plain = recipe.to_json()
    for path, value in settings.items():
        text, found = _as_text(path, value), _find(plain, path)
        for keys in found.fields:
            holder = _holder(plain, keys)
            holder[keys[-1]] = _parsed(found, text)
            if keys[0] == "phases" and keys[-1] == "epochs":
                holder["min_steps"] = 0  # a trial of one epoch must not become fifty on a small set
    plain["expect"] = {}
    return from_json(plain, "--set")


def _as_text(path: str, value: object) -> str:
    """As a command line says it: 3, null, [256,128] or a word."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{path}: cannot be set to {type(value).__name__}: {error}") from error


def value_of(recipe: Recipe, path: str) -> Any:
    """The value of a field now; None where the phases differ in it. RecipeError for no field."""
    plain = recipe.to_json()
    values = []
    for keys in _find(plain, path).fields:
        holder = _holder(plain, keys)
        value = holder[keys[-1]] if keys[-1] in holder else _default(recipe, keys)
        values.append(tuple(value) if isinstance(value, list) else value)
    return values[0] if all(value == values[0] for value in values) else None


def flattened(plain: Any, path: str = "") -> Plain:
    """Nested values by their path; a list without objects in it is one value."""
    if isinstance(plain, Mapping):
        items = plain.items()
    elif isinstance(plain, list) and any(isinstance(value, Mapping) for value in plain):
        items = {str(place): value for place, value in enumerate(plain)}.items()
    else:
        return {path: plain}
    flat: Plain = {}
    for key, value in items:
        flat |= flattened(value, f"{path}.{key}" if path else key)
    return flat


def _holder(plain: Any, keys: Keys) -> Any:
    """The JSON object that holds a field."""
    for key in keys[:-1]:
        plain = plain[key]
    return plain


def _find(plain: Plain, path: str) -> FieldPath:
    """The fields that a path names; RecipeError for one that the recipe does not have."""
    head, _, rest = path.partition(".")
    phase_types, own_types = get_type_hints(Phase), get_type_hints(Recipe)
    for name in (*LABELS, "phases", "model_args"):
        del own_types[name]
    n_phases = len(plain["phases"])
    if head == "augmentation" and rest:
        return FieldPath(path, (("augmentation", rest),), float)
    if head == "phases" and rest:
        number, _, name = rest.partition(".")
        if not number.isdecimal() or int(number) >= n_phases:
            raise RecipeError(f"--set {path}: phases are numbered 0 to {n_phases - 1}")
        return FieldPath(path, (("phases", int(number), name),), _kind(phase_types, name, path))
    if head == "model_args" and rest:
        return FieldPath(path, (("model_args", rest),), _kind(_arguments_of(plain), rest, path))
    if path in phase_types:
        if not n_phases:
            raise RecipeError(f"--set {path}: {plain['model']} learns without phases")
        fields = tuple(("phases", number, path) for number in range(n_phases))
        return FieldPath(path, fields, phase_types[path])
    if path in own_types:
        return FieldPath(path, ((path,),), own_types[path])
    arguments = _arguments_of(plain)
    kind = _kind(arguments, path, path, {*own_types, *phase_types})
    return FieldPath(path, (("model_args", path),), kind)


def _arguments_of(plain: Plain) -> dict[str, Any]:
    # May need torch, so only where a model's arguments are meant.
    from mnistlab.classifiers.methods import argument_types

    return argument_types(plain["model"])


def _kind(types: Mapping[str, Any], name: str, path: str, also: Collection[str] = ()) -> Any:
    """The type of that name, else RecipeError; `also` holds further names worth suggesting."""
    if name in types:
        return types[name]
    allowed = {*types, *also}
    close = get_close_matches(name, allowed, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(allowed))}"
    raise RecipeError(f"--set {path}: no such field; {hint}")


def _parsed(found: FieldPath, text: str) -> Any:
    """`text` as the type of the field, else RecipeError."""
    from pydantic import ValidationError

    if text == "null" and NoneType in get_args(found.kind):
        return None
    is_simple = get_origin(found.kind) in (None, Literal, Union, UnionType)  # 3, 0.1 or adam
    adapter = adapter_of(found.kind)
    try:
        if is_simple and not text.startswith("["):
            return adapter.validate_strings(text)
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        said = error.errors()[0]["msg"]
        raise RecipeError(f"--set {found.path}={shortened(text)}: {said}") from error


def _default(recipe: Recipe, keys: Keys) -> Any:
    """The value of what a recipe leaves out: an augmentation, or an argument of its model."""
    if keys[0] == "augmentation":
        return 0.0
    from mnistlab.classifiers.methods import method_of  # may need torch

    return inspect.signature(method_of(recipe.model).arguments).parameters[str(keys[-1])].default
