"""Standard output and error may be closed, ASCII only, or a pipe that nobody reads.

None of that may lose the work of a command, or end it with a traceback.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys

# How letters that a stream cannot show are replaced: on standard error so that they can be guessed.
_INSTEAD = {"stdout": "replace", "stderr": "backslashreplace"}


def open_closed() -> None:
    """Open /dev/null as 0, 1 and 2 where they are closed.

    Else the next file opened would be number 1, and what libraries print would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number


def make_usable() -> None:
    """Let both streams take any text: a closed one drops it, an ASCII one replaces letters."""
    for name, errors in _INSTEAD.items():
        stream = getattr(sys, name)
        if stream is None or stream.closed:
            setattr(sys, name, _Nowhere())
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=errors)


def silence(name: str) -> None:
    """Show nothing more on "stdout" or "stderr"."""
    try:
        number = getattr(sys, name).fileno()
    except (OSError, ValueError, AttributeError):  # not a file, as in a notebook
        setattr(sys, name, _Nowhere())
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def flush_output() -> None:
    """Write what is left on standard output; an OSError names it, as it would a file."""
    try:
        sys.stdout.flush()
    except OSError as error:
        error.filename = error.filename or "standard output"
        raise


def flush() -> None:
    """Write what is left, and drop what cannot be written: Python would fail on it at exit."""
    for name in _INSTEAD:
        try:
            getattr(sys, name).flush()
        except (OSError, ValueError):
            silence(name)


def say(text: str) -> None:
    """Print a line on standard error, if that is possible; nothing depends on it."""
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        with contextlib.suppress(OSError):
            silence("stderr")


class _Nowhere(io.TextIOBase):
    """A stream that drops everything."""

    def write(self, text: str) -> int:
        """As if all of it had been."""
        return len(text)
