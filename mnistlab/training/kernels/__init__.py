"""Compiled kernels for the layers in which small convolutional networks spend their time.

They come with the extra `fast`, which is numba. Where it is missing torch's own operations compute
the same, up to rounding. Nothing outside this folder imports numba or knows what is compiled:
`in_use` says whether kernels are used, and `fused` makes a network's forward pass with them.

stem, convolution, pooling   the kernels, in Python that numba compiles
vectors, rows                what they are made of
operations                   the kernels as operations of torch, with gradients
fusing                       which layers of a network they take the place of
compiling, threads           how they are compiled, kept, and run
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

VARIABLE = "MNISTLAB_KERNELS"  # "off": train without them
_allowed: ContextVar[bool] = ContextVar("kernels", default=True)


def in_use() -> bool:
    """Whether networks are trained with the kernels here and now."""
    return _allowed.get() and os.environ.get(VARIABLE, "").lower() != "off" and are_available()


@cache
def are_available() -> bool:
    """Whether numba is installed, fits the installed NumPy, and may compile."""
    try:
        import numba
    except ImportError:  # also where it says that NumPy is too new for it
        return False
    return not numba.config.DISABLE_JIT


def version() -> str | None:
    """What the kernels are compiled with, for env.json; None where they are not in use."""
    if not in_use():
        return None
    import numba

    return f"numba {numba.__version__}"


@contextmanager
def allowed(wanted: bool) -> Iterator[None]:
    """Run the block with the kernels, where they are available, or without them."""
    token = _allowed.set(wanted)
    try:
        yield
    finally:
        _allowed.reset(token)
