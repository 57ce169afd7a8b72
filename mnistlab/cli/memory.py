"""Lack of memory or threads as one line, for a user can ask for less."""

from __future__ import annotations

import re

# NumPy raises MemoryError. torch raises a RuntimeError, on CPUs and GPUs, which only its
# words distinguish from a bug.
_OF_TORCH = re.compile(
    r"allocate memory|not enough memory|out of memory|bad_alloc|Storage size calculation overflowed"
)
_AMOUNT = re.compile(r"allocate ([\d.]+) ?(bytes|[KMGTPE]iB)")
_NO_THREAD = "can't start new thread"
_INSTEAD = "fewer or smaller images, a smaller batch or a smaller model need less"


def memory_text(error: MemoryError | RuntimeError) -> str | None:
    """The line for an allocation that failed; None for an error that is a bug."""
    said = str(error)
    if isinstance(error, RecursionError):
        return None
    if said == _NO_THREAD:
        return "the system starts no more threads: ask for fewer with --threads"
    if not isinstance(error, MemoryError) and not _OF_TORCH.search(said):
        return None
    amount = _AMOUNT.search(said)
    what = "this" if amount is None else _size(float(amount[1]), amount[2])
    return f"not enough memory for {what}; {_INSTEAD}"


def _size(amount: float, unit: str) -> str:
    """Such as "5.7 TiB"."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    place = units.index(unit)
    while amount >= 1024 and place + 1 < len(units):
        amount, place = amount / 1024, place + 1
    return f"{amount:.3g} {units[place]}"
