"""The layout of a table: which columns are pixels, labels, IDs and splits, and which are neither.

The first rows decide (`csv_head`). If no name tells the label column, it is the first one, unless
the last one looks more like labels (`csv_guess`); a note says when this guess may be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from mnistlab.data.notes import note
from mnistlab.data.readers import split_column
from mnistlab.data.readers.label_tables import label_columns
from mnistlab.data.readers.shapes import Size
from mnistlab.data.readers.tables import csv_extra, csv_label, csv_strings
from mnistlab.data.readers.tables.csv_beginning import Beginning, SampleAll
from mnistlab.data.readers.tables.csv_cells import DECIMAL_COMMA, Columns
from mnistlab.data.readers.tables.csv_head import (
    ID_NAMES,
    INDEX,
    LABEL_NAMES,
    Sample,
    head_of,
    is_counting,
)
from mnistlab.data.readers.tables.csv_strings import Strings
from mnistlab.errors import DataError

ONE_TABLE_PER_SPLIT = "save one table per split (train.csv, val.csv, test.csv) without this column"


class Layout(NamedTuple):
    """first_row: the number (from 1) of the first image. restored: its line if it was a header.

    strings: the column that holds all pixels as one text; `columns` has one name for each pixel.
    doubt: why it is not clear which column has the labels; empty where it is. suspects: what does
    not look like pixels, for the error where the pixels make no image.
    """

    columns: Columns
    first_row: int
    restored: bytes | None = None
    strings: Strings | None = None
    doubt: str = ""
    suspects: str = ""
    has_header: bool = True


def decide(
    block: bytes, where: str, size: Size | None, label_column: str | None, sample_all: SampleAll
) -> Layout:
    """The layout of a table that begins with `block`, which ends with a line break.

    sample_all: given the delimiter and the number of lines to skip, rows from the whole table as
    cells; called only if the first rows do not decide. Raises DataError naming `where`.
    """
    head = head_of(block, where, label_column)
    names = head.names or tuple(str(i) for i in range(1, head.n_columns + 1))
    _check_repeated(names, where)
    table = Beginning(block, where, size, head, names, sample_all)
    label = csv_label.told(table, label_column)
    ids = _ids(table, label)
    split = _split_column(table, label)
    strings = _strings(table, label)
    whole = None if strings is None else strings.column
    doubt = ""
    left_out = _left_indices(table, label, ids, split)  # of an index that was saved twice
    rest = [i for i in range(len(names)) if i not in (label, ids, split, *left_out)]
    if strings is None and (counting := _counting(table, rest, label)):
        note(f"{where}: column {names[counting[0]]} numbers the rows and is left out")
        left_out += counting
        rest = [i for i in rest if i not in counting]
    if label is None and label_column is None:
        label, doubt = csv_label.found(table, rest, whole)
        rest = [i for i in rest if i != label]
    odd = _odd(table, rest, whole)
    if not doubt:
        _say_left_out(table, odd, label)
    rest = [i for i in rest if i not in odd]
    suspects = ""
    if strings is None and not table.fits(len(rest)):
        suspects = csv_extra.suspects(names, rest, table.first, table.rows, table.has_header)
    columns = Columns(names, label, ids, head.delimiter, 1, (*left_out, *odd), split)
    if strings is None:
        columns = _with_decimals(columns, table.first)
    else:
        columns = _widened(columns, strings)
    return Layout(
        columns, head.first_row, head.restored, strings, doubt, suspects, table.has_header
    )


def _check_repeated(names: Sequence[str], where: str) -> None:
    """DataError for a name of several columns; pandas gives one of them none."""
    unnamed = [i for i, name in enumerate(names, 1) if not name]
    if len(unnamed) > 1:
        both = " and ".join(map(str, unnamed[:2]))
        raise DataError(f"{where}: row 1: columns {both} have no name; name them or leave them out")
    repeated = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if repeated is not None:
        raise DataError(f"{where}: row 1: column name {repeated!r} appears more than once")


def _ids(table: Beginning, label: int | None) -> int | None:
    """The column called ID, or else one called number or Nr. that numbers the rows."""
    if not table.has_header:
        return None
    if (named := csv_label.find(table.names, ID_NAMES)) is not None:
        return None if named == label else named
    numbers = (
        i
        for i, name in enumerate(table.names)
        if i != label and label_columns.is_number(name) and table.counts_rows(i, fewest=1)
    )
    return next(numbers, None)


def _split_column(table: Beginning, label: int | None) -> int | None:
    """The column that tells the splits; DataError where several do."""
    if not table.has_header:
        return None
    found = [i for i in split_column.find(table.names) if i != label]
    if not found and label is not None:
        found = [
            i
            for i, name in enumerate(table.names)
            if i != label and split_column.is_bare_flag(name, table.column(i))
        ]
    if len(found) > 1:
        values = [*dict.fromkeys(table.column(found[0]))]
        raise split_column.refusal(table.names[found[0]], values, table.where, ONE_TABLE_PER_SPLIT)
    return found[0] if found else None


def _strings(table: Beginning, label: int | None) -> Strings | None:
    """The column whose cells hold all pixels of an image; DataError for several."""
    row = next(iter(table.first), [])
    found = [one for one in csv_strings.find(row) if one.column != label]
    if len(found) > 1:
        both = " and ".join(repr(table.names[one.column]) for one in found[:2])
        raise DataError(
            f"{table.where}: columns {both} both hold strings of pixels; leave one of them out"
        )
    return found[0] if found else None


def _left_indices(table: Beginning, *others: int | None) -> list[int]:
    names = enumerate(table.names) if table.has_header else ()
    return [i for i, name in names if i not in others and INDEX.fullmatch(name.casefold())]


def _counting(table: Beginning, rest: Sequence[int], label: int | None) -> list[int]:
    """An index without a name of its own, where the others make an image and perhaps a label."""
    n_labels = 1 if label is None else 0
    names = [table.names[i] for i in rest]
    if len(rest) < 3 or table.fits(len(rest)) or not table.fits(len(rest) - 1 - n_labels):
        return []
    if table.has_header and not is_counting(names):
        return []
    index = csv_extra.index_at_an_end(table.first, table.rows, rest, len(table.names))
    return [] if index is None else [index]


def _odd(table: Beginning, rest: Sequence[int], strings: int | None) -> tuple[int, ...]:
    """The columns of the rest that are no pixels, if the others make an image."""
    if strings is not None:
        return tuple(i for i in rest if i != strings)
    if not table.has_header or not rest:
        return ()
    if not table.fits(len(rest)):
        return csv_extra.left_out(table.names, rest, table.fits)
    if odd := csv_extra.rarely_named(table.names, rest):
        named = ", ".join(repr(table.names[i]) for i in odd)
        note(f"{table.where}: {named}: read as pixels, as {len(rest)} columns make an image")
    return ()


def _say_left_out(table: Beginning, columns: Sequence[int], label: int | None) -> None:
    if not columns:
        return
    names = table.names
    named = ", ".join(repr(names[i]) for i in columns)
    what = (
        "columns {} are no pixels and are" if len(columns) > 1 else "column {} is no pixel and is"
    )
    text = f"{what.format(named)} left out"
    other = next((i for i in columns if names[i].casefold() in LABEL_NAMES), None)
    if label is not None and other is not None:
        text += (
            f"; labels are taken from {names[label]!r}, "
            f"--label-column {names[other]} takes the others"
        )
    note(f"{table.where}: {text}")


def _with_decimals(columns: Columns, rows: Sample) -> Columns:
    """With the comma as the mark of decimals where the pixels are written so."""
    whole = [row for row in rows if len(row) == len(columns.names)]
    cells = [row[i].strip() for row in whole for i in columns.pixels]
    if any(map(DECIMAL_COMMA.fullmatch, cells)) and not any("." in cell for cell in cells):
        return replace(columns, decimal=",")
    return columns


def _widened(columns: Columns, strings: Strings) -> Columns:
    """The columns where each pixel has one."""

    def moved(i: int) -> int:
        return i if i < strings.column else i + strings.n_pixels - 1

    def moved_if(i: int | None) -> int | None:
        return None if i is None else moved(i)

    return replace(
        columns,
        names=csv_strings.widened(columns.names, strings),
        label=moved_if(columns.label),
        id=moved_if(columns.id),
        split=moved_if(columns.split),
        left_out=tuple(map(moved, columns.left_out)),
    )
