"""The files of an export: one split as CSV, NPZ or IDX, written block by block."""

from __future__ import annotations

import contextlib
import gzip
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.data import large
from mnistlab.data.readers.binary import idx
from mnistlab.data.readers.shapes import Size

ROWS_AT_ONCE = 4096  # polars wants a table column by column, a copy: keep it small
BYTES_AT_ONCE = 1 << 24  # of padded images, which may be far larger than those of the set


@dataclass(frozen=True)
class Part:
    """One split to be written, called "train", "val" or "test".

    shape: (H, W) to which images are padded. numbers: (N,), the labels of formats that only hold
    bytes; `labels` are positions in class_names.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    numbers: NDArray[np.int64]
    shape: Size

    @property
    def n_bytes(self) -> int:
        """Size of the padded images."""
        return len(self.images) * self.shape[0] * self.shape[1]

    def blocks(self, most: int = ROWS_AT_ONCE) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
        """In order: positions, and padded images uint8 (n, H, W), at most `most` per block."""
        height, width = self.images.shape[1:]
        rows, columns = self.shape[0] - height, self.shape[1] - width
        margins = ((0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2))
        n = max(1, min(most, BYTES_AT_ONCE // (self.shape[0] * self.shape[1])))
        start = 0
        for block in large.blocks(self.images):
            for first in range(0, len(block), n):
                some = block[first : first + n]
                places = slice(start, start + len(some))
                start += len(some)
                yield places, np.pad(some, margins) if rows or columns else some


def file_names(part: str, format: str) -> list[str]:
    """The names of the files of a split ("train", "val" or "test")."""
    if format != "idx":
        unlabelled = ["evaluate"] if (part, format) == ("test", "csv") else []
        return [f"{name}.{format}" for name in (part, *unlabelled)]
    stem = "t10k" if part == "test" else part
    return [f"{stem}-{what}-ubyte.gz" for what in ("images-idx3", "labels-idx1")]


def _write_csv(folder: Path, part: Part) -> list[Path]:
    # polars takes 0.2 s to load; only tables need it.
    import polars as pl

    paths = [folder / name for name in file_names(part.name, "csv")]
    schema = [f"pix{i}" for i in range(1, part.shape[0] * part.shape[1] + 1)]
    names = np.array(part.class_names)
    for path, has_labels in zip(paths, (True, False), strict=False):
        with atomic.open_aside(path) as file:
            for places, images in part.blocks(ROWS_AT_ONCE):
                pixels = np.ascontiguousarray(images).reshape(len(images), -1)
                frame = pl.from_numpy(pixels, schema=schema, orient="row")
                if has_labels:
                    texts = names[part.labels[places]].tolist()
                    frame = frame.with_columns(label=pl.Series(texts, dtype=pl.String))
                else:
                    frame = frame.insert_column(
                        0, pl.Series("ID", range(places.start, places.stop))
                    )
                frame.write_csv(file, include_header=places.start == 0)
    return paths


def _write_npz(folder: Path, part: Part) -> list[Path]:
    paths = [folder / name for name in file_names(part.name, "npz")]
    small = {"labels": part.labels, "class_names": np.array(part.class_names, dtype=np.str_)}
    with atomic.open_aside(paths[0]) as file, zipfile.ZipFile(file, "w") as archive:
        with _member(archive, "images") as member:
            shape = (len(part.images), *part.shape)
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            npy.write_array_header_1_0(member, header)
            for _, images in part.blocks():
                member.write(np.ascontiguousarray(images).data)
        for name, array in small.items():
            with _member(archive, name) as member:
                npy.write_array(member, array, allow_pickle=False)
    return paths


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    # Without a time, as ZipInfo has none unless told: the same images give the same file.
    info = zipfile.ZipInfo(f"{name}.npy")
    info.compress_type = zipfile.ZIP_DEFLATED
    return archive.open(info, "w", force_zip64=True)


def _write_idx(folder: Path, part: Part) -> list[Path]:
    paths = [folder / name for name in file_names(part.name, "idx")]
    with _gzipped(paths[0]) as file:
        file.write(idx.header((len(part.images), *part.shape)))
        for _, images in part.blocks():
            file.write(np.ascontiguousarray(images).data)
    with _gzipped(paths[1]) as file:
        file.write(idx.to_bytes(part.numbers.astype(np.uint8)))
    return paths


@contextlib.contextmanager
def _gzipped(path: Path) -> Iterator[gzip.GzipFile]:
    # No name and no time inside: the same images give the same file.
    with (
        atomic.open_aside(path) as file,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed,
    ):
        yield packed


WRITERS: dict[str, Callable[[Path, Part], list[Path]]] = {
    "csv": _write_csv,
    "npz": _write_npz,
    "idx": _write_idx,
}
