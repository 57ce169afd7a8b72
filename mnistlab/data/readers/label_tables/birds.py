"""Tables that share an ID, as those of CUB-200: images.txt, image_class_labels.txt and more.

images.txt has the ID and the path of each image, image_class_labels.txt its class,
train_test_split.txt is 1 for training images, and classes.txt has the name of each class.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mnistlab.data.readers.label_tables import sheets
from mnistlab.data.readers.label_tables.sheets import Row
from mnistlab.errors import DataError

NAMES = ("filename", "label", "is_train")


class Joined(NamedTuple):
    """The rows with a file, a label and, where one table tells it, 1 for training images."""

    names: tuple[str, ...]
    rows: list[Row]


def joined(path: Path, rows: Sequence[Row], file: int) -> Joined | None:
    """The table images.txt with the labels beside it; None for any other table.

    Raises DataError for an image without a label or split there.
    """
    beside = path.with_name("image_class_labels.txt")
    if path.name.casefold() != "images.txt" or not beside.is_file() or file != 1:
        return None
    labels = _by_id(beside)
    classes = _by_id(path.with_name("classes.txt"))
    splits = _by_id(path.with_name("train_test_split.txt"))
    found = []
    for row in rows:
        key, name = row.cells[:2]
        if key not in labels or (splits and key not in splits):
            lacking = beside.name if key not in labels else "train_test_split.txt"
            raise DataError(f"{path}: row {row.number}: {key!r} is not in {lacking}")
        cells = [name, classes.get(labels[key], labels[key])]
        found.append(Row(row.number, [*cells, splits[key]] if splits else cells))
    return Joined(NAMES if splits else NAMES[:2], found)


def _by_id(path: Path) -> dict[str, str]:
    """The two columns of such a table; empty where there is none."""
    if not path.is_file():
        return {}
    sheet = sheets.Sheet(path, sheets.SPACES, None, [])
    return {row.cells[0]: row.cells[1] for row in sheets.rows_of(sheet, 2)}
