"""`mnistlab data ...`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mnistlab import atomic
from mnistlab.cli.completing import dataset_names
from mnistlab.cli.options import (
    MOST_FOLDS,
    DeviceOption,
    ForceOption,
    JsonOption,
    LabelOption,
    OutOption,
    SizeOption,
    ThreadsOption,
    given,
    named_path,
)
from mnistlab.cli.options import hold_out as checked_hold_out
from mnistlab.errors import DataError

app = typer.Typer(
    help="Data sets: list, fetch, profile, audit, export.",
    epilog="Example: mnistlab data profile my-images/ --size 28",
    no_args_is_help=True,
)


@app.command("list", epilog="Example: mnistlab data list")
def data_list(as_json: JsonOption = False) -> None:
    """List the named data sets, with their licences and where they are on this machine."""
    from mnistlab.cli.terminal import table
    from mnistlab.data import SOURCES, available

    rows = [(name, available(name), s.licence, s.title) for name, s in SOURCES.items()]
    print(table(["name", "here", "licence", "what"], rows))
    if as_json:
        keys = ("name", "available", "licence", "title")
        print(json.dumps([dict(zip(keys, row, strict=True)) for row in rows]))


@app.command("fetch", epilog="Example: mnistlab data fetch mnist")
def data_fetch(
    name: Annotated[str, typer.Argument(autocompletion=dataset_names)],
) -> None:
    """Download a named data set into the cache, unless it is on this machine."""
    from mnistlab.data import fetch

    for path in fetch(name):
        print(path)


@app.command("profile", epilog="Example: mnistlab data profile my-images/ --size 28")
def data_profile(
    name: Annotated[
        str, typer.Argument(metavar="NAME_OR_PATH", callback=given, autocompletion=dataset_names)
    ],
    no_map: Annotated[
        bool,
        typer.Option("--no-map", help="Leave out the t-SNE map, which takes the longest."),
    ] = False,
    size: SizeOption = None,
    label_column: LabelOption = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            parser=named_path,
            metavar="PATH",
            help="Folder in which the profile's folder is made.",
        ),
    ] = Path("runs"),
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Describe a data set before training on it. Writes a page, its figures and profile.json.

    Shows classes, splits, grey levels, images, principal components, a map, and the most similar
    images of different classes, whose labels may be wrong.
    """
    from mnistlab.cli.terminal import say, table
    from mnistlab.data import load
    from mnistlab.own_pages import check_page
    from mnistlab.profiling.measuring import profile
    from mnistlab.profiling.page import profile_report, summary_lines

    atomic.check_writable(out)  # before the work
    dataset = load(name, size=size, label_column=label_column)
    folder = out / f"profile-{dataset.name}"
    check_page(folder / "profile.html")
    found = profile(
        dataset,
        with_map=not no_map,
        threads=threads,
        on_step=say,
    )
    page = profile_report(found, folder)
    print(table(*summary_lines(found)))
    print(f"\nprofile: {page}")
    if as_json:
        print(json.dumps(found.to_json() | {"path": str(page)}))


@app.command("audit", epilog="Example: mnistlab data audit my-images/ --size 28")
def data_audit(
    name: Annotated[
        str, typer.Argument(metavar="NAME_OR_PATH", callback=given, autocompletion=dataset_names)
    ],
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
    """Find wrong labels, copies and blank images. Writes suspects.csv and a page.

    Every image, of all splits, is judged by a network that was trained on other folds. This takes
    one short training per fold.
    """
    from mnistlab.auditing.finding import audit
    from mnistlab.auditing.page import audit_report, counts_table
    from mnistlab.cli.terminal import shown_progress, table
    from mnistlab.data import load
    from mnistlab.reporting.study_report import text_of

    atomic.check_writable(out)
    dataset = load(name, size=size, label_column=label_column)
    with shown_progress() as progress:
        found = audit(
            dataset,
            n_folds=folds,
            out=out,
            force=force,
            device=device,
            threads=threads,
            progress=progress,
        )
    page = audit_report(found)
    print(table(*text_of(counts_table(found))))
    print(f"\nsuspects: {found.path / 'suspects.csv'}\nreport: {page}")
    if as_json:
        print(json.dumps(found.to_json() | {"path": str(found.path)}))


@app.command(
    "export", epilog="Example: mnistlab data export fashion-mini --format csv --size 32 -o folder"
)
def data_export(
    name: Annotated[
        str, typer.Argument(metavar="NAME_OR_PATH", callback=given, autocompletion=dataset_names)
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", parser=named_path, metavar="PATH", help="Folder to write into."
        ),
    ],
    kind: Annotated[str, typer.Option("--format", help="csv, npz or idx.")] = "csv",
    size: SizeOption = None,
    hold_out: Annotated[
        float | None,
        typer.Option(
            "--hold-out",
            callback=checked_hold_out,
            help="Fraction of all images to draw as the test set.",
        ),
    ] = None,
    label_column: LabelOption = None,
) -> None:
    """Write a data set as CSV, NPZ or IDX files, padded to --size.

    A test.csv comes with an evaluate.csv: the same images with IDs instead of labels. An earlier
    export in the folder is replaced; other files never are, nor what is exported.
    """
    from mnistlab.data import SOURCES, export, load

    atomic.check_writable(out)  # before a set is fetched
    if name not in SOURCES and out.is_dir() and Path(name).resolve() == out.resolve():
        raise DataError(f"{out}: is what is exported and would be replaced; name another folder")
    dataset = load(name, label_column=label_column)
    for path in export(dataset, out, format=kind, size=size, hold_out=hold_out):
        print(path)
