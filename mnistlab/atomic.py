"""Files and folders that are either whole or absent.

Everything the project writes goes through here: written aside, flushed to the
disk, then renamed, so a crash leaves the old content or the new, never half.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any


@contextlib.contextmanager
def open_aside(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the name `path` only when the block succeeds.

    Parent folders are made. On an exception nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_abandoned(path)
    thread = threading.get_native_id()
    aside = path.with_name(f".{path.name}.{thread}.{os.getpid()}.aside")
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


@contextlib.contextmanager
def claimed(folder: Path, keep: str | None = None) -> Iterator[None]:
    """An empty folder that no other process may claim until the block ends.

    What an earlier process left in it is removed, but for files of the pattern `keep`. Raises
    BlockingIOError where another has it, or has just given it its final name; a process that dies
    gives it up. Windows and some network file systems have no such claim: there it is empty, no
    more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        if os.name != "nt":
            import fcntl

            descriptor = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise
            except OSError:  # a file system without locks
                pass
            if not folder.exists() or not os.path.samestat(os.fstat(descriptor), folder.stat()):
                raise BlockingIOError(f"{folder} was finished by another process")
        for left in folder.iterdir():
            if keep is not None and left.match(keep):
                continue
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Run the block while no other process runs one under the same file; waits for its turn.

    The file is made and stays, empty. A process that dies gives its turn up. On Windows, which has
    no such lock, nobody waits.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        if os.name != "nt":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def publish_folder(aside: Path, path: Path) -> None:
    """Give a finished folder its final name, taking the place of an older one."""
    for file in aside.rglob("*"):
        if file.is_file():
            _fsync(file)
    fsync_folder(aside)
    clear_older(path)
    if path.exists():
        path.rename(_older(path))
    aside.rename(path)
    fsync_folder(path.parent)
    clear_older(path)


def clear_older(path: Path) -> None:
    """Remove the folder whose place `path` took; a process killed just then leaves it."""
    shutil.rmtree(_older(path), ignore_errors=True)


def _older(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _clear_abandoned(path: Path) -> None:
    """Remove what processes that were killed have written aside for this file."""
    for aside in path.parent.glob(f".{glob.escape(path.name)}.*.aside"):
        process = aside.name.split(".")[-2]
        if process.isdecimal() and not _is_running(int(process)):
            aside.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if os.name == "nt":  # there signal 0 is Ctrl-C
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # someone else's
        return True
    return True


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
