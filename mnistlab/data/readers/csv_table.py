"""A table of images: one row per image, one column per pixel, one column of labels.

Pixels are 0..255, or fractions 0..1 where no pixel of the table is above 1. `csv_layout` decides
what the columns are, `csv_blocks` parses the rows block by block.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.assembling import RawSplit
from mnistlab.data.notes import unsaid
from mnistlab.data.readers import content, csv_blocks, csv_guess, csv_layout, labels
from mnistlab.data.readers.csv_cells import Columns, Rows
from mnistlab.data.readers.csv_layout import BOM, LABEL_NAMES
from mnistlab.data.readers.shapes import Size, flat_size
from mnistlab.errors import DataError

SAMPLED_OF_BLOCK = 50  # rows, where the first block does not tell labels from pixels


class Table(NamedTuple):
    """images: uint8 (N, H, W). labels, ids: N texts, None where there is no such column."""

    images: NDArray[np.uint8]
    labels: list[str] | None
    ids: list[str] | None
    first_row: int


class OpenTable(NamedTuple):
    """A table whose rows are read block by block when they are needed. size: (H, W) of an image."""

    columns: Columns
    size: Size
    blocks: Iterator[Rows]
    first_row: int


def read_split(path: Path, size: Size | None = None, label_column: str | None = None) -> RawSplit:
    """Images and labels of a table, whose cells a comma, semicolon, tab or space separates.

    The label column is `label_column` (a name, or a number from 1), else the one called label,
    class, target, y or the like, or the only one that is not called like a pixel, else the first
    or last (see `csv_layout`). A column called id is left out. `size` is (H, W) of images that are
    not square. Raises DataError naming the file, and row and column (from 1, as in a spreadsheet)
    of the first defect.
    """
    table = read_table(path, size, label_column)
    if table.labels is None:
        height, width = table.images.shape[1:]
        wanted = ", ".join(LABEL_NAMES[:4])
        raise DataError(
            f"{path}: no label column ({wanted}) beside {height}x{width} pixels; "
            "name it with --label-column"
        )
    raw = labels.raw_from_texts(table.labels, str(path), table.first_row)
    return RawSplit(table.images, raw, str(path))


def has_labels(path: Path, trained: Size, label_column: str | None = None) -> bool:
    """Whether a table has a label column beside images of the training images' size (H, W)."""
    with unsaid():
        with contextlib.suppress(DataError):
            return _opened(path, trained, label_column).columns.label is not None
        # The column that the user named may be missing.
        return _opened(path, trained, None).columns.label is not None


def read_table(path: Path, size: Size | None = None, label_column: str | None = None) -> Table:
    """As `read_split`, for a table that may lack labels, with the ids of its rows."""
    table = open_table(path, size, label_column)
    of_rows: list[str] = []
    ids: list[str] = []

    def pixels() -> Iterator[NDArray[np.uint8]]:
        for rows in table.blocks:
            of_rows.extend(rows.labels)
            ids.extend(rows.ids)
            yield rows.pixels

    images = large.joined(pixels()).reshape(-1, *table.size)
    return Table(
        images,
        None if table.columns.label is None else of_rows,
        None if table.columns.id is None else ids,
        table.first_row,
    )


def open_table(path: Path, size: Size | None = None, label_column: str | None = None) -> OpenTable:
    """As `read_table`, for a table that need not fit into memory."""
    opened = _opened(path, size, label_column)
    columns, where = opened.columns, str(path)
    shape = flat_size(len(columns.pixels), size, where)
    # One pixel above 1 tells the scale: then the rest of the table need not be read twice.
    if csv_blocks.is_dark(opened.first, columns):
        # A pipe can be read only once: there the first block decides.
        seen = _data_blocks(path, opened) if path.is_file() else iter([opened.first])
        columns = replace(columns, scale=csv_blocks.scale_of(seen, columns, where))
    blocks = itertools.chain([opened.first], opened.rest)
    rows = csv_blocks.parse(blocks, columns, where, opened.first_row)
    return OpenTable(columns, shape, rows, opened.first_row)


class _Opened(NamedTuple):
    """The columns, and the lines below the header: those of the first block, then the rest."""

    columns: Columns
    first_row: int
    is_spaced: bool
    first: bytes
    rest: Iterator[bytes]


def _opened(path: Path, size: Size | None, label_column: str | None) -> _Opened:
    blocks = _lines(path)
    first = next(blocks, b"")
    if not first:
        raise DataError(f"{path}: is empty")

    def sample_all(delimiter: str, n_before: int) -> csv_guess.Sample:
        again = _lines(path) if path.is_file() else iter([first])
        samples = (
            csv_layout.sample(block, delimiter, 0 if i else n_before, SAMPLED_OF_BLOCK)
            for i, block in enumerate(again)
        )
        return [row for rows in samples for row in rows]

    layout = csv_layout.decide(first, str(path), size, label_column, sample_all)
    columns, is_spaced = layout.columns, layout.columns.delimiter == " "
    first = _below(first, layout.first_row - 1)
    if is_spaced:  # columns may be aligned with several
        columns = replace(columns, delimiter=",")
        first, blocks = _with_commas(first), map(_with_commas, blocks)
    return _Opened(columns, layout.first_row, is_spaced, first, blocks)


def _lines(path: Path) -> Iterator[bytes]:
    chunks = content.chunks(path, csv_blocks.BLOCK_BYTES)
    for i, block in enumerate(csv_blocks.whole_lines(chunks, str(path))):
        yield block if i else block.removeprefix(BOM)


def _data_blocks(path: Path, opened: _Opened) -> Iterator[bytes]:
    """The same blocks once more, as the file is opened again."""
    for i, block in enumerate(_lines(path)):
        below = block if i else _below(block, opened.first_row - 1)
        yield _with_commas(below) if opened.is_spaced else below


def _below(block: bytes, n_lines: int) -> bytes:
    for _ in range(n_lines):
        block = block[block.index(b"\n") + 1 :]
    return block


def _with_commas(block: bytes) -> bytes:
    return b"\n".join(b",".join(line.split()) for line in block.split(b"\n"))
