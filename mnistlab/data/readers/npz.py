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

PAIRS = (("images", "labels"), ("x", "y"), ("X", "y"))
KERAS_KEYS = ("x_train", "y_train", "x_test", "y_test")

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
    n_official_train = None
    if all(key in arrays for key in KERAS_KEYS):
        train, test = (_images(arrays[key], f"{path}: {key}", size) for key in KERAS_KEYS[::2])
        if train.shape[1:] != test.shape[1:]:
            raise DataError(f"{path}: x_train {train.shape} and x_test {test.shape} differ in size")
        for key, images in (("y_train", train), ("y_test", test)):
            _check_labels(arrays[key], f"{path}: {key}", len(images))
        images = np.concatenate([train, test])
        values = np.concatenate([arrays["y_train"], arrays["y_test"]])
        n_official_train = len(train)
    else:
        image_key, label_key = _keys(arrays, path)
        images = _images(arrays[image_key], f"{path}: {image_key}", size)
        values = arrays[label_key]
        _check_labels(values, f"{path}: {label_key}", len(images))
    numbers, names = labels.from_integers(values, str(path), _class_names(arrays, path))
    return Dataset(path.stem, images, numbers, names, n_official_train, provenance=str(path))


def _keys(arrays: dict[str, NDArray[Any]], path: Path) -> tuple[str, str]:
    for image_key, label_key in PAIRS:
        if image_key in arrays and label_key in arrays:
            return image_key, label_key
    found = ", ".join(arrays) or "nothing"
    raise DataError(f"{path}: holds {found}; needed are images and labels (or x and y)")


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


def _check_labels(array: NDArray[Any], where: str, n_images: int) -> None:
    if array.dtype.kind not in "iu" or array.shape != (n_images,):
        raise DataError(
            f"{where}: labels must be {n_images} integers, got {array.dtype} {array.shape}"
        )


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
