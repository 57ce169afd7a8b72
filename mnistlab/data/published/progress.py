"""Progress of a download: a bar on a terminal, one plain line in a pipe. Always on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def show_progress(label: str, n_bytes: int | None, n_done: int) -> Iterator[Callable[[int], None]]:
    """Give a function to be told of every `n` more bytes; `n_bytes` is None if not known."""
    if not sys.stderr.isatty():
        size = "" if n_bytes is None else f" ({n_bytes / 1e6:.1f} MB)"
        rest = f", from {n_done / 1e6:.1f} MB on" if n_done else ""
        with contextlib.suppress(OSError):  # nobody reads it
            print(f"downloading {label}{size}{rest}", file=sys.stderr, flush=True)
        yield lambda n: None
        return
    # rich is loaded only where someone watches.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=n_bytes, completed=n_done)
        yield lambda n: bar.advance(task, n)
