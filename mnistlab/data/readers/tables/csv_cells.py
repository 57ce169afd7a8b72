"""The cells of a table one by one: slow, but a message names the row and column of a defect."""

from __future__ import annotations

import contextlib
import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.readers import levels
from mnistlab.data.readers.tables.pixel_order import pixel_order
from mnistlab.errors import DataError

DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?|[+-]?[0-9]+,")
TRUTH = frozenset({"true", "false"})
THOUSANDS = re.compile(r"[0-9]{1,3}([., '][0-9]{3})+([.,][0-9]+)?")


NO_UTF8 = (
    "is not UTF-8 text; if a program of Windows wrote it, save it there as UTF-8 "
    "(Excel: CSV UTF-8), or convert it: iconv -f CP1252 -t UTF-8 table > table.csv"
)


@dataclass(frozen=True)
class Columns:
    """The names of a table's columns, and the positions (from 0) of labels and IDs.

    scale: the factor for pixels, 1, or 255 for a table of fractions. left_out: columns that are
    neither. split: the one that tells the split of each image. decimal: the mark in 0.5 or 0,5.
    """

    names: tuple[str, ...]
    label: int | None = None
    id: int | None = None
    delimiter: str = ","
    scale: float = 1
    left_out: tuple[int, ...] = ()
    split: int | None = None
    decimal: str = "."

    @cached_property
    def texts(self) -> frozenset[int]:
        """The columns that are no pixels."""
        told = (self.label, self.id, self.split, *self.left_out)
        return frozenset(i for i in told if i is not None)

    @cached_property
    def pixels(self) -> list[int]:
        """Every other column, in the order of the pixels."""
        others = [i for i in range(len(self.names)) if i not in self.texts]
        return [others[i] for i in pixel_order([self.names[i] for i in others])]


class Rows(NamedTuple):
    """pixels: uint8 (n, D). labels, ids, splits: n texts each, none without such a column."""

    pixels: NDArray[np.uint8]
    labels: list[str]
    ids: list[str]
    splits: list[str]


def join(blocks: Sequence[Rows]) -> Rows:
    """The rows of all blocks, in order."""
    return Rows(
        np.concatenate([block.pixels for block in blocks]),
        [label for block in blocks for label in block.labels],
        [name for block in blocks for name in block.ids],
        [name for block in blocks for name in block.splits],
    )


def parse(block: bytes, columns: Columns, where: str, first_row: int) -> Rows:
    """The rows of a block, whose first is row `first_row` of its file.

    Raises DataError naming `where`, the row and, where there is one, the column.
    """
    try:
        text = block.decode()
    except UnicodeDecodeError as error:
        row = first_row + block.count(b"\n", 0, error.start)
        raise DataError(f"{where}: row {row} {NO_UTF8}") from error
    rows = Rows(np.empty((block.count(b"\n"), len(columns.pixels)), np.uint8), [], [], [])
    cells_of_rows = csv.reader(
        io.StringIO(text, newline=""), strict=True, delimiter=columns.delimiter
    )
    n_rows = 0
    try:
        for n_rows, cells in enumerate(cells_of_rows, 1):
            _parse_row(cells, columns, rows, n_rows - 1, f"{where}: row {first_row + n_rows - 1}")
    except csv.Error as error:
        raise DataError(f"{where}: row {first_row + n_rows}: {error}") from error
    return rows._replace(pixels=rows.pixels[:n_rows])  # a quoted cell may hold a line break


def _parse_row(cells: list[str], columns: Columns, rows: Rows, row: int, where: str) -> None:
    if not any(cell.strip() for cell in cells):
        raise DataError(f"{where} is blank")
    if len(cells) != len(columns.names):
        raise DataError(f"{where} has {len(cells)} cells, the first row {len(columns.names)}")
    for pixel, i in enumerate(columns.pixels):
        value = number(cells[i], columns.decimal)
        if value is None or not 0 <= value <= levels.highest_of(columns.scale):
            raise DataError(f"{where}, column {columns.names[i]!r}: {_fault(cells[i], value)}")
        rows.pixels[row, pixel] = min(round(value * columns.scale), 255)
    if columns.label is not None:
        rows.labels.append(cells[columns.label])
    if columns.id is not None:
        rows.ids.append(cells[columns.id])
    if columns.split is not None:
        rows.splits.append(cells[columns.split])


def range_of(block: bytes, columns: Columns) -> tuple[float, float, bool]:
    """The lowest and highest pixel of a block, and whether any is a fraction, but for defects."""
    lowest, highest, has_fractions = 0.0, 0.0, False
    text = io.StringIO(block.decode("utf-8", "replace"), newline="")
    with contextlib.suppress(csv.Error):
        for cells in csv.reader(text, delimiter=columns.delimiter):
            inside = (cells[i] for i in columns.pixels if i < len(cells))
            values = [number(cell, columns.decimal) for cell in inside]
            known = [value for value in values if value is not None and math.isfinite(value)]
            lowest, highest = min(lowest, *known, 0), max(highest, *known, 0)
            has_fractions = has_fractions or any(value % 1 for value in known)
    return lowest, highest, has_fractions


def number(cell: str, decimal: str = ".") -> float | None:
    """The number a cell holds; None for text."""
    if decimal == "," and "." not in cell:
        cell = cell.replace(",", ".")
    try:
        return None if "_" in cell else float(cell)  # Python would read 1_0 as 10
    except ValueError:
        return None


def _fault(cell: str, value: float | None) -> str:
    if not cell.strip():
        return "the cell is empty"
    shown = repr(cell if len(cell) <= 20 else cell[:17] + "...")
    if value is None and THOUSANDS.fullmatch(cell.strip()):
        return f"{shown} is not a number; write it without separators between thousands"
    if cell.strip().casefold() in TRUTH:
        return f"{shown} is not a number; write 0 and 255"
    if value is None:
        return f"{shown} is not a number"
    if -1 <= value < 0:
        return f"{shown} is outside 0..255; if pixels go from -1 to 1, save (x + 1) * (255 / 2)"
    return f"{shown} is outside 0..255"
