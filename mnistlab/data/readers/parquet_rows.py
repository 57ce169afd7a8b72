"""Rows of a Parquet file that holds no images itself, such as Hugging Face's metadata.parquet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mnistlab.data.readers import parquet
from mnistlab.data.readers.label_tables.json_rows import MAX_BYTES, MAX_COLUMNS, Table
from mnistlab.errors import DataError

MAX_ROWS = 1 << 22


def tables(path: Path) -> Iterator[Table]:
    """The table, with its cells as texts; none where it has images, pixels or is damaged."""
    import polars as pl

    try:
        if path.stat().st_size > MAX_BYTES:
            return
        with parquet.sound(path):
            schema = pl.read_parquet_schema(path)
            kinds = schema.values()
            if len(schema) > MAX_COLUMNS or any(k.is_nested() or k == pl.Binary for k in kinds):
                return
            if not any(kind == pl.String for kind in kinds):
                return
            frame = parquet.scan(path).head(MAX_ROWS).collect().cast(pl.String).fill_null("")
    except DataError:
        return
    yield tuple(schema), [list(row) for row in frame.rows()]
