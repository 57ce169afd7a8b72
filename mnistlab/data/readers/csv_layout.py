"""The layout of a table: its delimiter, its header, which columns are labels and IDs.

The first rows decide. A row of numbers is a header if it counts the columns (0..n-1 or 1..n), else
an image. If no name tells the label column, it is the first one, unless the last one differs more
from the pixels beside it; a note says when this guess may be wrong.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from mnistlab.data.notes import note
from mnistlab.data.readers import split_column
from mnistlab.data.readers.csv_cells import Columns, number
from mnistlab.data.readers.csv_guess import Guess, Sample, guessed
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError, reason

LABEL_NAMES = (
    *("label", "class", "target", "y", "labels", "classes", "targets"),
    *("digit", "letter", "character", "category", "class_name", "class_label"),
)
ID_NAMES = ("id", "", "imageid", "image_id", "index", "unnamed: 0")  # "": the index of pandas
BOM = b"\xef\xbb\xbf"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = ("\t", ";", ",")
OTHER_DELIMITERS = ("|", ":")
QUOTED = re.compile(r'"[^"]*"')
PIXEL_NAME = re.compile(r"[a-z_. -]*[0-9]+([x_., -][0-9]+)?")
FEWEST_NUMBERED = 5  # columns; a shorter row of 0, 1, 2, ... may be an image as well
N_SAMPLED = 400  # rows that are used to tell labels from pixels
FEWEST_IN_STRING = 9  # numbers with spaces between them in one cell
ONE_TABLE_PER_SPLIT = "save one table per split (train.csv, val.csv, test.csv) without this column"


class Layout(NamedTuple):
    """first_row: the row number (from 1) of the first image."""

    columns: Columns
    first_row: int


class Head(NamedTuple):
    """The first rows of a table. names: of the columns; None without a header."""

    delimiter: str
    names: tuple[str, ...] | None
    n_columns: int
    first_row: int


def decide(
    block: bytes,
    where: str,
    size: Size | None,
    label_column: str | None,
    sample_all: Callable[[str, int], Sample],
) -> Layout:
    """The layout of a table that begins with `block`, which ends with a line break.

    sample_all: given the delimiter and the number of lines to skip, rows from the whole table as
    cells; called only if the first rows do not decide. Raises DataError naming `where`.
    """
    head = _head(block, where, label_column)
    names = head.names or tuple(str(i) for i in range(1, head.n_columns + 1))
    repeated = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if repeated is not None:
        raise DataError(f"{where}: row 1: column name {repeated!r} appears more than once")
    ids = None if head.names is None else _find(names, ID_NAMES)
    label = _named_label(names, head.names is not None, ids, label_column, where)
    if head.names is not None:
        _check_columns(names, label, block, head, where)
    others = [i for i in range(len(names)) if i != ids]
    is_told = label is not None or not others or not _is_numbered([names[i] for i in others])
    if not is_told and not _are_all_pixels(len(others), size):
        ends = others[0], others[-1]
        guess = _outer_label(block, head, ends, sample_all)
        label, other = ends[guess.is_last], ends[not guess.is_last]
        if guess.is_last or guess.may_be_wrong:
            taken, left = ("last", "first") if guess.is_last else ("first", "last")
            note(
                f"{where}: labels are taken from the {taken} column; "
                f"--label-column {names[other]} takes the {left}"
            )
    columns = Columns(names, label, None if ids == label else ids, head.delimiter)
    return Layout(columns, head.first_row)


def sample(block: bytes, delimiter: str, n_skipped: int = 0, n: int = N_SAMPLED) -> Sample:
    """The cells of up to n rows of a block: the first row and random others.

    Every third row of a table whose classes alternate might show a single class.
    """
    lines = block.splitlines()[n_skipped:]
    if len(lines) > n:
        drawn = np.random.default_rng(0).choice(len(lines) - 1, n - 1, replace=False) + 1
        lines = [lines[0], *(lines[i] for i in np.sort(drawn).tolist())]
    texts = [line.decode("utf-8", "replace") for line in lines if line]
    return [_cells(text, delimiter, strict=False) for text in texts]


def _head(block: bytes, where: str, label_column: str | None) -> Head:
    if block.startswith(UTF16):
        raise DataError(f"{where}: is UTF-16 text; save it as UTF-8")
    lines = block.split(b"\n", 64)[:-1]
    _check_lines(lines[0], where)
    n_comments = next((i for i, line in enumerate(lines) if not line.startswith(b"#")), 0)
    text = _text(lines[n_comments], where, n_comments + 1)
    delimiter = _delimiter(text, where)
    try:
        cells = _cells(text, delimiter)
    except csv.Error as error:
        raise DataError(f"{where}: row {n_comments + 1}: {reason(error)}") from error
    if not cells:
        raise DataError(f"{where}: row {n_comments + 1} is blank")
    if n_comments:  # numpy.savetxt writes its header so
        comment = _text(lines[n_comments - 1], where, n_comments).lstrip("#")
        names = _stripped(_cells(comment, delimiter, strict=False))
        is_header = len(names) == len(cells)
        texts = [cell for cell in cells if number(cell) is None]
        if not is_header and len(texts) > 1:
            raise DataError(
                f"{where}: row {n_comments} is a comment (#) before the header; leave it out: "
                f"grep -v '^#' table > table.csv"
            )
        return Head(delimiter, names if is_header else None, len(cells), n_comments + 1)
    names = _stripped(cells)
    if not _is_header(names, lambda: sample(block, delimiter), label_column):
        return Head(delimiter, None, len(cells), 1)
    if len(names) >= FEWEST_NUMBERED and _is_numbered(names):
        note(f"{where}: row 1 counts from {names[0]} to {names[-1]} and is taken as a header")
    return Head(delimiter, names, len(cells), 2)


def _check_lines(first: bytes, where: str) -> None:
    """DataError for what some programs write instead of, or before, the first row."""
    if first.strip().lower().startswith(b"sep="):
        raise DataError(
            f"{where}: row 1 is {first.strip()[:8].decode('ascii', 'replace')!r}, which only Excel "
            "reads; leave it out: sed 1d table > table.csv"
        )
    if b"\r" in first.rstrip(b"\r"):
        raise DataError(
            f"{where}: its rows end with a carriage return (CR) alone, as old programs write them; "
            "convert it: tr '\\r' '\\n' < table > table.csv"
        )


def _text(line: bytes, where: str, row: int) -> str:
    try:
        return line.decode().rstrip("\r")
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: row {row}: {reason(error)}") from error


def _delimiter(line: str, where: str) -> str:
    bare = QUOTED.sub("", line)
    found = max(DELIMITERS, key=bare.count)
    if bare.count(found):
        return found
    other = max(OTHER_DELIMITERS, key=bare.count)
    if bare.count(other):
        raise DataError(
            f"{where}: its columns are separated by {other!r}; read are commas, semicolons, tabs "
            f"and spaces: tr '{other}' ',' < table > table.csv"
        )
    return " " if len(bare.split()) > 1 else ","


def _cells(line: str, delimiter: str, strict: bool = True) -> list[str]:
    if delimiter == " ":
        return line.split()
    try:
        return next(csv.reader([line], strict=True, delimiter=delimiter), [])
    except csv.Error:
        if strict:
            raise
        return []


def _stripped(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in cells)


def _is_header(
    names: Sequence[str], sampled: Callable[[], Sample], label_column: str | None
) -> bool:
    """Whether the first row holds names: texts, or numbers that count the columns."""
    texts = [i for i, name in enumerate(names) if number(name) is None]
    if len(texts) > 1:
        return True
    if not texts:
        return len(names) >= FEWEST_NUMBERED and _is_numbered(names)
    (place,) = texts
    name = names[place]
    if name == label_column or name.casefold() in LABEL_NAMES + ID_NAMES:
        return True
    # Else the text is the label of an image, unless the numbers beside it count the columns.
    recurs = any(len(row) > place and row[place].strip() == name for row in sampled()[1:])
    return not recurs and _is_numbered([other for i, other in enumerate(names) if i != place])


def _is_numbered(names: Sequence[str]) -> bool:
    """Whether the names are 0..n-1 or 1..n."""
    numbers = [number(name) for name in names]
    return numbers in (list(range(len(names))), list(range(1, len(names) + 1)))


def _named_label(
    names: tuple[str, ...], has_header: bool, ids: int | None, label_column: str | None, where: str
) -> int | None:
    """The label column by name or number; None where only its values can tell."""
    if label_column is not None:
        if label_column in names:
            return names.index(label_column)
        if re.fullmatch(r"[0-9]{1,9}", label_column) and 1 <= int(label_column) <= len(names):
            return int(label_column) - 1
        raise DataError(f"{where}: no column {label_column!r} to take labels from")
    if not has_header:
        return None
    found = _find(names, LABEL_NAMES)
    if found is not None:
        return found
    others = [i for i, name in enumerate(names) if not PIXEL_NAME.fullmatch(name.casefold())]
    others = [i for i in others if i != ids]
    return others[0] if len(others) == 1 < len(names) else None


def _check_columns(
    names: tuple[str, ...], label: int | None, block: bytes, head: Head, where: str
) -> None:
    """DataError for columns that are neither label, ID nor one pixel each."""
    first = next(iter(sample(block, head.delimiter, head.first_row - 1, 1)), [])
    for i, name in enumerate(names[: len(first)]):
        if i != label and len(first[i].split()) >= FEWEST_IN_STRING:
            raise DataError(
                f"{where}: column {name!r} holds strings of pixels; save one column per pixel: "
                f"table.join(table.pop({name!r}).str.split(expand=True))"
            )
    for i in split_column.find(names):
        if i != label:
            rows = sample(block, head.delimiter, head.first_row - 1)
            values = [*dict.fromkeys(row[i] for row in rows if len(row) == len(names))]
            raise split_column.refusal(names[i], values, where, ONE_TABLE_PER_SPLIT)


def _are_all_pixels(n_columns: int, size: Size | None) -> bool:
    """Whether this number of columns is an image without a label."""
    return n_columns == (size[0] * size[1] if size else math.isqrt(n_columns) ** 2) > 1


def _outer_label(
    block: bytes, head: Head, ends: tuple[int, int], sample_all: Callable[[str, int], Sample]
) -> Guess:
    n_before = head.first_row - 1
    guess = guessed(sample(block, head.delimiter, n_before), ends[0])
    if guess is None:
        guess = guessed(sample_all(head.delimiter, n_before), ends[0])
    return guess or Guess(is_last=False)


def _find(names: tuple[str, ...], wanted: tuple[str, ...]) -> int | None:
    """The first wanted name that is there, in any case."""
    folded = [name.casefold() for name in names]
    return next((folded.index(name) for name in wanted if name in folded), None)
