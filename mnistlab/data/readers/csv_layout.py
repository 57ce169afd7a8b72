"""What the columns of a table are: its delimiter, its header, where labels and IDs stand.

Decided from the first rows. A row of numbers is a header if it counts the columns (0..n-1 or
1..n), else an image. A label that no name tells is the first column, unless the last one is
plainly of another kind than the pixels beside it and the first is not.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.notes import note
from mnistlab.data.readers import content
from mnistlab.data.readers.csv_cells import Columns, number
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError

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
FEWEST_NUMBERED = 5  # columns: a shorter row that counts may as well be an image
N_SAMPLED = 400  # rows that are looked at to tell labels from pixels
N_BESIDE = 4  # columns of pixels that an outer one is compared with
CLEARLY = 0.25  # by so much must the last column differ more from its pixels than the first

Sample = Sequence[Sequence[str]]


class Layout(NamedTuple):
    """first_row: the row number (from 1) of the first image; so many lines come before it."""

    columns: Columns
    first_row: int


class Head(NamedTuple):
    """The first rows of a table. names: of the columns, None where it has no header."""

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

    sample_all: rows from all over the table as cells, given the delimiter and how many lines to
    leave out; called only where the first rows do not tell. Raises DataError naming `where`.
    """
    head = _head(block, where, label_column)
    names = head.names or tuple(str(i) for i in range(1, head.n_columns + 1))
    repeated = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if repeated is not None:
        raise DataError(f"{where}: row 1: column name {repeated!r} appears more than once")
    ids = None if head.names is None else _find(names, ID_NAMES)
    label = _named_label(names, head.names is not None, ids, label_column, where)
    others = [i for i in range(len(names)) if i != ids]
    is_told = label is not None or not others or not _is_numbered([names[i] for i in others])
    if not is_told and not _are_all_pixels(len(others), size):
        label = _outer_label(block, head, (others[0], others[-1]), sample_all)
        if label > others[0]:
            note(
                f"{where}: labels are taken from the last column; "
                f"--label-column {names[others[0]]} takes the first"
            )
    columns = Columns(names, label, None if ids == label else ids, head.delimiter)
    return Layout(columns, head.first_row)


def sample(block: bytes, delimiter: str, n_skipped: int = 0) -> Sample:
    """Up to N_SAMPLED rows of a block, spread over it, as cells."""
    lines = block.splitlines()[n_skipped:]
    step = max(len(lines) // N_SAMPLED, 1)
    texts = [line.decode("utf-8", "replace") for line in lines[::step] if line]
    return [_cells(text, delimiter, strict=False) for text in texts]


def _head(block: bytes, where: str, label_column: str | None) -> Head:
    if block.startswith(UTF16):
        raise DataError(f"{where}: is UTF-16 text; save it as UTF-8")
    lines = block.split(b"\n", 64)[:-1]
    n_comments = next((i for i, line in enumerate(lines) if not line.startswith(b"#")), 0)
    text = _text(lines[n_comments], where, n_comments + 1)
    delimiter = _delimiter(text, where)
    try:
        cells = _cells(text, delimiter)
    except csv.Error as error:
        raise DataError(f"{where}: row {n_comments + 1}: {content.reason(error)}") from error
    if not cells:
        raise DataError(f"{where}: row {n_comments + 1} is blank")
    if n_comments:  # numpy.savetxt writes its header so
        comment = _text(lines[n_comments - 1], where, n_comments).lstrip("#")
        names = _stripped(_cells(comment, delimiter, strict=False))
        is_header = len(names) == len(cells)
        return Head(delimiter, names if is_header else None, len(cells), n_comments + 1)
    names = _stripped(cells)
    if not _is_header(names, lambda: sample(block, delimiter), label_column):
        return Head(delimiter, None, len(cells), 1)
    if len(names) >= FEWEST_NUMBERED and _is_numbered(names):
        note(f"{where}: row 1 counts from {names[0]} to {names[-1]} and is taken as a header")
    return Head(delimiter, names, len(cells), 2)


def _text(line: bytes, where: str, row: int) -> str:
    try:
        return line.decode().rstrip("\r")
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: row {row}: {content.reason(error)}") from error


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
    """Whether the first row holds names: of text, or numbers that count the columns."""
    texts = [i for i, name in enumerate(names) if number(name) is None]
    if len(texts) > 1:
        return True
    if not texts:
        return len(names) >= FEWEST_NUMBERED and _is_numbered(names)
    (place,) = texts
    name = names[place]
    if name == label_column or name.casefold() in LABEL_NAMES + ID_NAMES:
        return True
    # A label in text before an image of numbers, unless the numbers count.
    recurs = any(len(row) > place and row[place].strip() == name for row in sampled()[1:])
    return not recurs and _is_numbered([other for i, other in enumerate(names) if i != place])


def _is_numbered(names: Sequence[str]) -> bool:
    """Whether the names are 0..n-1 or 1..n."""
    numbers = [number(name) for name in names]
    return numbers in (list(range(len(names))), list(range(1, len(names) + 1)))


def _named_label(
    names: tuple[str, ...], has_header: bool, ids: int | None, label_column: str | None, where: str
) -> int | None:
    """The position that a name or number tells; None where it takes a look at the columns."""
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


def _are_all_pixels(n_columns: int, size: Size | None) -> bool:
    """Whether so many columns are an image without a label."""
    return n_columns == (size[0] * size[1] if size else math.isqrt(n_columns) ** 2) > 1


def _outer_label(
    block: bytes, head: Head, ends: tuple[int, int], sample_all: Callable[[str, int], Sample]
) -> int:
    first, last = ends
    n_before = head.first_row - 1
    is_last = _is_last(sample(block, head.delimiter, n_before), first)
    if is_last is None:
        is_last = _is_last(sample_all(head.delimiter, n_before), first)
    return last if is_last else first


def _find(names: tuple[str, ...], wanted: tuple[str, ...]) -> int | None:
    """The first wanted name that is there, in any case."""
    folded = [name.casefold() for name in names]
    return next((folded.index(name) for name in wanted if name in folded), None)


def _is_last(rows: Sample, first: int) -> bool | None:
    """Whether labels stand in the last column rather than in `first`; None if they could in both.

    A column of pixels is like those beside it, one of labels is not.
    """
    width = max(map(len, rows), default=0)
    whole = [row for row in rows if len(row) == width]
    n_beside = min(N_BESIDE, width - first - 2)
    if n_beside < 1:
        return False
    head = _numbers(whole, range(first, first + 1 + n_beside))
    tail = _numbers(whole, range(width - 1, width - 2 - n_beside, -1))
    if np.isnan(head[:, 0]).any() or np.isnan(tail[:, 0]).any():  # texts are no pixels
        return not np.isnan(head[:, 0]).any()
    kinds = [len(np.unique(side[:, 0])) for side in (head, tail)]
    if kinds == [1, 1]:
        return None  # a table sorted by class, whose corners are dark
    if (tail[:, 0] % 1).any() or kinds[1] == 1 or 2 * kinds[1] > len(whole):
        return False
    if (head[:, 0] % 1).any():
        return True
    return _difference(tail) > _difference(head) + CLEARLY


def _numbers(rows: Sample, columns: range) -> NDArray[np.float64]:
    values = [[number(row[i]) for i in columns] for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(rows), len(columns))


def _difference(columns: NDArray[np.float64]) -> float:
    """Between the first column and the others: the Kolmogorov-Smirnov statistic, in 0..1."""
    one, others = np.sort(columns[:, 0]), np.sort(columns[:, 1:], axis=None)
    every = np.concatenate([one, others])
    below = (np.searchsorted(s, every, side="right") / len(s) for s in (one, others))
    return float(np.abs(next(below) - next(below)).max())
