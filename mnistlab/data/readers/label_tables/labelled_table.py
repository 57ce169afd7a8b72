"""A table of a set of images with the label of each row: as it stands, or read as another one."""

from __future__ import annotations

from typing import NamedTuple

from mnistlab.data.dataset import SplitName
from mnistlab.data.notes import note
from mnistlab.data.readers.label_tables import label_columns
from mnistlab.data.readers.label_tables.label_columns import Choice, Labels
from mnistlab.data.readers.label_tables.label_table import Naming


class Table(NamedTuple):
    """A table with the label of each row; None where it has no labels.

    splits: of each row, as a column of the table tells it; else that of the table.
    """

    naming: Naming
    columns: Labels
    choice: Choice
    labels: list[str] | None
    splits: list[SplitName]


def described(found: Naming, wanted: str | None) -> Table:
    """The table with the labels of the column that is chosen, or `wanted` by the user."""
    rows, where = found.rows, str(found.path)
    folders = [one.files[0].parent.name if one.files else "" for one in found.matches]
    columns = Labels(where, found.names, rows, found.file, found.known, folders)
    lacks_it = wanted is not None and not columns.has(wanted)
    choice = Choice() if len(found.names) == 1 or lacks_it else columns.choose(wanted)
    texts = columns.texts(choice, rows) if choice.has_labels else None
    splits = found.told or [found.split or "train"] * len(rows)
    return Table(found, columns, choice, texts, splits)


def as_in(first: Table, table: Table) -> Table:
    """A table of another split, with the labels from the column that the training table has.

    Without that column it has no labels, unless a heading says that another one has them.
    """
    names = [label_columns.folded(name) for name in table.naming.names]
    if first.choice.label is None or not first.naming.names[first.choice.label]:
        return table
    wanted = label_columns.folded(first.naming.names[first.choice.label])
    if wanted in names:
        choice = Choice(names.index(wanted))
        return table._replace(choice=choice, labels=table.columns.columns[names.index(wanted)])
    label = table.choice.label
    if label is not None and names[label] in label_columns.LABEL_COLUMNS:
        return table
    if table.labels and set(table.labels) <= set(first.labels or ()):
        return table
    return table._replace(choice=Choice(), labels=None)


def of_folders(table: Table) -> Table:
    """A list of images, with the names of their folders as labels."""
    note(f"{table.naming.path}: lists images; their labels are the names of their folders")
    found = [one.files[0].parent.name if one.files else "" for one in table.naming.matches]
    return table._replace(labels=found)
