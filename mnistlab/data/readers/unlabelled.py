"""Images to predict, in blocks with their IDs: from a file or folder of any kind that `load` reads.

The readers are those of `load`, so images to predict are read exactly as training images are.
"""

from __future__ import annotations

import contextlib
import itertools
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.notes import note
from mnistlab.data.readers import (
    archive,
    content,
    disguised,
    kinds,
    parquet,
    parquet_beside,
    pixels,
    shards,
)
from mnistlab.data.readers.binary import hdf5, idx, npz
from mnistlab.data.readers.depths import Depths
from mnistlab.data.readers.folders import image_files
from mnistlab.data.readers.folders.left_out import LeftOut
from mnistlab.data.readers.kinds import Kind
from mnistlab.data.readers.label_tables import unnamed_tables
from mnistlab.data.readers.levels import Brightness
from mnistlab.data.readers.shapes import Size
from mnistlab.data.readers.tables import csv_table
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


class Wanted(NamedTuple):
    """How images are to come. shape: (H, W). resize: image files are resized to it.

    prepare: makes an image of `shape` from one of any size; None: all must have it already. size:
    (H, W) of flat images that are not square; None for any size. label_column: of the training
    table. advice: what the error for another size says; "" for what `read_images` says.
    """

    shape: Size
    resize: bool = False
    prepare: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None
    size: Size | None = None
    label_column: str | None = None
    advice: str = ""


def open_images(
    path: Path,
    shape: Size,
    resize: bool = False,
    prepare: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
    size: Size | None = None,
    label_column: str | None = None,
    advice: str = "",
) -> Unlabelled:
    """The images of a file or folder of any kind that `load` reads, all of `shape` (H, W).

    IDs: those of a table or of Parquet, or the row numbers of a table from 1; the position from 0
    in an array (NPZ, .npy, IDX, HDF5, Parquet); the name of an image file; the path of an image in
    a folder or ZIP archive, with slashes and sorted as text. A file of unknown kind is read as a
    table. Labels are ignored. `resize` resizes image files to `shape`, as a size given to `load`
    does. `prepare` makes an image of `shape` from one of any size, or of `size` (H, W) where flat
    images are not square. label_column: of the table the run was trained on, where it was named.
    Raises DataError naming the file if it cannot be read, holds no images, or images of another
    size, with the `advice` for those.
    """
    of_flat = size if prepare else shape
    found = _opened(path, Wanted(shape, resize, prepare, of_flat, label_column, advice))
    return found._replace(blocks=_noted_dark(found.blocks, str(path)))


def _noted_dark(blocks: Iterator[Block], where: str) -> Iterator[Block]:
    """The same blocks, and after the last of them a note where all of them are dark."""
    brightness = Brightness()
    for block in blocks:
        brightness.add(block.images)
        yield block
    brightness.say(where)


def _opened(path: Path, wanted: Wanted) -> Unlabelled:
    if _is_folder(path):
        return _open_folder(path, wanted)
    if path.suffix.lower() in pixels.SUFFIXES:
        return Unlabelled("ID", _decoded({path.name: path}, wanted))
    if path.suffix.lower() == ".npy" and path.is_file():
        return Unlabelled("ID", _cut(_npy(path, wanted), wanted, path))
    kind = _kind(path)
    disguised.check(path, kind)
    unnamed_tables.check_alone(path)
    if kind == "zip":
        return _open_archive(path, wanted)
    if kind is None or kind == "table":
        return _table(path, wanted)
    id_name, ids = (parquet_beside.read_ids(path) if kind == "parquet" else None) or ("ID", None)
    return Unlabelled(id_name, _cut(_array(path, kind, wanted), wanted, path, ids))


def _npy(path: Path, wanted: Wanted) -> NDArray[np.uint8]:
    """The images of a .npy file, which may be a single one, uint8 (N, H, W)."""

    def as_batch(array: NDArray[Any]) -> NDArray[Any]:
        return array[None] if _is_single(array.shape, wanted) else array

    return npz.read_array(path, wanted.size, as_batch)


def _is_single(shape: tuple[int, ...], wanted: Wanted) -> bool:
    """Whether an array of that shape is one image: (H, W), (H, W, colours) or its pixels."""
    (height, width), n_flat = wanted.shape, wanted.shape[0] * wanted.shape[1]
    if len(shape) == 1:
        return shape == (n_flat,)
    has_colours = len(shape) == 3 and shape[2] in (1, 3, 4) and shape[1:] != (height, width)
    if wanted.prepare is None or wanted.size is not None:
        return shape[:2] == (height, width) and (len(shape) == 2 or has_colours)
    return (len(shape) == 2 and shape[1] != n_flat) or (has_colours and min(shape[:2]) > 4)


def _array(path: Path, kind: Kind, wanted: Wanted) -> NDArray[np.uint8]:
    """The images of all splits that the file holds, uint8 (N, H, W)."""
    if kind == "npz":
        return npz.read_images(path, wanted.size)
    if kind == "hdf5":
        return hdf5.read_images(path, wanted.size)
    if kind == "parquet":
        return parquet.read_images(path, wanted.size or wanted.shape, wanted.resize)
    return idx.read_images(path)


def _open_folder(path: Path, wanted: Wanted) -> Unlabelled:
    left_out = LeftOut()
    below = image_files.all_below(path, left_out)
    if not below:
        data = archive.inside(path)
        if data != path and data.is_file():
            shards.check_complete([data])
            return _opened(data, wanted)
        if several := archive.data_files(path):
            raise archive.several(path, several)
        raise image_files.no_images(path, left_out)
    left_out.say(str(path))
    files = {file.relative_to(path).as_posix(): file for file in below}
    return Unlabelled("ID", _decoded(files, wanted))


def _open_archive(path: Path, wanted: Wanted) -> Unlabelled:
    """The temporary folder is removed after the last block, or with the iterator."""
    with contextlib.ExitStack() as stack:
        unpacked = stack.enter_context(archive.opened(path))
        id_name, blocks = _opened(unpacked, wanted)
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
    if kind is None and kinds.is_refused(path) and not _is_packed_text(path):
        raise disguised.refusal(path)
    # A table has no zero bytes; nearly every other kind of file begins with some.
    if kind is None and b"\0" in next(content.chunks(path, 1024), b""):
        disguised.check(path, None)
        raise DataError(f"{path}: not a {kinds.READ} file, nor an image ({pixels.KINDS})")
    return kind


def _is_packed_text(path: Path) -> bool:
    """Whether a packed file of unknown kind may be a table: .gz and .bz2 are read."""
    start = content.start_of(path, 3)
    return start.startswith(content.PACKED) and b"\0" not in next(content.chunks(path, 1024), b"")


def _table(path: Path, wanted: Wanted) -> Unlabelled:
    table = csv_table.open_unlabelled(path, wanted.size, wanted.label_column)
    columns = table.columns
    blocks = (
        Block(rows.ids, _all_prepared(rows.pixels.reshape(-1, *table.size), wanted))
        for rows in table.blocks
    )
    if columns.id is None:
        return Unlabelled("ID", _numbered(blocks))
    return Unlabelled(columns.names[columns.id], blocks)


def _all_prepared(images: NDArray[np.uint8], wanted: Wanted) -> NDArray[np.uint8]:
    if wanted.prepare is None:
        return images
    prepared = [wanted.prepare(image) for image in images]
    return np.stack(prepared) if prepared else np.zeros((0, *wanted.shape), np.uint8)


def _numbered(blocks: Iterator[Block]) -> Iterator[Block]:
    """The blocks with row numbers from 1 as IDs."""
    numbers = itertools.count(1)
    for block in blocks:
        yield Block([str(next(numbers)) for _ in block.images], block.images)


def _cut(
    images: NDArray[np.uint8], wanted: Wanted, path: Path, ids: list[str] | None = None
) -> Iterator[Block]:
    """The images in blocks, called by `ids`, or by their numbers from 0."""
    (height, width), shape = images.shape[1:], wanted.shape
    if wanted.prepare is None and (height, width) != shape:
        more = f"; {wanted.advice}" if wanted.advice else ""
        raise DataError(f"{path}: images are {height}x{width}, not {shape[0]}x{shape[1]}{more}")
    return _each_given_back(images, wanted, ids)


def _each_given_back(
    images: NDArray[np.uint8], wanted: Wanted, ids: list[str] | None
) -> Iterator[Block]:
    with large.bounded_memory(images):
        yield from _blocks(iter(ids or map(str, range(len(images)))), iter(images), wanted)


def _decoded(files: dict[str, Path], wanted: Wanted) -> Iterator[Block]:
    for name, file in files.items():
        if image_files.UNENCODABLE.search(name):
            raise DataError(f"{str(file)!a}: a name of several lines, or not UTF-8, makes no ID")
    ids = sorted(files)
    return _decoded_in_turn(ids, [files[name] for name in ids], wanted)


def _decoded_in_turn(ids: list[str], paths: list[Path], wanted: Wanted) -> Iterator[Block]:
    depths = Depths()
    resized = wanted.shape if wanted.resize else None
    if wanted.prepare is None and not wanted.advice:
        images = image_files.read_images(paths, resized, wanted.shape, depths)
    else:
        images = (pixels.decode(path, str(path), resized, depths) for path in paths)
    if wanted.prepare is None and wanted.advice:
        images = map(_of_size, itertools.repeat(wanted), paths, images)
    yield from _blocks(iter(ids), images, wanted)
    for words in depths.notes():
        note(words)


def _of_size(wanted: Wanted, path: Path, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image; DataError with the advice for one of another size."""
    (height, width), (h, w) = image.shape, wanted.shape
    if (height, width) != (h, w):
        raise DataError(
            f"{path}: is {height}x{width} where the images trained on are {h}x{w}; {wanted.advice}"
        )
    return image


def _blocks(
    ids: Iterator[str], images: Iterator[NDArray[np.uint8]], wanted: Wanted
) -> Iterator[Block]:
    n = max(1, BLOCK_PIXELS // (wanted.shape[0] * wanted.shape[1]))
    prepared = images if wanted.prepare is None else map(wanted.prepare, images)
    while some := list(itertools.islice(ids, n)):
        yield Block(some, np.stack(list(itertools.islice(prepared, n))))
