"""Finds the files of a named set on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from mnistlab import machine
from mnistlab.data.published.sources import File, Source

SYSTEM_FOLDER = Path("/usr/share/datasets")  # of Debian's dataset-* packages


def places(source: Source) -> list[Path]:
    """Every folder that may hold the set, in the order of the search."""
    found = [machine.cache_folder() / source.folder]
    for folder in machine.data_folders():
        found.append(folder / source.folder)
        if Path(os.path.realpath(folder)).name == source.folder:
            found.append(folder)
    return [*found, SYSTEM_FOLDER / source.folder]


def find(source: Source) -> list[Path] | None:
    """The files of a set in the first folder that holds all of them, else None."""
    for folder in places(source):
        paths = [find_file(folder, file) for file in source.files]
        if paths and all(paths):
            return [path for path in paths if path is not None]
    return None


def find_file(folder: Path, file: File) -> Path | None:
    """A file in `folder`, as published or with its .gz unpacked."""
    packed = folder / file.name
    plain = folder / file.name.removesuffix(".gz")
    return next((path for path in (packed, plain) if _is_file(path)), None)


def _is_file(path: Path) -> bool:
    """Whether a file is there; False in a folder that cannot be read."""
    try:
        return path.is_file()
    except OSError:
        return False
