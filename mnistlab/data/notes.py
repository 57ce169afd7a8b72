"""Lines that tell the user what a reader decided or left out; the one place that prints them."""

from __future__ import annotations

import contextlib
import sys


def note(text: str) -> None:
    """Write "note: ..." on one line to standard error; `contextlib.redirect_stderr` catches it.

    A stream that is closed or full never stops the reading itself.
    """
    # A file name may hold line breaks, or bytes that are no text.
    line = " ".join(text.split()).encode("utf-8", "backslashreplace").decode()
    with contextlib.suppress(AttributeError, OSError, ValueError):
        print(f"note: {line}", file=sys.stderr, flush=True)
