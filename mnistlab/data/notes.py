"""Lines that tell the user what a reader decided or left out; the one place that prints them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


def note(text: str) -> None:
    """Write "note: ..." on one line to standard error; `contextlib.redirect_stderr` catches it.

    A stream that is closed or full never stops the reading itself.
    """
    # A file name may hold line breaks, or bytes that are no text.
    line = " ".join(shown(text).split()).encode("utf-8", "backslashreplace").decode()
    for hear in _HEARING:
        hear(line)
    with contextlib.suppress(AttributeError, OSError, ValueError):
        print(f"note: {line}", file=sys.stderr, flush=True)


_HEARING: list[Callable[[str], None]] = []


@contextlib.contextmanager
def heard(hear: Callable[[str], None]) -> Iterator[None]:
    """Give `hear` every line of the block as well, as for a page that repeats them."""
    _HEARING.append(hear)
    try:
        yield
    finally:
        _HEARING.remove(hear)


SHOWN_AS: dict[str, str] = {}  # a temporary folder, and what the user knows it as


def shown(text: str) -> str:
    """A text in which every temporary folder has the name of what was unpacked into it."""
    for path, name in SHOWN_AS.items():
        text = text.replace(path, name)
    return text
