"""Lists of the images of each split beside one table of labels, as of NIH's chest X-rays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mnistlab.cards import counted
from mnistlab.data.dataset import SplitName
from mnistlab.data.notes import note
from mnistlab.data.readers.folders import split_folders
from mnistlab.data.readers.label_tables.labelled_table import Table


def cut(tables: list[Table], beside: Sequence[Table]) -> list[Table]:
    """The tables with the splits that the lists beside them tell, if these name all images.

    tables: those of the labels. beside: others that are called train, test and the like; they are
    lists where they have no labels.
    """
    lists = [one for one in beside if one.labels is None and one.naming.split is not None]
    if not {"test", "val"} & {one.naming.split for one in lists}:
        return tables
    split_of: dict[Path, SplitName] = {}
    for one in lists:
        for match in one.naming.matches:
            for file in match.files:
                if one.naming.split is not None:
                    split_of[file] = one.naming.split
    names = " and ".join(one.naming.path.name for one in lists)
    of_rows = [[match.files for match in one.naming.matches] for one in tables]
    missing = sum(not files or files[0] not in split_of for rows in of_rows for files in rows)
    has_train = "train" in split_of.values()
    if missing and has_train:
        images = counted(missing, "image", "d")
        note(f"{names}: list no split for {images} of the table, and are not used")
        return tables
    note(f"{names}: list the images of their splits" + ("" if has_train else "; others train"))
    return [
        one._replace(
            splits=[split_of.get(files[0], "train") if files else "train" for files in rows]
        )
        for one, rows in zip(tables, of_rows, strict=True)
    ]


def is_of_split_folders(table: Table) -> bool:
    """Whether images of a list lie in folders called like splits, which name no classes."""
    files = (file for match in table.naming.matches for file in match.files)
    return any(split_folders.named(file.parent.name) for file in files)
