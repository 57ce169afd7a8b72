"""`mnistlab tune`: a search over what a recipe may be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mnistlab.cli.inputs import load_data, named_recipe
from mnistlab.cli.options import (
    LARGEST_SEED,
    MOST_SEEDS,
    MOST_TRIALS,
    DataOption,
    DeviceOption,
    JsonOption,
    LabelOption,
    OnOption,
    OutOption,
    RecipeArgument,
    SetOption,
    SizeOption,
    ThreadsOption,
    named_path,
    processes,
)

app = typer.Typer()


@app.command(epilog="Example: mnistlab tune layered-mlp --data mnist --trials 50 --processes 2")
def tune(
    recipe: RecipeArgument,
    data: DataOption = None,
    trials: Annotated[
        int,
        typer.Option(
            "--trials",
            min=1,
            max=MOST_TRIALS,
            help="How many points to try, earlier ones included.",
        ),
    ] = 50,
    settings: SetOption = None,
    space: Annotated[
        Path | None,
        typer.Option(
            "--space",
            parser=named_path,
            metavar="PATH",
            help="A .json file of what may be changed.",
        ),
    ] = None,
    sampler: Annotated[
        str,
        typer.Option(
            "--sampler",
            help="Search algorithm: tpe, random, or grid (only if every parameter is a list of "
            "choices).",
        ),
    ] = "tpe",
    seeds: Annotated[
        int,
        typer.Option(
            "--seeds", min=1, max=MOST_SEEDS, help="Seeds the best recipe is trained again with."
        ),
    ] = 5,
    seed: Annotated[
        int,
        typer.Option("--seed", min=0, max=LARGEST_SEED, help="Random seed of the search."),
    ] = 0,
    processes: Annotated[
        int,
        typer.Option("--processes", callback=processes, help="How many trials to train at once."),
    ] = 1,
    size: SizeOption = None,
    label_column: LabelOption = None,
    out: OutOption = Path("runs"),
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    on: OnOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Search for a better recipe, and say what it is worth over seeds. Writes a page.

    Poor trials are ended early. A search that was stopped goes on with the same command, and with
    more trials it is made longer; a second terminal may help. The best recipe is a file that
    train takes.
    """
    from mnistlab.cli.terminal import shown_progress, table
    from mnistlab.reporting.study_report import text_of
    from mnistlab.reporting.tuning_report import seeds_table, tuning_report
    from mnistlab.space import read_space
    from mnistlab.tuning import tune as run_search

    chosen = named_recipe(recipe, settings or [])
    dataset = load_data(data or chosen.data, size, label_column)
    with shown_progress() as progress:
        result = run_search(
            chosen,
            dataset,
            n_trials=trials,
            space=None if space is None else read_space(space),
            n_seeds=seeds,
            sampler=sampler,
            seed=seed,
            n_processes=processes,
            out=out,
            device=device,
            threads=threads,
            progress=progress,
            on=on,
        )
    page = tuning_report(result)
    print(table(*text_of(seeds_table(result))))
    print(f"\n{result.comparison.answer}\n\nreport: {page}")
    print(f"next: mnistlab train {result.path / 'best.json'} --data {data or chosen.data}")
    if as_json:
        print(json.dumps(result.to_json() | {"path": str(result.path)}))
