"""HDF5 files (.h5, .hdf5) of images and labels; needs the extra hdf5 (h5py).

Datasets are called as the arrays of an NPZ are, also inside groups: train/x, test/labels. Only
what lies in the file itself is read: HDF5 may refer to any other file of the machine.
"""

from __future__ import annotations

import importlib.util
import math
import stat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.parts import Part, PartName
from mnistlab.data.readers import content, named_arrays
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError

MAX_DATASETS = 1000
TEXTS_AT_ONCE = 1000
MAX_DEPTH = 3  # of groups in groups
# Filters that HDF5 brings along; it would load others from any folder the environment names.
FILTERS = {1, 2, 3, 4, 32000}  # deflate, shuffle, Fletcher's checksum, szip, lzf

DAMAGE = (
    AttributeError,
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)


def read_parts(path: Path, size: Size | None = None) -> dict[PartName, Part]:
    """As `npz.read_parts`. Raises DataError without h5py too, and for what refers elsewhere."""
    return named_arrays.to_parts(_arrays(path), str(path), size)


def read_images(path: Path, size: Size | None = None) -> NDArray[np.uint8]:
    """The images that `read_parts` gives, uint8 (N, H, W), also where they have no labels."""
    return named_arrays.to_images(_arrays(path), str(path), size)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every dataset, by its path inside the file; what it claims is checked before it is read."""
    if importlib.util.find_spec("h5py") is None:
        raise DataError(f"{path}: HDF5 is read with an extra: pip install 'mnistlab[hdf5]'")
    import h5py

    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(f"{path}: no regular file")
        with h5py.File(path, "r", locking=False) as file:
            found = _datasets(file, path)
            claimed = sum(math.prod(d.shape) * max(d.dtype.itemsize, 1) for d in found.values())
            if claimed > content.plausible_bytes(path.stat().st_size):
                raise DataError(f"{path}: claims to unpack to {claimed} bytes; refused")
            return {name: _array(dataset, f"{path}: {name}") for name, dataset in found.items()}
    except DataError:
        raise
    except DAMAGE as error:
        raise DataError(f"{path}: not a sound HDF5 file: {content.reason(error)[:200]}") from error


def _datasets(file: Any, path: Path) -> dict[str, Any]:
    """Those of the file and its groups, by paths with slashes; links elsewhere are refused."""
    import h5py

    found: dict[str, Any] = {}
    waiting = [(file, "", 0)]
    while waiting:
        group, above, depth = waiting.pop(0)
        for name in group:
            where = f"{path}: {above}{name}"
            if isinstance(group.get(name, getlink=True), h5py.ExternalLink | h5py.SoftLink):
                raise DataError(f"{where}: is a link to elsewhere; refused")
            member = group[name]
            if isinstance(member, h5py.Group) and depth < MAX_DEPTH:
                waiting.append((member, f"{above}{name}/", depth + 1))
            elif isinstance(member, h5py.Dataset) and member.shape is not None:
                _check_inside(member, where)
                found[f"{above}{name}"] = member
            if len(found) + len(waiting) > MAX_DATASETS:
                raise DataError(f"{path}: holds more than {MAX_DATASETS} datasets")
    return found


def _check_inside(dataset: Any, where: str) -> None:
    if dataset.external or dataset.is_virtual:
        raise DataError(f"{where}: its values lie in other files; refused")
    properties = dataset.id.get_create_plist()
    used = {properties.get_filter(i)[0] for i in range(properties.get_nfilters())}
    if not used <= FILTERS:
        raise DataError(
            f"{where}: is packed with a filter that HDF5 does not bring along; "
            "repack it: h5repack -f GZIP=4 old.h5 new.h5"
        )


def _array(dataset: Any, where: str) -> NDArray[Any]:
    import h5py

    kind, width = dataset.dtype.kind, dataset.dtype.itemsize
    if h5py.check_string_dtype(dataset.dtype) is not None:
        return _texts(dataset, where)
    if kind not in "biuf" or width > 8:
        raise DataError(f"{where}: holds {dataset.dtype}, neither numbers nor texts")
    return np.asarray(dataset[...])


def _texts(dataset: Any, where: str) -> NDArray[Any]:
    """Texts of any length, of which many may point at one long one; so some at a time."""
    texts: list[str] = []
    n_rows = len(dataset) if dataset.shape else 0
    for first in range(0, n_rows, TEXTS_AT_ONCE):
        texts += [str(text) for text in dataset.asstr()[first : first + TEXTS_AT_ONCE].reshape(-1)]
        if len(texts) * 4 * max(map(len, texts)) > content.FLOOR_BYTES:
            raise DataError(f"{where}: texts of more than {content.FLOOR_BYTES} bytes; refused")
    return np.array(texts, dtype=np.str_)
