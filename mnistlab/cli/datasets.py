"""`mnistlab data ...`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mnistlab.cli.options import JsonOption, LabelOption, SizeOption

app = typer.Typer(help="Data sets: list, fetch, export.", no_args_is_help=True)


@app.command("list", epilog="Example: mnistlab data list")
def data_list(as_json: JsonOption = False) -> None:
    """Show the named data sets. Says which are here already, and their licences."""
    from mnistlab.cli.terminal import table
    from mnistlab.data import SOURCES, available

    rows = [(name, available(name), s.licence, s.title) for name, s in SOURCES.items()]
    print(table(["name", "here", "licence", "what"], rows))
    if as_json:
        keys = ("name", "available", "licence", "title")
        print(json.dumps([dict(zip(keys, row, strict=True)) for row in rows]))


@app.command("fetch", epilog="Example: mnistlab data fetch mnist")
def data_fetch(name: str) -> None:
    """Download a data set into the cache. Does nothing where it is here already."""
    from mnistlab.data import fetch

    for path in fetch(name):
        print(path)


@app.command(
    "export", epilog="Example: mnistlab data export fashion-mini --format csv --size 32 -o folder"
)
def data_export(
    name: Annotated[str, typer.Argument(metavar="NAME_OR_PATH")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into.")],
    kind: Annotated[str, typer.Option("--format", help="csv, npz or idx.")] = "csv",
    size: SizeOption = None,
    hold_out: Annotated[
        float | None,
        typer.Option("--hold-out", help="Share of all images drawn as the test part."),
    ] = None,
    label_column: LabelOption = None,
) -> None:
    """Write a data set as CSV, NPZ or IDX files, padded to --size.

    Beside a test.csv lies evaluate.csv, the same images under an ID instead of labels.
    """
    from mnistlab.data import export, load

    dataset = load(name, label_column=label_column)
    for path in export(dataset, out, format=kind, size=size, hold_out=hold_out):
        print(path)
