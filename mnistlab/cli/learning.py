"""`mnistlab train` and `mnistlab cv`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnistlab.cli.completing import recipe_names, run_folders
from mnistlab.cli.inputs import busy_text, named_recipe, recommended, unbalanced_text
from mnistlab.cli.options import (
    MOST_FOLDS,
    MOST_SEEDS,
    RECIPE_HELP,
    DataChoice,
    ExecutionChoice,
    JsonOption,
    RecipeArgument,
    SetOption,
    TrackOption,
    given,
    grouped,
    named_path,
    refuse,
)
from mnistlab.cli.trained import quoted
from mnistlab.errors import RecipeError

if TYPE_CHECKING:
    from mnistlab.runs import Progress, Run

MOST_NAMED = 10  # classes on a line
# What a training may be resumed with; all else is in its folder.
WITH_RESUME = {"recipe", "resume", "device", "threads", "track", "as_json"}

app = typer.Typer()


@app.command(epilog="Example: mnistlab train --data my-images/")
@grouped
def train(
    context: typer.Context,
    data: DataChoice,
    execution: ExecutionChoice,
    recipe: Annotated[
        str | None,
        typer.Argument(
            callback=given,
            help=f"{RECIPE_HELP} With --data alone: the recommended one.",
            autocompletion=recipe_names,
        ),
    ] = None,
    settings: SetOption = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=MOST_SEEDS, help="How many seeds to train.")
    ] = 1,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            parser=named_path,
            metavar="PATH",
            help="Resume a run that was stopped.",
            autocompletion=run_folders,
        ),
    ] = None,
    track: TrackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a recipe and save the run. The test part is not used: see evaluate."""
    from mnistlab import runs
    from mnistlab.cli.terminal import say, shown_progress
    from mnistlab.tracking import tracked

    if resume is not None and recipe is not None:
        raise RecipeError("train takes a recipe, or --resume and a run's folder, not both")
    if resume is not None:
        because = "cannot be combined with --resume, which continues a training as it began"
        refuse(context, context.params.keys() - WITH_RESUME, because)
    out = execution.out if resume is None else resume.resolve().parent
    with shown_progress(seeds == 1) as shown, tracked(shown, track, out=out, say=say) as progress:
        if resume is not None:
            trained = [runs.resume(resume, **execution.compute_options(progress))]
        else:
            name = recipe or recommended(data.data)
            trained = _trained(name, settings or [], data, seeds, execution, progress)
    _print_runs(trained)
    if as_json:
        results = [run.result | {"path": str(run.path)} for run in trained]
        print(json.dumps(results[0] if len(results) == 1 else {"runs": results}))


def _trained(
    name: str,
    settings: Sequence[str],
    data: DataChoice,
    n_seeds: int,
    execution: ExecutionChoice,
    progress: Progress,
) -> list[Run]:
    """A run of each seed."""
    from mnistlab import runs
    from mnistlab.cli.terminal import say

    recipe = named_recipe(name, settings)
    dataset = data.load(recipe.data)
    if hint := unbalanced_text(recipe, dataset):
        say(hint)
    if hint := busy_text(execution.threads):
        say(hint)
    progress.on_plan(n_seeds)
    recipes = [replace(recipe, seed=recipe.seed + number) for number in range(n_seeds)]
    return [runs.train(each, dataset, **execution.options(progress)) for each in recipes]


def _print_runs(trained: Sequence[Run]) -> None:
    from mnistlab.cli.terminal import table

    rows = [
        (
            run.path,
            run.recipe.seed,
            accuracy_text(run.result["val_accuracy"]),
            run.result["epochs"],
            f"{run.result['train_time_s']:.1f}",
        )
        for run in trained
    ]
    print(classes_text(trained[0].data["class_names"]))
    print(f"split: {_split_text(trained[0].data)}")
    print(table(["run", "seed", "val accuracy", "epochs", "seconds"], rows))
    print(f"next: mnistlab evaluate {quoted(trained)}")


def accuracy_text(accuracy: float | None) -> str | None:
    """Four digits; None, which a table shows as a dash, where nothing was measured."""
    return None if accuracy is None else f"{accuracy:.4f}"


def classes_text(names: Sequence[str]) -> str:
    """Such as "classes: 3 (Balken, Kreuz, Ring)"; only the first of many."""
    from mnistlab.cli.terminal import one_line

    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"classes: {len(names)} ({one_line(', '.join(names[:MOST_NAMED]))}{more})"


def _split_text(data: Mapping[str, Any]) -> str:
    """The size of each part and where its images are from, by the data record of a run."""
    from mnistlab.data.dataset import SPLIT_NAMES

    origins = data.get("parts", {})  # not in runs of before 2026-12
    parts = {name: f"{data[f'n_{name}']:,} {name}" for name in SPLIT_NAMES if data[f"n_{name}"]}
    described = [f"{part} ({origins.get(name, data['split'])})" for name, part in parts.items()]
    if "val" not in parts:
        described.append("no validation part: all training images train")
    return ", ".join(described)


@app.command(epilog="Example: mnistlab cv svm --data mnist --folds 5")
@grouped
def cv(
    recipe: RecipeArgument,
    data: DataChoice,
    execution: ExecutionChoice,
    settings: SetOption = None,
    folds: Annotated[
        int, typer.Option("--folds", min=2, max=MOST_FOLDS, help="Number of folds.")
    ] = 5,
    as_json: JsonOption = False,
) -> None:
    """Cross-validate a recipe on the training part. Trains once per fold; saves the metrics."""
    from mnistlab import runs
    from mnistlab.cli.terminal import shown_progress, table

    chosen = named_recipe(recipe, settings or [])
    dataset = data.load(chosen.data)
    with shown_progress() as progress:
        result = runs.cross_validate(chosen, dataset, n_folds=folds, **execution.options(progress))
    rows = [
        (number, f"{accuracy:.4f}", f"{seconds:.1f}")
        for number, (accuracy, seconds) in enumerate(
            zip(result.accuracy, result.train_time_s, strict=True), start=1
        )
    ]
    print(table(["fold", "accuracy", "seconds"], rows))
    print(
        f"mean {result.mean:.4f}, standard deviation {result.deviation:.4f}, "
        f"{result.n_images:,} training images of {result.data}"
    )
    if as_json:
        print(json.dumps(result.to_json() | {"path": str(result.path)}))
