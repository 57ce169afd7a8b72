"""A table that names image files and their labels: which column is which, and its rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mnistlab.data.readers import split_column
from mnistlab.errors import DataError, reason

# How the columns are called, in any case; the first name that is there counts.
FILE_COLUMNS = (
    *("filename", "file_name", "file", "filepath", "file_path", "image", "image_name"),
    *("image_path", "image_file", "image_id", "img", "path", "filenames", "files", "images"),
    *("img_name", "img_path", "image_filename", "photo", "picture", "fname", "id", "name"),
)
LABEL_COLUMNS = ("label", "labels", "class", "class_name", "target", "category", "y")
MAX_COLUMNS = 32  # a table of more holds pixels
MAX_TABLE_BYTES = 1 << 28


class Columns(NamedTuple):
    """Positions of the columns, and whether the first row names them.

    others: name -> position of what is neither file nor label.
    """

    delimiter: str
    n: int
    file: int
    label: int
    others: dict[str, int]
    has_header: bool


class Row(NamedTuple):
    """number: from 1, as a spreadsheet counts. others: the cells of Columns.others, in order."""

    number: int
    file: str
    label: str
    others: tuple[str, ...] = ()


def columns_of(table: Path, label_column: str | None) -> Columns | None:
    """Which column is which by the first row; None for a table of another kind."""
    delimiter, cells = first_row(table)
    folded = [split_column.folded(cell) for cell in cells]
    if len(cells) > MAX_COLUMNS or len(set(folded)) < len(folded):
        return None
    labels_in: tuple[str, ...] = LABEL_COLUMNS
    if label_column is not None:
        labels_in = (split_column.folded(label_column),)
    splits, label = split_column.find(cells), _position(folded, labels_in)
    file = _position([name if i != label else "" for i, name in enumerate(folded)], FILE_COLUMNS)
    # One column is left: where the name of only one of the two is known, it is the other.
    rest = [i for i in range(len(cells)) if i not in (*splits, label, file)]
    if len(rest) == 1 and label is None and label_column is None:
        label = rest[0]
    elif len(rest) == 1 and file is None:
        file = rest[0]
    if label is None or file is None:
        return None
    others = {cell: i for i, cell in enumerate(cells) if i not in (file, label)}
    return Columns(delimiter, len(cells), file, label, others, True)


def _position(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def first_row(table: Path) -> tuple[str, list[str]]:
    """The delimiter of a table and the cells of its first row; no cells where it is no table."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline(1 << 16)
    except UnicodeDecodeError:
        return ",", []
    except OSError as error:
        raise DataError(f"{table}: cannot be read: {reason(error)}") from error
    delimiter = max("\t;,", key=line.count)
    try:
        return delimiter, next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return delimiter, []


def rows_of(table: Path, columns: Columns) -> Iterator[Row]:
    """All rows below the header; DataError naming the row that has more or fewer cells."""
    try:
        if table.stat().st_size > MAX_TABLE_BYTES:
            raise DataError(f"{table}: larger than {MAX_TABLE_BYTES} bytes; refused")
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=columns.delimiter, strict=True)
            for number, cells in enumerate(reader, 1):
                if not cells or (number == 1 and columns.has_header):
                    continue
                if len(cells) != columns.n:
                    raise DataError(
                        f"{table}: row {number} has {len(cells)} cells, not {columns.n}"
                    )
                others = tuple(cells[i].strip() for i in columns.others.values())
                yield Row(number, clean(cells[columns.file]), cells[columns.label].strip(), others)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: cannot be read: {reason(error)}") from error


def clean(name: str) -> str:
    """The name of a file as a path below the folder, with slashes."""
    name = name.strip().replace("\\", "/")
    while name.startswith("./"):
        name = name[2:]
    return name
