"""A data set as files that other programs read: CSV, NPZ or IDX, by part."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from mnistlab import atomic
from mnistlab.data import splits
from mnistlab.data.dataset import Dataset
from mnistlab.data.readers import idx
from mnistlab.data.readers.shapes import Size, as_size
from mnistlab.errors import DataError

PART_NAMES = ("train", "val", "test")
ROWS_AT_ONCE = 4096  # polars wants a table column by column, a copy: keep it small

Parts = dict[str, Dataset]


def export(
    dataset: Dataset,
    folder: str | os.PathLike[str],
    format: str = "csv",
    size: int | Size | None = None,
    split: str | None = None,
    hold_out: float | None = None,
) -> list[Path]:
    """Write the training part and the official test part where there is one.

    format: "csv" (columns pix1..pixN, label), "npz" (images, labels,
    class_names) or "idx" (as MNIST's four files). `size`, a side or (H, W),
    pads with zeros around the centre. `split`, a name of PROTOCOLS, cuts into
    train, val and test instead; `hold_out` draws that share of all images at
    random as the test part (write-up C: 0.25). Beside a test.csv lies evaluate.csv,
    the same images without labels, under an ID. Files of an earlier export of that
    format are replaced; `load(folder)` reads them back. Returns the files. Raises
    DataError for an unknown format or split, an impossible share, and images
    larger than `size`.
    """
    if format not in WRITERS:
        raise DataError(f"unknown format {format!r}; there are: {', '.join(WRITERS)}")
    shape = as_size(size)
    parts = {name: _padded(part, shape) for name, part in _parts(dataset, split, hold_out).items()}
    files, write = [], WRITERS[format]
    for name in PART_NAMES:
        if name in parts:
            files += write(Path(folder), name, parts[name])
        else:
            for path in _paths(Path(folder), name, format):
                path.unlink(missing_ok=True)  # else load would join the old part to the new
    return files


def _parts(dataset: Dataset, protocol: str | None, hold_out: float | None) -> Parts:
    if hold_out is not None:
        n_test = round(hold_out * len(dataset))
        if protocol is not None or not 0 < n_test < len(dataset):
            raise DataError(f"hold-out must be a share of the images, and no split, got {hold_out}")
        order = np.random.default_rng(splits.DEFAULT_SEED).permutation(len(dataset))
        return {"train": dataset.take(order[n_test:]), "test": dataset.take(order[:n_test])}
    if protocol is not None:
        cut = splits.split(dataset, protocol)
        return {"train": cut.train, "val": cut.val, "test": cut.test}
    if dataset.n_official_train is None:
        return {"train": dataset}
    n_train = dataset.n_official_train
    return {"train": dataset.take(slice(n_train)), "test": dataset.take(slice(n_train, None))}


def _padded(part: Dataset, shape: Size | None) -> Dataset:
    height, width = part.images.shape[1:]
    if shape is None or shape == (height, width):
        return part
    rows, columns = shape[0] - height, shape[1] - width
    if rows < 0 or columns < 0:
        raise DataError(
            f"{part.name}: images of {height}x{width} do not fit into {shape[0]}x{shape[1]}"
        )
    margins = ((0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2))
    images = np.pad(part.images, margins)
    return Dataset(part.name, images, part.labels, part.class_names)


def _paths(folder: Path, name: str, format: str) -> list[Path]:
    if format != "idx":
        unlabelled = ["evaluate"] if (name, format) == ("test", "csv") else []
        return [folder / f"{file}.{format}" for file in (name, *unlabelled)]
    stem = "t10k" if name == "test" else name
    return [folder / f"{stem}-{what}-ubyte.gz" for what in ("images-idx3", "labels-idx1")]


def _write_csv(folder: Path, name: str, part: Dataset) -> list[Path]:
    # polars takes 0.2 s to load; only tables need it.
    import polars as pl

    paths = _paths(folder, name, "csv")
    pixels = part.images.reshape(len(part), -1)
    schema = [f"pix{i}" for i in range(1, pixels.shape[1] + 1)]
    for path, has_labels in zip(paths, (True, False), strict=False):
        with atomic.open_aside(path) as file:
            for i in range(0, len(part), ROWS_AT_ONCE):
                rows = slice(i, i + ROWS_AT_ONCE)
                frame = pl.from_numpy(pixels[rows], schema=schema, orient="row")
                if has_labels:
                    frame = frame.with_columns(label=pl.Series(part.labels[rows]))
                else:
                    numbers = pl.Series("ID", range(i, i + len(frame)))
                    frame = frame.insert_column(0, numbers)
                frame.write_csv(file, include_header=i == 0)
    return paths


def _write_npz(folder: Path, name: str, part: Dataset) -> list[Path]:
    paths = _paths(folder, name, "npz")
    with atomic.open_aside(paths[0]) as file:
        np.savez_compressed(
            file,
            images=part.images,
            labels=part.labels,
            class_names=np.array(part.class_names, dtype=np.str_),
        )
    return paths


def _write_idx(folder: Path, name: str, part: Dataset) -> list[Path]:
    if part.n_classes > 256:
        raise DataError(f"{part.name}: {part.n_classes} classes do not fit into IDX's bytes")
    paths = _paths(folder, name, "idx")
    for path, array in zip(paths, (part.images, part.labels.astype(np.uint8)), strict=True):
        with atomic.open_aside(path) as file:
            _gzip(file, idx.to_bytes(array))
    return paths


def _gzip(file: IO[bytes], raw: bytes) -> None:
    # No name and no time inside: the same images give the same file.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
        packed.write(raw)


WRITERS: dict[str, Callable[[Path, str, Dataset], list[Path]]] = {
    "csv": _write_csv,
    "npz": _write_npz,
    "idx": _write_idx,
}
