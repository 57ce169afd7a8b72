"""A table that lists image files of a set: in which column, and which image each row is about."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mnistlab.data.dataset import SplitName
from mnistlab.data.notes import note
from mnistlab.data.readers import split_column
from mnistlab.data.readers.folders import split_folders
from mnistlab.data.readers.folders.left_out import is_image, is_junk
from mnistlab.data.readers.folders.outputs import is_own
from mnistlab.data.readers.label_tables import birds, label_columns, mentions, sheets, spreadsheet
from mnistlab.data.readers.label_tables.image_index import BY_NUMBER, OUTSIDE, Index, Match
from mnistlab.data.readers.label_tables.sheets import Row, Sheet
from mnistlab.data.readers.pixels import SUFFIXES
from mnistlab.errors import DataError, reason

MAX_DEPTH = 3  # folders in folders that are searched for tables
MAX_TABLES = 16  # of one folder: more are annotations of an image each
MAX_COLUMNS = 64  # of a table that is read as a whole to find out what it is
MAX_FOLDERS = 400  # that are searched
ENOUGH = 0.5  # of the rows looked at must name an image
WHOLE = re.compile("[0-9]+")
IMAGE_ENDINGS = tuple(SUFFIXES)


class Naming(NamedTuple):
    """A table whose column `file` lists image files. names: of its columns, empty without header.

    split: that its own name or its folder tells. known: positions of other columns of images.
    rows: all of them, with the images that each one may mean. told: the split of each, if a column
    tells it.
    """

    path: Path
    names: tuple[str, ...]
    file: int
    known: tuple[int, ...]
    split: SplitName | None
    rows: list[Row]
    matches: list[Match]
    told: list[SplitName] | None = None

    @property
    def has_header(self) -> bool:
        """Whether the columns have names."""
        return any(self.names)


def told_splits(found: Naming) -> list[SplitName] | None:
    """The split of each row, if a column tells it."""
    cells = {
        name or f"column {i + 1}": [row.cells[i] for row in found.rows]
        for i, name in enumerate(found.names)
        if i != found.file
    }
    numbers = [row.number for row in found.rows]
    return split_column.splits_of(cells, str(found.path), numbers)


def tables_below(root: Path) -> Iterator[Path]:
    """Files called like tables, in the folder itself and some folders below."""
    waiting = [(root, 0)]
    for folder, depth in waiting:
        names, folders = _names_in(folder)
        tables = [Path(name) for name in names if _may_be_table(Path(name))]
        if len(tables) <= MAX_TABLES:
            yield from (folder / file for file in tables if (folder / file).is_file())
        if depth < MAX_DEPTH:
            below = [(folder / name, depth + 1) for name in folders]
            waiting += below[: MAX_FOLDERS - len(waiting)]


def _names_in(folder: Path) -> tuple[list[str], list[str]]:
    """The names of files and folders in a folder, without junk, links and images, sorted."""
    files, folders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.lower().endswith(IMAGE_ENDINGS) or is_junk(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if not is_own(folder / entry.name):
                        folders.append(entry.name)
                else:
                    files.append(entry.name)
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {reason(error)}") from error
    return sorted(files), sorted(folders)


def _may_be_table(name: Path) -> bool:
    return (sheets.is_sheet(name) or spreadsheet.is_called_so(name)) and not _is_answer(name)


def naming(path: Path, index: Index) -> Naming | None:
    """The table, if one of its columns lists image files of the set; None for any other file.

    Raises DataError for a spreadsheet that lists image files, since none is read.
    """
    if spreadsheet.is_called_so(path):
        spreadsheet.check(path, index)
        return None
    for sheet in sheets.readings(path):
        if not sheet.rows:
            continue
        columns = _columns_of_files(sheet, index)
        if not columns and _is_called_file(sheet):
            # The images of its first rows may be missing, as of a set that is not whole.
            columns = _columns_of_files(sheet._replace(rows=_whole(sheet)), index)
        # In {class: [names]} of JSON all columns would be files: it is read as rows then.
        if columns and (sheet.names is None or len(columns) < len(sheet.names)):
            return _named(sheet, columns, index)
    mentions.check(path, index)
    return None


def clean(name: str) -> str:
    """The name of a file as a path below the folder, with slashes."""
    name = name.strip().replace("\\", "/")
    while name.startswith("./"):
        name = name[2:]
    return name


def names_nothing(table: Path, root: Path, row: int, name: str, n_others: int) -> DataError:
    """The error for a row whose image is not there. n_others: how many other rows are like it."""
    if OUTSIDE.match(name) or ".." in name.split("/"):
        return DataError(f"{table}: row {row}: {name!r} is not below the folder; refused")
    more = f" (nor are those of {n_others} other rows)" if n_others else ""
    return DataError(f"{table}: row {row}: {name!r} is no image below {root}{more}")


def _is_answer(table: Path) -> bool:
    """Whether it is an example of predictions to submit, as Kaggle's sample_submission.csv."""
    return "submission" in table.name.casefold()


def _split(path: Path, root: Path) -> SplitName | None:
    stem = path.name.split(".")[0]
    return split_folders.told_by([*path.relative_to(root).parts[:-1], stem])


def _is_called_file(sheet: Sheet) -> bool:
    names = sheet.names or sheet.rows[0].cells
    known = label_columns.FILE_COLUMNS
    return len(names) <= MAX_COLUMNS and any(label_columns.folded(n) in known for n in names)


def _columns_of_files(sheet: Sheet, index: Index) -> list[int]:
    """Positions of the columns whose values name images; the one to use first."""
    first = _first(sheet)
    names = first.cells
    body = [row.cells for row in sheet.rows if row is not first and len(row.cells) == len(names)]
    body = body or [names]
    split = _split(sheet.path, index.root)
    ranked, columns = [], [[clean(cells[i]) for cells in body] for i in range(len(names))]
    are_named = any(map(_have_endings, columns))
    for i, (name, values) in enumerate(zip(names, columns, strict=True)):
        matches = [index.find(value, split, sheet.path.parent) for value in values]
        # Beside names of image files that are not here, a number is an ID of something else.
        is_other = are_named and not _have_endings(values)
        found = [[] if is_other and how == BY_NUMBER else files for files, how in matches]
        rank = label_columns.file_rank(name)
        if (key := _evidence(values, found, rank, index)) is not None:
            ranked.append(((*key, rank, i), i))
    return [i for _, i in sorted(ranked)]


def _have_endings(values: Sequence[str]) -> bool:
    """Whether most values of a column end as image files do."""
    return sum(is_image(Path(value)) for value in values) > ENOUGH * len(values)


def _evidence(
    values: Sequence[str], found: Sequence[list[Path]], rank: int, index: Index
) -> tuple[float, ...] | None:
    """What tells a column of files from others that name images too, best first; None for no such.

    found: the images that each value may mean. rank: of the heading among FILE_COLUMNS.
    """
    is_known = rank < len(label_columns.FILE_COLUMNS)
    are_whole = all(map(WHOLE.fullmatch, values))
    named = [files for value, files in zip(values, found, strict=True) if files]
    has_ending = any(is_image(Path(value)) for value in values)
    n_different = len(set(values)) / len(values)
    if are_whole:
        if len(set(values)) < len(values) or not (is_known or _are_of_all(found, index)):
            return None
    else:
        # Numbers among other texts are no names: "2" beside "[a, b]" in a list of settings.
        named = [
            files
            for value, files in zip(values, found, strict=True)
            if files and not WHOLE.fullmatch(value)
        ]
    n_enough = 1 if is_known and not are_whole else max(min(2, len(values)), ENOUGH * len(values))
    if len(named) < n_enough or (len(values) == 1 and not (has_ending or is_known)):
        return None
    if n_different <= ENOUGH and not has_ending and len(values) > 2:
        return None
    return -len(named), are_whole, not has_ending, -n_different


def _first(sheet: Sheet) -> Row:
    """The names of the columns, or the first row of as many cells as most have.

    A title of a spreadsheet is followed by empty cells: it has at most half of what others have.
    """
    if sheet.names is not None:
        return Row(0, list(sheet.names))
    n = Counter(len(row.cells) for row in sheet.rows).most_common(1)[0][0]
    whole = [row for row in sheet.rows if len(row.cells) == n]
    most = max(sum(map(bool, row.cells)) for row in whole)
    return next((row for row in whole if 2 * sum(map(bool, row.cells)) > most), whole[0])


def _are_of_all(found: Sequence[list[Path]], index: Index) -> bool:
    """Whether plain numbers name images: of other numbers few images, or several, are called so."""
    n_images = min(len(index.exact), sheets.LOOKED_AT_ROWS)
    return all(len(files) <= 1 for files in found) and 2 * len(found) >= n_images


def _named(sheet: Sheet, columns: list[int], index: Index) -> Naming:
    file, *known = columns
    path, base = sheet.path, sheet.path.parent
    first = list(sheet.names or _first(sheet).cells)
    split = _split(path, index.root)
    has_header = sheet.names is None and (
        not index.find(clean(first[file]), split, base).files
        and (len(sheet.rows) > 1 or label_columns.file_rank(first[file]) < 99)
        and not is_image(Path(first[file]))
    )
    names = sheet.names or (tuple(first) if has_header else ("",) * len(first))
    if len(set(filter(None, names))) < len([*filter(None, names)]):
        raise DataError(f"{path}: two of its columns have the same name; rename one of them")
    below = _first(sheet).number if has_header else 0
    rows = [*sheets.rows_of(sheet, len(first), below)]
    if below > 1 and sheet.rows[0].number < below:
        note(f"{path}: row {below} is taken as its header; the rows above it are left out")
    if has_header and not rows:
        raise DataError(f"{path}: has no rows below its header, so no image has a label")
    joined = birds.joined(path, rows, file)
    if joined is not None:
        names, rows, file, known = joined.names, joined.rows, 0, []
    named = Naming(path, names, file, tuple(known), split, rows, [])
    told = told_splits(named)
    matches = [
        index.find(clean(row.cells[file]), told[i] if told else split, base)
        for i, row in enumerate(rows)
    ]
    return named._replace(matches=matches, told=told)


def _whole(sheet: Sheet) -> list[Row]:
    """All rows; those looked at where it is no sound table, and perhaps not one of images."""
    try:
        return list(sheets.rows_of(sheet, len(_first(sheet).cells), _first(sheet).number - 1))
    except DataError:
        return sheet.rows
