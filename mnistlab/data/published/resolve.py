"""Finds the files of a named set: in the cache, MNISTLAB_DATA, system packages, then on mirrors.

Wherever it is found, a file is used only if its content has the published hash.
"""

from __future__ import annotations

import difflib
import functools
from pathlib import Path
from typing import NamedTuple

from mnistlab import locks, machine
from mnistlab.data.published import locate, openml
from mnistlab.data.published.download import download
from mnistlab.data.published.sources import SOURCES, File, Source
from mnistlab.data.readers import content
from mnistlab.errors import DataError, reason

EMBEDDED = Path(__file__).parents[1] / "embedded" / "fashion-mini.npz"


class Genuine(NamedTuple):
    """A checked file and its decompressed content; `raw` is empty for an archive."""

    path: Path
    raw: bytearray


def known(name: str) -> Source:
    """The source of that name; raises DataError that suggests the closest ones."""
    if isinstance(name, str) and name in SOURCES:
        return SOURCES[name]
    close = difflib.get_close_matches(str(name).lower(), SOURCES, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(SOURCES)}"
    raise DataError(f"unknown data set {name!r}; {hint}")


def fetch(name: str) -> list[Path]:
    """Download a named set unless it is on this machine.

    Returns its files, in the order of its source; none for `digits`, which is part of
    scikit-learn. Raises DataError for an unknown name, a file that is not the published one, and a
    set that is neither here nor on any mirror.
    """
    if known(name).format == "embedded":
        return [EMBEDDED]
    return [file.path for file in genuine_files(name)]


def available(name: str) -> str | None:
    """Where a named set is on this machine; None if it must be downloaded."""
    source = known(name)
    if not source.files:
        return "scikit-learn" if source.format == "digits" else "mnistlab"
    paths = locate.find(source)
    return str(paths[0].parent) if paths else None


def genuine_files(name: str) -> list[Genuine]:
    """The checked files of a named set, from this machine or a mirror; errors as in `fetch`."""
    source = known(name)
    cache = machine.cache_folder() / source.folder
    while (paths := locate.find(source)) is not None:
        try:
            return [_open(path, file) for path, file in zip(paths, source.files, strict=True)]
        except DataError:
            if paths[0].parent != cache or not _discard_wrong(cache, source.files):
                raise
    if not source.files:
        return []
    try:
        _download_all(name, source, cache)
    except OSError as error:
        raise DataError(f"{cache}: cannot be written: {reason(error)}") from error
    brought = [locate.find_file(cache, file) or cache / file.name for file in source.files]
    return [_open(path, file) for path, file in zip(brought, source.files, strict=True)]


def _open(path: Path, file: File) -> Genuine:
    """Read and check one file; raises DataError if it is not the published one."""
    if file.name.endswith(".zip"):
        raw, fits = bytearray(), content.file_matches(path, file.wrapper)
    else:
        raw = content.read(path)
        if file.content:
            fits = content.matches(raw, file.content)
        else:
            # Only the packed form has a published hash; the decoder still checks shapes and counts.
            unpacked_by_hand = path.name == file.name.removesuffix(".gz") != file.name
            fits = unpacked_by_hand or content.file_matches(path, file.wrapper)
    if not fits:
        raise DataError(f"{path}: is not the published {file.name} (its hash differs)")
    return Genuine(path, raw)


def _is_genuine(path: Path, file: File) -> bool:
    try:
        _open(path, file)
    except DataError:
        return False
    return True


def _discard_wrong(cache: Path, files: tuple[File, ...]) -> bool:
    """Remove what is damaged in the cache; returns whether there was anything."""
    found = [(locate.find_file(cache, file), file) for file in files]
    wrong = [path for path, file in found if path is not None and not _is_genuine(path, file)]
    for path in wrong:
        path.unlink()
    return bool(wrong)


def _download_all(name: str, source: Source, cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    with locks.locked(cache / ".lock", remove=True):  # others would write the same .part
        if all(locate.find_file(cache, file) for file in source.files):
            return  # another process has just brought them
        wanted = (source.archive,) if source.archive else source.files
        for file in wanted:
            if locate.find_file(cache, file) is None:
                check = functools.partial(_is_genuine, file=file)
                answers = download(file.name, source.mirrors, cache, check)
                if answers:
                    raise DataError(_not_found(name, source, answers))
        if source.archive:
            openml.unpack(cache / source.archive.name, source)


def _not_found(name: str, source: Source, answers: list[str]) -> str:
    tried = [str(place) for place in locate.places(source)]
    if not machine.data_folders():
        tried.append("MNISTLAB_DATA (not set)")
    return (
        f"{name}: not found; tried {', '.join([*tried, *answers])}; set MNISTLAB_DATA to a folder "
        f"that holds {source.folder}/, or use fashion-mini, which needs no network"
    )
