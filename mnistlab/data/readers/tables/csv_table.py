"""A table of images: one row per image, one column per pixel, one column of labels.

Pixels are 0..255, or fractions 0..1 where no pixel of the table is above 1. `csv_layout` decides
what the columns are, `csv_blocks` parses the rows block by block.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.assembling import RawSplit, split_called
from mnistlab.data.dataset import SplitName
from mnistlab.data.notes import note, unsaid
from mnistlab.data.readers import labels, split_column
from mnistlab.data.readers.shapes import Size, flat_size
from mnistlab.data.readers.tables import csv_blocks, csv_head, csv_layout, csv_strings, csv_text
from mnistlab.data.readers.tables.csv_cells import DECIMAL_COMMA, Columns, Rows
from mnistlab.data.readers.tables.csv_head import LABEL_NAMES, Sample
from mnistlab.data.readers.tables.csv_layout import Layout
from mnistlab.errors import DataError

SHOWN = 6  # columns in a message
SAMPLED_OF_BLOCK = 50  # rows, where the first block does not tell labels from pixels


class Table(NamedTuple):
    """images: uint8 (N, H, W). labels, ids: N texts, None where there is no such column.

    splits: the name of the column that tells them, and N texts. doubt: as in Layout.
    """

    images: NDArray[np.uint8]
    labels: list[str] | None
    ids: list[str] | None
    first_row: int
    splits: tuple[str, list[str]] | None = None
    doubt: str = ""


class OpenTable(NamedTuple):
    """A table whose rows are read block by block when they are needed. size: (H, W) of an image.

    doubt: as in Layout.
    """

    columns: Columns
    size: Size
    blocks: Iterator[Rows]
    first_row: int
    doubt: str = ""


def read_splits(
    path: Path, size: Size | None = None, label_column: str | None = None
) -> dict[SplitName, RawSplit]:
    """Images and labels of a table, whose cells a comma, semicolon, tab or space separates.

    The label column is `label_column` (a name, or a number from 1), else the one called label,
    class, target, y or the like, or the only one that is not called like a pixel, else the first
    or last (see `csv_layout`). A column called id is left out; one that tells the split of each
    image is followed (see `split_column`), and without one all images are of the training set. One
    column may hold all pixels of an image, with spaces between them. `size` is (H, W) of images
    that are not square. Raises DataError naming the file, and row and column (from 1, as in a
    spreadsheet) of the first defect.
    """
    table = read_table(path, size, label_column)
    if table.labels is None or table.doubt:
        height, width = table.images.shape[1:]
        wanted = ", ".join(LABEL_NAMES[:4])
        raise DataError(
            f"{path}: {table.doubt}"
            if table.doubt
            else f"{path}: no label column ({wanted}) beside {height}x{width} pixels; "
            "name it with --label-column"
        )
    raw = labels.raw_from_texts(table.labels, str(path), table.first_row)
    whole = RawSplit(table.images, raw, str(path))
    told = None
    if table.splits is not None:
        name, texts = table.splits
        numbers = range(table.first_row, table.first_row + len(texts))
        called = name if split_column.is_called_so(name) else f"is_{name}"
        told = split_column.splits_of({called: texts}, str(path), numbers)
        _say_meanings(texts, told or (), path)
    return {"train": whole} if told is None else split_column.cut(whole, told)


def read_split(path: Path, size: Size | None = None, label_column: str | None = None) -> RawSplit:
    """As `read_splits`, for a table of one split; DataError for one of several."""
    splits = read_splits(path, size, label_column)
    if len(splits) > 1:
        raise DataError(f"{path}: holds several splits itself; give this file alone")
    return next(iter(splits.values()))


def _say_meanings(texts: Sequence[str], told: Sequence[SplitName], path: Path) -> None:
    """Say what values mean that are not the names of splits themselves, such as PrivateTest."""
    meant = dict(zip(texts, told, strict=False))
    if any(split_called(text.strip()) is None for text in meant):
        said = ", ".join(f"{text} is {split}" for text, split in meant.items())
        note(f"{path}: of its splits {said}")


def label_as_in(trained: Path, path: Path, size: Size | None) -> str | None:
    """The label column of a table without header, which is where the training table has it.

    Its number from 1, where both have no header and equally many columns; else None. A few rows of
    one class would tell less than the training table does.
    """
    as_trained, here = _nameless_label(trained, size), _nameless_label(path, size)
    if as_trained is None or here is None or as_trained[0] != here[0]:
        return None
    return as_trained[1]


def _nameless_label(path: Path, size: Size | None) -> tuple[int, str] | None:
    """How many columns a table without header has, and the number of that of the labels."""
    with unsaid(), contextlib.suppress(DataError):
        layout = _opened(path, size, None).layout
        label = layout.columns.label
        if not layout.has_header and label is not None:
            return len(layout.columns.names), str(label + 1)
    return None


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
    splits: list[str] = []

    def pixels() -> Iterator[NDArray[np.uint8]]:
        for rows in table.blocks:
            of_rows.extend(rows.labels)
            ids.extend(rows.ids)
            splits.extend(rows.splits)
            yield rows.pixels

    columns = table.columns
    images = large.joined(pixels()).reshape(-1, *table.size)
    if columns.decimal == ",":  # 3,0 is the integer 3
        of_rows = [
            text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text for text in of_rows
        ]
    return Table(
        images,
        None if columns.label is None else of_rows,
        None if columns.id is None else ids,
        table.first_row,
        None if columns.split is None else (columns.names[columns.split], splits),
        table.doubt,
    )


def open_unlabelled(
    path: Path, size: Size | None = None, label_column: str | None = None
) -> OpenTable:
    """As `open_table`, for a table whose labels are not used; `label_column` need not be there.

    label_column: of the training table. Without it the images would be one column off.
    """
    is_there = label_column is not None and _is_there(path, size, label_column)
    table = open_table(path, size, label_column if is_there else None)
    if table.doubt and table.columns.label is not None:
        name = table.columns.names[table.columns.label]
        note(f"{path}: {table.doubt.partition(';')[0]}; column {name} is taken to have them")
    return table


def _is_there(path: Path, size: Size | None, label_column: str) -> bool:
    """Whether a table has that column beside the pixels; a pipe cannot be looked at before."""
    if path.is_file():
        with unsaid(), contextlib.suppress(DataError):
            found = _opened(path, size, label_column).columns
            return size is None or len(found.pixels) == size[0] * size[1]
    return False


def open_table(path: Path, size: Size | None = None, label_column: str | None = None) -> OpenTable:
    """As `read_table`, for a table that need not fit into memory."""
    opened = _opened(path, size, label_column)
    columns, where = opened.columns, str(path)
    shape = _size(opened.layout, size, where)
    # One pixel above 1 tells the scale: then the rest of the table need not be read twice.
    if csv_blocks.is_dark(opened.first, columns):
        # A pipe can be read only once: there the first block decides.
        seen = _data_blocks(path, opened) if path.is_file() else iter([opened.first])
        columns = replace(columns, scale=csv_blocks.scale_of(seen, columns, where))
    blocks = itertools.chain([opened.first], opened.rest)
    first_row = opened.layout.first_row
    rows = csv_blocks.parse(blocks, columns, where, first_row)
    return OpenTable(columns, shape, rows, first_row, opened.layout.doubt)


def _size(layout: Layout, size: Size | None, where: str) -> Size:
    """(H, W) of an image; the error for a wrong number of pixels says which are none."""
    columns = layout.columns
    if not columns.pixels:
        named = ", ".join(map(repr, columns.names[:SHOWN]))
        raise DataError(
            f"{where}: has no columns of pixels beside {named}; if it names image files, give the "
            "folder that holds both"
        )
    side = math.isqrt(len(columns.pixels) // 3)
    if size is None and 3 * side * side == len(columns.pixels):
        raise DataError(
            f"{where}: {len(columns.pixels)} pixels are 3 colours of {side}x{side}; save them as "
            f"arrays: np.savez('set.npz', images=x.reshape(-1, {side}, {side}, 3), labels=y)"
        )
    try:
        return flat_size(len(columns.pixels), size, where)
    except DataError as error:
        if not layout.suspects:
            raise
        mark = "," if size is None else ";"
        text = (
            f"{error}{mark}{' or' * (size is None)} leave out what is no pixel: {layout.suspects}"
        )
        raise DataError(text) from error


class _Opened(NamedTuple):
    """The columns, and the lines below the header: those of the first block, then the rest."""

    columns: Columns
    layout: Layout
    first: bytes
    rest: Iterator[bytes]


def _opened(path: Path, size: Size | None, label_column: str | None) -> _Opened:
    blocks = csv_text.lines(path)
    first = next(blocks, b"")
    if not first:
        raise DataError(f"{path}: is empty")

    def sample_all(delimiter: str, n_before: int) -> Sample:
        again = csv_text.lines(path) if path.is_file() else iter([first])
        samples = (
            csv_head.sample(block, delimiter, 0 if i else n_before, SAMPLED_OF_BLOCK)
            for i, block in enumerate(again)
        )
        return [row for rows in samples for row in rows]

    layout = csv_layout.decide(first, str(path), size, label_column, sample_all)
    columns = layout.columns
    if columns.delimiter == " ":  # columns may be aligned with several
        columns = replace(columns, delimiter=",")
    first = _parsable(_below(first, layout), layout)
    return _Opened(columns, layout, first, (_parsable(block, layout) for block in blocks))


def _data_blocks(path: Path, opened: _Opened) -> Iterator[bytes]:
    """The same blocks once more, as the file is opened again."""
    for i, block in enumerate(csv_text.lines(path)):
        yield _parsable(block if i else _below(block, opened.layout), opened.layout)


def _below(block: bytes, layout: Layout) -> bytes:
    """The first block from the first image on."""
    for _ in range(layout.first_row - 1 + (layout.restored is not None)):
        block = block[block.index(b"\n") + 1 :]
    return (layout.restored or b"") + block


def _parsable(block: bytes, layout: Layout) -> bytes:
    """The rows of a block with one pixel per cell, and commas in place of spaces."""
    delimiter = layout.columns.delimiter
    if layout.strings is not None:
        return csv_strings.widen(block, delimiter, layout.strings)
    if delimiter != " ":
        return block
    return b"\n".join(b",".join(line.split()) for line in block.split(b"\n"))
