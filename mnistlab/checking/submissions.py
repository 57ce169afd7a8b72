"""A folder of submissions to one table of marks and reasons, with identical ones side by side."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from mnistlab import atomic
from mnistlab.checking.finding import Finding, Report
from mnistlab.checking.sandbox import check_file
from mnistlab.checking.source import fingerprint, read_source
from mnistlab.errors import DataError
from mnistlab.own_pages import check_ours

COLUMNS = ("submission", "mark", "passed", "checks", "mistakes", "reasons", "identical_to")
ENDINGS = (".py", ".ipynb")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute such a cell


class Marked(NamedTuple):
    """One submission: its path within the folder, its report, and those that are identical."""

    name: str
    report: Report
    identical_to: tuple[str, ...]


def submissions(folder: Path) -> list[Path]:
    """All .py and .ipynb files below a folder, in order; DataError where there are none."""
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in ENDINGS and path.is_file() and not _is_hidden(path, folder)
    )
    if not found:
        raise DataError(f"{folder} holds no .py or .ipynb file")
    return found


def _is_hidden(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return any(part.startswith(".") or part == "__pycache__" for part in parts)


def mark_folder(
    folder: Path, task: str | None = None, on_marked: Callable[[str], None] = lambda name: None
) -> list[Marked]:
    """Check every submission, each in a process of its own. One that is no Python has mark 0."""
    paths = submissions(folder)
    prints: dict[str, list[str]] = {}
    own: dict[str, str] = {}
    for path in paths:
        name = str(path.relative_to(folder))
        try:
            own[name] = fingerprint(read_source(path))
        except (DataError, RecursionError):
            continue
        prints.setdefault(own[name], []).append(name)

    def mark(path: Path) -> Marked:
        name = str(path.relative_to(folder))
        try:
            report = check_file(path, task)
        except DataError as error:
            finding = Finding("file", "unreadable", str(error), str(path))
            report = Report(task or "unknown", (finding,))
        on_marked(name)
        same = prints.get(own.get(name, ""), [])
        return Marked(name, report, tuple(other for other in same if other != name))

    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        return list(pool.map(mark, paths))


def table(marked: list[Marked]) -> str:
    """The marks as CSV, marks from 0 to 100."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in marked:
        report = each.report
        cells = (
            each.name,
            f"{100 * report.mark:.0f}",
            "yes" if report.passed else "no",
            len(report.checks),
            len(report.findings),
            "; ".join(_reason(finding) for finding in report.findings),
            " ".join(each.identical_to),
        )
        writer.writerow([_plain(cell) for cell in cells])
    return text.getvalue()


def _reason(finding: Finding) -> str:
    where = f"line {finding.line}, " if finding.line else ""
    return f"{where}{finding.what}: {finding.mistake}: {finding.says}"


def _plain(cell: object) -> str:
    text = str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text


def check_table(path: Path) -> None:
    """DataError where `path` is a file that is no table of marks; call it before the work."""
    if not atomic.OPEN_ALREADY.fullmatch(str(path)):  # else a file that a shell has emptied
        check_ours(path, [f"{','.join(COLUMNS)}\n".encode()], "table of marks")


def write_table(marked: list[Marked], path: Path) -> None:
    """Write the marks to a CSV file."""
    with atomic.open_output(path) as file:
        file.write(table(marked).encode())
