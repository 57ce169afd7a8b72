"""`mnistlab recipes`: what can be trained, and what each is for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from mnistlab.cli.options import JsonOption
from mnistlab.errors import RecipeError

if TYPE_CHECKING:
    from mnistlab.recipe import Recipe

app = typer.Typer()


@app.command("recipes", epilog="Example: mnistlab recipes --json")
def recipes_command(as_json: JsonOption = False) -> None:
    """List the ready recipes by what they are for, the recommended one first."""
    from mnistlab.cli.terminal import table
    from mnistlab.recipes import GROUPS, RECIPES, Group, get_recipe

    known = {name for group in GROUPS for name in group.purposes}
    added = {name: get_recipe(name).summary for name in RECIPES if name not in known}
    described = [
        _describe(get_recipe(name), group.title, purpose)
        for group in (*GROUPS, Group("added by you", added))
        for name, purpose in group.purposes.items()
    ]
    columns = ["name", "for", "system", "model", "parameters", "phases"]
    head, rule, *rows = table(columns, [_cells(recipe) for recipe in described]).splitlines()
    print(f"{head}\n{rule}")
    group = None
    for recipe, row in zip(described, rows, strict=True):
        if recipe["group"] != group:
            group = recipe["group"]
            print(f"\n# {group}")
        print(row)
    if as_json:
        print(json.dumps(described))


def _describe(recipe: Recipe, group: str, purpose: str) -> dict[str, Any]:
    """n_parameters: null where training decides how many, or an extra that it needs is missing."""
    from mnistlab.recipes import needs
    from mnistlab.runs import count_recipe_parameters

    extra, n_parameters, missing = needs(recipe), None, None
    try:
        n_parameters = count_recipe_parameters(recipe)
    except RecipeError:
        if extra is None:
            raise
        missing = extra
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
            f"{p.optimizer} {p.learning_rate:g} {p.schedule}, {p.epochs} epochs"
            + (f", at least {p.min_steps} steps" if p.min_steps else "")
            for p in recipe.phases
        ],
        "expect": recipe.expect,
        "needs": extra,
        "missing": missing,
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
