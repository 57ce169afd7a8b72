"""What the user names becomes ONNX files: run folders are exported by another process.

Only that process needs torch. Its files are kept in the cache, by what the run contains.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mnistlab import machine
from mnistlab.errors import DataError, RunError, reason
from mnistlab.own_pages import HEAD_BYTES, MARK
from mnistlab.serving.logs import log
from mnistlab.version import __version__

EXPORT_NEEDS = ("torch", "onnx", "onnxscript")
EXPORT_LIMIT_S = 600
EXPORTS = 2  # one more whenever exported files say or hold something else than before
LARGEST_PAGE = 16 << 20  # bytes
TITLE = b"<title>Draw - "  # of pages to draw on; other pages of mnistlab have other titles
RESULT, WEIGHTS, NEIGHBOURS = "result.json", "model.safetensors", "neighbours.npz"


class Source(NamedTuple):
    """A model as the user named it: an ONNX file, or a run's folder."""

    name: str
    path: Path

    @property
    def is_run(self) -> bool:
        """Whether it must be exported first."""
        return self.path.is_dir()

    def state(self) -> tuple[tuple[int, int, int], ...]:
        """Changes whenever the files are written anew; empty while one is missing."""
        names = [self.path / RESULT, self.path / WEIGHTS] if self.is_run else [self.path]
        try:
            found = [path.stat() for path in names if path.name != WEIGHTS or path.exists()]
        except OSError:
            return ()
        return tuple((each.st_mtime_ns, each.st_size, each.st_ino) for each in found)


def sources_of(paths: Sequence[Path]) -> list[Source]:
    """The sources, each with its name; DataError for what is neither, or has another's name."""
    sources = [_source(path) for path in paths]
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"two models are called {name}: rename one of the files")
    return sources


def _source(path: Path) -> Source:
    if path.is_dir():
        if not (path / RESULT).is_file():
            raise RunError(f"{path}: no complete run: it has no {RESULT}")
        return Source(path.resolve().name, path)
    if path.suffix.lower() != ".onnx":
        raise DataError(f"{path}: neither the folder of a run nor an .onnx file")
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    return Source(path.stem, path)


def onnx_file(source: Source) -> Path:
    """The ONNX file of a source; of a run it is exported unless the cache has it."""
    return _exported([source], ".onnx") if source.is_run else source.path


def page_of(sources: Sequence[Source], given: Path | None) -> bytes | None:
    """The page to draw on: the one given, else made of the runs, else model.html of model.onnx.

    None where there is no such file. DataError where the file given is no page to draw on.
    """
    if given is not None:
        content = _drawing_page(given)
        if content is None:
            raise DataError(f"{given}: is no page that mnistlab export wrote")
        return content
    if all(source.is_run for source in sources):
        return _drawing_page(_exported(sources, ".html"))
    for source in sources:
        beside = source.path.with_suffix(".html")
        if not source.is_run and beside.is_file() and (content := _drawing_page(beside)):
            return content
    return None


def _drawing_page(path: Path) -> bytes | None:
    """The content of a page to draw on; None of any other file."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_PAGE + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    head = content[:HEAD_BYTES]
    return content if MARK in head and TITLE in head and len(content) <= LARGEST_PAGE else None


def _exported(sources: Sequence[Source], suffix: str) -> Path:
    folder = machine.cache_folder() / "served"
    path = folder / f"{_key(sources)}{suffix}"
    if path.is_file():
        return path
    missing = [name for name in EXPORT_NEEDS if not machine.has_library(name)]
    if missing:
        raise RunError(
            f"{sources[0].path}: a run's folder is exported before it is served, which needs "
            f"{', '.join(missing)}; where it was trained: mnistlab export RUN -o model.onnx, and "
            "serve that file"
        )
    log("exporting", runs=[source.name for source in sources], kind=suffix)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made: {reason(error)}") from error
    runs = [str(source.path.resolve()) for source in sources]
    command = [sys.executable, "-m", "mnistlab", "export", *runs, "-o", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=EXPORT_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise RunError(f"{runs[0]}: not exported within {EXPORT_LIMIT_S} s") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise RunError(f"{runs[0]}: cannot be exported: {said[-1].removeprefix('error: ')}")
    for line in done.stderr.splitlines():
        if line.startswith("note: "):
            log("exported", note=line.removeprefix("note: "))
    return path


def _is_comparable(folder: Path) -> bool:
    """Whether a run's export can hold what tells images unlike the training images."""
    try:
        data = json.loads((folder / "data.json").read_bytes())
        place = Path(data["source"]["name_or_path"])
        is_there = not place.is_absolute() or place.exists()  # not a path: a published set
    except (OSError, ValueError, TypeError, KeyError):
        is_there = False
    return is_there or (folder / NEIGHBOURS).is_file()


def _key(sources: Sequence[Source]) -> str:
    """A hash of what the runs contain: the weights, and what is stored about them."""
    digest = hashlib.sha256(f"{__version__} {EXPORTS}".encode())
    for source in sources:
        for name in (RESULT, "recipe.json", "data.json", WEIGHTS):
            file = source.path / name
            try:
                content = file.read_bytes() if file.is_file() else b""
            except OSError as error:
                raise RunError(f"{file}: cannot be read: {reason(error)}") from error
            digest.update(hashlib.sha256(content).digest())
        if not _is_comparable(source.path):  # exported again once the data are back
            digest.update(b"without the training data")
    return digest.hexdigest()[:32]
