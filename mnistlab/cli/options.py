"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnistlab import machine
from mnistlab.errors import RecipeError

MOST_PIXELS = 4096  # a side of an image: larger ones are photographs, and no longer small images
MOST_SEEDS, MOST_FOLDS, MOST_TRIALS = 1000, 1000, 100_000
EMPTY = "is empty; name what is meant, or leave the option out"
LARGEST_SEED = 2**32 - 1


def size(text: str) -> tuple[int, int]:
    """(H, W) from "28" or "28x20"."""
    height, times, width = text.partition("x")
    if not height.isdecimal() or (times and not width.isdecimal()):
        raise typer.BadParameter(f"{text!r} is not like 28 or 28x20")
    sides = [int(side) if len(side) < 10 else MOST_PIXELS + 1 for side in (height, width or height)]
    if not all(1 <= side <= MOST_PIXELS for side in sides):
        raise typer.BadParameter(f"{text[:20]} must be from 1 to {MOST_PIXELS} pixels")
    return sides[0], sides[1]


def given(text: str | None) -> str | None:
    """What was typed, which must not be empty, as the value of an unset shell variable is."""
    if text is not None and not text.strip():
        raise typer.BadParameter(EMPTY)
    return text


def named_path(text: str | Path) -> Path:
    """A path that has a name: pathlib takes an empty one for the folder one stands in."""
    given(str(text))
    return Path(text)


def threads(wanted: int | None) -> int | None:
    """As many threads as were asked for, where the machine can use them."""
    machine.check_threads(wanted, "--threads")
    return wanted


def processes(wanted: int) -> int:
    """As many processes as were asked for, where the machine can use them."""
    machine.check_threads(wanted, "--processes")
    return wanted


def hold_out(fraction: float | None) -> float | None:
    """A fraction of the images, of which some must stay and some must go; None: no draw."""
    if fraction is not None and not 0 < fraction < 1:  # so is NaN
        raise RecipeError(f"hold-out must be a fraction between 0 and 1: {fraction}")
    return fraction


RECIPE_HELP = "A recipe's name, or a recipe in a .json file."
RecipeArgument = Annotated[str, typer.Argument(callback=given, help=RECIPE_HELP)]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Change a field; may be repeated."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        callback=given,
        help="A data set's name, or a path: a table (CSV, TSV), NPZ, IDX, Parquet, HDF5, .zip or a "
        "folder of images; see docs/your-images.md.",
    ),
]
SizeOption = Annotated[
    tuple | None,  # type: ignore[type-arg]  # typer would take tuple[int, int] for two options
    typer.Option(
        "--size",
        parser=size,
        metavar="SIDE|HxW",
        help="Resize image files to this size; for tables: height x width of images that are not "
        "square.",
    ),
]
LabelOption = Annotated[
    str | None,
    typer.Option("--label-column", callback=given, help="The CSV column that holds the labels."),
]
RunArgument = Annotated[
    Path, typer.Argument(parser=named_path, metavar="RUN", help="A run's folder.")
]
OutOption = Annotated[
    Path,
    typer.Option(
        "--out", parser=named_path, metavar="PATH", help="Folder that run folders are put in."
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Train again what is there already.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
ThreadsOption = Annotated[
    int | None, typer.Option("--threads", callback=threads, help="CPU threads.")
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        "--precision",
        callback=given,
        help="Of networks whose recipe leaves it open: float32 or bfloat16; this machine's choice "
        "where it is not said.",
    ),
]
TrackOption = Annotated[
    str | None, typer.Option("--track", help="Tell runs to a server as they train: mlflow.")
]
OnOption = Annotated[
    str,
    typer.Option(
        "--on",
        help="Where to train: local, or ray, the cluster of RAY_ADDRESS or this machine's cores.",
    ),
]
