"""Images that are only to be named: a file or folder of any kind, in blocks, each with its ID.

Which reader a file goes to is told by its name, as in `load`. The readers are those of
training, so what a network is asked about is read exactly as what it was trained on.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.readers import content, csv_table, folder, idx, npz
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError

BLOCK_PIXELS = 1 << 20  # so many are held decoded at once; a single image may have more
CSV_ENDINGS = (".csv", ".csv.gz")
NO_ID = re.compile("[\r\n\ud800-\udfff]")  # surrogates stand for bytes that are not UTF-8


class Block(NamedTuple):
    """ids: n texts. images: uint8 (n, H, W)."""

    ids: list[str]
    images: NDArray[np.uint8]


class Unlabelled(NamedTuple):
    """Blocks are read as they are asked for. id_name: the heading of their IDs."""

    id_name: str
    blocks: Iterator[Block]


def open_images(path: Path, shape: Size, resize: bool = False) -> Unlabelled:
    """The images of a table, NPZ, IDX file, image file or folder, all of `shape` (H, W).

    A table keeps its IDs, without which its rows are numbered from 1 on, and what is of no other
    kind is taken for one. A row of an NPZ or IDX is called by its number from 0 on, an image file
    by its name, and the images of a folder and its sub-folders by their path below it, with
    slashes and sorted as text. Labels are not looked at. `resize` brings image files to
    `shape`, as a size given to `load` does. Raises DataError
    naming the file for what cannot be read, holds no images, or images of another size.
    """
    ending = path.suffix.lower()
    if _is_folder(path):
        files = {file.relative_to(path).as_posix(): file for file in folder.images_below(path)}
        return Unlabelled("ID", _decoded(files, shape, resize))
    if path.name.endswith(CSV_ENDINGS):
        return _table(path, shape)
    if ending in folder.SUFFIXES:
        return Unlabelled("ID", _decoded({path.name: path}, shape, resize))
    if ending == ".npz":
        return Unlabelled("ID", _cut(npz.read_images(path, shape), shape, path))
    if "idx3" in path.name:
        return Unlabelled("ID", _cut(idx.read_images(path), shape, path))
    _check_text(path)
    return _table(path, shape)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:  # a folder above it may not be entered
        raise DataError(f"{path}: cannot be read: {content.reason(error)}") from error


def _check_text(path: Path) -> None:
    """A table has no zero bytes; nearly every other kind of file begins with some."""
    if b"\0" in next(content.chunks(path, 1024), b""):
        kinds = f".csv, .csv.gz, .npz, IDX file (*idx3*) or image ({folder.KINDS})"
        raise DataError(f"{path}: not a {kinds}")


def _table(path: Path, shape: Size) -> Unlabelled:
    table = csv_table.open_table(path, shape)
    columns = table.columns
    blocks = (Block(rows.ids, rows.pixels.reshape(-1, *shape)) for rows in table.blocks)
    if columns.id is None:
        return Unlabelled("ID", _numbered(blocks))
    return Unlabelled(columns.names[columns.id], blocks)


def _numbered(blocks: Iterator[Block]) -> Iterator[Block]:
    """The blocks with their rows numbered from 1 on, as a table's rows are counted."""
    numbers = itertools.count(1)
    for block in blocks:
        yield Block([str(next(numbers)) for _ in block.images], block.images)


def _cut(images: NDArray[np.uint8], shape: Size, path: Path) -> Iterator[Block]:
    height, width = images.shape[1:]
    if (height, width) != shape:
        raise DataError(f"{path}: images are {height}x{width}, not {shape[0]}x{shape[1]}")
    return _each_given_back(images, shape)


def _each_given_back(images: NDArray[np.uint8], shape: Size) -> Iterator[Block]:
    with large.giving_back(images):
        yield from _blocks(map(str, range(len(images))), iter(images), shape)


def _decoded(files: dict[str, Path], shape: Size, resize: bool) -> Iterator[Block]:
    for name, file in files.items():
        if NO_ID.search(name):
            raise DataError(f"{str(file)!a}: a name of several lines, or not UTF-8, makes no ID")
    ids = sorted(files)
    images = folder.read_images((files[name] for name in ids), shape if resize else None, shape)
    return _blocks(iter(ids), images, shape)


def _blocks(
    ids: Iterator[str], images: Iterator[NDArray[np.uint8]], shape: Size
) -> Iterator[Block]:
    n = max(1, BLOCK_PIXELS // (shape[0] * shape[1]))
    while some := list(itertools.islice(ids, n)):
        yield Block(some, np.stack(list(itertools.islice(images, n))))
