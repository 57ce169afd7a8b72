"""Kernels compiled when they are first needed, and kept for the next process.

numba keeps what it has compiled in files that it loads with pickle. They lie in the cache folder of
this user, in a folder named after the source of the kernels, and only if nobody else can write
there; otherwise every process compiles anew.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from mnistlab import machine
from mnistlab.data.notes import note
from mnistlab.errors import DataError

SOURCES = Path(__file__).parent
_ONE_AT_A_TIME = threading.Lock()  # numba's setting is one for all threads
NUMBERS = {torch.float32: "float32", torch.bfloat16: "uint16"}


@cache
def kernel(module: str, name: str, dtype: torch.dtype) -> Any:
    """The function `name` of a module of this folder as a C function of one pointer.

    dtype: of the images and gradients, float32 or bfloat16. Compiling takes a second or two.
    """
    import numpy as np

    make = getattr(import_module(f"mnistlab.training.kernels.{module}"), name)
    body = make(getattr(np, NUMBERS[dtype]))
    with _ONE_AT_A_TIME, _cached_by_numba() as is_cached:
        if is_cached:
            with suppress(Exception):  # a file that was cut off, or of another version of numba
                return _compiled(body, cache=True)
    return _compiled(body, cache=False)


def _compiled(body: Callable[[Any], None], cache: bool) -> Any:
    from numba import cfunc, types

    made = cfunc(types.void(types.voidptr), cache=cache, error_model="numpy")(body)
    function = made.ctypes
    function.kept = made  # whose memory holds the code
    return function


@contextmanager
def _cached_by_numba() -> Iterator[bool]:
    """While the block runs, numba's cache is ours; yields False where it has no safe place."""
    from numba import config

    folder, before = _folder(), config.CACHE_DIR
    if folder is None:
        yield False
        return
    config.CACHE_DIR = str(folder)
    try:
        yield True
    finally:
        config.CACHE_DIR = before


@cache
def _folder() -> Path | None:
    """The folder of these very kernels; None where it cannot be made, or others could write.

    Whoever has to wait for the compiler is told so, once.
    """
    import numba

    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(SOURCES.glob("*.py")):
        digest.update(path.read_bytes())
    with suppress(OSError, DataError):
        folder = machine.cache_folder() / "kernels" / digest.hexdigest()[:16]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        above = (folder, *folder.parents[:2])
        if all(map(_is_ours_alone, above)) and os.access(folder, os.W_OK):
            if not any(folder.iterdir()):
                note("compiling fast kernels for this CPU; the next training finds them ready")
            return folder
    note("compiling fast kernels; no cache folder that is only this user's can keep them")
    return None


def _is_ours_alone(folder: Path) -> bool:
    """Whether no other user can put files there; Windows keeps a user's folders so by itself."""
    if not hasattr(os, "getuid"):
        return True
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o022
