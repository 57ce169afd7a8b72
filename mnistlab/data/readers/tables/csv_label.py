"""Which column of a table has the labels: by its name, or by the values of all that might."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mnistlab.data.notes import note
from mnistlab.data.readers import split_column
from mnistlab.data.readers.label_tables import label_columns
from mnistlab.data.readers.tables import csv_extra
from mnistlab.data.readers.tables.csv_beginning import Beginning
from mnistlab.data.readers.tables.csv_cells import number
from mnistlab.data.readers.tables.csv_guess import Guess, guessed
from mnistlab.data.readers.tables.csv_head import LABEL_NAMES, is_counting
from mnistlab.errors import DataError

SHOWN = 4  # columns in a message

Found = tuple[int | None, str]  # the label column, and why that is not clear, or ""


def told(table: Beginning, label_column: str | None) -> int | None:
    """The label column by its name or number; None where only its values can tell."""
    names = table.names
    if label_column is None:
        return find(names, LABEL_NAMES) if table.has_header else None
    if label_column in names:
        return names.index(label_column)
    if re.fullmatch(r"[0-9]{1,9}", label_column) and 1 <= int(label_column) <= len(names):
        return int(label_column) - 1
    raise DataError(f"{table.where}: no column {label_column!r} to take labels from")


def found(table: Beginning, rest: Sequence[int], strings: int | None) -> Found:
    """The label column among those of which no name tells it; None where none has labels.

    strings: the column of `rest` that holds whole images.
    """
    if not rest:
        return None, ""
    names = [table.names[i] for i in rest]
    are_numbered = not table.has_header or (len(rest) > 1 and is_counting(names))
    if strings is None and are_numbered:
        are_all_pixels = len(rest) > 1 and table.fits(len(rest))
        return (None, "") if are_all_pixels else _outer(table, rest)
    odd = [i for i in rest if i != strings]
    if not are_numbered:
        odd = [i for i in csv_extra.unlike_pixels(table.names, rest) if i != strings]
        if strings is None and table.fits(len(rest)):
            odd = [i for i in odd if not csv_extra.PIXEL_NAME.fullmatch(table.names[i].casefold())]
    return _one_of(table, odd)


def _one_of(table: Beginning, odd: Sequence[int]) -> Found:
    """The only column, or the only one whose values repeat."""
    if len(odd) == len(table.names):
        return None, ""
    odd = [i for i in odd if not table.counts_rows(i)]
    if csv_extra.are_one_hot([table.column(i) for i in odd]):
        first, last = (repr(table.names[i]) for i in (odd[0], odd[-1]))
        return None, (
            f"its columns {first} to {last} are one-hot labels; save one column of labels: "
            "table[names].idxmax(axis=1)"
        )
    odd = [i for i in odd if not _is_never(table.names[i]) and not _measures(table.column(i))]
    if len(odd) > 1:
        odd = [i for i in odd if _may_be_labels(table.column(i))] or odd
    if len(odd) > 1:
        named = " or ".join(repr(table.names[i]) for i in odd[:SHOWN])
        return None, f"its labels may be in column {named}; --label-column says which"
    if not odd:
        return None, ""
    note(f"{table.where}: labels are taken from column {table.names[odd[0]]!r}")
    return odd[0], ""


def _is_never(name: str) -> bool:
    """Whether the name is that of an origin or a measure, such as batch, user_id or date."""
    return label_columns.NEVER_LABELS.fullmatch(split_column.folded(name)) is not None


def _measures(cells: Sequence[str]) -> bool:
    """Whether a column holds fractions, or IDs: another value in every row."""
    numbers = [value for value in map(number, cells) if value is not None]
    return any(value % 1 for value in numbers) or csv_extra.are_ids(cells)


def _may_be_labels(cells: Sequence[str]) -> bool:
    """Whether the values of a column repeat, are not all the same, and are no fractions."""
    n_distinct = len(set(cells))
    has_fractions = any(value is not None and value % 1 for value in map(number, cells))
    return n_distinct > 1 and 2 * n_distinct <= len(cells) and not has_fractions


def _outer(table: Beginning, rest: Sequence[int]) -> Found:
    """The first or the last column, whichever looks more like labels."""
    guess = guessed(table.rows, rest) or guessed(table.of_whole_table(), rest, is_whole=True)
    guess = guess or Guess(is_last=False, may_be_wrong=True)
    ends = rest[0], rest[-1]
    label, other = ends[guess.is_last], ends[not guess.is_last]
    if all(_measures(table.column(i)) for i in ends):
        first, last = (table.names[i] for i in ends)
        return ends[guess.is_last], (
            "neither its first column nor its last holds labels, which are whole numbers or texts "
            f"that repeat; --label-column {first} or --label-column {last} takes one anyway"
        )
    if guess.is_doubtful:
        first, last = (table.names[i] for i in ends)
        return label, (
            "its first column and its last both look like labels; say which has them: "
            f"--label-column {first} or --label-column {last}"
        )
    if guess.is_last or guess.may_be_wrong:
        taken, left = ("last", "first") if guess.is_last else ("first", "last")
        note(
            f"{table.where}: labels are taken from the {taken} column; "
            f"--label-column {table.names[other]} takes the {left}"
        )
    return label, ""


def find(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    """The position of the first wanted name that is there, in any case."""
    folded = [name.casefold() for name in names]
    return next((folded.index(name) for name in wanted if name in folded), None)
