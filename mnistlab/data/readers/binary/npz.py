"""NumPy archives of images and labels, read without pickle and without trusting their sizes."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mnistlab.data import assembling
from mnistlab.data.assembling import RawSplit
from mnistlab.data.dataset import Dataset, SplitName
from mnistlab.data.readers import content
from mnistlab.data.readers.binary import arrays, named_arrays
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError, reason


def _same(array: NDArray[Any]) -> NDArray[Any]:
    return array


def read(path: Path, size: Size | None = None) -> Dataset:
    """The splits of `read_splits` as one set."""
    return assembling.assembled(path.stem, read_splits(path, size), str(path))


def read_splits(path: Path, size: Size | None = None) -> dict[SplitName, RawSplit]:
    """Images and labels under any of the names that `named_arrays` knows, by part.

    Shapes and types of images are those of `arrays`, labels integers or texts (N,) or (N, 1);
    `size` is (H, W) of flat images that are not square; `class_names` is read where there is one.
    Raises DataError naming the file, and the array at fault.
    """
    return named_arrays.to_splits(arrays_of(path, str(path)), str(path), size)


def read_images(path: Path, size: Size | None = None) -> NDArray[np.uint8]:
    """The images that `read` gives, uint8 (N, H, W), also where they have no labels."""
    return named_arrays.to_images(arrays_of(path, str(path)), str(path), size)


def read_array(
    path: Path, size: Size | None = None, as_batch: Callable[[NDArray[Any]], NDArray[Any]] = _same
) -> NDArray[np.uint8]:
    """The images of a .npy file, which holds one array, uint8 (N, H, W); errors as in `read`.

    as_batch: gives a single image a first axis.
    """
    array = as_batch(array_in_npy(path))
    return arrays.to_images({"array": array}, str(path), size)["array"]


def array_in_npy(path: Path) -> NDArray[Any]:
    """The array of a .npy file as it is; DataError for a damaged one, and for Python objects."""
    try:
        with path.open("rb") as file:
            return _array_in(file, str(path))
    except DataError:
        raise
    except content.DAMAGE as error:
        raise DataError(f"{path}: not a sound .npy file: {reason(error)}") from error


def arrays_of(path: Path, where: str) -> dict[str, NDArray[Any]]:
    """Every array of the archive; its claims are checked before memory is asked for.

    Raises DataError naming `where`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            claimed = sum(info.file_size for info in members)
            if claimed > content.plausible_bytes(path.stat().st_size):
                raise DataError(f"{where}: claims to unpack to {claimed} bytes; refused")
            return {
                info.filename.removesuffix(".npy"): _array(archive, info, where) for info in members
            }
    except DataError:
        raise
    except content.DAMAGE as error:
        raise DataError(f"{where}: not a sound .npz file: {reason(error)}") from error


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> NDArray[Any]:
    with archive.open(info) as file:
        return _array_in(file, f"{where}: {info.filename.removesuffix('.npy')}")


def _array_in(file: IO[bytes], where: str) -> NDArray[Any]:
    version = npy.read_magic(file)
    read_header = npy.read_array_header_1_0 if version[0] == 1 else npy.read_array_header_2_0
    shape, by_column, dtype = read_header(file)
    if dtype.kind in "cMm":
        raise DataError(f"{where}: holds {dtype}, where images are numbers and labels also texts")
    if dtype.kind not in "iufbUS":
        raise DataError(
            f"{where}: holds {dtype}, which needs pickle; refused; save labels.astype(str), "
            "and images as one array of numbers, instead"
        )
    values = file.read()
    expected = math.prod(shape) * dtype.itemsize
    if len(values) != expected:
        raise DataError(f"{where}: {len(values)} bytes where its header {shape} means {expected}")
    # Copied, so that the arrays are writable and aligned wherever the archive put them.
    array = np.frombuffer(values, dtype).reshape(shape, order="F" if by_column else "C")
    return np.ascontiguousarray(array)
