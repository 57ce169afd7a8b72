"""`mnistlab predict`: the classes of images that nobody has labelled."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from mnistlab.cards import counted
from mnistlab.cli.options import (
    DeviceOption,
    JsonOption,
    RunArgument,
    SizeOption,
    ThreadsOption,
    grouped,
    named_path,
)
from mnistlab.cli.trained import InvertOption
from mnistlab.errors import DataError

STANDARD_INPUT, STANDARD_OUTPUT = Path("/dev/stdin"), Path("/dev/stdout")
ALSO_STANDARD_OUTPUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")

app = typer.Typer()


def table_path(text: str | Path) -> Path:
    """The path of --out; "-" is standard output, as other programs have it."""
    return STANDARD_OUTPUT if str(text) == "-" else named_path(text)


def input_path(text: str | Path) -> Path:
    """The path of INPUT; "-" is standard input."""
    return STANDARD_INPUT if str(text) == "-" else Path(text)


InputArgument = Annotated[
    Path,
    typer.Argument(
        parser=input_path,
        metavar="INPUT",
        help="A CSV of images, an NPZ, an IDX file of images, an image, or a folder of images; "
        "- is a CSV on standard input.",
    ),
]
TableOption = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        parser=table_path,
        metavar="PATH",
        help="The CSV to write, also .tsv or .csv.gz; - is standard output.",
    ),
]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns", metavar="ID,LABEL", help="The CSV's two headings, such as ImageId,Label."
    ),
]
ProbabilitiesOption = Annotated[
    bool, typer.Option("--probabilities", help="Add a column of probabilities for every class.")
]
ThresholdOption = Annotated[
    str | None,
    typer.Option(
        "--threshold",
        metavar="P|validation",
        help="Two classes only: predict the second class from this probability on; "
        "'validation' takes the threshold chosen in training.",
    ),
]
ReportOption = Annotated[
    bool,
    typer.Option(
        "--report",
        help="Also write a page of images with their predictions beside the CSV: results.html "
        "for results.csv.",
    ),
]

PrepareOption = Annotated[
    bool,
    typer.Option(
        "--prepare",
        help="Photographs, scans or drawings of any size, each of one digit or garment: prepare "
        "them as the training images were (runs trained on MNIST, Fashion-MNIST and the like).",
    ),
]
UnusualOption = Annotated[
    bool,
    typer.Option(
        "--unusual",
        help="Add the columns distance, to the nearest training images, and unusual: true for "
        "images unlike the training images, whose predicted classes mean little.",
    ),
]


@dataclass(frozen=True)
class TableChoice:
    """What stands in the CSV."""

    columns: ColumnsOption = None
    probabilities: ProbabilitiesOption = False
    threshold: ThresholdOption = None
    unusual: UnusualOption = False


@dataclass(frozen=True)
class ReadingChoice:
    """How the images to predict are read."""

    prepare: PrepareOption = False
    invert: InvertOption = "no"
    size: SizeOption = None


@app.command(
    epilog="Example: mnistlab predict runs/resnet-small-train-seed0-1b2c3d4e-5f6a7b8c evaluate.csv "
    "-o results.csv (or photos/ in place of evaluate.csv)"
)
@grouped
def predict(
    run: RunArgument,
    path: InputArgument,
    out: TableOption,
    table: TableChoice,
    reading: ReadingChoice,
    report: ReportOption = False,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Predict the classes of unlabelled images and write a CSV.

    Image files of another size than the run was trained on are resized where --size is given,
    here or in training, prepared with --prepare, and refused else.
    """
    from mnistlab import runs
    from mnistlab.reporting import predicting
    from mnistlab.runs.predicting import Predicted

    opened = runs.open_run(run)
    n_unusual: list[int] = []

    def on_predicted(block: Predicted) -> None:
        if block.are_unusual is not None:
            n_unusual.append(int(block.are_unusual.sum()))

    n_images = predicting.predict(
        opened,
        path,
        out,
        on_predicted=on_predicted if table.unusual else None,
        report=report,
        columns=_headings(table.columns),
        probabilities=table.probabilities,
        threshold=table.threshold,
        unusual=table.unusual,
        prepare=reading.prepare,
        invert=reading.invert,
        size=reading.size,
        device=device,
        threads=threads,
    )
    if table.threshold is not None:
        _say_threshold(opened.data["class_names"])
    _say_result(out, n_images, sum(n_unusual) if table.unusual else None, report, as_json)


def _say_threshold(class_names: list[str]) -> None:
    from mnistlab.data.notes import note

    note(f"{class_names[1]!r} is predicted from the threshold on")


def _say_result(
    out: Path, n_images: int, n_unusual: int | None, report: bool, as_json: bool
) -> None:
    """What was written; on standard error where the table itself went to standard output."""
    from mnistlab.cli.terminal import say
    from mnistlab.runs.prediction_files import page_beside

    tell = say if str(out) in ALSO_STANDARD_OUTPUT else print
    result: dict[str, object] = {"n_images": n_images, "path": str(out)}
    tell(f"{counted(n_images, 'image', 'd')} predicted in {out}")
    if n_unusual is not None:
        result["n_unusual"] = n_unusual
        verb = "is" if n_unusual == 1 else "are"
        tell(f"{n_unusual} of them {verb} unlike the training images (column unusual)")
    if report:
        result["report"] = str(page_beside(out))
        tell(f"report: {result['report']}")
    if as_json:
        tell(json.dumps(result))


def _headings(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    try:
        fields = next(csv.reader([text]), [])
        text.encode()  # bytes of a terminal that are no UTF-8
    except (csv.Error, UnicodeEncodeError):  # such as the end of a line
        fields = []
    if len(fields) != 2:
        raise DataError(f"--columns takes two headings, such as ImageId,Label; got {text[:80]!r}")
    return fields[0], fields[1]
