"""Kernels run by torch's own threads.

numba has threads of its own. Beside torch's, which keep their cores busy while they wait for the
next operation, they take several times as long. So a kernel is given to the OpenMP library that
torch has loaded, and runs in the threads that have just finished torch's last operation.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch

Kernel = Any  # a C function of one pointer, made by ctypes


def run(kernel: Kernel, n_parts: int, *numbers: int) -> None:
    """Call the kernel in as many threads as torch uses, until all its parts are done.

    It gets int64 numbers: the first part that nobody has begun, n_parts, and then `numbers`, most
    of them addresses of tensors. What a part computes does not depend on the number of threads.
    """
    arguments = (ctypes.c_int64 * (len(numbers) + 2))(0, n_parts, *numbers)
    n_threads, parallel = min(torch.get_num_threads(), n_parts), _openmp()
    if n_threads == 1 or parallel is None:
        kernel(arguments)
    else:
        parallel(kernel, arguments, n_threads, 0)


@cache
def _openmp() -> Callable[..., None] | None:
    """GOMP_parallel(function, data, n_threads, flags) of torch's library; None where it has none.

    https://gcc.gnu.org/onlinedocs/libgomp/Implementing-PARALLEL-construct.html
    """
    folder = Path(torch.__file__).parent
    for path in sorted([*folder.glob("lib/libgomp*"), *folder.parent.glob("torch.libs/libgomp*")]):
        try:
            function = ctypes.CDLL(str(path)).GOMP_parallel
        except (OSError, AttributeError):
            continue
        function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
        function.restype = None
        return function
    return None
