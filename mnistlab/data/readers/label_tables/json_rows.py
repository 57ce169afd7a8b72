"""Rows of a table out of JSON: the forms in which labels of images are exported.

{name: label}, {label: [names]}, lists of records (also JSON lines), {column: {row: value}} of
pandas, [[name, label]], and {images, annotations, categories} of COCO. Nested records become
columns such as data.image; what no table can be made of gives none.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

MAX_BYTES = 1 << 26
MAX_COLUMNS = 200
MAX_DEPTH = 4  # records in records that are searched for a table
UNNAMED = ("", "")  # columns that have no names in the file
Table = tuple[tuple[str, ...], list[list[str]]]


def tables(path: Path) -> Iterator[Table]:
    """The tables that may be meant, each with the names of its columns and its rows of texts."""
    if path.stat().st_size > MAX_BYTES:
        return
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if path.suffix.lower() == ".json":
            yield from _tables(json.loads(text))
        else:
            records = [json.loads(line) for line in text.splitlines() if line.strip()]
            yield from _of_records(records)
    except (ValueError, RecursionError):  # no JSON, or no UTF-8
        return


def _tables(value: object, depth: int = 0) -> Iterator[Table]:
    if isinstance(value, list):
        yield from _of_records(value)
        yield from _of_pairs(value)
    if not isinstance(value, dict):
        return
    yield from _of_coco(value)
    inner = list(value.values())
    if all(isinstance(one, list) for one in inner):
        yield from _of_columns(value)
        yield from _of_classes(value)
    elif all(isinstance(one, dict) for one in inner):
        columns = {k: list(v.values()) for k, v in value.items() if isinstance(v, dict)}
        yield from _of_columns(columns)
        yield from _of_records([{"key": name, **one} for name, one in value.items()])
    elif all(map(_is_scalar, inner)):
        yield UNNAMED, [[name, _text(one)] for name, one in value.items()]
    for one in inner:
        if isinstance(one, dict) and one and all(map(_is_scalar, one.values())):
            names = value.get("classes")
            yield UNNAMED, [[name, _class(label, names)] for name, label in one.items()]
        elif isinstance(one, (list, dict)) and depth < MAX_DEPTH:
            yield from _tables(one, depth + 1)


def _of_records(value: Sequence[object]) -> Iterator[Table]:
    records = [_flat(one) for one in value if isinstance(one, dict)]
    if not records or len(records) < len(value):
        return
    names = tuple(dict.fromkeys(name for record in records for name in record))
    if len(names) <= MAX_COLUMNS:
        yield names, [[record.get(name, "") for name in names] for record in records]


def _of_pairs(value: Sequence[object]) -> Iterator[Table]:
    pairs = [one for one in value if isinstance(one, list) and len(one) == 2]
    if pairs and len(pairs) == len(value) and all(_is_scalar(x) for one in pairs for x in one):
        yield UNNAMED, [[_text(x) for x in one] for one in pairs]


def _of_columns(value: Mapping[str, Sequence[object]]) -> Iterator[Table]:
    lengths = {len(column) for column in value.values()}
    if len(value) > 1 and len(lengths) == 1 and 0 not in lengths:
        rows = zip(*value.values(), strict=True)
        yield tuple(value), [[_text(cell) for cell in row] for row in rows]


def _of_classes(value: Mapping[str, Sequence[object]]) -> Iterator[Table]:
    if all(isinstance(name, str) for names in value.values() for name in names):
        rows = [[str(name), label] for label, names in value.items() for name in names]
        yield UNNAMED, rows


def _of_coco(value: Mapping[str, Any]) -> Iterator[Table]:
    """The category of each annotation; an image with several has several rows."""
    parts = [value.get(key) for key in ("images", "annotations", "categories")]
    records = [p for p in parts if isinstance(p, list) and all(isinstance(x, dict) for x in p)]
    if len(records) < 3:
        return
    images, annotations, categories = records
    files = {one.get("id"): _text(one.get("file_name")) for one in images if _is_key(one.get("id"))}
    names = {one["id"]: _text(one.get("name")) for one in categories if _is_key(one.get("id"))}
    rows = [
        (files[one["image_id"]], names[one["category_id"]])
        for one in annotations
        if _is_key(one.get("image_id"))
        and _is_key(one.get("category_id"))
        and one["image_id"] in files
        and one["category_id"] in names
    ]
    if rows:
        yield ("file_name", "category"), [list(row) for row in dict.fromkeys(rows)]


def _flat(record: Mapping[str, object], above: str = "") -> dict[str, str]:
    """Nested records and lists of a single value as columns with dots in their names."""
    found: dict[str, str] = {}
    for name, value in itertools.islice(record.items(), MAX_COLUMNS):
        called = f"{above}{name}"
        while isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict):
            found |= _flat(value, f"{called}.")
        elif isinstance(value, list):
            if all(map(_is_scalar, value)):
                found[called] = "|".join(map(_text, value))
        else:
            found[called] = _text(value)
    return found


def _class(label: object, names: object) -> str:
    """The name of a class that is given by its position in a list of names; else as it stands."""
    if isinstance(names, list) and isinstance(label, int) and 0 <= label < len(names):
        return _text(names[label])
    return _text(label)


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def _is_key(value: object) -> bool:
    return isinstance(value, (str, int))


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
