"""How a kernel gets its arguments: one row of int64 numbers, most of them addresses.

The first is the number of the part that nobody has begun yet, the second how many parts there are:
see threads.run. torch's arrays are taken by their address, because NumPy has no bfloat16; such
numbers are held as uint16, the upper half of a float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from mnistlab.training.kernels.vectors import OPTIONS


@intrinsic
def at(typing_context: Any, address: Any) -> Any:
    """The pointer of an address, for carray."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), emit


@intrinsic
def next_part(typing_context: Any, arguments_of_kernel: Any) -> Any:
    """The number of a part that this thread shall compute; each is given once."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = ir.IntType(64)
        pointer = builder.bitcast(arguments[0], number.as_pointer())
        return builder.atomic_rmw("add", pointer, number(1), "monotonic")

    return types.int64(types.voidptr), emit


@njit(**OPTIONS)
def part_of(n: int, part: int, n_parts: int) -> tuple[int, int]:
    """The first of n images in a part, and the first after it."""
    return n * part // n_parts, n * (part + 1) // n_parts


@njit(**OPTIONS)
def aligned(n: int) -> Any:
    """n zeros, float32, that begin where a vector register does: other loads take two accesses."""
    room = np.zeros(n + 16, np.float32)
    first = (-(room.ctypes.data // 4)) % 16
    return room[first : first + n]


@njit(**OPTIONS)
def floats(address: int, n: int) -> Any:
    """n float32 numbers at an address."""
    return carray(at(address), n, np.float32)
