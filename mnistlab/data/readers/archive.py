"""ZIP archives of anything that can be read from a folder, unpacked into a temporary folder.

An archive may be hostile: the size of its table of contents is checked before it is read, and its
members before the first byte is unpacked. Nothing is written outside the temporary folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import struct
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO

from mnistlab.data import notes
from mnistlab.data.dataset import Dataset
from mnistlab.data.readers import content, kinds
from mnistlab.data.readers.folders import split_folders, wrappers
from mnistlab.data.readers.folders.left_out import below, is_junk
from mnistlab.errors import DataError, reason

NO_DATA = (None, "zip")
MAX_CONTENTS_BYTES = 1 << 25  # of the table of contents: about 400,000 members
FILES_SHOWN = 4
MAX_DEPTH = 16  # folders in folders
# Others, such as LZMA, ask for as much memory as the archive says.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)

END, END_64, LOCATOR_64 = b"PK\5\6", b"PK\6\6", b"PK\6\7"
END_BYTES, END_64_BYTES, LOCATOR_BYTES = 22, 56, 20
MAX_COMMENT = 1 << 16


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Path]:
    """A temporary folder with the content of the archive, without hidden files and the like.

    It is removed afterwards, whatever happens. Raises DataError naming the archive if it is
    damaged or encrypted, or holds links, paths that lead out of it, or too much; DataErrors of the
    block name the archive instead of the folder.
    """
    with _temporary_folder(path) as folder:
        notes.SHOWN_AS[str(folder)] = str(path)
        try:
            _unpack(path, folder)
            yield folder
        except DataError as error:
            raise DataError(notes.shown(str(error))) from error
        finally:
            del notes.SHOWN_AS[str(folder)]


def inside(folder: Path) -> Path:
    """Where the data set is in an unpacked archive: one file, the folder of several, or `folder`.

    With images it is `folder`, since a table beside them may have their labels.
    """
    if wrappers.has_images(folder):
        return folder
    data = data_files(folder)
    if len({file.parent for file in data}) != 1:
        return folder
    return data[0] if len(data) == 1 else data[0].parent


def data_files(folder: Path) -> list[Path]:
    """All files of data below a folder; .txt usually describes the others."""
    files = sorted(root / name for root, names in below(folder) for name in names)
    return [f for f in files if f.is_file() and f.suffix.lower() != ".txt" and _is_data(f)]


def _is_data(file: Path) -> bool:
    return file.suffix.lower() == ".npy" or kinds.kind_of(file) not in NO_DATA


def several(path: Path, files: list[Path]) -> DataError:
    """The error for a folder or archive of several files of data: which one is meant is open."""
    names = [file.relative_to(path).as_posix() for file in files]
    shown = ", ".join(names[:FILES_SHOWN]) + (", ..." if len(names) > FILES_SHOWN else "")
    test = [name for name in names if split_folders.split_of(Path(name).stem) == "test"]
    one = (test or names)[0]
    what = f"give one of them, such as {path}/{one}"
    if str(path) in notes.SHOWN_AS:
        what = f"unpack it and give one of them, such as {one}"
    return DataError(f"{path}: holds no images, but {len(names)} files of data ({shown}); {what}")


def called_after(dataset: Dataset, path: Path) -> Dataset:
    """The set that was read from the unpacked archive, with the archive's name and path."""
    return replace(dataset, name=path.stem, provenance=str(path))


@contextlib.contextmanager
def _temporary_folder(path: Path) -> Iterator[Path]:
    try:
        # With links resolved, as in the messages in which the folder is replaced by the archive.
        folder = Path(tempfile.mkdtemp(prefix="mnistlab-")).resolve()
    except OSError as error:
        raise DataError(f"{path}: cannot be unpacked: {reason(error)}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpack(path: Path, folder: Path) -> None:
    try:
        _check_contents(path)
        with zipfile.ZipFile(path) as archive:
            for info, target in _members(archive, path, folder).items():
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(info) as packed, target.open("xb") as file:
                    shutil.copyfileobj(packed, file)
    except content.DAMAGE as error:
        raise DataError(f"{path}: cannot be unpacked: {reason(error)}") from error


def _check_contents(path: Path) -> None:
    """DataError for a table of contents that is too large: zipfile reads it as a whole."""
    with path.open("rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise DataError(f"{path}: no regular file")
        n_file = file.seek(0, os.SEEK_END)
        file.seek(max(0, n_file - MAX_COMMENT - END_BYTES))
        tail = file.read()
        # As zipfile looks for it: first where an archive without a comment has it.
        end = len(tail) - END_BYTES
        if end < 0 or not tail[end:].startswith(END) or tail[-2:] != bytes(2):
            end = tail.rfind(END)
        if end < 0 or len(tail) - end < END_BYTES:
            raise DataError(f"{path}: not a ZIP file")
        n_bytes = _contents_bytes_64(file, n_file - len(tail) + end)
    if n_bytes is None:
        n_bytes = struct.unpack_from("<L", tail, end + 12)[0]
    if n_bytes > MAX_CONTENTS_BYTES:
        raise DataError(f"{path}: holds too many files; unpack it and give the folder")


def _contents_bytes_64(file: IO[bytes], end: int) -> int | None:
    """The size in an archive of more than 4 GiB, stored before the record at `end`."""
    file.seek(max(0, end - LOCATOR_BYTES))
    locator = file.read(LOCATOR_BYTES)
    if not locator.startswith(LOCATOR_64):
        return None
    sizes = []
    # Just before, or at the stored position: versions of zipfile differ in which of them counts.
    for start in (end - LOCATOR_BYTES - END_64_BYTES, struct.unpack_from("<Q", locator, 8)[0]):
        file.seek(max(0, min(start, end)))
        record = file.read(END_64_BYTES)
        if record.startswith(END_64) and len(record) == END_64_BYTES:
            sizes.append(struct.unpack_from("<Q", record, 40)[0])
    return max(sizes, default=None)


def _members(archive: zipfile.ZipFile, path: Path, folder: Path) -> dict[zipfile.ZipInfo, Path]:
    """The members to unpack and their target files, after all of them were checked."""
    found: dict[zipfile.ZipInfo, Path] = {}
    for info in archive.infolist():
        if info.filename.endswith("/"):  # a folder; is_dir() stumbles over an empty name
            continue
        steps = _steps(info, path)
        if not any(map(is_junk, steps)):
            _check_member(info, path)
            found[info] = folder.joinpath(*steps)
    target, n_times = Counter(found.values()).most_common(1)[0] if found else (folder, 1)
    if n_times > 1:
        raise DataError(f"{path}: holds {target.name[:80]!a} twice")
    claimed, limit = sum(info.file_size for info in found), _limit(path)
    if claimed > limit:
        raise DataError(
            f"{path}: unpacks to {claimed} bytes, more than {limit}; refused; if you trust it, "
            "unpack it and give the folder"
        )
    return found


def _limit(path: Path) -> int:
    return content.plausible_bytes(path.stat().st_size)


def _steps(info: zipfile.ZipInfo, path: Path) -> tuple[str, ...]:
    """The folders and the name of a member; DataError if they lead out of the archive."""
    name = info.filename.replace("\\", "/")  # as some programs on Windows write it
    steps = PurePosixPath(name).parts
    if not steps:
        raise DataError(f"{path}: holds a file without a name; refused")
    leads_out = name.startswith("/") or ".." in steps or re.match("[A-Za-z]:", name)
    if leads_out or len(steps) > MAX_DEPTH:
        raise DataError(f"{path}: member {info.filename[:80]!a} leads out of it; refused")
    return steps


def _check_member(info: zipfile.ZipInfo, path: Path) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise DataError(f"{path}: member {info.filename[:80]!a} is a link or device; refused")
    if info.flag_bits & 1:
        raise DataError(f"{path}: is encrypted; unpack it and give the folder")
    if info.compress_type not in METHODS:
        raise DataError(
            f"{path}: packed by method {info.compress_type}; unpack it and give the folder"
        )
