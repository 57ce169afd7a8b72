"""`mnistlab check`: names the mistakes in a network written by hand."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnistlab.cards import counted
from mnistlab.cli.options import JsonOption, given, named_path, refuse
from mnistlab.errors import DataError

if TYPE_CHECKING:
    from mnistlab.checking import Report

FOUND = 1  # exit status where something was found, or nothing could be checked
LOOK_S = 0.3  # how often --watch looks whether the file has changed

app = typer.Typer()

FileArgument = Annotated[
    Path,
    typer.Argument(
        parser=named_path, metavar="FILE", help="A .py or .ipynb file, or a folder of submissions."
    ),
]
TaskOption = Annotated[
    str | None,
    typer.Option(
        "--task",
        callback=given,
        metavar="NAME",
        help="Check only this, such as softmax, backward or train; without it, all there is.",
    ),
]
HintOption = Annotated[
    int, typer.Option("--hint", min=0, max=3, metavar="1..3", help="Also give hints, 1 the least.")
]
WatchOption = Annotated[
    bool, typer.Option("--watch", help="Check again whenever the file is saved; Ctrl-C ends it.")
]
TableOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        parser=named_path,
        metavar="FILE.csv",
        help="Of a folder: the table of marks, instead of showing it.",
    ),
]


@app.command(epilog="Example: mnistlab check mlp.py --task backward --hint 1")
def check(
    context: typer.Context,
    file: FileArgument,
    task: TaskOption = None,
    hint: HintOption = 0,
    watch: WatchOption = False,
    out: TableOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a network written by hand, and name its mistakes with their lines.

    The code runs in a process of its own with limits on time, memory, files and network, which stop
    accidents, not attacks. Exit status: 0 if nothing was found, 1 otherwise. For teachers: a folder
    gives one table (CSV) with a mark and reasons for every submission in it.
    """
    if file.is_dir():
        if watch or as_json or hint:
            raise DataError(f"{file} is a folder: it has neither --watch, nor --json, nor --hint")
        _mark(file, task, out)
        return
    if out is not None:
        raise DataError(f"--out is for a folder of submissions, and {file} is not a folder")
    if watch:
        refuse(context, {"as_json"}, "is of one check, and --watch never ends")
        _watch(file, task, hint)
    report = _checked(file, task, hint)
    if as_json:
        print(json.dumps(report.to_json()))
    raise typer.Exit(0 if report.passed else FOUND)


def _checked(file: Path, task: str | None, hint: int) -> Report:
    from mnistlab.checking import check_file

    report = check_file(file, task, hint)
    print("\n".join(_printable(line) for line in report.lines()), flush=True)
    return report


def _printable(text: str) -> str:
    """Without characters that move a terminal's cursor: texts of exceptions may hold any."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _watch(file: Path, task: str | None, hint: int) -> None:
    """Check now, and after each change, until Ctrl-C."""
    seen: tuple[int, int] | None = None
    while True:
        try:
            stat = file.stat()
            now = (stat.st_mtime_ns, stat.st_size)
        except OSError:  # an editor that saves by renaming leaves a moment without the file
            if seen is None:
                raise
            now = seen
        if now != seen:
            seen = now
            print(f"--- {time.strftime('%H:%M:%S')} {file}", flush=True)
            try:
                _checked(file, task, hint)
            except DataError as error:  # half-written code: the next save may be right
                print(f"error: {error}", flush=True)
        _wait()


def _wait() -> None:
    time.sleep(LOOK_S)


def _mark(folder: Path, task: str | None, out: Path | None) -> None:
    from mnistlab.checking.submissions import check_table, mark_folder, table, write_table
    from mnistlab.cli.terminal import say

    if out is not None:
        check_table(out)
    marked = mark_folder(folder, task, lambda name: say(f"checked: {name}"))
    if out is None:
        sys.stdout.write(table(marked))
        return
    write_table(marked, out)
    n_passed = sum(each.report.passed for each in marked)
    print(f"{counted(len(marked), 'submission', 'd')}, {n_passed} passed; marks: {out}")
