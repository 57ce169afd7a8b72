"""The rows of tables that are used: each is about one image, which has one label and one split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mnistlab.data.dataset import SplitName
from mnistlab.data.notes import note
from mnistlab.data.readers import labels
from mnistlab.data.readers.label_tables import label_table
from mnistlab.data.readers.label_tables.labelled_table import Table
from mnistlab.errors import DataError


class _Told(NamedTuple):
    """What a row says of its image. where: the row."""

    label: str
    split: SplitName
    where: str


def checked(root: Path, chosen: Sequence[Table]) -> list[Table]:
    """The tables without rows that say once more what another one says; a note counts them.

    DataError for a row without a label or image, and for one that contradicts another. A test set
    may lack all of its labels: `assembling.assembled` leaves it out.
    """
    no_labels, of_test = _no_labels(chosen)
    seen: dict[Path, _Told] = {}
    tables = []
    for one in chosen:
        if one.labels is None:
            tables.append(one)
            continue
        path, table = one.naming.path, one.naming
        named = [label_table.clean(row.cells[table.file]) for row in table.rows]
        _check_files(root, one, named)
        kept = []
        for i, (text, split) in enumerate(zip(one.labels, one.splits, strict=True)):
            where = f"{path}: row {table.rows[i].number}"
            if text in no_labels and not (len(of_test) == 1 and split == "test"):
                raise DataError(f"{where}: {named[i]!r} has no label")
            (file,) = table.matches[i].files
            told = _Told(text, split, f"row {table.rows[i].number} of {path.name}")
            if file not in seen:
                kept.append(i)
                seen[file] = told
            elif (text, split) != seen[file][:2]:
                raise _contradicts(f"{where}: {named[i]!r}", told, seen[file])
        tables.append(_taken(one, kept))
    return tables


def _no_labels(chosen: Sequence[Table]) -> tuple[set[str], set[str]]:
    """The texts that mean "no label", and the labels of the test set."""
    told = [
        (text, split)
        for one in chosen
        for text, split in zip(one.labels or (), one.splits if one.labels else (), strict=True)
    ]
    of_test = {text for text, split in told if split == "test"}
    others = {text for text, split in told if split != "test"}
    return labels.missing_among(others if len(of_test) == 1 else others | of_test), of_test


def _contradicts(which: str, told: _Told, earlier: _Told) -> DataError:
    what = "has another label" if told.label != earlier.label else "is in another split"
    return DataError(f"{which} {what}, in {earlier.where}")


def _taken(table: Table, places: Sequence[int]) -> Table:
    """The rows at those places; a note says how many others there were."""
    naming, texts = table.naming, table.labels or ()
    n_others = len(naming.rows) - len(places)
    if not n_others:
        return table
    repeat = "rows repeat" if n_others > 1 else "row repeats"
    note(f"{naming.path}: {n_others} {repeat} an image with the same label; each is taken once")
    return table._replace(
        naming=naming._replace(
            rows=[naming.rows[i] for i in places],
            matches=[naming.matches[i] for i in places],
            told=None if naming.told is None else [naming.told[i] for i in places],
        ),
        labels=[texts[i] for i in places],
        splits=[table.splits[i] for i in places],
    )


def _check_files(root: Path, one: Table, named: Sequence[str]) -> None:
    path, rows = one.naming.path, one.naming.rows
    for i, match in enumerate(one.naming.matches):
        if len(match.files) > 1:
            some = " and ".join(map(str, match.files[:2]))
            raise DataError(
                f"{path}: row {rows[i].number}: {named[i]!r} may be {some}; "
                "write its path below the folder"
            )
    missing = [i for i, match in enumerate(one.naming.matches) if not match.files]
    if not missing:
        return
    first = missing[0]
    row, n_others = rows[first].number, len(missing) - 1
    raise label_table.names_nothing(path, root, row, named[first], n_others)
