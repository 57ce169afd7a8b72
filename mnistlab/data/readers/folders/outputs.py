"""Folders that mnistlab wrote: who works in the folder of the data has runs/ beside them.

They are known by marks in their files, since other programs write a report.html too; and no folder
that holds images itself is one, so that no class is lost.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from mnistlab.data.readers.pixels import SUFFIXES
from mnistlab.own_pages import MARK, begins_with_one_of

PAGES = ("report.html", "profile.html")
BESIDE_RUNS = (".db", ".html", ".json", ".lock")  # a tracker's, pages that were named by the user
SEARCH = ("space.json", "recipe.json")  # of a search that has no page yet


def is_own(folder: Path) -> bool:
    """Whether it is a run, a study, an audit and the like, or holds nothing but such folders."""
    files, folders = _content(folder)
    if any(map(_is_image, files)):
        return False
    holds_outputs = bool(folders) and all(map(_is_output, folders))
    return _is_output(folder) or (holds_outputs and all(map(_may_lie_in_runs, files)))


def _content(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files and the folders in a folder, as far as the first image; none if unreadable."""
    files, folders = list[Path](), list[Path]()
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            (folders if entry.is_dir(follow_symlinks=False) else files).append(path)
            if files and _is_image(files[-1]):
                break
    return files, folders


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES


def _may_lie_in_runs(file: Path) -> bool:
    return file.name.startswith(".") or file.suffix in BESIDE_RUNS


def _is_output(folder: Path) -> bool:
    if any(map(_is_image, _content(folder)[0])):
        return False
    with contextlib.suppress(OSError):  # what cannot be read is not known as ours
        return (
            begins_with_one_of(folder / "env.json", (b'"mnistlab"',))
            or any(begins_with_one_of(folder / page, (MARK,)) for page in PAGES)
            or all((folder / name).is_file() for name in SEARCH)
        )
    return False
