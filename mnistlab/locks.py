"""Locks between processes: a file that one at a time may hold, a folder that one may claim.

The locks are the operating system's (by filelock): a process that dies gives them up. A file system
without locks, such as some network folders, is used without them.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

POLL_S = 0.01  # between two tries for a lock that another process holds


@contextlib.contextmanager
def claimed(folder: Path, keep: str | None = None) -> Iterator[None]:
    """An empty folder that no other process may claim until the block ends.

    What an earlier process left in the folder is removed, except files of the pattern `keep`.
    Raises BlockingIOError where another process has claimed it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(_of_claim(folder), wait=False, remove=True):
        if not folder.exists():  # renamed between the two lines above
            raise BlockingIOError(f"{folder} was finished by another process")
        for left in folder.iterdir():
            if keep is not None and left.match(keep):
                continue
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield


def clear_claim(folder: Path) -> None:
    """Remove the lock file that a killed process left beside a folder, unless it is claimed now."""
    path = _of_claim(folder)
    if path.exists():
        with contextlib.suppress(BlockingIOError), _lock(path, wait=False, remove=True):
            pass


def _of_claim(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")  # not inside: the folder may be renamed


@contextlib.contextmanager
def locked(path: Path, remove: bool = False) -> Iterator[None]:
    """Run the block while no other process runs one under the same file; waits for its turn.

    The file is empty and stays, unless it is to be removed.
    """
    with _lock(path, wait=True, remove=remove):
        yield


@contextlib.contextmanager
def _lock(path: Path, wait: bool, remove: bool) -> Iterator[None]:
    # filelock takes 0.03 s to load.
    from filelock import FileLock, Timeout

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()  # raises where nothing can be written
    lock = FileLock(path, blocking=wait, poll_interval=POLL_S, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise BlockingIOError(f"{path}: held by another process") from error
    except OSError:  # a file system without locks
        pass
    with contextlib.ExitStack() as stack:
        stack.callback(lock.release)
        if remove:  # before the release: a lock on a file without a name counts for nobody
            stack.callback(_remove_if_possible, path)
        yield


def _remove_if_possible(path: Path) -> None:
    with contextlib.suppress(OSError):  # Windows does not remove an open file
        path.unlink()
