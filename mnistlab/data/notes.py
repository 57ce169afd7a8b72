"""Notes to the user about what a reader decided or left out; only this module prints them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


def note(text: str) -> None:
    """Write "note: ..." on one line to standard error.

    A stream that is closed or full does not stop the reading.
    """
    if _is_muted:
        return
    # A file name may hold line breaks, or bytes that are no text.
    line = " ".join(shown(text).split()).encode("utf-8", "backslashreplace").decode()
    for hear in _HEARING:
        hear(line)
    with contextlib.suppress(AttributeError, OSError, ValueError):
        print(f"note: {line}", file=sys.stderr, flush=True)


_HEARING: list[Callable[[str], None]] = []


@contextlib.contextmanager
def heard(hear: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, also pass every note to `hear`, such as for a page that shows them."""
    _HEARING.append(hear)
    try:
        yield
    finally:
        _HEARING.remove(hear)


@contextlib.contextmanager
def unsaid() -> Iterator[None]:
    """While the block runs, notes are dropped: for a look at a file that is read again later."""
    global _is_muted
    before, _is_muted = _is_muted, True
    try:
        yield
    finally:
        _is_muted = before


_is_muted = False
SHOWN_AS: dict[str, str] = {}  # temporary folder -> the name the user gave


def shown(text: str) -> str:
    """The text with the path of the archive instead of the temporary folder it is unpacked in."""
    for path, name in SHOWN_AS.items():
        text = text.replace(path, name)
    return text
