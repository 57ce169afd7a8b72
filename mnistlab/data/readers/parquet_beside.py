"""What a Parquet file holds beside images and labels: the split of each image, and its ID."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mnistlab.data.assembling import RawSplit
from mnistlab.data.dataset import SplitName
from mnistlab.data.notes import unsaid
from mnistlab.data.readers import parquet, split_column
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError

ID_NAMES = ("id", "imageid", "image_id", "index")


def read_splits(
    path: Path, size: Size | None = None, label_column: str | None = None
) -> dict[SplitName, RawSplit]:
    """Images and labels of a single file, by split if a column tells it; see `split_column`.

    Errors as in `parquet.read_split`, and for a file without labels.
    """
    whole = _labelled(parquet.read_split([path], size, label_column), path)
    told = split_column.splits_of(_other_columns(path, label_column), str(path))
    return {"train": whole} if told is None else split_column.cut(whole, told)


def read_one_split(
    paths: Sequence[Path], size: Size | None, label_column: str | None, may_lack: bool
) -> RawSplit | None:
    """As `parquet.read_split`; a column that tells several splits is an error here.

    may_lack: the labels may be missing; then the result is None.
    """
    for path in paths:
        told = split_column.splits_of(_other_columns(path, label_column), str(path))
        if len(set(told or ())) > 1:
            raise DataError(
                f"{path}: a column tells train, val or test, and so does the name of the file; "
                "give this file alone, or drop the column"
            )
    split = parquet.read_split(paths, size, label_column)
    return split if may_lack else _labelled(split, paths[0])


def _labelled(split: RawSplit | None, path: Path) -> RawSplit:
    if split is None:
        raise DataError(f"{path}: its labels are all -1 or empty, which stands for none")
    return split


def read_ids(path: Path) -> tuple[str, list[str]] | None:
    """The name of the column of IDs and the ID of each image; None without such a column."""
    import polars as pl

    with parquet.sound(path):
        schema = pl.read_parquet_schema(path)
        folded = {name.casefold(): name for name in reversed(schema)}
        name = next((folded[one] for one in ID_NAMES if one in folded), None)
        if name is None or not _is_simple(schema[name]):
            return None
        column = parquet.scan(path).select(name).collect()[name]
    return None if column.null_count() else (name, [str(value) for value in column.to_list()])


def _other_columns(path: Path, label_column: str | None) -> Mapping[str, list[str]]:
    """Columns of texts, and all that are called like splits, as texts."""
    import polars as pl

    with unsaid():
        columns = parquet.opened(path, label_column).columns
    taken = {columns.label, columns.image, *columns.pixels}
    with parquet.sound(path):
        schema = pl.read_parquet_schema(path)
        wanted = [
            name
            for name, kind in schema.items()
            if name not in taken
            and (kind == pl.String or (split_column.is_called_so(name) and _is_simple(kind)))
        ]
        table = parquet.scan(path).select(wanted).collect()
    return {
        name: ["" if value is None else str(value) for value in table[name].to_list()]
        for name in wanted
    }


def _is_simple(kind: object) -> bool:
    """Whether a column has one number, text or truth value per row."""
    import polars as pl

    return isinstance(kind, pl.DataType) and not kind.is_nested() and kind != pl.Binary
