"""The process that opens an HDF5 file: `python -m` this module, with the paths IN and OUT.

The HDF5 library may hang or crash on a damaged file, so it never runs in the user's process. This
process writes the datasets as an NPZ; a defect is one line on standard output.
"""

from __future__ import annotations

import contextlib
import math
import stat
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.readers import content
from mnistlab.errors import DataError, reason

MAX_DATASETS = 1000
TEXTS_AT_ONCE = 1000
MAX_DEPTH = 3  # of groups in groups
# Filters that are part of HDF5; it would load others from a folder that the environment names.
FILTERS = {1, 2, 3, 4, 32000}  # deflate, shuffle, Fletcher's checksum, szip, lzf

MAX_MEMORY_BYTES = 3 * content.MAX_CONTENT_BYTES + (1 << 31)
REFUSED = 3  # the exit status with a line; any other but 0 is a crash


def copy(path: Path, out: Path) -> None:
    """Write every dataset, under its path inside the file; errors as in `hdf5.read_splits`."""
    import h5py

    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(f"{path}: no regular file")
        with h5py.File(path, "r", locking=False) as file:
            found = _datasets(file, path)
            claimed = sum(math.prod(d.shape) * max(d.dtype.itemsize, 1) for d in found.values())
            if claimed > content.plausible_bytes(path.stat().st_size):
                raise DataError(f"{path}: claims to unpack to {claimed} bytes; refused")
            with zipfile.ZipFile(out, "w") as archive:
                for name, dataset in found.items():
                    array = _array(dataset, f"{path}: {name}")
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, array, allow_pickle=False)
    except DataError:
        raise
    except content.DAMAGE as error:
        raise DataError(f"{path}: not a sound HDF5 file: {reason(error)[:200]}") from error


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
    """Texts, some at a time: many may refer to the same long one."""
    texts: list[str] = []
    n_rows = len(dataset) if dataset.shape else 0
    # NumPy's bytes are called ASCII in the file, also where they are UTF-8.
    rows = dataset.asstr("utf-8")
    for first in range(0, n_rows, TEXTS_AT_ONCE):
        texts += [str(text) for text in rows[first : first + TEXTS_AT_ONCE].reshape(-1)]
        if len(texts) * 4 * max(map(len, texts)) > content.FLOOR_BYTES:
            raise DataError(f"{where}: texts of more than {content.FLOOR_BYTES} bytes; refused")
    return np.array(texts, dtype=np.str_)


def main(path: str, out: str) -> int:
    """Status 0, or REFUSED after a line that says why."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on every system
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    try:
        copy(Path(path), Path(out))
    except DataError as error:
        sys.stdout.buffer.write(str(error).encode("utf-8", "surrogateescape"))
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
