"""`mnistlab recipes`: what can be trained, what each is for, and the settings of one."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnistlab import machine
from mnistlab.cards import counted
from mnistlab.cli.completing import recipe_names
from mnistlab.cli.inputs import named_recipe
from mnistlab.cli.options import JsonOption, given
from mnistlab.errors import RecipeError

if TYPE_CHECKING:
    from mnistlab.recipe import Recipe

COLUMNS = ("name", "for", "system", "model", "parameters", "phases")
SHOWN_HELP = "Show all settings of this recipe, as a file that train takes; --set changes them."
NARROWEST = 12  # columns of text that is wrapped

app = typer.Typer()


@app.command("recipes", epilog="Example: mnistlab recipes simple-cnn")
def recipes_command(
    recipe: Annotated[
        str | None,
        typer.Argument(callback=given, help=SHOWN_HELP, autocompletion=recipe_names),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the ready recipes by what they are for, the recommended one first; or show one."""
    from mnistlab.recipes import GROUPS, RECIPES, Group, get_recipe

    if recipe is not None:
        print(json.dumps(named_recipe(recipe, []).to_json(), indent=None if as_json else 2))
        return
    known = {name for group in GROUPS for name in group.purposes}
    added = {name: get_recipe(name).summary for name in RECIPES if name not in known}
    described = [
        _describe(get_recipe(name), group.title, purpose)
        for group in (*GROUPS, Group("added by you", added))
        for name, purpose in group.purposes.items()
    ]
    # A pipe has no width: whoever reads it wants every column.
    width = shutil.get_terminal_size((0, 0)).columns if sys.stdout.isatty() else 0
    heading, rows, left_out = fitting([_cells(each) for each in described], width)
    if heading:
        print(heading)
    group = None
    for each, row in zip(described, rows, strict=True):
        if each["group"] != group:
            group = each["group"]
            print("\n" + _wrapped(f"# {group}", width, "# "))
        print(row)
    if left_out:
        hint = f"{', '.join(left_out)}: in a wider terminal, or with --json"
        print("\n" + _wrapped(hint, width))
    if as_json:
        print(json.dumps(described))


def fitting(
    cells: Sequence[tuple[str | None, ...]], width: int
) -> tuple[str, list[str], Sequence[str]]:
    """Heading, a text per recipe, and the columns left out so that no line is wider than `width`.

    width: of the terminal, 0 where it has none. Where even two columns do not fit, what a recipe
    is for stands below its name, without a heading.
    """
    from mnistlab.cli.terminal import table

    for n in range(len(COLUMNS), 1, -1):
        head, rule, *rows = table(COLUMNS[:n], [row[:n] for row in cells]).splitlines()
        if not width or max(map(len, (head, rule, *rows))) <= width:
            return f"{head}\n{rule}", rows, COLUMNS[n:]
    below = [f"{row[0]}\n{_wrapped(f'  {row[1]}', width, '  ')}" for row in cells]
    return "", below, COLUMNS[2:]


def _wrapped(text: str, width: int, indent: str = "") -> str:
    """The text in lines of so many columns, in one without a width."""
    return textwrap.fill(text, max(width, NARROWEST), subsequent_indent=indent) if width else text


def _size(recipe: Recipe) -> tuple[int | None, str | None, bool]:
    """Parameters, the extra that the recipe needs, and whether that is missing."""
    from mnistlab.recipes.sizes import EXTRAS, N_PARAMETERS

    if recipe.name in N_PARAMETERS:
        extra, library = EXTRAS.get(recipe.name, (None, None))
        is_missing = library is not None and not machine.has_library(library)
        return None if is_missing else N_PARAMETERS[recipe.name], extra, is_missing
    from mnistlab.recipes import needs
    from mnistlab.runs import count_recipe_parameters

    extra = needs(recipe)
    try:
        return count_recipe_parameters(recipe), extra, False
    except RecipeError:
        if extra is None:
            raise
        return None, extra, True


def _describe(recipe: Recipe, group: str, purpose: str) -> dict[str, Any]:
    """n_parameters: null where training decides how many, or an extra that it needs is missing."""
    n_parameters, extra, is_missing = _size(recipe)
    return {
        "name": recipe.name,
        "group": group,
        "purpose": purpose,
        "system": recipe.system,
        "summary": recipe.summary,
        "model": recipe.model,
        "data": recipe.data,
        "n_parameters": n_parameters,
        "phases": [
            f"{p.optimizer} {p.learning_rate:g} {p.schedule}, {counted(p.epochs, 'epoch', 'd')}"
            + (f", at least {counted(p.min_steps, 'step', 'd')}" if p.min_steps else "")
            for p in recipe.phases
        ],
        "expect": recipe.expect,
        "needs": extra,
        "missing": extra if is_missing else None,
    }


def _cells(described: dict[str, Any]) -> tuple[str | None, ...]:
    n_parameters, missing = described["n_parameters"], described["missing"]
    counted = "by data" if n_parameters is None else f"{n_parameters:,}"
    return (
        described["name"],
        described["purpose"] + (f"; needs {missing}" if missing else ""),
        described["system"] or None,
        described["summary"],
        None if missing else counted,
        "; ".join(described["phases"]) or None,
    )
