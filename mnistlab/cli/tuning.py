"""`mnistlab tune`: a search over what a recipe may be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from mnistlab.cli.inputs import named_recipe
from mnistlab.cli.options import (
    LARGEST_SEED,
    MOST_SEEDS,
    MOST_TRIALS,
    DataChoice,
    FolderChoice,
    JsonOption,
    OnOption,
    RecipeArgument,
    SetOption,
    grouped,
    named_path,
    processes,
)

app = typer.Typer()


@dataclass(frozen=True)
class SearchChoice:
    """How a space is searched, and how the best recipe is judged: see `mnistlab.tune`."""

    trials: Annotated[
        int,
        typer.Option(
            "--trials",
            min=1,
            max=MOST_TRIALS,
            help="How many points to try, earlier ones included.",
        ),
    ] = 50
    space: Annotated[
        Path | None,
        typer.Option(
            "--space",
            parser=named_path,
            metavar="PATH",
            help="A .json file that says what may be changed.",
        ),
    ] = None
    sampler: Annotated[
        str,
        typer.Option(
            "--sampler",
            help="Search algorithm: tpe, random, or grid (only if every parameter is a list of "
            "choices).",
        ),
    ] = "tpe"
    seeds: Annotated[
        int,
        typer.Option(
            "--seeds", min=1, max=MOST_SEEDS, help="Seeds to train the best recipe again with."
        ),
    ] = 5
    seed: Annotated[
        int,
        typer.Option("--seed", min=0, max=LARGEST_SEED, help="Random seed of the search."),
    ] = 0
    processes: Annotated[
        int,
        typer.Option("--processes", callback=processes, help="How many trials to train at once."),
    ] = 1


@app.command(epilog="Example: mnistlab tune layered-mlp --data mnist --trials 50 --processes 2")
@grouped
def tune(
    recipe: RecipeArgument,
    data: DataChoice,
    search: SearchChoice,
    execution: FolderChoice,
    settings: SetOption = None,
    on: OnOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Search for a better recipe, and measure its gain over seeds. Writes a page.

    Poor trials are ended early. The same command resumes a search that was stopped; with more
    trials it makes the search longer; a second terminal may help. The best recipe is a file that
    train takes.
    """
    from mnistlab.cli.terminal import shown_progress, table
    from mnistlab.reporting.study_report import text_of
    from mnistlab.reporting.tuning_report import seeds_table, tuning_report
    from mnistlab.space import read_space
    from mnistlab.tuning import tune as run_search

    chosen = named_recipe(recipe, settings or [])
    dataset = data.load(chosen.data)
    with shown_progress() as progress:
        result = run_search(
            chosen,
            dataset,
            n_trials=search.trials,
            space=None if search.space is None else read_space(search.space),
            n_seeds=search.seeds,
            sampler=search.sampler,
            seed=search.seed,
            n_processes=search.processes,
            on=on,
            **execution.folder_options(progress),
        )
    page = tuning_report(result)
    print(table(*text_of(seeds_table(result))))
    print(f"\n{result.comparison.answer}\n\nreport: {page}")
    best = result.path / "best.json"
    print(f"next: mnistlab train {best} --data {data.data or chosen.data}")
    if as_json:
        print(json.dumps(result.to_json() | {"path": str(result.path)}))
