"""One way in: a known name, or the path of anything the readers understand."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from mnistlab.data import exported, parts
from mnistlab.data.dataset import Dataset
from mnistlab.data.published.named import load_named
from mnistlab.data.published.resolve import known
from mnistlab.data.published.sources import SOURCES
from mnistlab.data.readers import csv_table, folder, idx, npz
from mnistlab.data.readers.shapes import Size, as_size
from mnistlab.errors import DataError

# How the files of a folder are called that holds a data set in parts; MNIST's own test is t10k.
ENDINGS = (".csv", ".csv.gz", ".npz", "-images-idx3-ubyte", "-images-idx3-ubyte.gz")
TEST_NAMES = ("test", "t10k")


def load(
    name_or_path: str | os.PathLike[str],
    *,
    size: int | Size | None = None,
    label_column: str | None = None,
) -> Dataset:
    """A data set by its name in SOURCES, or from a path.

    A path is a .csv, .csv.gz or .npz file, an IDX file of images with its
    labels beside it, a folder with one sub-folder of images a class, or a
    folder of such files called train and test (IDX: train and t10k). `size` is
    a side or (H, W): what images of a folder are resized to, the shape of
    flat images that are not square, and for all others what they must be.
    `label_column` is for CSV. From 1 GiB on images stay on the disk. Raises DataError naming what
    is at fault.
    """
    shape, name = as_size(size), os.fspath(name_or_path)
    if name in SOURCES:
        dataset = load_named(name)
    else:
        exported.check_whole(Path(name))
        dataset = exported.restored(Path(name), _load_path(Path(name), shape, label_column))
        name = str(Path(name).absolute())
    if shape is not None and dataset.images.shape[1:] != shape:
        height, width = dataset.images.shape[1:]
        raise DataError(f"{name}: images are {height}x{width}, not {shape[0]}x{shape[1]}")
    source = {"name_or_path": name, "size": shape, "label_column": label_column}
    return replace(dataset, source={key: given for key, given in source.items() if given})


def _load_path(path: Path, size: Size | None, label_column: str | None) -> Dataset:
    if path.is_file():
        return _load_file(path, size, label_column)
    if not path.is_dir():
        if path.name == str(path) and not path.suffix:
            known(path.name)  # a misspelt name rather than a path: says which come close
        raise DataError(f"{path}: no such file or folder")
    for ending in ENDINGS:
        if (path / f"train{ending}").is_file():
            return _load_parts(path, ending, size, label_column)
    return folder.read(path, size)


def _load_file(path: Path, size: Size | None, label_column: str | None) -> Dataset:
    if path.name.endswith((".csv", ".csv.gz")):
        return csv_table.read(path, size, label_column)
    if path.suffix == ".npz":
        return npz.read(path, size)
    if "idx3" in path.name:
        return idx.read(path)
    raise DataError(f"{path}: not a .csv, .csv.gz, .npz or IDX file (*idx3-ubyte*) of images")


def _load_parts(path: Path, ending: str, size: Size | None, label_column: str | None) -> Dataset:
    files = {name: path / f"{name}{ending}" for name in ("train", "val", *TEST_NAMES)}
    found = {
        part: _load_file(file, size, label_column)
        for name, file in files.items()
        if file.is_file() and (part := parts.part_called(name)) is not None
    }
    return parts.joined(path.resolve().name, found, str(path))
