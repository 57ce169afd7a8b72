"""What is not read from a folder: counted and reported in one line, junk of systems aside."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from mnistlab.data.notes import note
from mnistlab.data.readers.pixels import SUFFIXES
from mnistlab.errors import DataError, reason

# Files that systems and file servers create; those that begin with a dot are junk as well.
JUNK = frozenset(
    {"__macosx", "__pycache__", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"}
)
SUFFIXES_SHOWN = 5


class Listed(NamedTuple):
    """The content of a folder, sorted by name: images, other files, folders."""

    images: list[Path]
    others: list[Path]
    folders: list[Path]


def listed(folder: Path) -> Listed:
    """The content of a folder without junk; DataError where it cannot be read."""
    found = Listed([], [], [])
    try:
        with os.scandir(folder) as entries:
            seen = sorted((e for e in entries if not is_junk(e.name)), key=lambda e: e.name)
        for entry in seen:
            path = folder / entry.name
            # A link may lead nowhere, or round in circles: then it is no folder.
            if path.is_dir() if entry.is_symlink() else entry.is_dir():
                found.folders.append(path)
            else:
                (found.images if is_image(path) else found.others).append(path)
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {reason(error)}") from error
    return found


def is_junk(name: str) -> bool:
    """Whether a file or folder of that name is hidden or made by the system, not by the user."""
    return name.startswith(".") or name.casefold() in JUNK


def is_image(path: Path) -> bool:
    """Whether it is called like an image; when it is read, its content decides."""
    return path.suffix.lower() in SUFFIXES


def is_table(path: Path) -> bool:
    """Whether it is called like a table that may hold the labels of images."""
    return path.suffix.lower() in (".csv", ".tsv")


class LeftOut:
    """Counts the files of a data set that are not read, by reason."""

    def __init__(self) -> None:
        self.images: Counter[str] = Counter()
        self.suffixes: Counter[str] = Counter()

    def add_images(self, n: int, where: str) -> None:
        """Count n images; where: such as "beside the class folders"."""
        self.images[where] += n

    def add_others(self, files: list[Path]) -> None:
        """Count files that are not called like images."""
        self.suffixes.update(file.suffix.lower() or "no ending" for file in files)

    def add_below(self, folder: Path, where: str) -> int:
        """Count everything below a folder, links aside, and return the number of images."""
        n_images = 0
        for root, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if not is_junk(name)]
            files = [Path(root, name) for name in names if not is_junk(name)]
            n_images += sum(map(is_image, files))
            self.add_others([file for file in files if not is_image(file)])
        self.add_images(n_images, where)
        return n_images

    def add(self, other: LeftOut) -> None:
        """Add the counts of another one."""
        self.images += other.images
        self.suffixes += other.suffixes

    def words(self) -> str:
        """All counts in a few words; empty where nothing was left out."""
        said = []
        if n := self.suffixes.total():
            most = sorted(+self.suffixes, key=lambda kind: (-self.suffixes[kind], kind))
            kinds = most[:SUFFIXES_SHOWN]
            more = ", ..." if len(most) > SUFFIXES_SHOWN else ""
            said.append(f"{n} file{'s' * (n > 1)} of other kinds ({', '.join(kinds)}{more})")
        for where, n in self.images.items():
            if n:
                said.append(f"{n} image{'s' * (n > 1)} {where}")
        return ", ".join(said)

    def say(self, where: str) -> None:
        """Write one note for the whole data set, if anything was left out."""
        if words := self.words():
            note(f"{where}: left out: {words}")
