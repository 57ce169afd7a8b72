"""Image files and a table with their labels: a column of file names and a column of labels.

The table lies beside the images or beside their folder. A column such as `split` (see
`split_column`), or tables called train, val and test, assign images to splits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnistlab.data import assembling
from mnistlab.data.dataset import SPLIT_NAMES, Dataset, SplitName
from mnistlab.data.readers import folder, image_files, label_table, labels, split_column
from mnistlab.data.readers.label_table import Columns, Row
from mnistlab.data.readers.labels import RawLabels
from mnistlab.data.readers.left_out import LeftOut, is_table, listed
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError

# What else the name of a table of one split may hold: train_labels.csv.
OTHER_WORDS = re.compile(r"[-_ .]?(labels?|annotations?|metadata|images?)[-_ .]?", re.IGNORECASE)


class Found(NamedTuple):
    """A table, its split if its name tells one, its rows, and the image of each row (or None).

    splits: of each row, as a column of the table tells it; else that of the table.
    """

    table: Path
    split: SplitName | None
    rows: list[Row]
    files: list[Path | None]
    splits: list[SplitName]


class Index:
    """The images below a folder, by every name that a table may use for them."""

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

    def find(self, name: str, split: SplitName | None) -> list[Path]:
        """Images by their path below the folder or the end of it, with or without suffix.

        A path from the root of the system counts if it leads below the folder.

        If several images match, only those in a folder of that split count.
        """
        if name.startswith("/") and Path(name).is_relative_to(self.root.resolve()):
            name = Path(name).relative_to(self.root.resolve()).as_posix()
        found = self.ends.get(name, [])
        if len(found) > 1 and split is not None:
            called = [f for f in found if split in self._splits_above(f)]
            if called:
                return called
        return [self.exact[name]] if name in self.exact else found

    def _splits_above(self, file: Path) -> set[SplitName | None]:
        steps = file.relative_to(self.root).parts[:-1]
        return {assembling.split_called(step) for step in steps}


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
    """Whether it is an example of predictions to submit, as Kaggle's sample_submission.csv."""
    return "submission" in table.name.casefold()


def _columns_without_header(table: Path, index: Index) -> Columns | None:
    """A table without header is recognised by its first row, which must name an image."""
    delimiter, cells = label_table.first_row(table)
    if len(cells) != 2 or not index.find(label_table.clean(cells[0]), None):
        return None
    return Columns(delimiter, 2, 0, 1, {}, has_header=False)


def _looked_up(table: Path, columns: Columns, index: Index) -> Found:
    stem = OTHER_WORDS.sub("", table.name.split(".")[0])
    split = assembling.split_called(stem)
    rows = list(label_table.rows_of(table, columns))
    cells = {name: [row.others[i] for row in rows] for i, name in enumerate(columns.others)}
    told = split_column.splits_of(cells, str(table), [row.number for row in rows])
    files: list[Path | None] = []
    for i, row in enumerate(rows):
        found = index.find(row.file, told[i] if told else split)
        if len(found) > 1:
            some = " and ".join(map(str, found[:2]))
            raise DataError(f"{table}: row {row.number}: {row.file!r} may be {some}")
        files.append(found[0] if found else None)
    return Found(table, split, rows, files, told or [split or "train"] * len(rows))


def _chosen(root: Path, found: list[Found]) -> list[Found]:
    """The tables that are used: those called like splits, or the only one.

    Beside class folders a table of which no row names an image is not used.
    """
    telling = [one for one in found if any(one.files)]
    if not telling:
        inside = map(listed, listed(root).folders)
        n_class_folders = sum(bool(one.images or one.folders) for one in inside)
        return [] if n_class_folders > 1 else found[:1]
    of_splits = [one for one in telling if one.split is not None]
    if any(one.split == "train" for one in of_splits):
        return sorted(of_splits, key=lambda one: SPLIT_NAMES.index(one.split or "train"))
    if len(telling) > 1:
        names = " and ".join(one.table.name for one in telling)
        raise DataError(f"{root}: {names} both have labels of its images; remove one of them")
    return telling


def _check_files(root: Path, chosen: list[Found]) -> None:
    """DataError for a row without a label or image, or with the image of another row.

    A test set may lack all of its labels: `assembling.assembled` leaves it out.
    """
    all_rows = [told for one in chosen for told in zip(one.rows, one.splits, strict=True)]
    of_test = {row.label for row, split in all_rows if split == "test"}
    others = {row.label for row, split in all_rows if split != "test"}
    no_labels = labels.missing_among(others if len(of_test) == 1 else others | of_test)
    seen: dict[Path, str] = {}
    for one in chosen:
        if not one.rows:
            raise DataError(f"{one.table}: has no rows below its header, so no image has a label")
        missing = [row for row, file in zip(one.rows, one.files, strict=True) if file is None]
        if missing:
            _refuse(root, one.table, missing)
        for row, file, split in zip(one.rows, one.files, one.splits, strict=True):
            where = f"{one.table}: row {row.number}"
            may_lack = len(of_test) == 1 and split == "test"
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


def _named(chosen: list[Found]) -> str:
    return " or ".join(one.table.name for one in chosen)


def _dataset(path: Path, chosen: list[Found], size: Size | None) -> Dataset:
    part_of, files, codes = [], [], []
    texts: list[str] = []
    for one in chosen:
        raw = labels.raw_from_texts([row.label for row in one.rows], str(one.table))
        codes.append(raw.codes + len(texts))
        texts += raw.texts
        part_of += one.splits
        files += [file for file in one.files if file is not None]
    all_codes, order = np.concatenate(codes), np.array([SPLIT_NAMES.index(p) for p in part_of])
    places = np.argsort(order, kind="stable")
    images = image_files.decoded(path, [files[place] for place in places], size)
    found = {}
    for i, split in enumerate(SPLIT_NAMES):
        inside = np.flatnonzero(order[places] == i)
        if len(inside):
            raw = RawLabels(all_codes[places[inside]], tuple(texts))
            where = f"{path}: split {split}"
            found[split] = assembling.RawSplit(images[inside[0] : inside[-1] + 1], raw, where)
    return assembling.assembled(path.resolve().name, found, str(path))
