"""Where the files of a named set may lie on this machine, before any network is tried."""

from __future__ import annotations

import os
from pathlib import Path

from mnistlab.data.published.sources import File, Source
from mnistlab.errors import DataError

SYSTEM_FOLDER = Path("/usr/share/datasets")  # of Debian's dataset-* packages


def cache_folder() -> Path:
    """MNISTLAB_CACHE, or the platform's cache folder for mnistlab; DataError for ~ of nobody."""
    if folder := os.environ.get("MNISTLAB_CACHE"):
        return _at_home(folder, "MNISTLAB_CACHE")
    # pooch knows every platform's conventions; nothing else here needs it.
    import pooch

    return Path(pooch.os_cache("mnistlab"))


def data_folders() -> list[Path]:
    """The folders of MNISTLAB_DATA, a list separated as PATH is; DataError for ~ of nobody."""
    listed = os.environ.get("MNISTLAB_DATA", "").split(os.pathsep)
    return [_at_home(folder, "MNISTLAB_DATA") for folder in listed if folder]


def _at_home(folder: str, variable: str) -> Path:
    try:
        return Path(folder).expanduser()
    except RuntimeError as error:
        raise DataError(f"{variable}: {folder}: there is no such home folder") from error


def places(source: Source) -> list[Path]:
    """Every folder that may hold the set, in the order in which they are tried."""
    found = [cache_folder() / source.folder]
    for folder in data_folders():
        found.append(folder / source.folder)
        if Path(os.path.realpath(folder)).name == source.folder:
            found.append(folder)
    return [*found, SYSTEM_FOLDER / source.folder]


def find(source: Source) -> list[Path] | None:
    """The files of a set in the first place that holds them all, else None."""
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
    """Whether a file is there; what cannot be looked into holds none."""
    try:
        return path.is_file()
    except OSError:
        return False
