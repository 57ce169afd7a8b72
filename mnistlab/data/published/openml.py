"""OpenML's MNIST (data set 554): an ARFF table of the same images, converted to IDX files.

Reads only the part of ARFF that this table uses: attributes, then comma-separated rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.data.published.sources import Source
from mnistlab.data.readers import content
from mnistlab.data.readers.binary import idx
from mnistlab.data.readers.tables import csv_blocks, csv_cells
from mnistlab.data.readers.tables.csv_cells import Columns, Rows
from mnistlab.errors import DataError

ATTRIBUTE = re.compile(rb"@attribute\s+['\"]?([^\s'\"]+)", re.IGNORECASE)
DATA = re.compile(rb"^@data\s*\n", re.IGNORECASE | re.MULTILINE)


def unpack(path: Path, source: Source) -> None:
    """Turn the table at `path` into the IDX files of `source` beside it, and remove it.

    Raises DataError if what comes out is not, to the byte, the published files.
    """
    rows = parse(content.read(path), str(path))
    images = rows.pixels.reshape(-1, 28, 28)
    labels = np.array(rows.labels).astype(np.uint8)
    train, test = slice(source.n_train), slice(source.n_train, None)
    arrays: list[NDArray[np.uint8]] = [images[train], labels[train], images[test], labels[test]]
    for file, array in zip(source.files, arrays, strict=True):
        raw = idx.to_bytes(array)
        if not content.matches(raw, file.content):
            raise DataError(f"{path}: does not hold the published {file.name}")
        atomic.write_bytes(path.with_name(file.name.removesuffix(".gz")), raw)
    path.unlink()


def parse(raw: bytearray, where: str) -> Rows:
    """The rows of an ARFF file whose last attribute is the class; DataError for any other."""
    start = DATA.search(raw)
    if start is None:
        raise DataError(f"{where}: not an ARFF file (it has no @DATA)")
    names = [name.decode(errors="replace") for name in ATTRIBUTE.findall(raw, 0, start.start())]
    if len(names) < 2:
        raise DataError(f"{where}: has {len(names)} attributes; needed are pixels and a class")
    first_row = raw.count(b"\n", 0, start.end()) + 1
    lines = csv_blocks.whole_lines(_pieces(raw, start.end()), where)
    columns = Columns(tuple(names), len(names) - 1)
    return csv_cells.join(list(csv_blocks.parse(lines, columns, where, first_row)))


def _pieces(raw: bytearray, start: int) -> Iterator[bytes]:
    for i in range(start, len(raw), csv_blocks.BLOCK_BYTES):
        yield bytes(raw[i : i + csv_blocks.BLOCK_BYTES])
