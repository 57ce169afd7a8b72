"""Memory that a training step gives back is kept for the next one, where the C library is glibc.

A step of a large network takes hundreds of MB for its activations and frees them. glibc hands
large blocks back to the system at once, which clears every page that is asked for again.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4  # as malloc.h numbers them
NEVER = 2**31 - 1
MOST_MAPPED = 65536  # glibc's own
# Bytes: where glibc's own thresholds end, which rise with the blocks that are freed; and no longer
# do so once they have been set.
LARGEST_MMAP_THRESHOLD = 32 << 20
LARGEST_TRIM_THRESHOLD = 2 * LARGEST_MMAP_THRESHOLD


@contextmanager
def kept() -> Iterator[None]:
    """Within the block, freed memory stays with this process; what is free then goes back.

    Nothing is done where the user has set malloc by environment variables.
    """
    glibc = _glibc()
    if glibc is None or any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        yield
        return
    glibc.mallopt(MMAP_MAX, 0)
    glibc.mallopt(TRIM_THRESHOLD, NEVER)
    try:
        yield
    finally:
        glibc.mallopt(MMAP_MAX, MOST_MAPPED)
        glibc.mallopt(MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
        glibc.mallopt(TRIM_THRESHOLD, LARGEST_TRIM_THRESHOLD)
        glibc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library of this process, where it is glibc."""
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
