"""The cells of a table one by one: slow, but it names the row and column at fault."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import DataError


@dataclass(frozen=True)
class Columns:
    """The columns of a table by name, and by position (from 0) what they hold."""

    names: tuple[str, ...]
    label: int | None = None
    id: int | None = None

    @property
    def pixels(self) -> list[int]:
        """Every other column, in the order of the file."""
        return [i for i in range(len(self.names)) if i not in (self.label, self.id)]

    @property
    def pixel_index(self) -> slice | list[int]:
        """`pixels` to index an array with: a slice, which does not copy, where they adjoin."""
        first, last = self.pixels[0], self.pixels[-1]
        adjoin = last - first + 1 == len(self.pixels)
        return slice(first, last + 1) if adjoin else self.pixels


class Rows(NamedTuple):
    """pixels: uint8 (n, D). labels, ids: n texts each, none without such a column."""

    pixels: NDArray[np.uint8]
    labels: list[str]
    ids: list[str]


def join(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts, in order."""
    return Rows(
        np.concatenate([part.pixels for part in parts]),
        [label for part in parts for label in part.labels],
        [name for part in parts for name in part.ids],
    )


def parse(block: bytes, columns: Columns, where: str, first_row: int) -> Rows:
    """The rows of a block, whose first is row `first_row` of its file.

    Raises DataError naming `where`, the row and, where there is one, the column.
    """
    try:
        text = block.decode()
    except UnicodeDecodeError as error:
        row = first_row + block.count(b"\n", 0, error.start)
        raise DataError(f"{where}: row {row} is not UTF-8 text") from error
    rows = Rows(np.empty((block.count(b"\n"), len(columns.pixels)), np.uint8), [], [])
    cells_of_rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    n_rows = 0
    try:
        for n_rows, cells in enumerate(cells_of_rows, 1):
            _parse_row(cells, columns, rows, n_rows - 1, f"{where}: row {first_row + n_rows - 1}")
    except csv.Error as error:
        raise DataError(f"{where}: row {first_row + n_rows}: {error}") from error
    return rows._replace(pixels=rows.pixels[:n_rows])  # a quoted cell may hold a line break


def _parse_row(cells: list[str], columns: Columns, rows: Rows, row: int, where: str) -> None:
    if not cells:
        raise DataError(f"{where} is blank")
    if len(cells) != len(columns.names):
        raise DataError(f"{where} has {len(cells)} cells, the first row {len(columns.names)}")
    for pixel, i in enumerate(columns.pixels):
        value = number(cells[i])
        if value is None or not value.is_integer() or not 0 <= value <= 255:
            raise DataError(f"{where}, column {columns.names[i]!r}: {_fault(cells[i], value)}")
        rows.pixels[row, pixel] = int(value)
    if columns.label is not None:
        rows.labels.append(cells[columns.label])
    if columns.id is not None:
        rows.ids.append(cells[columns.id])


def number(cell: str) -> float | None:
    """The number a cell holds; None for text."""
    try:
        return None if "_" in cell else float(cell)  # Python would read 1_0 as 10
    except ValueError:
        return None


def _fault(cell: str, value: float | None) -> str:
    if not cell.strip():
        return "the cell is empty"
    shown = repr(cell if len(cell) <= 20 else cell[:17] + "...")
    if value is None:
        return f"{shown} is not a number"
    return f"{shown} is {'not a whole number' if 0 <= value <= 255 else 'outside 0..255'}"
