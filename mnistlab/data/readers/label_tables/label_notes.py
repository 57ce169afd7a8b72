"""What is said about tables of labels that are used: which column, which names, which folders."""

from __future__ import annotations

import re
from collections import Counter

from mnistlab.data.notes import note
from mnistlab.data.readers.folders import split_folders
from mnistlab.data.readers.label_tables import label_columns
from mnistlab.data.readers.label_tables.image_index import Index
from mnistlab.data.readers.label_tables.labelled_table import Table

COMBINED = re.compile(r".+\|.+")
CLASSES_SHOWN = 4
FEWEST_CLASSES = 2  # folders of images that may be classes
FEWEST_COMBINED = 3  # labels of several words


def say(table: Table, index: Index) -> None:
    """Say what was decided about a table that is used, where the user might not expect it."""
    path, names, choice = table.naming.path, table.naming.names, table.choice
    if table.labels is None:
        n = len(table.naming.rows)
        left = "test image is" if n == 1 else f"{n} test images are"
        note(f"{path}: has no labels: its {left} left out here; `mnistlab predict` reads them")
        return
    if choice.one_hot:
        shown = label_columns.listed(names, choice.one_hot)
        note(f"{path}: {len(choice.one_hot)} columns of 0 and 1 are taken as the labels: {shown}")
    elif choice.label is not None and not choice.sure:
        shown = label_columns.listed(names, choice.others)
        called = names[choice.label] or f"column {choice.label + 1}"
        note(
            f"{path}: {called} is taken as the column of labels; "
            f"--label-column takes another one: {shown}"
        )
    for how, n in Counter(match.how for match in table.naming.matches).items():
        if how:
            note(f"{path}: {n} of its names are matched with image files {how}")
    if (text := _combined(set(table.labels))) is not None:
        note(f"{path}: labels such as {text!r} seem to be several; each combination is a class")
    _say_folders(table, index)


def _combined(texts: set[str]) -> str | None:
    """A label that seems to hold several: a|b, or words that most other labels are made of too."""
    if barred := sorted(filter(COMBINED.fullmatch, texts)):
        return barred[0]
    words = Counter(word for text in texts for word in set(text.split()))
    several = sorted(text for text in texts if len(text.split()) > 1)
    if len(several) >= FEWEST_COMBINED and len(words) < len(texts):
        return several[0]
    return None


def _say_folders(table: Table, index: Index) -> None:
    """Say that the labels are not those of the folders, where these look like classes."""
    folders = {file.parent for file in index.exact.values()}
    classes = [one.name for one in sorted(folders) if split_folders.named(one.name) is None]
    texts = set(table.labels or ())
    _say_other_folders(table, set(classes))
    if len(classes) > 1 and not texts <= set(classes) and len(set(classes)) == len(classes):
        shown = ", ".join(classes[:CLASSES_SHOWN])
        note(
            f"{table.naming.path}: the labels are those of this table, not the folders "
            f"({shown}{', ...' if len(classes) > CLASSES_SHOWN else ''})"
        )


def _say_other_folders(table: Table, classes: set[str]) -> None:
    """Say how many labels are not the name of the folder, where all might be."""
    texts = table.labels or []
    if len(classes) < FEWEST_CLASSES or not set(texts) <= classes or table.choice.are_folders:
        return
    folders = [match.files[0].parent.name for match in table.naming.matches if match.files]
    n_other = sum(text != name for text, name in zip(texts, folders, strict=False))
    if n_other:
        note(
            f"{table.naming.path}: {n_other} of its {len(texts)} labels "
            f"{'is' if n_other == 1 else 'are'} not the name of the "
            "image's folder; those of the table are taken"
        )
