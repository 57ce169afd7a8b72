"""Tables beside images of which no column names an image, though they seem meant to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mnistlab.data.notes import note
from mnistlab.data.readers.folders.left_out import is_image, listed
from mnistlab.data.readers.label_tables import label_columns, sheets
from mnistlab.data.readers.label_tables.label_table import clean, names_nothing
from mnistlab.data.readers.label_tables.sheets import Sheet
from mnistlab.data.readers.tables import csv_strings
from mnistlab.errors import DataError

MAX_COLUMNS = 32  # a table of more holds pixels
TABLES = (".csv", ".tsv")
FEWEST_PIXELS = 4  # columns of numbers
ARCHIVE = re.compile(r"\.(zip|rar|7z|tgz|tar(\.\w+)?)$", re.IGNORECASE)


def check(root: Path, tables: Sequence[Path]) -> None:
    """DataError for a table that should name images but names none of these.

    That is a table of file names of images, or one with known headings for files and labels where
    no class folders say the labels. The test table of a competition may name what is not there.
    """
    for table in tables:
        if table.suffix.lower() not in TABLES:
            continue
        if (sheet := _narrow(table)) is None:
            continue
        column = _of_file_names(sheet)
        if column is None and not _has_classes(root):
            column = _by_headings(sheet)
        if column is not None:
            raise _names_none(root, sheet, column)


def _has_classes(root: Path) -> bool:
    inside = map(listed, listed(root).folders)
    return sum(bool(one.images or one.folders) for one in inside) > 1


def say_missing(root: Path, tables: Sequence[Path]) -> None:
    """Say which tables beside those that are used name images that are not there."""
    for table in tables:
        sheet = next(sheets.readings(table), None)
        if table.parent == root and sheet and sheet.rows and _of_file_names(sheet) is not None:
            note(f"{table}: lists image files of which none is here; it is not used")


def check_alone(table: Path) -> None:
    """DataError for a table of file names of images, which was given without its images."""
    if not sheets.is_sheet(table) or not table.is_file():
        return
    sheet = _narrow(table)
    column = None if sheet is None else _of_file_names(sheet)
    if sheet is not None and column is not None and _n_of_numbers(sheet) < FEWEST_PIXELS:
        name = clean(sheet.rows[-1].cells[column])
        raise DataError(
            f"{table}: names image files such as {name!r}, and has no pixels; give the folder that "
            f"holds both the table and the images, such as {table.parent}"
        )


def check_packed(path: Path, tables: Sequence[Path]) -> None:
    """DataError for a folder of tables without pixels, whose images are still in archives."""
    packed = [f for f in listed(path).others if ARCHIVE.search(f.name)]
    narrow = [table for table in tables if has_no_pixels(table)]
    if packed and narrow:
        raise DataError(
            f"{path}: {narrow[0].name} has too few columns for pixels, and no images lie there; "
            f"unpack {packed[0].name} there first, if it holds them"
        )


def has_no_pixels(table: Path) -> bool:
    """Whether a table has few columns of numbers, or several of texts, which are no pixels."""
    sheet = _narrow(table)
    if sheet is None:
        return False
    n_numbers = _n_of_numbers(sheet)
    return n_numbers < FEWEST_PIXELS or len(sheet.rows[0].cells) - n_numbers > 1


def _narrow(table: Path) -> Sheet | None:
    """The rows of a table whose columns are too few for pixels; None for any other file.

    One column may hold whole images, as text: such a table has pixels.
    """
    sheet = next(sheets.readings(table), None)
    if sheet is None or not sheet.rows or len(sheet.rows[0].cells) > MAX_COLUMNS:
        return None
    has_images = any(csv_strings.find(sheet.rows[i].cells) for i in (0, -1))
    return None if has_images else sheet


def _n_of_numbers(sheet: Sheet) -> int:
    """How many columns hold nothing but numbers."""
    n = len(sheet.rows[0].cells)
    body = [row.cells for row in sheet.rows[1:] if len(row.cells) == n] or [sheet.rows[0].cells]
    return sum(all(map(_is_number, column)) for column in zip(*body, strict=True))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _of_file_names(sheet: Sheet) -> int | None:
    n = len(sheet.rows[0].cells)
    below = [row.cells for row in sheet.rows[1:] if len(row.cells) == n]
    for i in range(n):
        n_files = sum(is_image(Path(clean(cells[i]))) for cells in below)
        if below and 2 * n_files > len(below) and n > 1:
            return i
    return None


def _by_headings(sheet: Sheet) -> int | None:
    names = [label_columns.folded(cell) for cell in sheet.rows[0].cells]
    files = [i for i, name in enumerate(names) if name in label_columns.FILE_COLUMNS]
    is_labelled = any(name in label_columns.LABEL_COLUMNS for name in names) or len(names) == 2
    return (
        min(files, key=lambda i: label_columns.FILE_COLUMNS.index(names[i]))
        if files and is_labelled
        else None
    )


def _names_none(root: Path, sheet: Sheet, column: int) -> DataError:
    n = len(sheet.rows[0].cells)
    rows = list(sheets.rows_of(sheet, n, sheet.rows[0].number))
    if not rows:
        return DataError(f"{sheet.path}: has no rows below its header, so no image has a label")
    name = clean(rows[0].cells[column])
    return names_nothing(sheet.path, root, rows[0].number, name, len(rows) - 1)
