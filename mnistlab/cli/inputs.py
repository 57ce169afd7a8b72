"""From what was typed to what is meant: a data set, a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mnistlab.errors import RecipeError

if TYPE_CHECKING:
    from mnistlab.data import Dataset
    from mnistlab.recipe import Recipe


def load_data(name: str, size: tuple[int, int] | None, label_column: str | None) -> Dataset:
    """The data set of --data, --size and --label-column."""
    from mnistlab.data import load

    return load(name, size=size, label_column=label_column)


def named_recipe(name: str, settings: Sequence[str]) -> Recipe:
    """The recipe of a name or a .json file, with its --set changes."""
    from mnistlab.recipe import read_recipe, set_fields
    from mnistlab.recipes import get_recipe

    recipe = read_recipe(Path(name)) if name.endswith(".json") else get_recipe(name)
    parsed = {}
    for setting in settings:
        field, equals, value = setting.partition("=")
        if not equals:
            raise RecipeError(f"--set {setting}: must be FIELD=VALUE")
        parsed[field] = value
    return set_fields(recipe, parsed) if parsed else recipe
