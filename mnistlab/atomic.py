"""Files and folders that are either complete or absent.

Everything the project writes goes through here: it is written under a temporary name, flushed to
the disk, then renamed, so that a crash leaves the old content or the new, never half of it.
`open_output` is for a file that the user named, which may be anything; `check_writable` is for a
folder that the user named, before long work begins. `check_regular` is for what lies in a folder
of ours, where anyone may have put something else.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from mnistlab.errors import DataError, reason

# Names of files that this process has open already. Opening a regular file anew would empty it
# while another program writes to it.
OPEN_ALREADY = re.compile(r"/dev/(stdin|stdout|stderr)|(?:/dev|/proc/self)/fd/(\d+)")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """Add the file name to the OSError of a full disk, which `write` raises without one."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in NO_ROOM:
            error.filename = str(path)
        raise


@contextlib.contextmanager
def open_aside(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the name `path` only when the block succeeds.

    Parent folders are made. The mode bits of a file that it replaces are kept. On an exception
    no file is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_abandoned(path)
    thread = threading.get_native_id()
    aside = path.with_name(f".{path.name}.{thread}.{os.getpid()}.aside")
    try:
        with named(path), aside.open("wb") as file:
            _copy_mode(path, aside)
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        fsync_folder(path.parent)
    finally:
        aside.unlink(missing_ok=True)


@contextlib.contextmanager
def open_output(path: Path | str, inputs: Sequence[Path | str] = ()) -> Iterator[IO[bytes]]:
    """Open a binary file that a user named for the output; to be entered before the work begins.

    A regular file appears whole when the block succeeds, as with `open_aside`, with the mode bits
    of the one it replaces; a symbolic link stays, and what it points to is replaced. A pipe or a
    character device is written to as the block runs. Raises DataError where `path` is no file, or
    cannot be written, or is one of `inputs`, by whatever name, or lies in one that is a folder.
    """
    path = Path(path)
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(_opened(path, inputs))
        except (OSError, ValueError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{path}: cannot be written: {reason(error)}") from error
        yield file


@contextlib.contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Make a folder and its parents; remove the new ones if the block fails."""
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # not empty: someone else's by now
            for one in new:
                one.rmdir()
        raise


def check_writable(folder: Path | str) -> None:
    """DataError if files could not be written into a folder that exists or will be made.

    No folder is made: the closest existing parent is tried with a temporary file.
    """
    folder = Path(folder)
    try:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            folder.lstat()  # a name that is too long
        there = folder.resolve()
        # A link to itself is there, and is no folder. A drive that is missing is its own parent.
        while not os.path.lexists(there) and there != there.parent:
            there = there.parent
        if not there.is_dir():
            raise DataError(f"{folder}: cannot be written into: {there} is not a folder")
        with tempfile.TemporaryFile(dir=there):
            pass
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{folder}: cannot be written into: {reason(error)}") from error


def check_regular(path: Path) -> None:
    """OSError for a pipe, socket or device, before it is opened: reading it might never end.

    A folder is left to `open`, which has words of its own for it.
    """
    kind = path.stat().st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise OSError(errno.EINVAL, "is no regular file", str(path))


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
    """Give a finished folder its final name, in place of an older one."""
    for inside in aside.rglob("*"):
        if inside.is_dir():
            fsync_folder(inside)
        else:
            _fsync(inside)
    fsync_folder(aside)
    clear_older(path)
    if path.exists():
        path.rename(_older(path))
    aside.rename(path)
    fsync_folder(path.parent)
    clear_older(path)


def clear_older(path: Path) -> None:
    """Remove the folder that `path` replaced; a process killed in between leaves it."""
    shutil.rmtree(_older(path), ignore_errors=True)


def _older(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


@contextlib.contextmanager
def _opened(path: Path, inputs: Sequence[Path | str]) -> Iterator[IO[bytes]]:
    """The file of `open_output`, which turns OSError and ValueError into its own words."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():  # links in a circle, at which realpath stops; a rename would replace it
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    kind = path.stat().st_mode if path.exists() else stat.S_IFREG
    if stat.S_ISDIR(kind):
        raise DataError(f"{path}: is a folder; name the file to write")
    if found := OPEN_ALREADY.fullmatch(str(path)):
        with named(path), _duplicate(found) as file:
            yield file
    elif stat.S_ISFIFO(kind) or stat.S_ISCHR(kind):
        with named(path), path.open("wb") as file:
            yield file
    elif not stat.S_ISREG(kind):
        raise DataError(f"{path}: is neither a file, a pipe nor a character device")
    else:
        _check_replaceable(path, target, inputs)
        with made_folder(target.parent), open_aside(target) as file:
            yield file


def _duplicate(found: re.Match[str]) -> IO[bytes]:
    names = {"stdin": 0, "stdout": 1, "stderr": 2}
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # None where it is closed
            stream.flush()
    return os.fdopen(os.dup(int(found[2]) if found[2] else names[found[1]]), "wb")


def _check_replaceable(path: Path, target: Path, inputs: Sequence[Path | str]) -> None:
    """DataError if the file at `target` must not be replaced."""
    if not target.exists():
        return
    for given in map(Path, inputs):
        if given.exists() and target.samefile(given):
            raise DataError(f"{path}: is the input {given}; name another file to write")
        if given.is_dir() and target.is_relative_to(given.resolve()):
            raise DataError(f"{path}: lies in the input {given} already; name another file")
        if given.is_dir() and target.stat().st_nlink > 1:
            same = (file for file in given.rglob("*") if file.exists() and file.samefile(target))
            if found := next(same, None):
                raise DataError(f"{path}: is {found} of the input; name another file to write")
    if not os.access(target, os.W_OK):  # a rename would replace it all the same
        raise DataError(f"{path}: cannot be written: it is read-only")


def _copy_mode(path: Path, aside: Path) -> None:
    """Give `aside` owner and mode bits of the file at `path`, if there is one."""
    try:
        status = path.stat()
    except OSError:
        return
    if os.name != "nt":
        with contextlib.suppress(OSError):  # only root may give files away
            os.chown(aside, status.st_uid, status.st_gid)
    aside.chmod(stat.S_IMODE(status.st_mode))


def _clear_abandoned(path: Path) -> None:
    """Remove temporary files that killed processes have left for this file."""
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
