"""Arrays of a run's .npz files, whose size is known before anything is unpacked."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.data.readers import content
from mnistlab.errors import RunError

Wanted = Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]]


def read_arrays(path: Path, wanted: Wanted, needed: Collection[str]) -> dict[str, NDArray[Any]]:
    """The wanted arrays that an .npz holds, each of its dtype and shape.

    Raises RunError, naming the file and the array, for any other, and for one that is needed and
    not there. A small archive can unpack to any size, so the header of an array is read first.
    """
    try:
        atomic.check_regular(path)
        with zipfile.ZipFile(path) as archive:
            there = set(archive.namelist())
            arrays = {
                name: _read(archive, name, *wanted[name])
                for name in wanted
                if f"{name}.npy" in there
            }
    except content.DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RunError(f"{path}: cannot be read: {reason}") from error
    for name in needed:
        if name not in arrays:
            raise RunError(f"{path}: holds no array {name!r}")
    return arrays


def _read(
    archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as file:
        if np.lib.format.read_magic(file) != (1, 0):  # a later one may have a header of gigabytes
            raise ValueError(f"{name} is of another format than this project writes")
        found_shape, is_fortran, found_dtype = np.lib.format.read_array_header_1_0(file)
        if (found_shape, found_dtype) != (shape, dtype) or is_fortran:
            raise ValueError(f"{name} is {found_dtype} {found_shape} and not {dtype} {shape}")
        n_bytes = math.prod(shape) * dtype.itemsize
        stored = file.read(n_bytes)
        if len(stored) < n_bytes or file.read(1):
            raise ValueError(f"{name} has not as many bytes as its header says")
    return np.frombuffer(stored, dtype).reshape(shape).copy()
