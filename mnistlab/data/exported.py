"""The record that an export writes beside its files: their names, sizes and hashes.

From it a later export knows which files it may replace, and `load` whether the export was finished:
while files are being renamed the record says so, and nothing is read from the folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from mnistlab import atomic
from mnistlab.data.assembling import split_called
from mnistlab.data.dataset import Dataset
from mnistlab.data.readers.spellings import as_known, composed
from mnistlab.errors import DataError, reason

RECORD = "mnistlab-export.json"
LARGEST_RECORD = 1 << 24  # bytes; MAX_CLASSES names of 1,000 characters
FILE_NAME = re.compile(r"[a-z0-9-]+(\.[a-z]+)*")
# Endings of files that `load` may take for a split of a set.
OF_DATA = (".csv", ".tsv", ".npz", ".parquet", ".h5", ".hdf5", ".zip", ".gz", ".bz2", "ubyte")


@dataclass(frozen=True)
class WrittenFile:
    """One file of an export, as it was written; size in bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Record:
    """An export. class_names: those that occur, in the order of the set.

    labels_are_numbers: the files hold positions in class_names instead of the names.
    is_whole: False while files are being renamed; `files` then lists those of before as well.
    """

    files: tuple[WrittenFile, ...]
    class_names: tuple[str, ...]
    labels_are_numbers: bool
    is_whole: bool


def read_record(folder: Path) -> Record | None:
    """The record in a folder, None where there is none; DataError for one that is damaged."""
    from pydantic import TypeAdapter, ValidationError  # 0.04 s; few folders hold a record

    path = folder / RECORD
    try:
        atomic.check_regular(path)
        if path.stat().st_size > LARGEST_RECORD:
            raise DataError(f"{path}: larger than any record of an export")
        record = TypeAdapter(Record).validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise DataError(
            f"{path}: not the record of an export ({where}: {first['msg']}); "
            "move it away, or choose another folder"
        ) from error
    for file in record.files:
        if not FILE_NAME.fullmatch(file.name):
            raise DataError(f"{path}: {file.name!r} is not a file of an export")
    return record


def described(path: Path) -> WrittenFile:
    """The record of a file: its name, size and hash."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return WrittenFile(path.name, path.stat().st_size, digest)


def check_whole(path: Path) -> None:
    """DataError where an export into a folder, or into the one a file is in, was interrupted."""
    folder = path if path.is_dir() else path.parent
    if (folder / RECORD).is_file() and not _is_whole(folder):
        raise DataError(f"{folder}: its export was interrupted; run it again: {_again(folder)}")


def restored(path: Path, dataset: Dataset) -> Dataset:
    """A set read from an export, with the class names of the set that was exported.

    A table does not hold the order of the names, IDX files may hold numbers only. A set from a
    folder without an export, or changed since, is returned as it was read.
    """
    folder = path if path.is_dir() else path.parent
    record = read_record(folder) if (folder / RECORD).is_file() else None
    if record is None:
        return dataset
    names = dataset.class_names
    if record.labels_are_numbers:
        labels = [file for file in record.files if "labels" in file.name]
        if not all(_is_unchanged(folder, file) for file in labels):
            return dataset
        of_number = {str(k): name for k, name in enumerate(record.class_names)}
        names = tuple(of_number.get(name, name) for name in names)
    known = tuple(dict.fromkeys(map(composed, record.class_names)))
    meant = as_known(names, known)  # a table says 1 for the class 01
    if len(meant) < len(set(names)):
        return dataset
    in_order = tuple(name for name in known if name in set(meant.values()))
    places = np.array([in_order.index(meant[name]) for name in names], dtype=np.int64)
    return replace(dataset, labels=places[dataset.labels], class_names=in_order)


def check_free(folder: Path, earlier: Record | None, new: Iterable[str]) -> None:
    """DataError where an export would replace a file of other origin, or `load` would read one.

    earlier: the record in the folder. new: names of the files that are to be written.
    """
    mine, wanted = earlier.files if earlier else (), set(new)
    for path in sorted(folder.iterdir()):
        is_in_the_way = path.name in wanted or _is_part(path)
        same_name = [file for file in mine if file.name == path.name]
        if not is_in_the_way and not same_name:
            continue
        if not same_name:
            what = "was not written by an export"
        elif any(_is_unchanged(folder, file) for file in same_name):
            continue
        else:
            what = "was changed since it was exported"
        raise DataError(
            f"{path}: is there already and {what}; choose another folder, or move it away"
        )


def put_in_place(folder: Path, aside: Path, new: Record, earlier: Record | None) -> None:
    """Move the files from `aside` into the folder, in place of those of an earlier export.

    If the process is killed, the folder holds the earlier export, the new one, or something that
    `check_whole` refuses until the export is run again.
    """
    before = earlier.files if earlier else ()
    during = replace(new, files=tuple(dict.fromkeys((*before, *new.files))), is_whole=False)
    atomic.write_json(folder / RECORD, asdict(during))
    names = {file.name for file in new.files}
    for name in sorted(names):
        (aside / name).replace(folder / name)
    for name in sorted({file.name for file in before} - names):
        (folder / name).unlink(missing_ok=True)  # else load would join the old part to the new
    atomic.fsync_folder(folder)
    atomic.write_json(folder / RECORD, asdict(new))


def _is_whole(folder: Path) -> bool:
    record = read_record(folder)
    return record is None or record.is_whole


def _again(folder: Path) -> str:
    return f"mnistlab data export ... -o {folder}"


def _is_part(path: Path) -> bool:
    """Whether `load` may take a file or folder for a split of the set in this folder."""
    if split_called(re.split(r"[.\-_]", path.name)[0]) is None:
        return False
    return path.is_dir() or path.name.casefold().endswith(OF_DATA)


def _is_unchanged(folder: Path, file: WrittenFile) -> bool:
    path = folder / file.name
    if path.is_symlink() or not path.is_file() or path.stat().st_size != file.size:
        return False
    return described(path) == file
