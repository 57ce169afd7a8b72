"""`mnistlab evaluate` and `compare`: commands for trained runs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnistlab.cards import counted
from mnistlab.cli.completing import run_folders
from mnistlab.cli.options import (
    DataOption,
    DeviceOption,
    JsonOption,
    LabelOption,
    SizeOption,
    ThreadsOption,
    named_path,
    refuse,
)

if TYPE_CHECKING:
    from mnistlab.data import Dataset
    from mnistlab.runs import Evaluation, Run
    from mnistlab.runs.metrics import Metrics

app = typer.Typer()

RunsArgument = Annotated[
    list[Path],
    typer.Argument(
        parser=named_path,
        metavar="RUN",
        help="Folders of runs.",
        autocompletion=run_folders,
    ),
]

InvertOption = Annotated[
    str,
    typer.Option(
        "--invert",
        metavar="auto|yes|no",
        help="Invert the images (255 - level). auto: invert only if dark and bright are swapped "
        "compared with training; a swap is always reported.",
    ),
]
CorruptionsOption = Annotated[
    bool,
    typer.Option("--corruptions", help="Also measure fifteen corruptions in five severities."),
]


@app.command(
    epilog="Example: mnistlab evaluate runs/resnet-small-my-images-seed0-1b2c3d4e-5f6a7b8c"
)
def evaluate(
    context: typer.Context,
    run: RunsArgument,
    data: DataOption = None,
    invert: InvertOption = "no",
    corruptions: CorruptionsOption = False,
    size: SizeOption = None,
    label_column: LabelOption = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure runs on the test part. Writes result.json and report.html into each run's folder.

    With --data a run is measured on other images: those it was trained on are left out, and the
    metrics go into result.json under other_data. report.html always shows the run's own test part.
    """
    from mnistlab import runs
    from mnistlab.runs.as_trained import load_as_trained
    from mnistlab.runs.evaluations import check_distinct

    if data is None:
        refuse(context, {"size", "label_column"}, "say how --data is read, which is not given")
    opened = [runs.open_run(path) for path in run]
    check_distinct(opened)
    named = None
    if data is not None:
        named = load_as_trained(opened, data, size=size, label_column=label_column)
    own: dict[str, Dataset] = {}  # by fingerprint: seeds of one recipe share their data
    evaluated = []
    for each in opened:
        dataset = named if named is not None else _own_data(each, own)
        if len(opened) > 1:
            print(f"{each.path}:")
        evaluation = runs.evaluation(each, dataset, invert=invert, device=device, threads=threads)
        if corruptions:
            evaluation = _corrupted(evaluation, device, threads)
        _print_metrics(evaluation)
        _print_files(evaluation, None if named is None else len(named))
        evaluated.append(evaluation.run)
    if len(evaluated) > 1 and named is None:
        print(f"next: mnistlab compare {quoted(evaluated)}")
    if as_json:
        results = [each.result | {"path": str(each.path)} for each in evaluated]
        print(json.dumps(results[0] if len(results) == 1 else {"runs": results}))


def quoted(runs: Sequence[Run]) -> str:
    """The folders of runs as words of a command line."""
    return " ".join(shlex.quote(str(run.path)) for run in runs)


def _own_data(run: Run, known: dict[str, Dataset]) -> Dataset:
    """The data of the run's training, loaded once."""
    from mnistlab.runs import dataset_of

    fingerprint = str(run.data["fingerprint"])
    if fingerprint not in known:
        known[fingerprint] = dataset_of(run)
    return known[fingerprint]


def _print_files(evaluation: Evaluation, n_named: int | None) -> None:
    """Where the metrics are; n_named: how many images --data has."""
    from mnistlab.reporting.run_report import report

    if not evaluation.is_own:
        print(f"metrics are in {evaluation.run.path / 'result.json'} under other_data")
        return
    if n_named is not None:
        print(_own_text(evaluation.run, n_named))
    print(f"report: {report(evaluation)}")


def _own_text(run: Run, n_images: int) -> str:
    """What was measured where the data that were named turn out to be those of the training."""
    n_test, n_seen = run.data["n_test"], run.data["n_train"] + run.data["n_val"]
    n_left_out = n_images - n_test
    # A recipe may train on some of the images alone.
    what = "that the run has seen in training" if n_left_out == n_seen else "of its other parts"
    return (
        f"the data of its training: measured on its test part of {counted(n_test, 'image', 'd')}\n"
        f"left out: {counted(n_left_out, 'image', 'd')} {what}"
    )


def _print_metrics(evaluation: Evaluation) -> None:
    metrics, run = evaluation.metrics, evaluation.run
    low, high = metrics["test_accuracy_ci"]
    print(
        f"accuracy {metrics['test_accuracy']:.4f} on {counted(metrics['n_test'], 'image', 'd')} "
        f"(95 % interval {low:.4f} to {high:.4f})"
    )
    if text := _copies_text(metrics):
        print(text)
    print(
        f"balanced accuracy {metrics['balanced_accuracy']:.4f}, macro F1 {metrics['macro_f1']:.4f}"
    )
    if "accuracy_at_threshold" in metrics:
        threshold = metrics.get("threshold", run.result.get("threshold"))
        second = run.data["class_names"][1]
        print(
            f"with the threshold {threshold:.4f} for {second!r} (predict --threshold validation): "
            f"accuracy {metrics['accuracy_at_threshold']:.4f}, "
            f"balanced accuracy {metrics['balanced_accuracy_at_threshold']:.4f}, macro F1 "
            f"{metrics['macro_f1_at_threshold']:.4f}"
        )
    if evaluation.n_left_out:
        n_left_out = counted(evaluation.n_left_out, "image", "d")
        print(f"left out: {n_left_out} that the run has seen in training")


def _copies_text(metrics: Metrics) -> str:
    """How many test images are in other parts as well; empty where none is."""
    counts = {
        "training": metrics.get("n_test_in_training", 0),
        "validation": metrics.get("n_test_in_validation", 0),
    }
    copies = [
        f"{n} of the {metrics['n_test']} test images {'is' if n == 1 else 'are'} also in the "
        f"{part} part"
        for part, n in counts.items()
        if n
    ]
    accuracy = metrics.get("test_accuracy_without_copies")
    without = "" if accuracy is None or not copies else f"; accuracy without them {accuracy:.4f}"
    return f"{', '.join(copies)}{without}"


@app.command(epilog="Example: mnistlab compare runs/resnet-small-mnist-* runs/svm-mnist-*")
def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            parser=named_path,
            metavar="RUN",
            help="Folders of evaluated runs.",
            autocompletion=run_folders,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", parser=named_path, metavar="PATH", help="Folder for the comparison page."
        ),
    ] = Path("runs"),
    as_json: JsonOption = False,
) -> None:
    """Say which of several evaluated runs is better, by how much, on what evidence.

    Runs that differ in their seed alone count as one recipe. Writes a page.
    """
    from mnistlab import runs as folders
    from mnistlab.cli.terminal import table
    from mnistlab.reporting.compare_report import compare_report, contenders_table
    from mnistlab.reporting.study_report import text_of

    compared = folders.compare([folders.open_run(path) for path in runs], out=out)
    page = compare_report(compared)
    print(table(*text_of(contenders_table(compared))))
    print(f"\n{compared.answer}\n\nreport: {page}")
    if as_json:
        print(json.dumps(compared.to_json() | {"path": str(compared.path)}))


def _corrupted(evaluation: Evaluation, device: str, threads: int | None) -> Evaluation:
    """The evaluation with the errors under corruptions, which are printed as a table."""
    from mnistlab.cli.terminal import shown_count, table
    from mnistlab.evaluation.corruptions import CORRUPTIONS, SEVERITIES
    from mnistlab.runs.execution import Execution
    from mnistlab.runs.robustness import with_corruptions

    execution = Execution(device=device, threads=threads)
    with shown_count("corruptions", len(CORRUPTIONS)) as done:
        measured = with_corruptions(evaluation, execution, done)
    result = measured.run.result
    rows = [
        (name, *(f"{100 * error:.2f}" for error in errors))
        for name, errors in result["corruptions"].items()
    ]
    print(table(["error, %, at severity", *map(str, SEVERITIES)], rows))
    print(f"mean corruption error {100 * result['mean_corruption_error']:.2f} %")
    return measured
