"""IDX, the format of MNIST: two zero bytes, a type code, the rank, big-endian sizes, the values.

Described at http://yann.lecun.com/exdb/mnist/. Images are idx3-ubyte, labels
idx1-ubyte (QMNIST's are idx2-int).
"""

from __future__ import annotations

import math
import mmap
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.assembling import RawSplit
from mnistlab.data.readers import content, labels
from mnistlab.errors import DataError

TYPES: dict[int, np.dtype[Any]] = {8: np.dtype(np.uint8), 12: np.dtype(">i4")}
MAX_RANK = 3
IMAGES, LABELS = re.compile("images", re.IGNORECASE), re.compile("labels", re.IGNORECASE)

INTEGERS = ("idx2", "idx1")  # labels of four bytes: QMNIST's table, and a single column

Raw = bytes | bytearray | mmap.mmap


def parse(raw: Raw, where: str) -> NDArray[Any]:
    """An array of the shape and type that the header gives: uint8 or big-endian int32.

    Raises DataError naming `where` for a wrong magic number or a wrong length.
    """
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in TYPES or not 1 <= raw[3] <= MAX_RANK:
        raise DataError(f"{where}: not an IDX file (magic number {bytes(raw[:4]).hex() or 'none'})")
    dtype, start = TYPES[raw[2]], 4 + 4 * raw[3]
    if len(raw) < start:
        raise DataError(f"{where}: ends inside its header, after {len(raw)} bytes")
    shape = tuple(int.from_bytes(raw[i : i + 4], "big") for i in range(4, start, 4))
    # Python integers: a hostile header cannot overflow the product.
    expected = start + math.prod(shape) * dtype.itemsize
    if len(raw) != expected:
        raise DataError(f"{where}: {len(raw)} bytes where its header {shape} means {expected}")
    values: NDArray[Any] = np.frombuffer(raw, dtype, offset=start)
    return values.reshape(shape)


def parse_images(raw: Raw, where: str) -> NDArray[np.uint8]:
    """`parse`, for images uint8 (N, H, W), at least one."""
    images = parse(raw, where)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise DataError(f"{where}: holds {images.dtype} {images.shape}, not images (N, H, W)")
    if images.size == 0:
        raise DataError(f"{where}: holds no images")
    return images


def parse_labels(raw: Raw, where: str) -> NDArray[Any]:
    """`parse`, for labels (N,); of QMNIST's eight columns the first is the class."""
    values = parse(raw, where)
    if values.ndim == 2 and values.shape[1] > 0:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(f"{where}: holds {values.dtype} {values.shape}, not labels (N,)")
    return values


def read_images(path: Path) -> NDArray[np.uint8]:
    """The images of a plain or compressed IDX file, uint8 (N, H, W); mapped where it is large."""
    return parse_images(content.read_or_map(path), str(path))


def header(shape: tuple[int, ...]) -> bytes:
    """What comes before unsigned bytes of that shape."""
    return bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)


def to_bytes(array: NDArray[np.uint8]) -> bytes:
    """An IDX file of unsigned bytes."""
    return header(array.shape) + array.tobytes()


def is_idx(path: Path) -> bool:
    """Whether a file, plain or packed, begins as IDX does; errors as in `content.chunks`."""
    start = next(content.chunks(path, 4), b"")
    return len(start) == 4 and start[:2] == b"\0\0" and start[2] in TYPES and start[3] <= MAX_RANK


def read_split(images_path: Path) -> RawSplit:
    """Images and the labels that lie beside them.

    Raises DataError for a defect of either file, counts that differ, and a file of labels.
    """
    if LABELS.search(images_path.name) and not IMAGES.search(images_path.name):
        raise DataError(f"{images_path}: holds labels; give the file of images that lies beside it")
    labels_path = labels_beside(images_path)
    images = read_images(images_path)
    values = parse_labels(content.read(labels_path), str(labels_path))
    if len(values) != len(images):
        raise DataError(
            f"{labels_path}: {len(values)} labels for {len(images)} images in {images_path.name}"
        )
    return RawSplit(images, labels.raw_from_values(values, str(labels_path)), str(images_path))


def labels_beside(images_path: Path) -> Path:
    """Where the labels of an images file lie: the same name with "labels" for "images"."""
    if not IMAGES.search(images_path.name):
        raise DataError(
            f"{images_path}: an IDX file of images has 'images' in its name, its labels beside it "
            "the same name with 'labels'"
        )
    stems = _stems_of_labels(images_path.name)
    found = _file_of_labels(images_path)
    if found is not None:
        return found
    raise DataError(f"{images_path}: its labels, {stems[0]}[.gz], do not lie beside it")


def has_labels(images_path: Path) -> bool:
    """Whether `labels_beside` finds them."""
    return _file_of_labels(images_path) is not None


def _file_of_labels(images_path: Path) -> Path | None:
    for stem in _stems_of_labels(images_path.name):
        for name in (f"{stem}.gz", stem):
            beside = [images_path.with_name(name)]
            if images_path.parent.name == images_path.name:  # each in a folder of its name
                beside.append(images_path.parent.with_name(name) / name)
            if (found := next(filter(Path.is_file, beside), None)) is not None:
                return found
    return None


def _stems_of_labels(name: str) -> list[str]:
    name = _like(name, IMAGES, "labels")
    name = re.sub("(idx)3", r"\g<1>1", name, flags=re.IGNORECASE)
    stem = re.sub(r"\.gz$", "", name, flags=re.IGNORECASE)
    # QMNIST's are rows of integers; some name one file with a dot, the other with a dash.
    stems = [stem, *(re.sub(r"(?i)idx1([.-])ubyte", rf"{kind}\1int", stem) for kind in INTEGERS)]
    return [
        re.sub(r"(?i)[.-](?=idx[12])", mark, one) for one in stems for mark in (r"\g<0>", *"-.")
    ]


def _like(name: str, pattern: re.Pattern[str], word: str) -> str:
    """The name with the pattern replaced by a word in the same case."""
    return pattern.sub(lambda found: word.upper() if found[0].isupper() else word, name)
