"""NumPy archives of images and labels, read without pickle and without trusting their sizes."""

from __future__ import annotations

import math
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mnistlab.data.dataset import Dataset
from mnistlab.data.readers import content, labels
from mnistlab.data.readers.shapes import Size, flat_size
from mnistlab.errors import DataError

Keys = tuple[str, ...]

# Arrays of images, and of their labels; the first that are there count. Two are train and test.
LAYOUTS: tuple[tuple[Keys, Keys], ...] = (
    (("x_train", "x_test"), ("y_train", "y_test")),  # Keras'
    (("images",), ("labels",)),
    (("x",), ("y",)),
    (("X",), ("y",)),
)

# What zipfile and the .npy header raise for damaged bytes.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,  # a compression method that does not exist
    OSError,
    OverflowError,
    RuntimeError,  # an encrypted member
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
)


def read(path: Path, size: Size | None = None) -> Dataset:
    """Images under images/labels, x/y or X/y, or Keras' x_train, y_train, x_test, y_test.

    Images are uint8 (N, H, W), (N, H, W, 1) or (N, D), labels integer (N,);
    `size` is (H, W) of flat images that are not square. Keras' test arrays
    become the official test part; `class_names` is read where there is one.
    Raises DataError naming the file, and the array at fault.
    """
    arrays = _arrays(path)
    image_keys, label_keys = _layout(arrays, path)
    parts = _image_parts(arrays, image_keys, path, size)
    class_names = _class_names(arrays, path)
    raw = []
    for key, images in zip(label_keys, parts, strict=True):
        where = f"{path}: {key}"
        if len(arrays[key]) != len(images):
            raise DataError(f"{where}: {len(arrays[key])} labels for {len(images)} images")
        if class_names is None:
            raw.append(labels.raw_from_values(arrays[key], where))
        else:
            raw.append(labels.raw_from_positions(arrays[key], class_names, where))
    numbers, names = labels.judge(raw, str(path))
    n_official_train = len(parts[0]) if len(parts) > 1 else None
    return Dataset(
        path.stem,
        _joined(parts),
        np.concatenate(numbers),
        names,
        n_official_train,
        provenance=str(path),
    )


def read_images(path: Path, size: Size | None = None) -> NDArray[np.uint8]:
    """The images that `read` gives, uint8 (N, H, W), also where they have no labels."""
    arrays = _arrays(path)
    image_keys, _ = _layout(arrays, path, labelled=False)
    return _joined(_image_parts(arrays, image_keys, path, size))


def _layout(
    arrays: dict[str, NDArray[Any]], path: Path, labelled: bool = True
) -> tuple[Keys, Keys]:
    for layout in LAYOUTS:
        if arrays.keys() >= {*layout[0], *layout[1]}:
            return layout
    for layout in () if labelled else LAYOUTS:
        if arrays.keys() >= {*layout[0]}:
            return layout
    found = ", ".join(arrays) or "nothing"
    needed = "images and labels (or x and y)" if labelled else "images (or x)"
    raise DataError(f"{path}: holds {found}; needed are {needed}")


def _image_parts(
    arrays: dict[str, NDArray[Any]], keys: Keys, path: Path, size: Size | None
) -> list[NDArray[np.uint8]]:
    parts = [_images(arrays[key], f"{path}: {key}", size) for key in keys]
    if parts[0].shape[1:] != parts[-1].shape[1:]:
        both = " and ".join(f"{key} {part.shape}" for key, part in zip(keys, parts, strict=True))
        raise DataError(f"{path}: {both} differ in size")
    return parts


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _images(array: NDArray[Any], where: str, size: Size | None) -> NDArray[np.uint8]:
    if array.dtype != np.uint8:
        raise DataError(f"{where}: images must be uint8, got {array.dtype}")
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim == 2:
        array = array.reshape(-1, *flat_size(array.shape[1], size, where))
    if array.ndim != 3:
        raise DataError(f"{where}: {array.shape} is not (N, H, W), (N, H, W, 1) or (N, D)")
    if array.size == 0:
        raise DataError(f"{where}: holds no images")
    return array


def _class_names(arrays: dict[str, NDArray[Any]], path: Path) -> tuple[str, ...] | None:
    names = arrays.get("class_names")
    if names is None:
        return None
    if names.dtype.kind != "U" or names.ndim != 1:
        raise DataError(f"{path}: class_names must be text (K,), got {names.dtype} {names.shape}")
    return tuple(str(name) for name in names)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of the archive; its claims are checked before memory is asked for."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            claimed = sum(info.file_size for info in members)
            if claimed > content.plausible_bytes(path.stat().st_size):
                raise DataError(f"{path}: claims to unpack to {claimed} bytes; refused")
            return {
                info.filename.removesuffix(".npy"): _array(archive, info, path) for info in members
            }
    except DataError:
        raise
    except DAMAGE as error:
        raise DataError(f"{path}: not a sound .npz file: {content.reason(error)}") from error


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> NDArray[Any]:
    where = f"{path}: {info.filename.removesuffix('.npy')}"
    with archive.open(info) as file:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version[0] == 1 else npy.read_array_header_2_0
        shape, by_column, dtype = read_header(file)
        if dtype.kind not in "iufbU":
            raise DataError(f"{where}: holds {dtype}, which needs pickle; refused")
        values = file.read()
    expected = math.prod(shape) * dtype.itemsize
    if len(values) != expected:
        raise DataError(f"{where}: {len(values)} bytes where its header {shape} means {expected}")
    # Copied, so that the arrays are writable and aligned wherever the archive put them.
    array = np.frombuffer(values, dtype).reshape(shape, order="F" if by_column else "C")
    return np.ascontiguousarray(array)
