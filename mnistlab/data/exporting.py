"""A data set as files that other programs read: CSV, NPZ or IDX, one per split.

Files are written into a temporary folder in blocks, then renamed together: see `exported`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from mnistlab import atomic, locks
from mnistlab.data import exported, splits
from mnistlab.data.dataset import Dataset
from mnistlab.data.export_files import WRITERS, Part, file_names
from mnistlab.data.exported import Record
from mnistlab.data.readers import content, labels
from mnistlab.data.readers.shapes import Size, as_size
from mnistlab.data.readers.spellings import as_known
from mnistlab.data.readers.tables.csv_blocks import BLOCK_BYTES
from mnistlab.data.stratified import DEFAULT_SEED
from mnistlab.errors import DataError, reason

ASIDE = ".mnistlab-export"  # temporary folder inside the folder of the export
LONGEST_SIDE = 4096
LONGEST_CELL = 4  # bytes of a pixel in a table: "255,"
NOT_IN_TABLES = re.compile("[\r\n\0\ud800-\udfff]")  # surrogates stand for bytes, no UTF-8


def export(
    dataset: Dataset,
    folder: str | os.PathLike[str],
    format: str = "csv",
    size: int | Size | None = None,
    split: str | None = None,
    hold_out: float | None = None,
) -> list[Path]:
    """Write the splits that the set came with: train, and val and test where it has them.

    format: "csv" (columns pix1..pixN, label), "npz" (images, labels, class_names) or "idx" (as
    MNIST's four files; labels that are not integers 0..255 as numbers). `size`, a side or (H, W),
    pads with zeros around the centre. `split`, a name of PROTOCOLS, cuts into train, val and test
    instead; `hold_out` draws that fraction of all images at random as the test set (write-up C:
    0.25). Beside a test.csv lies evaluate.csv, the same images without labels, under an ID.
    `load(folder)` gives the set again.

    An earlier export is replaced, in whatever format, and nothing else: mnistlab-export.json lists
    its files. If the process is killed, the folder holds the earlier export or the new one; killed
    while files are renamed, it holds what `load` refuses until the export is run again. Returns
    the files. Raises DataError for an unknown format or split, an impossible fraction or size,
    images larger than `size`, class names that the format cannot hold, and a folder that cannot be
    written or holds files of other origin in the way.
    """
    if format not in WRITERS:
        raise DataError(f"unknown format {format!r}; there are: {', '.join(WRITERS)}")
    folder, shape = Path(folder), _shape(dataset, as_size(size), format)
    named = _of_occurring_classes(dataset, format)
    are_numbers = format == "idx" and not _are_bytes(named.class_names)
    parts = [
        _part(name, part, shape, format == "idx" and not are_numbers)
        for name, part in _parts(named, split, hold_out).items()
    ]
    _check_not_inside(dataset, folder)
    with _writing(folder) as aside:
        earlier = exported.read_record(folder)
        exported.check_free(
            folder, earlier, (name for part in parts for name in file_names(part.name, format))
        )
        _check_room(folder, parts, format)
        written = [path for part in parts for path in WRITERS[format](aside, part)]
        for path in written:
            _check_readable(path, parts, format)
            with contextlib.suppress(OSError):  # there is none before, or not of that mode
                shutil.copymode(folder / path.name, path)
        files = tuple(map(exported.described, written))
        new = Record(files, named.class_names, are_numbers, is_whole=True)
        exported.put_in_place(folder, aside, new, earlier)
    return [folder / path.name for path in written]


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[Path]:
    """An empty folder to write in, for one process at a time; OSError becomes DataError."""
    aside = folder / ASIDE
    if aside.is_symlink():
        raise DataError(f"{aside}: is a link, where an export writes; move it away")
    atomic.check_writable(folder)
    try:
        with atomic.made_folder(folder), contextlib.ExitStack() as stack:
            stack.enter_context(locks.claimed(aside))
            stack.callback(shutil.rmtree, aside, ignore_errors=True)
            yield aside
    except BlockingIOError as error:
        raise DataError(f"{folder}: another process is exporting into it") from error
    except OSError as error:
        raise DataError(f"{folder}: cannot be written into: {reason(error)}") from error


def _parts(dataset: Dataset, protocol: str | None, hold_out: float | None) -> Mapping[str, Dataset]:
    if hold_out is not None:
        n_test = round(hold_out * len(dataset)) if 0 < hold_out < 1 else 0  # 0 for nan
        if protocol is not None or not 0 < n_test < len(dataset):
            raise DataError(
                f"hold-out must be a fraction of the images, and no split, got {hold_out}"
            )
        order = np.random.default_rng(DEFAULT_SEED).permutation(len(dataset))
        return {"train": dataset.take(order[n_test:]), "test": dataset.take(order[:n_test])}
    if protocol is not None:
        cut = splits.split(dataset, protocol)
        parts = {"train": cut.train, "val": cut.val, "test": cut.test}
        return {name: part for name, part in parts.items() if len(part)}
    found = dataset.official_splits or {"train": slice(0, len(dataset))}
    return {name: dataset.take(places) for name, places in found.items()}


def _part(name: str, dataset: Dataset, shape: Size, names_are_numbers: bool) -> Part:
    numbers = dataset.labels
    if names_are_numbers:
        numbers = np.array([int(text) for text in dataset.class_names])[numbers]
    return Part(name, dataset.images, dataset.labels, dataset.class_names, numbers, shape)


def _shape(dataset: Dataset, shape: Size | None, format: str) -> Size:
    """(H, W) of the images that are written; DataError for what cannot be."""
    height, width = dataset.images.shape[1:]
    found, shape = f"images of {height}x{width}", shape or (height, width)
    if shape[0] < height or shape[1] < width:
        raise DataError(f"{dataset.name}: {found} do not fit into {shape[0]}x{shape[1]}")
    if max(shape) > LONGEST_SIDE and shape != (height, width):
        raise DataError(f"size {shape[0]}x{shape[1]}: a side may be at most {LONGEST_SIDE}")
    n_bytes = shape[0] * shape[1] * LONGEST_CELL
    if format == "csv" and n_bytes > BLOCK_BYTES:
        raise DataError(
            f"{dataset.name}: {shape[0]}x{shape[1]} pixels are too many for a row of a table; "
            "--format npz"
        )
    return shape


def _of_occurring_classes(dataset: Dataset, format: str) -> Dataset:
    """The set without classes that have no image; DataError for names that a format cannot hold."""
    occurring = np.flatnonzero(np.bincount(dataset.labels, minlength=dataset.n_classes))
    names = tuple(dataset.class_names[k] for k in occurring.tolist())
    if format == "csv":
        wrong = [name for name in names if NOT_IN_TABLES.search(name)]
        wrong = wrong or _read_as_others(names)
        if wrong:
            raise DataError(
                f"{dataset.name}: a table cannot hold the class name {wrong[0]!r}; --format npz"
            )
    if format == "idx" and len(names) > 256:
        raise DataError(f"{dataset.name}: {len(names)} classes do not fit into IDX's bytes")
    codes = np.searchsorted(occurring, dataset.labels).astype(np.int64)
    return replace(dataset, labels=codes, class_names=names)


def _read_as_others(names: tuple[str, ...]) -> list[str]:
    """The names that a table's labels would not be read as, such as " a", nan, or 01 beside 1."""
    no_names = labels.missing_among({name.strip() for name in names})
    missing = [name for name in names if name.strip() in no_names]
    if missing:
        return missing
    read = labels.from_texts(names, "")[1]
    return sorted({*names} - {*as_known(read, names).values()})


def _are_bytes(names: tuple[str, ...]) -> bool:
    return all(re.fullmatch(r"0|[1-9][0-9]{0,2}", name) and int(name) < 256 for name in names)


def _check_not_inside(dataset: Dataset, folder: Path) -> None:
    """DataError if a file of the export would replace the file that is exported."""
    source = Path(str(dataset.source.get("name_or_path", "")))
    if source.is_absolute() and source.is_file() and source.resolve().parent == folder.resolve():
        raise DataError(f"{folder}: holds {source.name}, which is exported; choose another folder")


def _check_room(folder: Path, parts: list[Part], format: str) -> None:
    """DataError where a table would not fit on the disk, or an archive be too large to be read."""
    n_bytes = 2 * sum(part.n_bytes for part in parts)
    if format == "csv" and n_bytes > shutil.disk_usage(folder).free:
        raise DataError(f"{folder}: a table of {n_bytes:,} bytes or more does not fit on its disk")
    largest = max(part.n_bytes for part in parts)
    if format != "csv" and largest > content.MAX_CONTENT_BYTES:
        raise DataError(
            f"{largest:,} bytes of images are more than the {content.MAX_CONTENT_BYTES:,} that "
            f"can be read back from {format}; choose a smaller size"
        )


def _check_readable(path: Path, parts: list[Part], format: str) -> None:
    """DataError for an archive so small that readers would take it for a decompression bomb."""
    largest = max(part.n_bytes for part in parts)
    limit = content.plausible_bytes(path.stat().st_size)
    if format != "csv" and "labels" not in path.name and largest > limit:
        raise DataError(
            f"{path.name}: pads so much that it could not be read back; choose a smaller size"
        )
