"""Numbers too small for full precision count as zero while a network trains.

Weight decay takes the weights of pixels that are black in every image below 1.2e-38, the smallest
float32 of full precision. What is smaller (denormal, or subnormal) takes the processor many times
longer, so that the epochs of such a network last longer and longer.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from threadpoolctl import threadpool_info


@contextmanager
def flushed_to_zero() -> Iterator[None]:
    """Within the block, torch reads and writes denormal numbers as zero, where the CPU can.

    This is a setting of each thread: of this one and of those that share its work, which all have
    their own back after the block.
    """
    before: dict[int, bool] = {}

    def flush() -> None:
        before[threading.get_ident()] = is_flushing()
        torch.set_flush_denormal(True)

    def restore() -> None:  # a thread that is new has copied the setting of the one that made it
        torch.set_flush_denormal(before.get(threading.get_ident(), before[here]))

    here = threading.get_ident()
    _in_every_thread(flush)
    try:
        yield
    finally:
        _in_every_thread(restore)


def is_flushing() -> bool:
    """Whether this thread takes denormal numbers for zero; torch itself does not say."""
    denormal = torch.tensor(torch.finfo(torch.float32).smallest_normal) / 2
    return not denormal.item()


def _in_every_thread(call: Callable[[], None]) -> None:
    """Call it here, and in the threads of OpenMP among which torch divides the work of this one.

    Where OpenMP is of a kind that has no such function (Windows), it is called here alone.
    """
    n_threads, openmp = torch.get_num_threads(), _openmp()
    if n_threads == 1 or openmp is None or not hasattr(openmp, "GOMP_parallel"):
        call()
        return
    # What compilers make of "#pragma omp parallel": the function runs once in each thread.
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: call())
    openmp.GOMP_parallel(function, None, n_threads, 0)


def _openmp() -> ctypes.CDLL | None:
    """The library of threads that torch has loaded; scikit-learn may have brought another."""
    pools = [Path(pool["filepath"]) for pool in threadpool_info() if pool["user_api"] == "openmp"]
    folder = Path(torch.__file__).parent
    pools.sort(key=lambda path: folder not in path.parents)
    return ctypes.CDLL(str(pools[0])) if pools else None
