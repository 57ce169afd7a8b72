"""Images in files, and a table that has their labels: a column of file names, one of labels.

The table lies beside the images or beside the folder of them. A column split, or tables called
train, val and test, say which part an image belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnistlab.data import parts
from mnistlab.data.dataset import Dataset
from mnistlab.data.parts import PART_NAMES, PartName
from mnistlab.data.readers import folder, image_files, label_table, labels
from mnistlab.data.readers.label_table import Columns, Row
from mnistlab.data.readers.labels import RawLabels
from mnistlab.data.readers.left_out import LeftOut, is_table, listed
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError

# What else the name of a table of one part may hold: train_labels.csv.
OTHER_WORDS = re.compile(r"[-_ .]?(labels?|annotations?|metadata|images?)[-_ .]?", re.IGNORECASE)


class Found(NamedTuple):
    """A table, the part its name says it is, its rows, and the image of each; None if missing."""

    table: Path
    part: PartName | None
    rows: list[Row]
    files: list[Path | None]


class Index:
    """Images below a folder, by all that a table may call them."""

    def __init__(self, root: Path, files: Sequence[Path]) -> None:
        self.root = root
        self.exact = {file.relative_to(root).as_posix(): file for file in files}
        self.ends: dict[str, list[Path]] = {}
        for name, file in self.exact.items():
            steps = name.split("/")
            for i in range(len(steps)):
                end = "/".join(steps[i:])
                for called in (end, end.removesuffix(file.suffix)):
                    self.ends.setdefault(called, []).append(file)

    def find(self, name: str, part: PartName | None) -> list[Path]:
        """By the path below the folder, or the end of it, with or without suffix.

        Where several are called so, those in a folder of that part.
        """
        found = self.ends.get(name, [])
        if len(found) > 1 and part is not None:
            called = [f for f in found if part in self._parts_above(f)]
            if called:
                return called
        return [self.exact[name]] if name in self.exact else found

    def _parts_above(self, file: Path) -> set[PartName | None]:
        steps = file.relative_to(self.root).parts[:-1]
        return {parts.part_called(step) for step in steps}


def read(path: Path, size: Size | None = None, label_column: str | None = None) -> Dataset | None:
    """The images with the labels of the table, in its order; None where there is no such table.

    Images without a row are left out and counted. Raises DataError naming the table and the row
    for a file that is missing, named twice, ambiguous or outside of the folder, and for a label
    that is missing.
    """
    left_out = LeftOut()
    root = folder.unwrapped(path, left_out, past_tables=False)
    tables = [file for file in listed(root).others if is_table(file) and not _is_answer(file)]
    described = {t: c for t in tables if (c := label_table.columns_of(t, label_column)) is not None}
    nameless = [t for t in tables if t not in described and len(label_table.first_row(t)[1]) == 2]
    if not described and not nameless:
        return None
    images = image_files.all_below(root, left_out)
    index = Index(root, images)
    described |= {t: c for t in nameless if (c := _columns_without_header(t, index)) is not None}
    found = [_looked_up(table, columns, index) for table, columns in described.items()]
    if not images or not (chosen := _chosen(root, found)):
        return None
    _check_files(root, chosen)
    n_rows = sum(len(one.rows) for one in chosen)
    left_out.suffixes.subtract(one.table.suffix.lower() for one in chosen)
    left_out.add_images(len(images) - n_rows, f"without a row in {_named(chosen)}")
    dataset = _dataset(path, chosen, size)
    left_out.say(str(path))
    return dataset


def _is_answer(table: Path) -> bool:
    """Whether it shows how to hand in what was predicted, as Kaggle's sample_submission.csv."""
    return "submission" in table.name.casefold()


def _columns_without_header(table: Path, index: Index) -> Columns | None:
    """Of such a table only the image that its first row names tells what it is."""
    delimiter, cells = label_table.first_row(table)
    if len(cells) != 2 or not index.find(label_table.clean(cells[0]), None):
        return None
    return Columns(delimiter, 2, 0, 1, None, has_header=False)


def _looked_up(table: Path, columns: Columns, index: Index) -> Found:
    stem = OTHER_WORDS.sub("", table.name.split(".")[0])
    part = parts.part_called(stem)
    rows = list(label_table.rows_of(table, columns))
    if not all(parts.part_called(row.part) for row in rows):
        if any(parts.part_called(row.part) for row in rows):
            row = next(row for row in rows if not parts.part_called(row.part))
            raise DataError(f"{table}: row {row.number}: {row.part!r} is not train, val or test")
        rows = [row._replace(part="") for row in rows]  # a column that tells something else
    files: list[Path | None] = []
    for row in rows:
        found = index.find(row.file, parts.part_called(row.part) or part)
        if len(found) > 1:
            some = " and ".join(map(str, found[:2]))
            raise DataError(f"{table}: row {row.number}: {row.file!r} may be {some}")
        files.append(found[0] if found else None)
    return Found(table, part, rows, files)


def _chosen(root: Path, found: list[Found]) -> list[Found]:
    """The tables that count: those called like parts, or the only one.

    A table of which no row names an image is none of them where there are class folders.
    """
    telling = [one for one in found if any(one.files)]
    if not telling:
        inside = map(listed, listed(root).folders)
        n_class_folders = sum(bool(one.images or one.folders) for one in inside)
        return [] if n_class_folders > 1 else found[:1]
    of_parts = [one for one in telling if one.part is not None]
    if any(one.part == "train" for one in of_parts):
        return sorted(of_parts, key=lambda one: PART_NAMES.index(one.part or "train"))
    if len(telling) > 1:
        names = " and ".join(one.table.name for one in telling)
        raise DataError(f"{root}: {names} both have labels of its images; remove one of them")
    return telling


def _check_files(root: Path, chosen: list[Found]) -> None:
    """Every row has a label and an image of its own.

    A test part may lack all of its labels: `parts.assembled` leaves it out.
    """
    of_test = {row.label for one in chosen for row in one.rows if _part_of(one, row) == "test"}
    others = {row.label for one in chosen for row in one.rows if _part_of(one, row) != "test"}
    no_labels = labels.missing_among(others if len(of_test) == 1 else others | of_test)
    seen: dict[Path, str] = {}
    for one in chosen:
        missing = [row for row, file in zip(one.rows, one.files, strict=True) if file is None]
        if missing:
            _refuse(root, one.table, missing)
        for row, file in zip(one.rows, one.files, strict=True):
            where = f"{one.table}: row {row.number}"
            may_lack = len(of_test) == 1 and _part_of(one, row) == "test"
            if row.label in no_labels and not may_lack:
                raise DataError(f"{where}: {row.file!r} has no label")
            if file in seen:
                raise DataError(f"{where}: {row.file!r} has a label already, in {seen[file]}")
            if file is not None:
                seen[file] = f"row {row.number} of {one.table.name}"


def _refuse(root: Path, table: Path, missing: list[Row]) -> None:
    row, n = missing[0], len(missing)
    if row.file.startswith("/") or ".." in row.file.split("/") or re.match("[A-Za-z]:", row.file):
        raise DataError(f"{table}: row {row.number}: {row.file!r} is not below the folder; refused")
    more = f" (nor are those of {n - 1} other rows)" if n > 1 else ""
    raise DataError(f"{table}: row {row.number}: {row.file!r} is no image below {root}{more}")


def _part_of(one: Found, row: Row) -> PartName:
    return parts.part_called(row.part) or one.part or "train"


def _named(chosen: list[Found]) -> str:
    return " or ".join(one.table.name for one in chosen)


def _dataset(path: Path, chosen: list[Found], size: Size | None) -> Dataset:
    part_of, files, codes = [], [], []
    texts: list[str] = []
    for one in chosen:
        raw = labels.raw_from_texts([row.label for row in one.rows], str(one.table))
        codes.append(raw.codes + len(texts))
        texts += raw.texts
        part_of += [_part_of(one, row) for row in one.rows]
        files += [file for file in one.files if file is not None]
    all_codes, order = np.concatenate(codes), np.array([PART_NAMES.index(p) for p in part_of])
    places = np.argsort(order, kind="stable")
    images = image_files.decoded(path, [files[place] for place in places], size)
    found = {}
    for i, part in enumerate(PART_NAMES):
        inside = np.flatnonzero(order[places] == i)
        if len(inside):
            raw = RawLabels(all_codes[places[inside]], tuple(texts))
            where = f"{path}: part {part}"
            found[part] = parts.Part(images[inside[0] : inside[-1] + 1], raw, where)
    return parts.assembled(path.resolve().name, found, str(path))
