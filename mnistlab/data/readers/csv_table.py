"""A table of images: one row an image, one column a pixel, one the label.

Pixels are 0..255, or fractions of white 0..1 where the whole table holds no more. Read in blocks
of bytes cut at a line end. A block of nothing but digits goes through NumPy (`csv_digits`);
quotes, decimals and class names through polars; what neither can vouch for is read again by
`csv_cells`, slowly, which either understands it or names the first cell at fault.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large, parts
from mnistlab.data.dataset import Dataset
from mnistlab.data.notes import note
from mnistlab.data.parts import Part
from mnistlab.data.readers import content, csv_cells, csv_digits, csv_layout, labels
from mnistlab.data.readers.csv_cells import Columns, Rows
from mnistlab.data.readers.csv_layout import BOM, LABEL_NAMES
from mnistlab.data.readers.csv_layout import ID_NAMES as ID_NAMES  # what `unlabelled` looks for
from mnistlab.data.readers.shapes import Size, flat_size
from mnistlab.errors import DataError

BLOCK_BYTES = 1 << 22  # 4 MiB: polars is slower with less; no row may be longer
PIECE_BYTES = 1 << 16  # begins nearly every table of 0..255 with a pixel above 1
SAMPLED_OF_BLOCK = 50  # rows, where the first block does not tell labels from pixels
N_THREADS = min(4, os.cpu_count() or 1)
# polars unpacks whatever begins like zlib, gzip or zstd, and without a bound.
PACKED = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
ENDINGS = (".csv", ".tsv", ".txt")


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
    """Images and labels of a table, plain or packed; see `read_part`."""
    part = read_part(path, size, label_column)
    return parts.assembled(path.name.split(".")[0], {"train": part}, str(path))


def read_part(path: Path, size: Size | None = None, label_column: str | None = None) -> Part:
    """Images and labels of a table, whose cells a comma, semicolon, tab or space separates.

    The label column is the one called label, class, target, y or the like, the only one that is
    not called like a pixel, or `label_column`, a name or a number from 1; where nothing tells it,
    the first or last (see `csv_layout`). A column called id is left out. `size` is (H, W) where
    images are not square. Raises DataError naming the file, and row and column (from 1, as a
    spreadsheet counts) of the first defect.
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
    return Part(table.images, raw, str(path))


def has_labels(path: Path, trained: Size, label_column: str | None = None) -> bool:
    """Whether a table has labels beside images of the size (H, W) trained on, and perhaps IDs."""
    with contextlib.suppress(DataError):
        return _opened(path, trained, label_column).columns.label is not None
    # The column that was named may be what is missing.
    return _opened(path, trained, None).columns.label is not None


def read_table(path: Path, size: Size | None = None, label_column: str | None = None) -> Table:
    """As `read_part`, for a table that may lack labels, with the ids of its rows."""
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
    # One pixel above 1, and no more of the table need be seen.
    is_dark = not any(
        _range(some, columns)[0] > 1 for some in itertools.islice(_pieces(opened.first), 1)
    )
    if is_dark:  # of a pipe, which is read once, the first block decides
        seen = _data_blocks(path, opened) if path.is_file() else iter([opened.first])
        columns = replace(columns, scale=_scale(seen, columns, where))
    blocks = itertools.chain([opened.first], opened.rest)
    rows = parse_blocks(blocks, columns, where, opened.first_row)
    return OpenTable(columns, shape, rows, opened.first_row)


class _Opened(NamedTuple):
    """columns, and the lines of the table below its header: those of the first block, the rest."""

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

    def sample_all(delimiter: str, n_before: int) -> csv_layout.Sample:
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
    for i, block in enumerate(whole_lines(content.chunks(path, BLOCK_BYTES), str(path))):
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


def _pieces(block: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(block):
        end = block.find(b"\n", start + PIECE_BYTES) + 1 or len(block)
        yield block[start:end]
        start = end


def _scale(blocks: Iterable[bytes], columns: Columns, where: str) -> float:
    """255 for a table whose pixels are all in 0..1, some of them fractions; 1 for others."""
    highest, has_fractions = 0.0, False
    for piece in itertools.chain.from_iterable(map(_pieces, blocks)):
        high, some = _range(piece, columns)
        highest, has_fractions = max(highest, high), has_fractions or some
        if highest > 1:
            return 1
    if has_fractions:
        note(f"{where}: its pixels are fractions, 0 to {highest:g}, and are multiplied by 255")
        return 255
    if highest == 1:
        note(
            f"{where}: pixels are only 0 and 1 and were read as almost black; "
            "multiply them by 255 if 1 means white"
        )
    return 1


def _range(block: bytes, columns: Columns) -> tuple[float, bool]:
    """The highest pixel of a block, and whether any is a fraction."""
    digits = csv_digits.parse(block, columns)
    if digits is not None:
        return float(digits.pixels.max(initial=0)), False
    frame = _frame(block, columns, np.float64)
    if frame is not None:
        values = frame[0][np.isfinite(frame[0])]
        return float(values.max(initial=0)), bool((values % 1 != 0).any())
    return csv_cells.range_of(block, columns)


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
    if columns.scale == 1 and (rows := csv_digits.parse(block, columns)) is not None:
        return rows
    for number in (np.uint8, np.float64):  # pandas may have written 12 as 12.0
        frame = _frame(block, columns, number) if columns.scale == 1 or number != np.uint8 else None
        if frame is not None:
            pixels = _as_bytes(frame[0], columns.scale)
            return None if pixels is None else Rows(pixels, *frame[1:])
    return None


def _frame(
    block: bytes, columns: Columns, number: type[np.generic]
) -> tuple[NDArray[Any], list[str], list[str]] | None:
    """Pixels, labels and ids of a block if polars is sure of every cell, else None."""
    # polars takes 0.2 s to load; only tables need it.
    import polars as pl

    if block.startswith(PACKED):
        return None
    pixel_type = pl.UInt8 if number == np.uint8 else pl.Float64
    schema: dict[str, type[pl.DataType]] = {
        str(i): pl.String if i in (columns.label, columns.id) else pixel_type
        for i in range(len(columns.names))
    }
    try:
        frame = pl.read_csv(block, has_header=False, schema=schema, separator=columns.delimiter)
    except pl.exceptions.PolarsError:
        return None
    # Short rows and blank ones come back filled with null.
    if frame.height != block.count(b"\n") or any(frame.null_count().row(0)):
        return None
    labels, ids = (
        [] if position is None else frame[str(position)].to_list()
        for position in (columns.label, columns.id)
    )
    return frame.select(str(i) for i in columns.pixels).to_numpy(order="c"), labels, ids


def _as_bytes(values: NDArray[Any], scale: float) -> NDArray[np.uint8] | None:
    """The values times `scale`, rounded, if they are 0..255, else None."""
    if values.dtype == np.uint8:
        return values
    scaled = values * scale
    return np.rint(scaled).astype(np.uint8) if ((scaled >= 0) & (scaled <= 255)).all() else None


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
