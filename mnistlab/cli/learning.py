"""`mnistlab recipes`, `train`, `evaluate`, `compare`, `predict`, `cv` and `study`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnistlab.cli.options import (
    DataOption,
    DeviceOption,
    ForceOption,
    JsonOption,
    LabelOption,
    OutOption,
    RecipeArgument,
    SetOption,
    SizeOption,
    ThreadsOption,
)
from mnistlab.errors import RecipeError

if TYPE_CHECKING:
    from mnistlab.data import Dataset
    from mnistlab.recipe import Recipe
    from mnistlab.run import Run

app = typer.Typer()


@app.command("recipes", epilog="Example: mnistlab recipes --json")
def recipes_command(as_json: JsonOption = False) -> None:
    """List the ready recipes, with parameters and phases."""
    from mnistlab.cli.terminal import table
    from mnistlab.recipes import RECIPES

    described = [_describe(make()) for make in RECIPES.values()]
    rows = [
        (
            r["name"],
            r["system"],
            r["summary"],
            "by data" if r["n_parameters"] is None else f"{r['n_parameters']:,}",
            "; ".join(r["phases"]) or None,
        )
        for r in described
    ]
    print(table(["name", "system", "model", "parameters", "phases"], rows))
    if as_json:
        print(json.dumps(described))


def _describe(recipe: Recipe) -> dict[str, Any]:
    from mnistlab.run import count_recipe_parameters

    return {
        "name": recipe.name,
        "system": recipe.system,
        "summary": recipe.summary,
        "model": recipe.model,
        "data": recipe.data,
        "n_parameters": count_recipe_parameters(recipe),
        "phases": [
            f"{p.optimizer} {p.learning_rate:g} {p.schedule}, {p.epochs} epochs"
            for p in recipe.phases
        ],
        "expect": recipe.expect,
    }


@app.command(epilog="Example: mnistlab train cnn-small --data mnist --set epochs=3")
def train(
    recipe: RecipeArgument,
    data: DataOption = None,
    settings: SetOption = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds to train.")] = 1,
    size: SizeOption = None,
    label_column: LabelOption = None,
    out: OutOption = Path("runs"),
    force: ForceOption = False,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a recipe and keep the run. The test part is left alone: see evaluate."""
    from dataclasses import replace

    from mnistlab import run as runs
    from mnistlab.cli.terminal import shown_progress, table

    chosen = _recipe(recipe, settings or [])
    dataset = _load(data or chosen.data, size, label_column)
    with shown_progress() as progress:
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
            f"{run.result['val_accuracy']:.4f}",
            run.result["epochs"],
            f"{run.result['train_time_s']:.1f}",
        )
        for run in trained
    ]
    print(table(["run", "seed", "val accuracy", "epochs", "seconds"], rows))
    print(f"next: mnistlab evaluate {trained[0].path}")
    if as_json:
        results = [run.result | {"path": str(run.path)} for run in trained]
        print(json.dumps(results[0] if seeds == 1 else {"runs": results}))


@app.command(epilog="Example: mnistlab evaluate runs/cnn-small-mnist-seed0-1b2c3d4e-5f6a7b8c")
def evaluate(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    data: DataOption = None,
    corruptions: Annotated[
        bool,
        typer.Option("--corruptions", help="Also under fifteen corruptions, in five severities."),
    ] = False,
    size: SizeOption = None,
    label_column: LabelOption = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a run on the test part. Writes result.json and report.html into its folder."""
    from mnistlab import run as runs
    from mnistlab.reporting.run_report import report

    opened = runs.open_run(run)
    dataset = runs.dataset_of(opened) if data is None else _load(data, size, label_column)
    evaluated = runs.evaluate(opened, dataset, device=device, threads=threads)
    if corruptions:
        evaluated = _corrupted(evaluated, dataset, device, threads)
    if dataset.fingerprint == evaluated.data["fingerprint"]:
        figures, page = evaluated.result, report(evaluated, dataset)
    else:
        figures, page = evaluated.result["other_data"][dataset.name], None
    low, high = figures["test_accuracy_ci"]
    print(
        f"accuracy {figures['test_accuracy']:.4f} on {figures['n_test']} images "
        f"(95 % interval {low:.4f} to {high:.4f})"
    )
    if page:
        print(f"report: {page}")
    if as_json:
        print(json.dumps(evaluated.result | {"path": str(evaluated.path)}))


@app.command(epilog="Example: mnistlab compare runs/cnn-small-mnist-seed* runs/mlp-mnist-seed*")
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of evaluated runs.")],
    out: OutOption = Path("runs"),
    as_json: JsonOption = False,
) -> None:
    """Say which of several evaluated runs is better, by how much, on what evidence.

    Runs that differ in their seed alone count as one recipe. Writes a page.
    """
    from mnistlab import run as folders
    from mnistlab.cli.terminal import table
    from mnistlab.reporting.compare_report import compare_report, contenders_table
    from mnistlab.reporting.study_report import text_of

    compared = folders.compare([folders.open_run(path) for path in runs], out=out)
    page = compare_report(compared)
    print(table(*text_of(contenders_table(compared))))
    print(f"\n{compared.answer}\n\nreport: {page}")
    if as_json:
        print(json.dumps(compared.to_json() | {"path": str(compared.path)}))


@app.command(
    epilog="Example: mnistlab predict runs/final-train-seed0-1b2c3d4e-5f6a7b8c evaluate.csv "
    "-o results.csv (or photos/ in place of evaluate.csv)"
)
def predict(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    path: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A CSV with a column ID, an NPZ, an IDX file of images, an image, or a folder "
            "of images.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The table to write.")],
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="A column for every class as well.")
    ] = False,
    size: SizeOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Name images without labels. Writes a table ID,label.

    Image files of another size than the run was trained on are resized where --size is given,
    here or in training, and refused where not.
    """
    from mnistlab import run as runs

    n_rows = runs.predict(
        runs.open_run(run), path, out, size=size, probabilities=probabilities, device=device
    )
    print(f"{n_rows} images named in {out}")
    if as_json:
        print(json.dumps({"n_images": n_rows, "path": str(out)}))


@app.command(epilog="Example: mnistlab cv svm --data mnist --folds 5")
def cv(
    recipe: RecipeArgument,
    data: DataOption = None,
    settings: SetOption = None,
    folds: Annotated[int, typer.Option("--folds", min=2, help="How many parts.")] = 5,
    size: SizeOption = None,
    label_column: LabelOption = None,
    out: OutOption = Path("runs"),
    force: ForceOption = False,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cross-validate a recipe on the training part. Trains once a fold and keeps the figures."""
    from mnistlab import run as runs
    from mnistlab.cli.terminal import shown_progress, table

    chosen = _recipe(recipe, settings or [])
    dataset = _load(data or chosen.data, size, label_column)
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
    name: Annotated[str, typer.Argument(help="A study's name; see the list below.")],
    data: DataOption = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", min=1, help="Seeds an arm; the study says how many.")
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
    as_json: JsonOption = False,
) -> None:
    """Answer a question with recipes and seeds. Writes a table, figures and a page."""
    from mnistlab.cli.terminal import shown_progress, table
    from mnistlab.reporting.study_report import study_report, summary_lines
    from mnistlab.studies import get_study
    from mnistlab.study import run_study

    chosen = get_study(name)
    dataset = _load(data or chosen.data, size, label_column)
    with shown_progress() as progress:
        result = run_study(
            chosen,
            dataset,
            n_seeds=seeds,
            quick=quick,
            out=out,
            force=force,
            device=device,
            threads=threads,
            progress=progress,
        )
    page = study_report(result)
    print(table(*summary_lines(result)))
    print(f"\n{result.answer}\n\nreport: {page}")
    if as_json:
        print(json.dumps(result.to_json() | {"path": str(result.path)}))


def _corrupted(run: Run, dataset: Dataset, device: str, threads: int | None) -> Run:
    """The run with its errors under corruptions, printed as a table."""
    from mnistlab import run as runs
    from mnistlab.cli.terminal import shown_count, table
    from mnistlab.evaluation.corruptions import CORRUPTIONS, SEVERITIES

    with shown_count("corruptions", len(CORRUPTIONS)) as done:
        measured = runs.measure_robustness(
            run, dataset, device=device, threads=threads, on_corruption=done
        )
    rows = [
        (name, *(f"{100 * error:.2f}" for error in errors))
        for name, errors in measured.result["corruptions"].items()
    ]
    print(table(["error, %, at severity", *map(str, SEVERITIES)], rows))
    print(f"mean corruption error {100 * measured.result['mean_corruption_error']:.2f} %")
    return measured


def _load(name: str, size: tuple[int, int] | None, label_column: str | None) -> Dataset:
    from mnistlab.data import load

    return load(name, size=size, label_column=label_column)


def _recipe(name: str, settings: Sequence[str]) -> Recipe:
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
