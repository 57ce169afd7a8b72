"""The rows of a table, block by block: bytes cut at a line end, parsed in threads.

polars parses a block. What polars is not sure of is parsed again by `csv_cells`, slowly, which
either understands it or names the first cell at fault.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.notes import note
from mnistlab.data.readers import levels
from mnistlab.data.readers.tables import csv_cells
from mnistlab.data.readers.tables.csv_cells import Columns, Rows
from mnistlab.errors import DataError

BLOCK_BYTES = 1 << 22  # 4 MiB: polars is slower with less; no row may be longer
PIECE_BYTES = 1 << 16  # nearly every table of 0..255 has a pixel above 1 in its first piece
N_THREADS = min(4, os.cpu_count() or 1)
BLANK = b",;\t \r\n"  # what a line may hold without any cell
# polars unpacks whatever begins like zlib, gzip or zstd, and without a bound.
PACKED = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


def whole_lines(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """The same bytes, cut after a line break; blank lines at the very end are dropped.

    Lines of nothing but marks between cells are blank too: spreadsheets write them.
    """
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        end = cut = data.rfind(b"\n") + 1
        if not data[data.rfind(b"\n", 0, max(end - 1, 0)) + 1 : end].strip(BLANK):
            # Blank lines are left to the next block, which begins with them unless the file ends.
            n_body = len(data[:end].rstrip(BLANK))
            cut = data.find(b"\n", n_body) + 1 if n_body else 0
        if cut:
            yield data[:cut]
        # Only their number is kept: spreadsheets may have many of them.
        rest = b"\n" * data.count(b"\n", cut, end) + data[end:]
        if len(rest.strip(b"\r\n")) > BLOCK_BYTES:
            raise DataError(f"{where}: holds a row longer than {BLOCK_BYTES} bytes")
    if rest.strip(BLANK):
        yield rest + b"\n"


def parse(blocks: Iterable[bytes], columns: Columns, where: str, first_row: int) -> Iterator[Rows]:
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


def is_dark(block: bytes, columns: Columns) -> bool:
    """Whether the first lines of a block leave open what scale the pixels have."""
    first = itertools.islice(_pieces(block), 1)
    return all(_range(piece, columns)[1] < levels.FEW_LEVELS for piece in first)


def scale_of(blocks: Iterable[bytes], columns: Columns, where: str) -> float:
    """255 for a table whose pixels are all in 0..1, some of them fractions; 1 for others.

    Raises DataError for fractions of another scale.
    """
    lowest, highest, has_fractions = 0.0, 0.0, False
    for piece in itertools.chain.from_iterable(map(_pieces, blocks)):
        low, high, some = _range(piece, columns)
        lowest, highest = min(lowest, low), max(highest, high)
        has_fractions = has_fractions or some
        if highest >= levels.FEW_LEVELS:
            return 1
    # From -1 to 1 the error of the first negative cell says what to do.
    if has_fractions and lowest < 0 and (lowest < -1 or highest > levels.UNIT_HIGH):
        raise DataError(
            f"{where}: its pixels go from {lowest:g} to {highest:g}, where 0..255 or 0..1 is read; "
            f"save (x + {-lowest:g}) * (255 / {highest - lowest:g}) instead"
        )
    if levels.is_unknown_scale(highest, has_fractions):
        raise DataError(
            f"{where}: its pixels are fractions up to {highest:g}, where 0..255 or 0..1 is read; "
            f"save x * (255 / {highest:g}) instead"
        )
    if has_fractions:
        done = levels.what_was_done(highest)
        note(f"{where}: its pixels are fractions, 0 to {highest:g}, {done}")
        return 255
    return 1


def _parse_ahead(blocks: Iterable[bytes], columns: Columns) -> Iterator[tuple[bytes, Rows | None]]:
    """Each block with its rows, None where only `csv_cells` can tell; parsed in threads, in order.

    polars releases Python's lock now and then: a second core saved up to a quarter of the time.
    """
    waiting: deque[tuple[bytes, Future[Rows | None]]] = deque()
    with ThreadPoolExecutor(N_THREADS) as pool:
        for block in blocks:
            waiting.append((block, pool.submit(parse_fast, block, columns)))
            if len(waiting) > N_THREADS:  # no more blocks in memory than there is work for
                first, rows = waiting.popleft()
                yield first, rows.result()
        for block, rows in waiting:
            yield block, rows.result()


def parse_fast(block: bytes, columns: Columns) -> Rows | None:
    """The rows of a block by polars; None where polars is not sure of every cell."""
    for number in (np.uint8, np.float64):  # pandas may have written 12 as 12.0
        frame = _frame(block, columns, number) if columns.scale == 1 or number != np.uint8 else None
        if frame is not None:
            pixels = _as_bytes(frame[0], columns.scale)
            return None if pixels is None else Rows(pixels, *frame[1])
    return None


def _frame(
    block: bytes, columns: Columns, number: type[np.generic]
) -> tuple[NDArray[Any], list[list[str]]] | None:
    """Pixels, and the texts of Rows, of a block if polars is sure of every cell, else None."""
    # polars takes 0.2 s to load; only tables need it.
    import polars as pl

    if block.startswith(PACKED):
        return None
    pixel_type = pl.UInt8 if number == np.uint8 else pl.Float64
    schema: dict[str, type[pl.DataType]] = {
        str(i): pl.String if i in columns.texts else pixel_type for i in range(len(columns.names))
    }
    try:
        frame = pl.read_csv(
            block,
            has_header=False,
            schema=schema,
            separator=columns.delimiter,
            decimal_comma=columns.decimal == ",",
        )
    except pl.exceptions.PolarsError:
        return None
    # Short rows and blank ones come back filled with null.
    if frame.height != block.count(b"\n") or any(frame.null_count().row(0)):
        return None
    texts: list[list[str]] = [
        [] if position is None else frame[str(position)].to_list()
        for position in (columns.label, columns.id, columns.split)
    ]
    return frame.select(str(i) for i in columns.pixels).to_numpy(order="c"), texts


def _as_bytes(values: NDArray[Any], scale: float) -> NDArray[np.uint8] | None:
    """The values times `scale`, rounded, if they are 0..255, else None."""
    if values.dtype == np.uint8:
        return values
    is_level = (values >= 0) & (values <= levels.highest_of(scale))
    return levels.to_bytes(values * scale) if is_level.all() else None


def _pieces(block: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(block):
        end = block.find(b"\n", start + PIECE_BYTES) + 1 or len(block)
        yield block[start:end]
        start = end


def _range(block: bytes, columns: Columns) -> tuple[float, float, bool]:
    """The lowest and the highest pixel of a block, and whether any is a fraction."""
    frame = _frame(block, columns, np.float64)
    if frame is None:
        return csv_cells.range_of(block, columns)
    values = frame[0][np.isfinite(frame[0])]
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    return low, high, bool((values % 1 != 0).any())
