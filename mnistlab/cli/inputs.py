"""From command-line words to a data set and a recipe."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from mnistlab import machine
from mnistlab.errors import RecipeError

if TYPE_CHECKING:
    from mnistlab.data import Dataset
    from mnistlab.recipe import Recipe

UNBALANCED = 3  # times as many images of one class as of another
ENDINGS_OF_DATA = (".csv", ".tsv", ".npz", ".gz", ".zip", ".parquet", ".h5", ".hdf5", ".png")


def load_data(name: str, size: tuple[int, int] | None, label_column: str | None) -> Dataset:
    """The data set of --data, --size and --label-column."""
    from mnistlab.data import load

    _check_is_no_recipe(name)
    return load(name, size=size, label_column=label_column)


def recommended(data: str | None) -> str:
    """The recommended recipe's name, with a line that says so; RecipeError without data."""
    from mnistlab.cli.terminal import say
    from mnistlab.recipes import RECOMMENDED

    if data is None:
        raise RecipeError(
            "train takes --data and your images, or a recipe, or --resume and a run's folder; "
            "begin with: mnistlab train --data my-images/"
        )
    say(f"no recipe given: {RECOMMENDED}, the recommended one; mnistlab recipes lists others")
    return RECOMMENDED


def named_recipe(name: str, settings: Sequence[str]) -> Recipe:
    """The recipe of a name or a .json file, with its --set changes."""
    from mnistlab.field_paths import set_fields
    from mnistlab.recipe import read_recipe
    from mnistlab.recipes import get_recipe

    _check_is_no_data(name)
    recipe = read_recipe(Path(name)) if name.endswith(".json") else get_recipe(name)
    parsed = {}
    for setting in settings:
        field, equals, value = setting.partition("=")
        if not equals:
            raise RecipeError(f"--set {setting}: must be FIELD=VALUE")
        parsed[field] = value
    changed = set_fields(recipe, parsed) if parsed else recipe
    _check_monitor(changed, parsed)
    return changed


def _check_monitor(recipe: Recipe, settings: Mapping[str, str]) -> None:
    """RecipeError where --set changes what is monitored, and the recipe would not use it."""
    from mnistlab.runs.cautions import unused_monitor

    is_set = any(field.rpartition(".")[2] == "monitor" for field in settings)
    if is_set and (why := unused_monitor(recipe)) is not None:
        raise RecipeError(f"--set {why}")


def busy_text(threads: int | None) -> str:
    """What a person at a terminal can do where other programs use all cores; else empty."""
    if threads is not None or not sys.stderr.isatty() or not machine.is_busy():
        return ""
    return "note: this computer is busy: --threads 1 may train many times faster"


def unbalanced_text(recipe: Recipe, dataset: Dataset) -> str:
    """A hint where one class has far more training images than another, else empty."""
    import numpy as np

    part = dataset.official_splits.get("train", slice(None))
    counts = np.bincount(dataset.labels[part])
    n_most, n_least = counts.max(), counts[counts > 0].min()
    if recipe.class_weight is not None or n_most <= UNBALANCED * n_least:
        return ""
    monitor = " --set monitor=balanced_accuracy" if recipe.phases else ""
    if recipe.phases and recipe.phases[-1].keep == "last":
        monitor += " --set keep=best"
    return (
        f"classes are unbalanced, from {n_least:,} to {n_most:,} images: --set "
        f"class_weight=balanced{monitor} makes all of them count the same"
    )


def _check_is_no_data(name: str) -> None:
    """RecipeError where a data set is given in place of the recipe."""
    from mnistlab.data.published.sources import SOURCES
    from mnistlab.recipes import RECIPES

    if name in RECIPES or name.endswith(".json"):
        return
    looks_so = name.lower().endswith(ENDINGS_OF_DATA) or "/" in name
    if name in SOURCES or looks_so or (name and Path(name).exists()):
        raise RecipeError(
            f"{name} is data, not a recipe: mnistlab train --data {name}, or RECIPE --data {name}"
        )


def _check_is_no_recipe(name: str) -> None:
    """RecipeError where a recipe, perhaps misspelt, is given in place of the data."""
    from mnistlab.data.published.sources import SOURCES
    from mnistlab.recipes import RECIPES

    if name in SOURCES or not name or "/" in name or Path(name).suffix or Path(name).exists():
        return
    close = get_close_matches(name, [*RECIPES, *SOURCES], n=1, cutoff=0.75)
    if close and close[0] in RECIPES:
        meant = (
            "is a recipe, not data" if name in RECIPES else f"is no data; {close[0]!r} is a recipe"
        )
        raise RecipeError(f"{name} {meant}: mnistlab train {close[0]} --data my-images/")
