"""Files and folders that are either whole or absent.

Everything the project writes goes through here: written aside, flushed to the
disk, then renamed, so a crash leaves the old content or the new, never half.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any


@contextlib.contextmanager
def open_aside(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the name `path` only when the block succeeds.

    Parent folders are made. On an exception nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.aside")
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        fsync_folder(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file."""
    with open_aside(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    """Write a whole text file in UTF-8."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    """Write standard JSON: NaN and infinity are refused, they are not JSON."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def publish_folder(aside: Path, path: Path) -> None:
    """Give a finished folder its final name, taking the place of an older one."""
    for file in aside.rglob("*"):
        if file.is_file():
            _fsync(file)
    fsync_folder(aside)
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    aside.rename(path)
    fsync_folder(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def fsync_folder(folder: Path) -> None:
    """Make the names in `folder` durable; a no-op where folders cannot be opened (Windows)."""
    if os.name != "nt":
        _fsync(folder)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
