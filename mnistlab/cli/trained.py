"""`mnistlab evaluate`, `compare` and `predict`: of runs that are trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnistlab.cli.options import (
    DataOption,
    DeviceOption,
    JsonOption,
    LabelOption,
    OutOption,
    SizeOption,
    ThreadsOption,
)

if TYPE_CHECKING:
    from mnistlab.data import Dataset
    from mnistlab.run import Run

app = typer.Typer()


@app.command(
    epilog="Example: mnistlab evaluate runs/resnet-small-my-images-seed0-1b2c3d4e-5f6a7b8c"
)
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
    from mnistlab.data import load
    from mnistlab.reporting.run_report import report

    opened = runs.open_run(run)
    dataset = (
        runs.dataset_of(opened)
        if data is None
        else load(data, size=size, label_column=label_column)
    )
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


@app.command(epilog="Example: mnistlab compare runs/resnet-small-mnist-* runs/svm-mnist-*")
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
    epilog="Example: mnistlab predict runs/resnet-small-train-seed0-1b2c3d4e-5f6a7b8c evaluate.csv "
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
