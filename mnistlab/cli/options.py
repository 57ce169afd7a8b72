"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def size(text: str) -> tuple[int, int]:
    """(H, W) from "28" or "28x20"."""
    height, times, width = text.partition("x")
    if not height.isdecimal() or (times and not width.isdecimal()):
        raise typer.BadParameter(f"{text!r} is not like 28 or 28x20")
    return int(height), int(width or height)


RECIPE_HELP = "A recipe's name, or a recipe in a .json file."
RecipeArgument = Annotated[str, typer.Argument(help=RECIPE_HELP)]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Change a field; may be repeated."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]
DataOption = Annotated[
    str | None, typer.Option("--data", help="A data set's name, or a CSV, NPZ, IDX or folder.")
]
SizeOption = Annotated[
    tuple | None,  # type: ignore[type-arg]  # typer would take tuple[int, int] for two options
    typer.Option(
        "--size",
        parser=size,
        metavar="SIDE|HxW",
        help="Size of the images, where it must be said.",
    ),
]
LabelOption = Annotated[
    str | None, typer.Option("--label-column", help="The CSV column that holds the labels.")
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder that run folders are put in.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Train again what is there already.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
ThreadsOption = Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads.")]
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
