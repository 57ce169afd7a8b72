"""Images too many for memory: they stay in a file that is mapped, and look like any other array.

From LARGE bytes on nothing in the project copies images into memory. All others meet five
functions, which take and give arrays of any size: `blocks` goes through images, `take` selects
some, `joined` puts arrays together, `bounded_memory` is held while a training reads them in any
order, `rows_of` reads single images faster than a mapped file does.

Plain IDX files are mapped where they lie. What must be written anew, such as a random split, goes
into a file without a name in the cache folder, which is gone with the array. Linux counts mapped
pages that were read as memory of the process until they are given back to it.
"""

from __future__ import annotations

import contextlib
import itertools
import mmap
import os
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import DataError
from mnistlab.machine import cache_folder

LARGE = 1 << 30  # bytes from which on images are mapped
BLOCK = 1 << 26  # bytes per block of `blocks`
RESIDENT = 1 << 28  # bytes of mapped pages above which they are given back
PERIOD_S = 0.02  # between two looks at how many there are: the fastest loop maps 5 GB per second

Images = NDArray[np.uint8]


class MappedFile(mmap.mmap):
    """The bytes of a file that is not empty, read from the disk when they are needed."""

    descriptor: int

    def __new__(cls, file: IO[bytes]) -> Self:
        """The file may be closed and removed afterwards."""
        mapped = super().__new__(cls, file.fileno(), 0, access=mmap.ACCESS_READ)
        mapped.descriptor = os.dup(file.fileno())
        weakref.finalize(mapped, os.close, mapped.descriptor)
        return mapped


def map_file(path: Path) -> MappedFile:
    """The bytes of that file."""
    with path.open("rb") as file:
        return MappedFile(file)


def mapping_of(array: NDArray[Any]) -> mmap.mmap | None:
    """The read-only mapped file behind an array or a view of one; None for other arrays.

    A private mapping that was written to counts as memory: its file holds other bytes.
    """
    base: object = array
    while isinstance(base, np.ndarray | memoryview):
        base = base.base if isinstance(base, np.ndarray) else base.obj
    if not isinstance(base, mmap.mmap):
        return None
    with memoryview(base) as view:
        return base if view.readonly else None


class Rows:
    """The images of a mapped file, read one by one with `pread` instead of through the mapping.

    To map a page for one image takes four times as long, and the page must be given back.
    """

    def __init__(self, images: NDArray[Any], mapping: MappedFile) -> None:
        self._file, self._shape, self._dtype = mapping, images.shape[1:], images.dtype
        base = np.frombuffer(mapping, np.uint8).ctypes.data
        self._start, self._n_bytes = images.ctypes.data - base, images[:1].nbytes

    def read(self, places: NDArray[np.intp]) -> NDArray[Any]:
        """The images at the places (B,), in new memory.

        Raises DataError where the file has become shorter meanwhile, or its disk does not answer.
        """
        images = np.empty((len(places), *self._shape), self._dtype)
        rows = images.reshape(len(places), -1).view(np.uint8)
        try:
            for row, start in zip(rows, self._starts(places), strict=True):
                if os.preadv(self._file.descriptor, (row.data,), start) < self._n_bytes:
                    raise DataError("the file of the images has become shorter while it was in use")
        except OSError as error:
            raise DataError(f"the images cannot be read any more: {error.strerror}") from error
        return images

    def prefetch(self, places: NDArray[np.intp]) -> None:
        """Let the system read these images from the disk, without waiting for them."""
        for start in self._starts(places):
            os.posix_fadvise(self._file.descriptor, start, self._n_bytes, os.POSIX_FADV_WILLNEED)

    def _starts(self, places: NDArray[np.intp]) -> list[int]:
        starts: list[int] = (self._start + places * self._n_bytes).tolist()
        return starts


def rows_of(images: NDArray[Any]) -> Rows | None:
    """The reader of images that this module has mapped; None for others, and without `pread`."""
    mapping = mapping_of(images)
    can = images.flags.c_contiguous and hasattr(os, "preadv") and hasattr(os, "posix_fadvise")
    return Rows(images, mapping) if can and isinstance(mapping, MappedFile) else None


class Concatenated:
    """Images (N, H, W) of several arrays, concatenated only when that is needed.

    What lies within one of them is taken without a copy, so an official split copies nothing.
    Anything else an array can do is done by `whole`, the concatenated array; see `joined`.
    """

    def __init__(self, arrays: Sequence[Images]) -> None:
        self.arrays = tuple(arrays)
        self.starts = [0, *itertools.accumulate(map(len, arrays))]
        self.shape, self.ndim = (self.starts[-1], *arrays[0].shape[1:]), arrays[0].ndim
        self.dtype = arrays[0].dtype

    def __len__(self) -> int:
        return self.starts[-1]

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            first, end, step = key.indices(len(self))
            for array, start in zip(self.arrays, self.starts, strict=False):
                if step == 1 and start <= first <= end <= start + len(array):
                    return array[first - start : end - start]
        places = None if isinstance(key, tuple | slice) else np.asarray(key)
        if places is None or places.dtype.kind != "i" or not self._all_are_here(places):
            return self.whole[key]
        taken = np.empty((*places.shape, *self.shape[1:]), self.dtype)
        for array, start in zip(self.arrays, self.starts, strict=False):
            inside = (places >= start) & (places < start + len(array))
            taken[inside] = array[places[inside] - start]
        return taken

    def __array__(self, *args: Any, **kwargs: Any) -> NDArray[Any]:
        return np.array(self.whole, *args, **{"copy": None, **kwargs})

    def __reduce__(self) -> Any:
        return self.whole.__reduce__()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # else NumPy and pickle would find `whole`'s protocols here
            raise AttributeError(name)
        return getattr(self.whole, name)

    def _all_are_here(self, places: NDArray[np.intp]) -> bool:
        return places.size == 0 or bool(places.min() >= 0 and places.max() < len(self))

    @cached_property
    def whole(self) -> Images:
        """The one array."""
        with bounded_memory(*self.arrays):
            return joined(iter(self.arrays))


def blocks(images: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """All rows in order, BLOCK bytes at a time, without a copy and within `bounded_memory`.

    No rows are one empty block.
    """
    with bounded_memory(images):
        for array in _arrays(images):
            n_rows = max(BLOCK // max(array[:1].nbytes, 1), 1)
            for first in range(0, max(len(array), 1), n_rows):
                yield array[first : first + n_rows]


def joined(parts: Iterable[NDArray[Any]]) -> NDArray[Any]:
    """All rows of the parts, in order; from LARGE bytes on in a file without a name.

    A single part is returned as it is. A sequence of arrays (not an iterator) is concatenated only
    when that is needed. Raises DataError where the disk cannot hold the images.
    """
    if isinstance(parts, Sequence) and len(parts) > 1 and sum(p.nbytes for p in parts) >= LARGE:
        return cast("NDArray[Any]", Concatenated(parts))
    first: list[NDArray[Any]] = []
    waiting, n_bytes = iter(parts), 0
    for part in waiting:
        if first and n_bytes + part.nbytes >= LARGE:
            return _on_disk(itertools.chain(first, [part], waiting), part.dtype, part.shape[1:])
        first.append(part)
        n_bytes += part.nbytes
    return first[0] if len(first) == 1 else np.concatenate(first)


def take(images: Images, indices: NDArray[np.intp] | slice) -> Images:
    """The images at `indices`; consecutive ones are not copied."""
    if isinstance(indices, slice):
        return images[indices]
    if _are_consecutive(indices) and 0 <= indices[0] <= indices[-1] < len(images):
        return images[indices[0] : indices[-1] + 1]
    if len(indices) * images[:1].nbytes < LARGE:
        return images[indices]
    n_rows = max(BLOCK // images[:1].nbytes, 1)
    with bounded_memory(images):
        return joined(images[indices[i : i + n_rows]] for i in range(0, len(indices), n_rows))


@contextlib.contextmanager
def bounded_memory(*arrays: NDArray[Any] | None) -> Iterator[None]:
    """While the block runs, mapped arrays take no more than about RESIDENT bytes of memory.

    Pages that were given back stay in the system's file cache as long as there is room.
    """
    found = (mapping_of(one) for array in arrays if array is not None for one in _arrays(array))
    mappings = [mapping for mapping in found if mapping is not None]
    if not mappings or not hasattr(mmap, "MADV_DONTNEED"):
        yield
        return
    over, before = threading.Event(), _resident_bytes()

    def watch() -> None:
        while not over.wait(PERIOD_S):
            now = _resident_bytes()
            if now is None or before is None or now - before > RESIDENT:
                give_back()

    def give_back() -> None:
        for mapping in mappings:
            mapping.madvise(mmap.MADV_DONTNEED)

    watcher = threading.Thread(target=watch, name="bounded memory", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        give_back()


def _arrays(images: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    return images.arrays if isinstance(images, Concatenated) else (images,)


def _are_consecutive(indices: NDArray[np.intp]) -> bool:
    return indices.dtype != bool and len(indices) > 0 and bool((np.diff(indices) == 1).all())


def _on_disk(
    parts: Iterable[NDArray[Any]], dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            # Written, not mapped and filled: a full disk is an error here and a crash there.
            for part in parts:
                for block in blocks(part):
                    file.write(np.ascontiguousarray(block).data)
            file.flush()
            mapping = MappedFile(file)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot hold images too many for memory: {error.strerror}"
        ) from error
    images: NDArray[Any] = np.frombuffer(mapping, dtype)
    return images.reshape(-1, *shape)


def _resident_bytes() -> int | None:
    """How many bytes of mapped files are in memory of this process; None if that is unknown."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[2]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
