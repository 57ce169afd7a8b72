"""Images to predict, in blocks with their IDs: from a file or folder of any kind that `load` reads.

The readers are those of `load`, so images to predict are read exactly as training images are.
"""

from __future__ import annotations

import contextlib
import itertools
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.notes import note
from mnistlab.data.readers import (
    archive,
    content,
    csv_table,
    hdf5,
    idx,
    image_files,
    kinds,
    npz,
    parquet,
    parquet_beside,
    pixels,
    shards,
)
from mnistlab.data.readers.depths import Depths
from mnistlab.data.readers.kinds import Kind
from mnistlab.data.readers.left_out import LeftOut
from mnistlab.data.readers.levels import Brightness
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError, reason

BLOCK_PIXELS = 1 << 20  # decoded pixels per block; a single image may have more


class Block(NamedTuple):
    """ids: n texts. images: uint8 (n, H, W)."""

    ids: list[str]
    images: NDArray[np.uint8]


class Unlabelled(NamedTuple):
    """blocks: read when they are needed. id_name: the heading of the IDs."""

    id_name: str
    blocks: Iterator[Block]


def open_images(path: Path, shape: Size, resize: bool = False) -> Unlabelled:
    """The images of a file or folder of any kind that `load` reads, all of `shape` (H, W).

    IDs: those of a table or of Parquet, or the row numbers of a table from 1; the position from 0
    in an array (NPZ, .npy, IDX, HDF5, Parquet); the name of an image file; the path of an image in
    a folder or ZIP archive, with slashes and sorted as text. A file of unknown kind is read as a
    table. Labels are ignored. `resize` resizes image files to `shape`, as a size given to `load`
    does. Raises DataError naming the file if it cannot be read, holds no images, or images of
    another size.
    """
    found = _opened(path, shape, resize)
    return found._replace(blocks=_noted_dark(found.blocks, str(path)))


def _noted_dark(blocks: Iterator[Block], where: str) -> Iterator[Block]:
    """The same blocks, and after the last of them a note where all of them are dark."""
    brightness = Brightness()
    for block in blocks:
        brightness.add(block.images)
        yield block
    brightness.say(where)


def _opened(path: Path, shape: Size, resize: bool) -> Unlabelled:
    if _is_folder(path):
        return _open_folder(path, shape, resize)
    if path.suffix.lower() in pixels.SUFFIXES:
        return Unlabelled("ID", _decoded({path.name: path}, shape, resize))
    if path.suffix.lower() == ".npy" and path.is_file():
        return Unlabelled("ID", _cut(npz.read_array(path, shape), shape, path))
    kind = _kind(path)
    if kind == "zip":
        return _open_archive(path, shape, resize)
    if kind is None or kind == "table":
        return _table(path, shape)
    id_name, ids = (parquet_beside.read_ids(path) if kind == "parquet" else None) or ("ID", None)
    return Unlabelled(id_name, _cut(_array(path, kind, shape, resize), shape, path, ids))


def _array(path: Path, kind: Kind, shape: Size, resize: bool) -> NDArray[np.uint8]:
    """The images of all splits that the file holds, uint8 (N, H, W)."""
    if kind == "npz":
        return npz.read_images(path, shape)
    if kind == "hdf5":
        return hdf5.read_images(path, shape)
    if kind == "parquet":
        return parquet.read_images(path, shape, resize)
    return idx.read_images(path)


def _open_folder(path: Path, shape: Size, resize: bool) -> Unlabelled:
    left_out = LeftOut()
    below = image_files.all_below(path, left_out)
    if not below:
        data = archive.inside(path)
        if data != path and data.is_file():
            shards.check_complete([data])
            return _opened(data, shape, resize)
        raise image_files.no_images(path, left_out)
    left_out.say(str(path))
    files = {file.relative_to(path).as_posix(): file for file in below}
    return Unlabelled("ID", _decoded(files, shape, resize))


def _open_archive(path: Path, shape: Size, resize: bool) -> Unlabelled:
    """The temporary folder is removed after the last block, or with the iterator."""
    with contextlib.ExitStack() as stack:
        unpacked = stack.enter_context(archive.opened(path))
        id_name, blocks = _opened(unpacked, shape, resize)
        unpacking = stack.pop_all()

    def while_unpacked() -> Iterator[Block]:
        with unpacking:
            yield from blocks

    given = while_unpacked()
    weakref.finalize(given, unpacking.close)  # of a generator that is never asked
    return Unlabelled(id_name, given)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:  # a folder above it may not be entered
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error


def _kind(path: Path) -> Kind | None:
    """The kind; None for what may be a table under another name, such as a pipe."""
    kind = kinds.kind_of(path) if path.is_file() else kinds.kind_by_name(path)
    if not path.is_file():
        return kind
    if kind is None and kinds.suffix_of(path.name) in kinds.REFUSED:
        raise kinds.refusal(path)
    # A table has no zero bytes; nearly every other kind of file begins with some.
    if kind is None and b"\0" in next(content.chunks(path, 1024), b""):
        raise DataError(f"{path}: not a {kinds.READ} file, nor an image ({pixels.KINDS})")
    return kind


def _table(path: Path, shape: Size) -> Unlabelled:
    table = csv_table.open_table(path, shape)
    columns = table.columns
    blocks = (Block(rows.ids, rows.pixels.reshape(-1, *shape)) for rows in table.blocks)
    if columns.id is None:
        return Unlabelled("ID", _numbered(blocks))
    return Unlabelled(columns.names[columns.id], blocks)


def _numbered(blocks: Iterator[Block]) -> Iterator[Block]:
    """The blocks with row numbers from 1 as IDs."""
    numbers = itertools.count(1)
    for block in blocks:
        yield Block([str(next(numbers)) for _ in block.images], block.images)


def _cut(
    images: NDArray[np.uint8], shape: Size, path: Path, ids: list[str] | None = None
) -> Iterator[Block]:
    """The images in blocks, called by `ids`, or by their numbers from 0."""
    height, width = images.shape[1:]
    if (height, width) != shape:
        raise DataError(f"{path}: images are {height}x{width}, not {shape[0]}x{shape[1]}")
    return _each_given_back(images, shape, ids)


def _each_given_back(
    images: NDArray[np.uint8], shape: Size, ids: list[str] | None
) -> Iterator[Block]:
    with large.bounded_memory(images):
        yield from _blocks(iter(ids or map(str, range(len(images)))), iter(images), shape)


def _decoded(files: dict[str, Path], shape: Size, resize: bool) -> Iterator[Block]:
    for name, file in files.items():
        if image_files.UNENCODABLE.search(name):
            raise DataError(f"{str(file)!a}: a name of several lines, or not UTF-8, makes no ID")
    ids = sorted(files)
    return _decoded_in_turn(ids, [files[name] for name in ids], shape, resize)


def _decoded_in_turn(
    ids: list[str], paths: list[Path], shape: Size, resize: bool
) -> Iterator[Block]:
    depths = Depths()
    images = image_files.read_images(paths, shape if resize else None, shape, depths)
    yield from _blocks(iter(ids), images, shape)
    for words in depths.notes():
        note(words)


def _blocks(
    ids: Iterator[str], images: Iterator[NDArray[np.uint8]], shape: Size
) -> Iterator[Block]:
    n = max(1, BLOCK_PIXELS // (shape[0] * shape[1]))
    while some := list(itertools.islice(ids, n)):
        yield Block(some, np.stack(list(itertools.islice(images, n))))
