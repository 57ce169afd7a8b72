"""`load`: a data set by its name, or from the path of anything that the readers understand."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from mnistlab.data import assembling, exported, folders_above, split_files
from mnistlab.data.assembling import RawSplit
from mnistlab.data.dataset import Dataset, SplitName
from mnistlab.data.missing import missing
from mnistlab.data.notes import heard, note
from mnistlab.data.published.named import load_named
from mnistlab.data.published.sources import SOURCES
from mnistlab.data.readers import archive, disguised, kinds, parquet, parquet_beside, shards
from mnistlab.data.readers.binary import array_files, emnist, hdf5, idx, npz, unpaired_arrays
from mnistlab.data.readers.folders import folder, wrappers
from mnistlab.data.readers.folders.left_out import listed
from mnistlab.data.readers.kinds import Kind
from mnistlab.data.readers.label_tables import labelled_images, unnamed_tables
from mnistlab.data.readers.shapes import Size, as_size
from mnistlab.data.readers.tables import csv_table
from mnistlab.data.split_files import SplitFiles
from mnistlab.errors import DataError, check_kind

SHOWN = 4  # folders in a message
OF_ARRAYS = '; of arrays: ml.Dataset("my-images", images, labels, class_names)'


def loaded(data: Dataset | str | os.PathLike[str]) -> Dataset:
    """The data set itself, or as `load` gives it; TypeError for any other kind of argument."""
    return data if isinstance(data, Dataset) else load(data)


def load(
    name_or_path: str | os.PathLike[str],
    *,
    size: int | Size | None = None,
    label_column: str | int | None = None,
) -> Dataset:
    """A data set by its name in SOURCES, or from a path.

    docs/your-images.md has every layout of a path: a table (.csv, .tsv), .npz, .parquet or .h5
    file, an IDX file of images with its labels beside it, a folder with one sub-folder of images
    per class, or a folder of files or folders called train, val and test. `size` is a side or
    (H, W): image files are resized to it, flat images get this shape, and all other images must
    have it. `label_column` is the name or number of a table's column. Notes on standard error say
    what a user might not expect, such as files that are left out. Images of 1 GiB or more stay on
    the disk. Raises DataError naming what is wrong.
    """
    check_kind("data", name_or_path, (str, os.PathLike), "a Dataset, a name or a path", OF_ARRAYS)
    if label_column is not None:
        check_kind("label_column", label_column, (str, int), "a name or a number")
        label_column = str(label_column)
    shape, name = as_size(size), os.fspath(name_or_path)
    said: list[str] = []
    with heard(said.append):
        if name in SOURCES:
            _say_what_lies_beside(name)
            _refuse_columns(f"the published set {name}", label_column)
            dataset = load_named(name)
        else:
            dataset = _load_files(name, shape, label_column)
            name = str(Path(name).absolute())
    if shape is not None and dataset.images.shape[1:] != shape:
        height, width = dataset.images.shape[1:]
        raise DataError(f"{name}: images are {height}x{width}, not {shape[0]}x{shape[1]}")
    source = {"name_or_path": name, "size": shape, "label_column": label_column}
    source = {key: given for key, given in source.items() if given}
    return replace(dataset, source=source, notes=tuple(dict.fromkeys(said)))


def _load_files(name: str, shape: Size | None, label_column: str | None) -> Dataset:
    """The set at a path; DataError where nothing is there, or an export that is not whole."""
    if name.lower() in SOURCES and os.path.lexists(name):
        note(f"{name} is taken as what lies here; {name.lower()} is the published set")
    path = Path(name)
    if not (path.is_file() or path.is_dir()):
        raise missing(name)
    exported.check_whole(path)
    return exported.restored(path, _load_path(path, shape, label_column))


def _refuse_columns(of: str, label_column: str | None) -> None:
    if label_column is not None:
        raise DataError(
            f"{of} has no columns: leave label_column {label_column!r} (--label-column) out"
        )


def _say_what_lies_beside(name: str) -> None:
    if os.path.lexists(name):
        kind = "folder" if Path(name).is_dir() else "file"
        note(f"{name} is taken as the published set of that name; ./{name} takes the {kind}")


def _load_path(path: Path, size: Size | None, label_column: str | None) -> Dataset:
    if path.is_file():
        return _load_file(path, size, label_column)
    # First, since its tables may be called train and test as well.
    if (labelled := labelled_images.read(path, size, label_column)) is not None:
        return labelled
    if (arrays := array_files.find(path)) is not None:
        _refuse_columns(f"{path}: a folder of arrays", label_column)
        splits = array_files.read_splits(path, arrays, size)
        return assembling.assembled(path.resolve().name, splits, str(path))
    unpaired_arrays.check_tables(path)
    found = split_files.find(path)
    if found is not None and not _is_beside_images(path, found):
        return _load_split_files(path, found, size, label_column)
    if (only := split_files.only_file(path)) is not None:
        note(f"{path}: {only.name} is the only file of data in it and is taken as the set")
        return _load_file(only, size, label_column)
    if (below := folders_above.folder_of_set(path)) is not None:
        dataset = _load_path(below, size, label_column)
        return replace(dataset, name=path.resolve().name)
    _check_tables(path)
    _refuse_columns(f"{path}: a folder of images per class", label_column)
    return folder.read(path, size)


def _is_beside_images(path: Path, found: SplitFiles) -> bool:
    """Whether these are tables of few columns beside images, and so have no pixels.

    Raises DataError for such tables without any image.
    """
    if found.kind != "table" or not unnamed_tables.has_no_pixels(found.files["train"][0]):
        return False
    tables = [file for files in found.files.values() for file in files]
    if not wrappers.has_images(path):
        unnamed_tables.check_packed(path, tables)
        return False
    note(f"{path}: {split_files.said(tables)}: too few columns for pixels; not used")
    return True


def _check_tables(path: Path) -> None:
    """DataError for a folder of several files of data of which none is called train.

    Also for a folder of files that are not read, and nothing else.
    """
    top = listed(path)
    files = [file for file in top.others if file.is_file() and file.suffix.lower() != ".txt"]
    data = [file for file in files if kinds.kind_of(file) is not None]
    if not data and not wrappers.has_images(path):
        unpaired_arrays.check_pair(path)
        _check_folders_of_data(path)
    if files and not data and not top.images and not top.folders:
        raise _unread(path, files)
    if len(data) > 1 and not top.images and not top.folders:
        raise DataError(
            f"{path}: holds {len(data)} files of data ({split_files.said(data)}), none of them "
            "called train: give one of them, or call a table of each split train, val and test"
        )


def _check_folders_of_data(path: Path) -> None:
    """DataError for files of data in several folders below, such as two sets side by side."""
    data = [file for file in archive.data_files(path) if kinds.kind_of(file) is not None]
    folders = sorted({str(file.parent.relative_to(path)) for file in data})
    if len(folders) > 1:
        shown = ", ".join(folders[:SHOWN]) + (", ..." if len(folders) > SHOWN else "")
        raise DataError(
            f"{path}: holds no images, but {len(data)} files of data in several folders ({shown}); "
            f"give one of them, such as {path / folders[0]}"
        )


def _unread(path: Path, files: list[Path]) -> DataError:
    """The error for a folder of files that are not read: what the largest of them is."""
    largest = max(files, key=lambda file: file.stat().st_size)
    error = disguised.refusal(largest)
    if len(files) == 1:
        return error
    return DataError(f"{path}: holds no file that is read ({split_files.said(files)}); {error}")


def _load_file(path: Path, size: Size | None, label_column: str | None) -> Dataset:
    kind = kinds.kind_of(path)
    unnamed_tables.check_alone(path)
    if kind == "zip":
        with archive.opened(path) as unpacked:
            dataset = _load_path(archive.inside(unpacked), size, label_column)
        return archive.called_after(dataset, path)
    array_files.check_alone(path)
    if kind is None:
        raise disguised.refusal(path)
    disguised.check(path, kind)
    shards.note_alone(path)
    found = _read_file(path, kind, size, label_column)
    return assembling.assembled(kinds.name_of_set(path, kind), found, str(path))


def _read_file(
    path: Path, kind: Kind, size: Size | None, label_column: str | None
) -> dict[SplitName, RawSplit]:
    """The splits in one file; a single one is the training set."""
    if kind in ("idx", "table"):
        emnist.say_transposed(path)
    if kind in ("npz", "hdf5", "idx"):
        _refuse_columns(f"{path}: a file of arrays", label_column)
    if kind == "npz":
        return npz.read_splits(path, size)
    if kind == "hdf5":
        return hdf5.read_splits(path, size)
    if kind == "idx":
        return {"train": idx.read_split(path)}
    if kind == "parquet":
        return parquet_beside.read_splits(path, size, label_column)
    return csv_table.read_splits(path, size, label_column)


def _load_split_files(
    path: Path, found: SplitFiles, size: Size | None, label_column: str | None
) -> Dataset:
    """train, val and test files as one set; a test set without labels is left out with a note."""
    read: dict[SplitName, RawSplit] = {}
    for name in split_files.splits_of(found.files):
        files = found.files[name]
        shape = read["train"].images.shape[1:] if name != "train" and "train" in read else None
        column = label_column
        if column is None and name != "train" and found.kind == "table" and "train" in found.files:
            column = csv_table.label_as_in(found.files["train"][0], files[0], size)
        split = _read_part(files, found.kind, name, size, column, shape)
        if split is None:
            assembling.say_unlabelled(str(files[0]))
        else:
            read[name] = split
    if found.others:
        n = len(found.others)
        note(f"{path}: left out: {n} file{'s' * (n > 1)} ({split_files.said(found.others)})")
    return assembling.assembled(path.resolve().name, read, str(path))


def _read_part(
    files: list[Path],
    kind: Kind,
    name: SplitName,
    size: Size | None,
    label_column: str | None,
    trained: tuple[int, ...] | None,
) -> RawSplit | None:
    """One split; None for a test set without labels. trained: (H, W) of the training images."""
    (first, *_) = files
    disguised.check(first, kind)
    unnamed_tables.check_alone(first)
    if (
        name == "test"
        and trained is not None
        and not _has_labels(first, kind, trained, label_column)
    ):
        return None
    if kind == "parquet":
        return parquet_beside.read_one_split(files, size, label_column, may_lack=name == "test")
    inside = _read_file(first, kind, size, label_column)
    if len(inside) != 1:
        raise DataError(f"{first}: holds several splits itself; give this file alone")
    return next(iter(inside.values()))


def _has_labels(path: Path, kind: Kind, trained: tuple[int, ...], label_column: str | None) -> bool:
    """Whether a test file has labels; of NPZ and HDF5 that is only known when they are read."""
    if kind == "table":
        return csv_table.has_labels(path, (trained[0], trained[1]), label_column)
    if kind == "parquet":
        return parquet.has_labels(path, label_column)
    return kind != "idx" or idx.has_labels(path)
