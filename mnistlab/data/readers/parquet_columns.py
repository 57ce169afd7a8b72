"""Which columns of a Parquet file are labels, encoded images, or pixels: by its schema alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

from mnistlab.data.notes import note
from mnistlab.data.readers import split_column
from mnistlab.data.readers.shapes import Size
from mnistlab.data.readers.tables import csv_extra
from mnistlab.data.readers.tables.csv_head import ID_NAMES, LABEL_NAMES
from mnistlab.data.readers.tables.pixel_order import pixel_order
from mnistlab.errors import DataError

IMAGE_NAMES = ("image", "img", "images", "picture")
NO_PIXELS = (*ID_NAMES, "__index_level_0__")  # the index that pandas leaves


class Columns(NamedTuple):
    """The names of the columns: of labels, and of encoded images, or of each pixel."""

    label: str
    image: str | None
    pixels: list[str]


def columns_of(
    schema: dict[str, Any],
    label_column: str | None,
    needs_label: bool,
    path: Path,
    size: Size | None,
) -> Columns:
    """The columns by their names and types; `size` is (H, W) of images whose pixels are columns.

    Raises DataError naming the file where there are no images, or a label is needed and missing.
    """
    import polars as pl

    folded = {name.casefold(): name for name in reversed(schema)}
    label = label_column or next((folded[n] for n in LABEL_NAMES if n in folded), "")
    shown = ", ".join([*schema][:8]) + (", ..." if len(schema) > 8 else "")
    if needs_label and label not in schema:
        told = f"column {label!r}" if label else f"label column ({', '.join(LABEL_NAMES[:4])})"
        raise DataError(f"{path}: no {told}; it has {shown}; name it with --label-column")
    encoded = [
        name
        for name, kind in schema.items()
        if name != label
        and (kind == pl.Binary or (isinstance(kind, pl.Struct) and "bytes" in kind.to_schema()))
    ]
    named = [folded[name] for name in IMAGE_NAMES if folded.get(name) in encoded]
    if named or len(encoded) == 1:
        return Columns(label, (named or encoded)[0], [])
    no_pixels = {label, *filter(split_column.is_called_so, schema)}
    others = [n for n in schema if n not in no_pixels and n.casefold() not in NO_PIXELS]
    if not encoded:
        others = _without_odd(others, schema, size, path)
    if not encoded and others and all(schema[name].is_numeric() for name in others):
        return Columns(label, None, [others[i] for i in pixel_order(others)])
    nested = next((name for name in others if schema[name].is_nested()), None)
    if nested is not None and not isinstance(schema[nested], pl.Struct):
        raise DataError(
            f"{path}: column {nested!r} holds {schema[nested]}, lists of pixels; save them as "
            f"arrays: np.savez('set.npz', images=np.stack(table[{nested!r}]), labels=y)"
        )
    raise DataError(
        f"{path}: no column of images (bytes, or a struct of bytes and path); it has {shown}"
    )


def _without_odd(
    names: list[str], schema: dict[str, Any], size: Size | None, path: Path
) -> list[str]:
    """The columns of pixels; others are left out with a note where pixels then make an image."""

    def fits(n_pixels: int) -> bool:
        wanted = math.isqrt(n_pixels) ** 2 if size is None else size[0] * size[1]
        return n_pixels == wanted > 0

    places = range(len(names))
    odd = [i for i in places if not schema[names[i]].is_numeric()]
    if not odd and fits(len(names)):
        return names
    out = tuple(odd) if odd and fits(len(names) - len(odd)) else ()
    out = out or csv_extra.left_out(names, places, fits)
    if not out or len(out) > csv_extra.MOST:
        return names
    named = ", ".join(repr(names[i]) for i in out)
    note(f"{path}: no pixels, and left out: {named}")
    return [name for i, name in enumerate(names) if i not in out]
