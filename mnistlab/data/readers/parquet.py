"""Parquet as Hugging Face writes it: a column of encoded images, a column of labels.

Also a table of pixels saved as Parquet, as OpenML does. Encoded images are read some rows at a
time, up to a limit that depends on the size of the file.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.assembling import RawSplit
from mnistlab.data.notes import note
from mnistlab.data.readers import content, labels, pixels
from mnistlab.data.readers.binary import arrays
from mnistlab.data.readers.depths import Depths
from mnistlab.data.readers.labels import RawLabels
from mnistlab.data.readers.parquet_columns import Columns, columns_of
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError, reason

if TYPE_CHECKING:
    import polars as pl

ROWS_AT_ONCE = 1000  # encoded images in memory
BYTES_AT_ONCE = 1 << 26  # of the file per read, roughly
MAX_RECORD_BYTES = 1 << 24


class Shard(NamedTuple):
    """A file whose schema was read. limit: how many bytes it may unpack to."""

    path: Path
    n_rows: int
    columns: Columns
    limit: int


def read_split(
    paths: Sequence[Path], size: Size | None = None, label_column: str | None = None
) -> RawSplit | None:
    """Images and labels of one file, or of the shards of one part, in the order given.

    Images are encoded files, as bytes or as a struct with `bytes`, resized to `size` (H, W) if it
    is given; or one column is one pixel. Labels are integers or texts, named by the file's own
    class names if it has such. None for a part whose labels are all -1, which is how Hugging Face
    marks one without, or null. Raises DataError naming the file, and the row where there is one.
    """
    where = str(paths[0] if len(paths) == 1 else paths[0].parent)
    shards = [opened(path, label_column, size=size) for path in paths]
    raw = _raw_labels(shards, where)
    if raw is None:
        return None
    return RawSplit(_images(shards, size, where), raw, where)


def has_labels(path: Path, label_column: str | None = None) -> bool:
    """Whether a file has a column of labels beside its images."""
    import polars as pl

    shard = opened(path, label_column, needs_label=False)
    with sound(path):
        return shard.columns.label in pl.read_parquet_schema(path)


def read_images(path: Path, size: Size, resize: bool = False) -> NDArray[np.uint8]:
    """The images that `read_split` gives, uint8 (N, H, W), also where they have no labels.

    size: of images whose pixels are columns; what encoded images are resized to with `resize`.
    """
    shard = opened(path, None, needs_label=False, size=size)
    is_encoded = shard.columns.image is not None
    return _images([shard], None if is_encoded and not resize else size, str(path))


def opened(
    path: Path, label_column: str | None, needs_label: bool = True, size: Size | None = None
) -> Shard:
    """The file with its columns, before any row is read."""
    import polars as pl

    packed_bytes = path.stat().st_size
    with sound(path):
        schema = dict(pl.read_parquet_schema(path))
        n_rows = int(scan(path).select(pl.len()).collect().item())
    if n_rows < 1:
        raise DataError(f"{path}: holds no images")
    if n_rows > packed_bytes:  # an image takes more than a byte, however well it is packed
        raise DataError(f"{path}: claims {n_rows} rows in {packed_bytes} bytes; refused")
    columns = columns_of(schema, label_column, needs_label, path, size)
    return Shard(path, n_rows, columns, content.plausible_bytes(packed_bytes))


def scan(path: Path) -> pl.LazyFrame:
    """The table, of which nothing is read yet; a name with wildcards stands for itself."""
    import polars as pl

    return pl.scan_parquet(path, glob=False, hive_partitioning=False)


def _raw_labels(shards: Sequence[Shard], where: str) -> RawLabels | None:
    columns = [_labels(shard) for shard in shards]
    if all(column.null_count() == len(column) for column in columns):
        return None
    for shard, column in zip(shards, columns, strict=True):
        if column.null_count():
            row = int(column.is_null().arg_max() or 0) + 1
            raise DataError(f"{shard.path}: row {row}: the label is empty")
    if not all(column.dtype.is_numeric() for column in columns):
        texts = [str(value) for column in columns for value in column.to_list()]
        return labels.raw_from_texts(texts, where)
    values = np.concatenate([column.to_numpy() for column in columns])
    if values.dtype.kind in "iu" and (values == -1).all():
        return None
    names = _class_names(shards[0].path, shards[0].columns.label)
    if names and values.dtype.kind in "iu":
        return labels.raw_from_positions(values, names, where)
    return labels.raw_from_values(values, where)


def _labels(shard: Shard) -> pl.Series:
    import polars as pl

    label, path = shard.columns.label, shard.path
    with sound(path):
        column = scan(path).select(label).collect()[label]
        n_bytes = int(column.estimated_size())
    if n_bytes > shard.limit:
        raise DataError(f"{path}: labels of {n_bytes} bytes; refused")
    if column.dtype.is_nested() or column.dtype.is_temporal() or column.dtype == pl.Binary:
        raise DataError(f"{path}: column {label!r} holds {column.dtype}, not one label per image")
    return column


def _images(shards: Sequence[Shard], size: Size | None, where: str) -> NDArray[np.uint8]:
    depths = Depths()
    found: list[NDArray[np.uint8]] = []
    for shard in shards:
        shape = found[0].shape[1:] if found else size
        if shard.columns.image is None:
            block = _from_pixels(shard, size)
        else:
            block = large.joined(_decoded(shard, size, depths, shape))
        if found and block.shape[1:] != shape:
            raise _other_size(str(shard.path), block.shape[1:], found[0].shape[1:])
        found.append(block)
    for said in depths.notes():
        note(f"{where}: {said}")
    depths.check(where)
    return large.joined(found)


def _from_pixels(shard: Shard, size: Size | None) -> NDArray[np.uint8]:
    path, names = shard.path, shard.columns.pixels
    n_bytes = 8 * shard.n_rows * len(names)
    if n_bytes > shard.limit:
        raise DataError(f"{path}: {shard.n_rows} rows of {len(names)} pixels; refused")
    with sound(path):
        table = scan(path).select(names).collect()
    nulls = table.null_count().row(0)
    if any(nulls):
        name = next(name for name, n in zip(names, nulls, strict=True) if n)
        row = int(table[name].is_null().arg_max() or 0) + 1
        raise DataError(f"{path}: row {row}, column {name!r}: the pixel is missing")
    return arrays.to_images({"pixels": table.to_numpy()}, str(path), size)["pixels"]


def _decoded(
    shard: Shard, size: Size | None, depths: Depths, shape: Sequence[int] | None
) -> Iterator[NDArray[np.uint8]]:
    row = 1
    for column in _encoded(shard):
        images = []
        for raw in column.to_list():
            if not raw:
                raise _not_embedded(shard, row)
            image = pixels.decode(raw, f"{shard.path}: row {row}", size, depths)
            shape = shape or image.shape
            if image.shape != tuple(shape):
                raise _other_size(f"{shard.path}: row {row}", image.shape, shape)
            images.append(image)
            row += 1
        yield np.stack(images)


def _encoded(shard: Shard) -> Iterator[pl.Series]:
    """The encoded images, ROWS_AT_ONCE at a time, within the limit."""
    import polars as pl

    name, n_bytes = shard.columns.image or "", 0
    per_look = max(ROWS_AT_ONCE, shard.n_rows * BYTES_AT_ONCE // shard.path.stat().st_size)
    for first in range(0, shard.n_rows, per_look):
        with sound(shard.path):
            column = scan(shard.path).select(name).slice(first, per_look).collect()[name]
            if column.dtype.is_nested():
                column = column.struct.field("bytes")
            if column.dtype != pl.Binary:
                raise _not_embedded(shard, first + 1)
            for start in range(0, len(column), ROWS_AT_ONCE):
                some = column.slice(start, ROWS_AT_ONCE)
                # Many rows may share the bytes of one: they are copies once they are asked for.
                n_bytes += int(some.bin.size().sum() or 0)
                if n_bytes > shard.limit:
                    raise DataError(f"{shard.path}: unpacks to over {shard.limit} bytes; refused")
                yield some


def _not_embedded(shard: Shard, row: int) -> DataError:
    return DataError(
        f"{shard.path}: row {row}: holds no bytes of an image; save it with them inside: "
        "dataset.map(lambda row: row).to_parquet('set.parquet')"
    )


def _other_size(where: str, shape: Sequence[int], first: Sequence[int]) -> DataError:
    return DataError(
        f"{where}: is {shape[0]}x{shape[1]} where the first image is {first[0]}x{first[1]}; "
        "give one size for all (--size HxW)"
    )


def _class_names(path: Path, label: str) -> tuple[str, ...]:
    """Those of the label column's ClassLabel in Hugging Face's own record; none without one."""
    import polars as pl

    with sound(path):
        record = pl.read_parquet_metadata(path).get("huggingface", "")
    if not record or len(record) > MAX_RECORD_BYTES:
        return ()
    try:
        names = json.loads(record)["info"]["features"][label]["names"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return tuple(names) if is_list else ()


@contextlib.contextmanager
def sound(path: Path) -> Iterator[None]:
    """Turns the errors of polars for a damaged file into DataError; its panics are no Exception."""
    import polars as pl

    try:
        yield
    except DataError:
        raise
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise DataError(f"{path}: not a sound Parquet file: {reason(error)[:200]}") from error
