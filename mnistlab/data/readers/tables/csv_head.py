"""The first rows of a table: its delimiter, its header, and an image that became a header.

A row of numbers is a header if it counts the columns (0..n-1 or 1..n), else an image.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from mnistlab.data.notes import note
from mnistlab.data.readers.tables import csv_mangled, csv_margins
from mnistlab.data.readers.tables.csv_cells import DECIMAL_COMMA, NO_UTF8, number
from mnistlab.errors import DataError, reason

Sample = Sequence[Sequence[str]]

LABEL_NAMES = (
    *("label", "class", "target", "y", "labels", "classes", "targets"),
    *("digit", "letter", "character", "category", "class_name", "class_label"),
)
ID_NAMES = (
    *("id", "", "imageid", "image_id", "index", "unnamed: 0", "ids", "row_id", "sample_id"),
    *("filename", "file_name", "image_name", "level_0", "__index_level_0__"),
)
INDEX = re.compile(r"|index|level_0|__index_level_0__|unnamed: [0-9]+(\.[0-9]+)*")  # of pandas
DELIMITERS = ("\t", ";", ",")
OTHER_DELIMITERS = ("|", ":")
QUOTED = re.compile(r'"[^"]*"')
WORD = re.compile(r"(?P<word>[^0-9]*)(?P<number>[0-9]{1,9})")
FEWEST_NUMBERED = 5  # columns; a shorter row of 0, 1, 2, ... may be an image as well
N_SAMPLED = 400  # rows that are used to tell labels from pixels
SHOWN = 4  # cells of a first row in a note


class Head(NamedTuple):
    """The first rows of a table.

    names: of the columns; None without a header. first_row: the number (from 1) of the first image.
    restored: that row as it was before a program took it for a header; None for any other.
    """

    delimiter: str
    names: tuple[str, ...] | None
    n_columns: int
    first_row: int
    restored: bytes | None = None


def head_of(block: bytes, where: str, label_column: str | None) -> Head:
    """The head of a table that begins with `block`; DataError naming `where`."""
    lines = block.split(b"\n", 64)[:-1]
    n_comments = next((i for i, line in enumerate(lines) if not line.startswith(b"#")), 0)
    if not n_comments:
        csv_margins.check_title(lines, where)
    text = _text(lines[n_comments], where, n_comments + 1)
    delimiter = _delimiter(text, where)
    try:
        cells = cells_of(text, delimiter)
    except csv.Error as error:
        raise DataError(f"{where}: row {n_comments + 1}: {reason(error)}") from error
    if not cells:
        raise DataError(f"{where}: row {n_comments + 1} is blank")
    if n_comments:  # numpy.savetxt writes its header so
        comment = _text(lines[n_comments - 1], where, n_comments).lstrip("#")
        names = _stripped(cells_of(comment, delimiter, strict=False))
        is_header = len(names) == len(cells)
        texts = [cell for cell in cells if number(cell) is None]
        if not is_header and len(texts) > 1:
            raise DataError(
                f"{where}: row {n_comments} is a comment (#) before the header; leave it out: "
                f"grep -v '^#' table > table.csv"
            )
        return Head(delimiter, names if is_header else None, len(cells), n_comments + 1)
    names = _stripped(cells)

    def sampled() -> Sample:
        return sample(block, delimiter, 1)

    if (image := _image_as_header(names, delimiter, sampled, where)) is not None:
        return image
    if not _is_header(names, sampled, label_column):
        return Head(delimiter, None, len(cells), 1)
    if len(names) >= FEWEST_NUMBERED and is_numbered(names):
        note(f"{where}: row 1 counts from {names[0]} to {names[-1]} and is taken as a header")
    return Head(delimiter, names, len(cells), 2)


def sample(block: bytes, delimiter: str, n_skipped: int = 0, n: int = N_SAMPLED) -> Sample:
    """The cells of up to n rows of a block: the first row and random others.

    Every third row of a table whose classes alternate might show a single class.
    """
    lines = block.splitlines()[n_skipped:]
    if len(lines) > n:
        drawn = np.random.default_rng(0).choice(len(lines) - 1, n - 1, replace=False) + 1
        lines = [lines[0], *(lines[i] for i in np.sort(drawn).tolist())]
    texts = [line.decode("utf-8", "replace") for line in lines if line]
    return [cells_of(text, delimiter, strict=False) for text in texts]


def cells_of(line: str, delimiter: str, strict: bool = True) -> list[str]:
    """The cells of a row; none, or csv.Error if it is `strict`, for a defect of quotes."""
    if delimiter == " ":
        return line.split()
    try:
        return next(csv.reader([line], strict=True, delimiter=delimiter), [])
    except csv.Error:
        if strict:
            raise
        return []


def is_numbered(names: Sequence[str]) -> bool:
    """Whether the names are 0..n-1 or 1..n."""
    numbers = [number(name) for name in names]
    return numbers in (list(range(len(names))), list(range(1, len(names) + 1)))


def _text(line: bytes, where: str, row: int) -> str:
    try:
        return line.decode().rstrip("\r")
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: row {row}: the line {NO_UTF8}") from error


def _delimiter(line: str, where: str) -> str:
    bare = QUOTED.sub("", line)
    # Before the comma, which stands in the decimals of 0,5;0,25.
    for sure in DELIMITERS[:2]:
        if sure in bare and all(map(_is_number, bare.split(sure))):
            return sure
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


def _is_number(cell: str) -> bool:
    return number(cell) is not None or DECIMAL_COMMA.fullmatch(cell.strip()) is not None


def _stripped(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in cells)


def _image_as_header(
    names: tuple[str, ...], delimiter: str, sampled: Callable[[], Sample], where: str
) -> Head | None:
    """The head of a table whose first image a program took for column names; None for others."""
    is_index = [INDEX.fullmatch(name.casefold()) is not None for name in names]
    cells = [name for name, is_one in zip(names, is_index, strict=True) if not is_one]
    texts = [cell for cell in cells if number(cell) is None]
    if len(cells) < FEWEST_NUMBERED:
        return None
    was = csv_mangled.restored(cells, sampled)
    if any(text.casefold() in LABEL_NAMES + ID_NAMES for text in texts):
        if was is not None:
            note(
                f"{where}: row 1 holds numbers of an image beside {texts[0]!r}: a program took the "
                "image for column names, its label is lost, and it is not used"
            )
        return None
    if was is None and (not any(is_index) or texts or is_counting(cells)):
        return None
    shown = f"({', '.join(cells[:SHOWN])}, ...)"
    if len(set((was or cells)[1:-1])) == 1:  # nothing is lost with an image of a single level
        note(
            f"{where}: row 1 {shown} is a blank image that a program took for column names; it is "
            "left out"
        )
        return Head(delimiter, _numbers_for(names, is_index), len(names), 2)
    note(
        f"{where}: row 1 {shown} is an image that a program took for column names; it is read "
        "as an image"
    )
    row = iter(was or cells)
    line = io.StringIO()
    writer = csv.writer(line, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["" if is_one else next(row) for is_one in is_index])
    named = _numbers_for(names, is_index) if any(is_index) else None
    return Head(delimiter, named, len(names), 1, line.getvalue().encode())


def _numbers_for(names: Sequence[str], is_index: Sequence[bool]) -> tuple[str, ...]:
    """1, 2, 3, ... as names of the columns; those of an index keep theirs."""
    places = iter(range(1, len(names) + 1))
    return tuple(
        name if is_one else str(next(places)) for name, is_one in zip(names, is_index, strict=True)
    )


def is_counting(cells: Sequence[str]) -> bool:
    """Whether the numbers go up by one, from anywhere: what is left of 0..783, for instance.

    A word may stand before all of them, as in R's V1, V2, V3.
    """
    matches = [WORD.fullmatch(cell) for cell in cells]
    if None not in matches and len({match["word"] for match in matches if match}) == 1:
        cells = [match["number"] for match in matches if match]
    numbers = [number(cell) for cell in cells]
    if None in numbers:
        return False
    return all(a is not None and b == a + 1 for a, b in itertools.pairwise(numbers))


def _is_header(
    names: Sequence[str], sampled: Callable[[], Sample], label_column: str | None
) -> bool:
    """Whether the first row holds names: texts, or numbers that count the columns."""
    texts = [i for i, name in enumerate(names) if not _is_number(name)]
    if len(texts) > 1:
        numbers = [name for i, name in enumerate(names) if i not in texts]
        return len(set(numbers)) == len(numbers)  # no two columns have one name
    if not texts:
        return len(names) >= FEWEST_NUMBERED and is_numbered(names)
    (place,) = texts
    name = names[place]
    if name == label_column or name.casefold() in LABEL_NAMES + ID_NAMES:
        return True
    # Else the text is the label of an image, unless the numbers beside it count the columns.
    recurs = any(len(row) > place and row[place].strip() == name for row in sampled())
    return not recurs and is_numbered([other for i, other in enumerate(names) if i != place])
