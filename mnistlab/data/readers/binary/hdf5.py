"""HDF5 files (.h5, .hdf5) of images and labels; needs the extra hdf5 (h5py).

Datasets have the same names as the arrays of an NPZ, also inside groups: train/x, test/labels.
Only data in the file itself is read, although HDF5 may refer to any other file of the machine. The
C library is not made for hostile files, so another process opens them (`hdf5_process`), with a
time limit.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mnistlab
from mnistlab import machine
from mnistlab.data.assembling import RawSplit
from mnistlab.data.dataset import SplitName
from mnistlab.data.readers.binary import named_arrays, npz
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError, reason

LIMIT_S = 60.0  # for any file, plus the same time per BYTES_PER_LIMIT
BYTES_PER_LIMIT = 1 << 28
REFUSED = 3  # the exit status of `hdf5_process` that comes with a line


def read_splits(path: Path, size: Size | None = None) -> dict[SplitName, RawSplit]:
    """As `npz.read_splits`. Raises DataError without h5py too, and for what refers elsewhere."""
    return named_arrays.to_splits(arrays_of(path), str(path), size)


def read_images(path: Path, size: Size | None = None) -> NDArray[np.uint8]:
    """The images that `read_splits` gives, uint8 (N, H, W), also where they have no labels."""
    return named_arrays.to_images(arrays_of(path), str(path), size)


def arrays_of(path: Path) -> dict[str, NDArray[Any]]:
    """Every dataset, by its path inside the file; errors as in `read_splits`."""
    if not machine.has_library("h5py"):
        raise DataError(f"{path}: HDF5 is read with an extra: pip install 'mnistlab[hdf5]'")
    with tempfile.TemporaryDirectory(prefix="mnistlab-") as folder:
        copied = Path(folder, "datasets.npz")
        _copy(path, copied)
        return npz.arrays_of(copied, str(path))


def _copy(path: Path, out: Path) -> None:
    limit = LIMIT_S * (1 + path.stat().st_size / BYTES_PER_LIMIT)
    checkout = str(Path(mnistlab.__file__).parents[1])
    known = os.pathsep.join(filter(None, [checkout, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "mnistlab.data.readers.binary.hdf5_process"]
    try:
        ended = subprocess.run(
            [*command, str(path.absolute()), str(out)],
            env=os.environ | {"PYTHONPATH": known},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(f"{path}: HDF5 was not through after {limit:.0f} s; refused") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    if ended.returncode == REFUSED:
        said = ended.stdout.decode("utf-8", "surrogateescape")
        raise DataError(" ".join(said.replace(str(path.absolute()), str(path)).split()))
    if ended.returncode != 0:
        raise DataError(f"{path}: not a sound HDF5 file: its reader ended ({ended.returncode})")
