"""`mnistlab train`, `cv` and `study`: what trains."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mnistlab.cli.inputs import load_data, named_recipe, recommended, unbalanced_text
from mnistlab.cli.options import (
    MOST_FOLDS,
    MOST_SEEDS,
    RECIPE_HELP,
    DataOption,
    DeviceOption,
    ForceOption,
    JsonOption,
    LabelOption,
    OnOption,
    OutOption,
    PrecisionOption,
    RecipeArgument,
    SetOption,
    SizeOption,
    ThreadsOption,
    TrackOption,
    given,
    named_path,
)
from mnistlab.data.dataset import SPLIT_NAMES
from mnistlab.errors import RecipeError

MOST_NAMED = 10  # classes on a line

app = typer.Typer()


@app.command(epilog="Example: mnistlab train --data my-images/")
def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            callback=given, help=f"{RECIPE_HELP} With --data alone: the recommended one."
        ),
    ] = None,
    data: DataOption = None,
    settings: SetOption = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=MOST_SEEDS, help="How many seeds to train.")
    ] = 1,
    size: SizeOption = None,
    label_column: LabelOption = None,
    out: OutOption = Path("runs"),
    force: ForceOption = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            parser=named_path,
            metavar="PATH",
            help="Go on with a run that was stopped.",
        ),
    ] = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    track: TrackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a recipe and keep the run. The test part is left alone: see evaluate."""
    from dataclasses import replace

    from mnistlab import runs
    from mnistlab.cli.terminal import say, shown_progress, table
    from mnistlab.tracking import tracked

    if resume is not None and recipe is not None:
        raise RecipeError("train takes a recipe, or --resume and a run's folder, not both")
    where = out if resume is None else resume.resolve().parent
    with shown_progress(seeds == 1) as shown, tracked(shown, track, out=where, say=say) as progress:
        if resume is not None:
            trained = [runs.resume(resume, device=device, threads=threads, progress=progress)]
        else:
            chosen = named_recipe(recipe or recommended(data), settings or [])
            dataset = load_data(data or chosen.data, size, label_column)
            if hint := unbalanced_text(chosen, dataset):
                say(hint)
            progress.on_plan(seeds)
            trained = [
                runs.train(
                    replace(chosen, seed=chosen.seed + offset),
                    dataset,
                    out=out,
                    force=force,
                    device=device,
                    threads=threads,
                    progress=progress,
                )
                for offset in range(seeds)
            ]
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
    print(f"next: mnistlab evaluate {trained[0].path}")
    if as_json:
        results = [run.result | {"path": str(run.path)} for run in trained]
        print(json.dumps(results[0] if len(results) == 1 else {"runs": results}))


def accuracy_text(accuracy: float | None) -> str | None:
    """Four digits; None, which a table shows as a dash, where nothing was measured."""
    return None if accuracy is None else f"{accuracy:.4f}"


def classes_text(names: Sequence[str]) -> str:
    """Such as "classes: 3 (Balken, Kreuz, Ring)"; of many the first ones."""
    from mnistlab.cli.terminal import one_line

    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"classes: {len(names)} ({one_line(', '.join(names[:MOST_NAMED]))}{more})"


def _split_text(data: Mapping[str, Any]) -> str:
    """How many images each part has and where they are from, by the data record of a run."""
    origins = data.get("parts", {})  # not in runs of before 2026-12
    parts = {name: f"{data[f'n_{name}']:,} {name}" for name in SPLIT_NAMES if data[f"n_{name}"]}
    told = [f"{part} ({origins.get(name, data['split'])})" for name, part in parts.items()]
    if "val" not in parts:
        told.append("no validation part: all training images train")
    return ", ".join(told)


@app.command(epilog="Example: mnistlab cv svm --data mnist --folds 5")
def cv(
    recipe: RecipeArgument,
    data: DataOption = None,
    settings: SetOption = None,
    folds: Annotated[
        int,
        typer.Option(
            "--folds", min=2, max=MOST_FOLDS, help="How many folds to cross-validate with."
        ),
    ] = 5,
    size: SizeOption = None,
    label_column: LabelOption = None,
    out: OutOption = Path("runs"),
    force: ForceOption = False,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cross-validate a recipe on the training part. Trains once a fold and keeps the figures."""
    from mnistlab import runs
    from mnistlab.cli.terminal import shown_progress, table

    chosen = named_recipe(recipe, settings or [])
    dataset = load_data(data or chosen.data, size, label_column)
    with shown_progress() as progress:
        progress.on_plan(folds)
        result = runs.cross_validate(
            chosen,
            dataset,
            n_folds=folds,
            out=out,
            force=force,
            device=device,
            threads=threads,
            progress=progress,
        )
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


@app.command(epilog="Example: mnistlab study ladder --data mnist --seeds 3")
def study(
    name: Annotated[
        str, typer.Argument(callback=given, help="A study's name; see the list below.")
    ],
    data: DataOption = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            "--seeds",
            min=1,
            max=MOST_SEEDS,
            help="Seeds per arm; the study has a number of its own.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A miniature, to see in a minute what it does.")
    ] = False,
    size: SizeOption = None,
    label_column: LabelOption = None,
    out: OutOption = Path("runs"),
    force: ForceOption = False,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    precision: PrecisionOption = None,
    track: TrackOption = None,
    on: OnOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Answer a question with recipes and seeds. Writes a table, figures and a page."""
    from mnistlab.cli.terminal import say, shown_progress, table
    from mnistlab.reporting.study_report import study_report, summary_lines
    from mnistlab.studies import get_study
    from mnistlab.study import run_study
    from mnistlab.tracking import tracked

    if track is not None and on != "local":
        raise RecipeError(f"--track is told of trainings of this machine, not of those on {on}")
    chosen = get_study(name)
    dataset = load_data(data or chosen.data, size, label_column)
    with shown_progress() as shown, tracked(shown, track, out=out, say=say) as progress:
        result = run_study(
            chosen,
            dataset,
            n_seeds=seeds,
            quick=quick,
            out=out,
            force=force,
            device=device,
            threads=threads,
            precision=precision,
            progress=progress,
            on=on,
        )
    page = study_report(result)
    print(table(*summary_lines(result)))
    print(f"\n{result.answer}\n\nreport: {page}")
    if as_json:
        print(json.dumps(result.to_json() | {"path": str(result.path)}))
