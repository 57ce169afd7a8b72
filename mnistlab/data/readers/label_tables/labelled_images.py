"""Image files and tables with their labels: the values of a column name the images.

The tables lie beside the images, above or below their folders. A column such as `split` (see
`split_column`), or tables or their folders called train, val and test, assign images to splits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnistlab.data import assembling
from mnistlab.data.dataset import SPLIT_NAMES, Dataset, SplitName
from mnistlab.data.notes import note
from mnistlab.data.readers import labels
from mnistlab.data.readers.folders import class_names, folder, image_files, split_folders, wrappers
from mnistlab.data.readers.folders.left_out import LeftOut, listed
from mnistlab.data.readers.label_tables import (
    label_columns,
    label_lists,
    label_notes,
    label_rows,
    label_table,
    labelled_table,
    unnamed_tables,
)
from mnistlab.data.readers.label_tables.image_index import Index
from mnistlab.data.readers.label_tables.labelled_table import Table
from mnistlab.data.readers.labels import RawLabels
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError

TABLES_SHOWN = 4


class Part(NamedTuple):
    """Images with the label and split of each; where: for messages."""

    files: list[Path]
    labels: list[str]
    splits: list[SplitName]
    where: str


def read(path: Path, size: Size | None = None, label_column: str | None = None) -> Dataset | None:
    """The images with the labels of the tables, in their order; None where there is no such table.

    Images without a row are left out and counted. Raises DataError naming the table and the row
    for a file that is missing, ambiguous, outside of the folder or named twice with two labels,
    and for a label that is missing; and the columns, where it is open which one has the labels.
    """
    left_out = LeftOut()
    root = wrappers.unwrapped(path, left_out, past_tables=False)
    paths = list(label_table.tables_below(root))
    if not paths:
        return None
    index = Index(root, image_files.some_below(root))
    if not index.exact:
        return None
    names_images = [found for one in paths if (found := label_table.naming(one, index)) is not None]
    if not names_images:
        unnamed_tables.check(root, [one for one in paths if one.parent == root])
        return None
    tables = [labelled_table.described(found, label_column) for found in names_images]
    if label_column is not None and all(one.labels is None for one in tables):
        raise DataError(
            f"{tables[0].naming.path}: no column {label_column!r} to take labels from; it has "
            f"{tables[0].columns.why_none()}"
        )
    chosen = _chosen(root, tables, index)
    if not chosen:
        return None
    for one in chosen:
        if label_column is None:
            _check_guess(one, index)
    chosen = label_rows.checked(root, chosen)
    images = image_files.all_below(root, left_out)
    naming = {one.path for one in names_images}
    unnamed_tables.say_missing(root, [one for one in paths if one not in naming])
    parts = _training_folders(root, chosen)
    labelled = [one for one in chosen if one.labels is not None]
    n_rows = sum(len(one.naming.rows) for one in chosen) + sum(len(one.files) for one in parts)
    left_out.suffixes.subtract(one.naming.path.suffix.lower() for one in chosen)
    left_out.add_images(len(images) - n_rows, f"without a row in {_named(chosen)}")
    for one in chosen:
        label_notes.say(one, index)
    dataset = _dataset(path, [*parts, *map(_part, labelled)], size)
    left_out.say(str(path))
    return dataset


def _chosen(root: Path, tables: list[Table], index: Index) -> list[Table]:
    """The tables that are used: those called like splits, or the only one with labels.

    None where no table has labels and class folders have: a note says which tables are not used.
    """
    of_splits = [one for one in tables if one.naming.split is not None]
    training = [one for one in of_splits if "train" in one.splits]
    if used := _of_one_split(root, training):
        first = used[0]
        others = [one for one in of_splits if one not in training]
        for split in SPLIT_NAMES:
            same = [labelled_table.as_in(first, one) for one in others if one.naming.split == split]
            found = _of_one_split(root, same)
            if same and not found and split == "val":
                raise DataError(
                    f"{same[0].naming.path}: has no column of labels as {first.naming.path.name} "
                    "has; a validation set needs them"
                )
            used += found or same[:1]
        return used
    if used := _of_one_split(root, [one for one in tables if one.naming.split is None]):
        return label_lists.cut(used, of_splits)
    if used := [one for one in of_splits if one.labels is not None]:
        return used  # a test set alone, which `assembled` refuses
    return _without_labels(root, tables, index)


def _of_one_split(root: Path, tables: list[Table]) -> list[Table]:
    """The table of labels; several if they are of different images, as one in each folder."""
    labelled = [one for one in tables if one.labels is not None]
    if not labelled:
        opened = [one for one in tables if one.choice.open]
        if opened:
            raise _is_open(root, opened[0])
        return []
    files = Counter(
        file for one in labelled for match in one.naming.matches for file in match.files
    )
    if len(labelled) > 1 and max(files.values()) > 1:
        names = " and ".join(str(one.naming.path.relative_to(root)) for one in labelled)
        raise DataError(f"{root}: {names} both have labels of its images; remove one of them")
    return labelled


def _check_guess(table: Table, index: Index) -> None:
    """DataError where the folders may be the classes as well as a column without known heading."""
    label, path = table.choice.label, table.naming.path
    classes = class_names.of_folders(index.exact.values())
    is_inside = len(classes) > 1 and path.parent in {file.parent for file in index.exact.values()}
    is_known = label is None or table.columns.folded[label] in label_columns.LABEL_COLUMNS
    if label is None or is_known or not (table.choice.guessed or is_inside) or len(classes) < 2:
        return
    name = table.naming.names[label] or str(label + 1)
    raise DataError(
        f"{path}: lists image files; are their labels in column {name!r} or are they the folders "
        f"({', '.join(classes[:TABLES_SHOWN])})? --label-column {name} takes the column; to take "
        "the folders move the table out of them"
    )


def _is_open(root: Path, table: Table) -> DataError:
    names = label_columns.listed(table.naming.names, table.choice.open)
    others = " or ".join(
        repr(table.naming.names[i]) if table.naming.names[i] else str(i + 1)
        for i in table.choice.open[:2]
    )
    named = table.naming.names[table.naming.file] or f"column {table.naming.file + 1}"
    return DataError(
        f"{table.naming.path}: {named} lists image files, but which column has their labels: "
        f"{names}? --label-column takes one, such as {others}"
    )


def _without_labels(root: Path, tables: list[Table], index: Index) -> list[Table]:
    """Lists of the images of splits get the names of the folders; other tables are not used."""
    classes = {file.parent for file in index.exact.values()}
    splits = {one.naming.split for one in tables} - {None}
    if len(classes) < wrappers.FEWEST_CLASS_FOLDERS:
        table = tables[0]
        raise DataError(
            f"{table.naming.path}: lists image files, but has no column of labels beside that "
            f"(columns: {table.columns.why_none()}); --label-column takes one anyway"
        )
    are_lists = "train" in splits or not any(map(label_lists.is_of_split_folders, tables))
    if splits and splits != {"train"} and are_lists:
        return [labelled_table.of_folders(one) for one in tables if one.naming.split is not None]
    telling = [one for one in tables if one.naming.told is not None]
    if len(telling) == 1:
        return [labelled_table.of_folders(telling[0])]
    for one in tables:
        note(f"{one.naming.path}: lists image files, but no column has labels; it is not used")
    return []


def _part(table: Table) -> Part:
    files = [match.files[0] for match in table.naming.matches]
    return Part(files, table.labels or [], table.splits, str(table.naming.path))


def _named(chosen: list[Table]) -> str:
    return " or ".join(one.naming.path.name for one in chosen[:TABLES_SHOWN])


def _training_folders(root: Path, chosen: list[Table]) -> list[Part]:
    """The training set in class folders, where only other splits have tables, as of GTSRB."""
    if any("train" in one.splits for one in chosen if one.labels is not None):
        return []
    if not any(split_folders.named(one.name) for one in listed(root).folders):
        return _not_listed(root, chosen)
    called = [one for one in listed(root).folders if split_folders.split_of(one.name) == "train"]
    inner = [wrappers.unwrapped(one, LeftOut()) for one in called]
    if len(inner) != 1 or not wrappers.has_class_folders(inner[0], may_hold_images=True):
        return []
    files, classes = folder.class_folders(inner[0], LeftOut(), is_split=True)
    note(f"{called[0]}: the labels of training images are the names of their folders")
    return [Part(files, classes, ["train"] * len(files), str(called[0]))]


def _not_listed(root: Path, chosen: list[Table]) -> list[Part]:
    """Images of class folders that are in no list of the validation and test images: they train."""
    if any(one.choice.has_labels for one in chosen) or not wrappers.has_class_folders(root, True):
        return []
    seen = {file for one in chosen for match in one.naming.matches for file in match.files}
    both = zip(*folder.class_folders(root, LeftOut()), strict=True)
    others = [(file, name) for file, name in both if file not in seen]
    if not others:
        return []
    n = len(others)
    counted = "1 image is" if n == 1 else f"{n} images are"
    they = "it trains" if n == 1 else "they train"
    note(f"{root}: {counted} in none of the lists ({_named(chosen)}): {they}")
    files, names = zip(*others, strict=True)
    return [Part([*files], [*names], ["train"] * len(files), str(root))]


def _dataset(path: Path, parts: Sequence[Part], size: Size | None) -> Dataset:
    part_of, files, codes = [], [], []
    texts: list[str] = []
    for one in parts:
        raw = labels.raw_from_texts(one.labels, one.where)
        codes.append(raw.codes + len(texts))
        texts += raw.texts
        part_of += one.splits
        files += one.files
    all_codes, order = np.concatenate(codes), np.array([SPLIT_NAMES.index(p) for p in part_of])
    agreed = class_names.agreed_texts(texts, all_codes, order, str(path))
    places = np.argsort(order, kind="stable")
    images = image_files.decoded(path, [files[place] for place in places], size)
    found = {}
    for i, split in enumerate(SPLIT_NAMES):
        inside = np.flatnonzero(order[places] == i)
        if len(inside):
            raw = RawLabels(all_codes[places[inside]], agreed)
            where = f"{path}: split {split}"
            found[split] = assembling.RawSplit(images[inside[0] : inside[-1] + 1], raw, where)
    return assembling.assembled(path.resolve().name, found, str(path))
