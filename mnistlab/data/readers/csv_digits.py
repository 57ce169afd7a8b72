"""The plainest and most common table: nothing but digits, commas and line breaks.

Parsed in NumPy, in less time and memory than polars takes for it. Whatever
differs, however slightly, is left to polars.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.readers.csv_cells import Columns, Rows

PIECE_BYTES = 1 << 18  # what is derived from a piece fits into the processor's cache
COMMA, LINE_BREAK, ZERO, NINE = b",\n09"


def parse(block: bytes, columns: Columns) -> Rows | None:
    """The rows of a block if every cell is an integer 0..255, else None."""
    if columns.delimiter != ",":
        if b"," in block:
            return None
        block = block.replace(columns.delimiter.encode(), b",")
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    tables = []
    for piece in _pieces(block):
        table = _table(piece, len(columns.names))
        if table is None:
            return None
        tables.append(table)
    table = np.concatenate(tables)
    labels, ids = (
        [] if position is None else [str(value) for value in table[:, position].tolist()]
        for position in (columns.label, columns.id)
    )
    return Rows(table[:, columns.pixel_index], labels, ids)


def _pieces(block: bytes) -> Iterator[NDArray[np.uint8]]:
    start = 0
    while start < len(block):
        end = block.rfind(b"\n", start, start + PIECE_BYTES) + 1 or block.find(b"\n", start) + 1
        yield np.frombuffer(block, np.uint8, end - start, start)
        start = end


def _table(piece: NDArray[np.uint8], n_columns: int) -> NDArray[np.uint8] | None:
    ends = np.flatnonzero(piece < ZERO)
    n_rows, n_left = divmod(len(ends), n_columns)
    n_commas = np.count_nonzero(piece == COMMA)
    if n_left or n_commas != len(ends) - n_rows or piece.max() > NINE:
        return None
    if (piece[ends[n_columns - 1 :: n_columns]] != LINE_BREAK).any():
        return None
    widths = np.diff(ends, prepend=-1) - 1
    if widths.min() < 1 or widths.max() > 3:
        return None
    values = piece.take(ends - 1) - np.uint8(ZERO)
    # Most pixels have one digit: the others are worth picking out.
    longer = np.flatnonzero(widths > 1)
    last = ends.take(longer)
    tens = (piece.take(last - 2) - np.uint8(ZERO)) * np.uint16(10)
    has_hundreds = widths.take(longer) > 2
    hundreds = (piece.take(last - 3) - np.uint8(ZERO)) * has_hundreds * np.uint16(100)
    numbers = values.take(longer) + tens + hundreds
    if numbers.max(initial=0) > 255:
        return None
    values[longer] = numbers
    return values.reshape(n_rows, n_columns)
