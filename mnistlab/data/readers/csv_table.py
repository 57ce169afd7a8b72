"""A table of images: one row an image, one column a pixel 0..255, one the label.

Read in blocks of bytes cut at a line end. A block of nothing but digits goes
through NumPy (`csv_digits`); quotes, decimals and class names through polars;
what neither can vouch for is read again by `csv_cells`, slowly, which either
understands it or names the first cell at fault.
"""

from __future__ import annotations

import csv
import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.dataset import Dataset
from mnistlab.data.readers import content, csv_cells, csv_digits, labels
from mnistlab.data.readers.csv_cells import Columns, Rows
from mnistlab.data.readers.shapes import Size, flat_size
from mnistlab.errors import DataError

LABEL_NAMES = ("label", "class", "target", "y")
ID_NAMES = ("id", "")  # pandas leaves the name of its index column empty
BLOCK_BYTES = 1 << 22  # 4 MiB: polars is slower with less; no row may be longer
N_THREADS = min(4, os.cpu_count() or 1)
BOM = b"\xef\xbb\xbf"
# polars unpacks whatever begins like zlib, gzip or zstd, and without a bound.
PACKED = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


class Table(NamedTuple):
    """images: uint8 (N, H, W). labels, ids: N texts, None where there is no such column."""

    images: NDArray[np.uint8]
    labels: list[str] | None
    ids: list[str] | None
    first_row: int


class OpenTable(NamedTuple):
    """A table whose rows are read, block by block, as they are asked for.

    size: (H, W) of its images.
    """

    columns: Columns
    size: Size
    blocks: Iterator[Rows]
    first_row: int


def read(path: Path, size: Size | None = None, label_column: str | None = None) -> Dataset:
    """Images and labels of a .csv or .csv.gz file.

    The label column is found by name (label, class, target, y) or named by
    `label_column`; without a header it is the first, or the one of that
    number. A column called id is
    left out. `size` is (H, W) where images are not square. Raises DataError
    naming the file, and row and column (from 1, as a spreadsheet counts) of
    the first defect.
    """
    table = read_table(path, size, label_column)
    if table.labels is None:
        wanted = ", ".join(LABEL_NAMES)
        raise DataError(f"{path}: no label column ({wanted}); name it with --label-column")
    numbers, class_names = labels.from_texts(table.labels, str(path), table.first_row)
    name = path.name.split(".")[0]
    return Dataset(name, table.images, numbers, class_names, provenance=str(path))


def read_table(path: Path, size: Size | None = None, label_column: str | None = None) -> Table:
    """As `read`, for a table that may lack labels, with the ids of its rows."""
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
    blocks = whole_lines(content.chunks(path, BLOCK_BYTES), str(path))
    first = next(blocks, b"").removeprefix(BOM)
    names, has_header = _first_row(first, path)
    columns = _columns(names, has_header, label_column, path)
    shape = flat_size(len(columns.pixels), size, str(path))
    if has_header:
        first = first[first.index(b"\n") + 1 :]
    first_row = 2 if has_header else 1
    rows = parse_blocks(itertools.chain([first], blocks), columns, str(path), first_row)
    return OpenTable(columns, shape, rows, first_row)


def parse(blocks: Iterable[bytes], columns: Columns, where: str, first_row: int) -> Rows:
    """All rows of `blocks` at once; as `parse_blocks`."""
    return csv_cells.join(list(parse_blocks(blocks, columns, where, first_row)))


def parse_blocks(
    blocks: Iterable[bytes], columns: Columns, where: str, first_row: int
) -> Iterator[Rows]:
    """The rows of each of `blocks`, which end with a line break.

    Raises DataError naming `where` and the first cell at fault, or where there are no rows.
    """
    n_before = first_row
    for block, rows in _parse_ahead(filter(None, blocks), columns):
        if rows is None:
            rows = csv_cells.parse(block, columns, where, first_row)
        first_row += len(rows.pixels)
        yield rows
    if first_row == n_before:
        raise DataError(f"{where}: holds no images")


def _parse_ahead(blocks: Iterable[bytes], columns: Columns) -> Iterator[tuple[bytes, Rows | None]]:
    """Each block with its rows, None where only `csv_cells` can tell; parsed in threads, in order.

    NumPy and polars let go of Python's lock now and then: a second core saved up to a quarter.
    """
    waiting: deque[tuple[bytes, Future[Rows | None]]] = deque()
    with ThreadPoolExecutor(N_THREADS) as pool:
        for block in blocks:
            waiting.append((block, pool.submit(_parse_fast, block, columns)))
            if len(waiting) > N_THREADS:  # no more blocks in memory than there is work for
                first, rows = waiting.popleft()
                yield first, rows.result()
        for block, rows in waiting:
            yield block, rows.result()


def _parse_fast(block: bytes, columns: Columns) -> Rows | None:
    return csv_digits.parse(block, columns) or _parse_with_polars(block, columns)


def _parse_with_polars(block: bytes, columns: Columns) -> Rows | None:
    """The rows of a block if polars is sure of every cell, else None."""
    # polars takes 0.2 s to load; only tables need it.
    import polars as pl

    if block.startswith(PACKED):
        return None
    for number in (pl.UInt8, pl.Float64):  # pandas may have written 12 as 12.0
        schema: dict[str, type[pl.DataType]] = {
            str(i): pl.String if i in (columns.label, columns.id) else number
            for i in range(len(columns.names))
        }
        try:
            frame = pl.read_csv(block, has_header=False, schema=schema)
        except pl.exceptions.PolarsError:
            continue
        # Short rows and blank ones come back filled with null.
        if frame.height != block.count(b"\n") or any(frame.null_count().row(0)):
            return None
        values = frame.select(str(i) for i in columns.pixels).to_numpy(order="c")
        pixels = _whole(values)
        if pixels is None:
            return None
        labels, ids = (
            [] if position is None else frame[str(position)].to_list()
            for position in (columns.label, columns.id)
        )
        return Rows(pixels, labels, ids)
    return None


def _whole(values: NDArray[Any]) -> NDArray[np.uint8] | None:
    """The values as bytes if they are whole numbers 0..255, else None."""
    if values.dtype == np.uint8:
        return values
    fits = (values >= 0) & (values <= 255) & (values == np.rint(values))
    return values.astype(np.uint8) if fits.all() else None


def whole_lines(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """The same bytes, cut after a line break; blank lines at the very end are dropped."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        cut = data.rfind(b"\n") + 1
        tail = data[max(cut - 3, 0) : cut]
        if tail.endswith((b"\n\n", b"\n\r\n")) or not tail.strip(b"\r\n"):
            # Blank lines are left to the next block, which begins with them unless the file ends.
            n_body = len(data[:cut].rstrip(b"\r\n"))
            cut = data.find(b"\n", n_body) + 1 if n_body else 0
        if cut:
            yield data[:cut]
        rest = data[cut:]
        if len(rest.strip(b"\r\n")) > BLOCK_BYTES:
            raise DataError(f"{where}: holds a row longer than {BLOCK_BYTES} bytes")
    if rest.strip(b"\r\n"):
        yield rest + b"\n"


def _first_row(block: bytes, path: Path) -> tuple[tuple[str, ...], bool]:
    """The cells of the first row, and whether they are names rather than numbers."""
    if not block:
        raise DataError(f"{path}: is empty")
    line = block[: block.find(b"\n")]
    try:
        cells = next(csv.reader([line.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: row 1: {content.reason(error)}") from error
    if not cells:
        raise DataError(f"{path}: row 1 is blank")
    has_header = any(csv_cells.number(cell) is None for cell in cells)
    return tuple(cell.strip() for cell in cells), has_header


def _columns(
    names: tuple[str, ...], has_header: bool, label_column: str | None, path: Path
) -> Columns:
    if not has_header:
        names = tuple(str(i) for i in range(1, len(names) + 1))
        label_column = label_column or "1"
    elif len(set(names)) < len(names):
        repeated = next(name for i, name in enumerate(names) if name in names[:i])
        raise DataError(f"{path}: row 1: column name {repeated!r} appears more than once")
    if label_column is not None and label_column not in names:
        raise DataError(f"{path}: no column {label_column!r} to take labels from")
    label = names.index(label_column) if label_column else _find(names, LABEL_NAMES)
    ids = _find(names, ID_NAMES) if has_header else None
    return Columns(names, label, None if ids == label else ids)


def _find(names: tuple[str, ...], wanted: tuple[str, ...]) -> int | None:
    """The first wanted name that is there, in any case."""
    folded = [name.casefold() for name in names]
    return next((folded.index(name) for name in wanted if name in folded), None)
