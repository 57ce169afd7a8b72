"""Empty columns at the end of a table, as spreadsheets write them, and titles above its header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mnistlab.data.readers.tables import csv_strings
from mnistlab.data.readers.tables.csv_cells import number
from mnistlab.errors import DataError

MARKS = b",;\t"
QUOTED = re.compile(rb'"[^"]*"')
FEWEST_CELLS = 5  # of a header below a title
LOOKED_AT = 20  # lines


def without_empty_columns(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same blocks of whole lines without the columns at the end that are empty in all rows.

    The first block decides. Excel leaves out the empty cells at the end of some rows.
    """
    mark, n = b"", 0
    for i, block in enumerate(blocks):
        if i == 0:
            mark, n = _empty_columns(block)
        yield b"\n".join(_cut(line, mark, n) for line in block.split(b"\n")) if n else block


def _empty_columns(block: bytes) -> tuple[bytes, int]:
    """The mark between the columns of a block, and how many of the last ones are empty."""
    first = _line_of_names(block).rstrip(b"\r")
    mark = first[-1:]
    if not mark or mark not in MARKS:
        return b"", 0
    width = _n_marks(first, mark)
    widest = max(_n_marks(line.rstrip(b"\r" + mark), mark) for line in block.split(b"\n"))
    return mark, max(min(width - widest, len(first) - len(first.rstrip(mark))), 0)


def _line_of_names(block: bytes) -> bytes:
    """The first line that is no comment, cut off without copying the block."""
    lines = block.split(b"\n", LOOKED_AT)[:LOOKED_AT]
    return next((line for line in lines if not line.startswith(b"#")), b"")


def _n_marks(line: bytes, mark: bytes) -> int:
    return (QUOTED.sub(b"", line) if b'"' in line else line).count(mark)


def _cut(line: bytes, mark: bytes, n: int) -> bytes:
    """A line without up to n marks at its end."""
    bare = line.rstrip(b"\r")
    n_here = len(bare) - len(bare.rstrip(mark))
    return bare[: len(bare) - min(n, n_here)]


def check_title(lines: Sequence[bytes], where: str) -> None:
    """DataError for rows of few cells, or of none, above the names of the columns."""
    n_first = len(_cells(lines[0], lines[0]))
    for i, line in enumerate(lines[1:LOOKED_AT], 1):
        cells = _cells(line, lines[0])
        if len(cells) >= FEWEST_CELLS and len(cells) > 2 * n_first and _has_words(line, cells):
            which = "row 1 is a title or blank" if i == 1 else f"rows 1 to {i} are a title or blank"
            lines_of_sed = "1d" if i == 1 else f"1,{i}d"
            raise DataError(
                f"{where}: {which}, above the table; leave that out: "
                f"sed {lines_of_sed} table > table.csv"
            )


def _has_words(line: bytes, cells: Sequence[bytes]) -> bool:
    """Whether some cells are no numbers; below a single heading a line may be a whole image."""
    is_image = csv_strings.PIXELS.fullmatch(line.decode("utf-8", "replace").strip())
    return not is_image and any(number(cell.decode("utf-8", "replace")) is None for cell in cells)


def _cells(line: bytes, first: bytes) -> list[bytes]:
    """The cells that are not empty, by the mark that is most frequent in the first line or here."""
    bare = QUOTED.sub(b"_", line)
    of_first = QUOTED.sub(b"_", first)
    has_mark = any(of_first.count(mark) for mark in MARKS)
    mark = max(MARKS, key=(of_first if has_mark else bare).count)
    return [cell for cell in bare.split(bytes([mark])) if cell.strip()]
