"""What of a folder is not read: counted, and said in one line; junk of operating systems apart."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from mnistlab.data.notes import note
from mnistlab.data.readers.pixels import SUFFIXES
from mnistlab.errors import DataError, reason

# What systems and file servers put among a user's files; what begins with a dot besides.
JUNK = frozenset(
    {"__macosx", "__pycache__", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"}
)
SUFFIXES_SHOWN = 5


class Listed(NamedTuple):
    """What a folder holds, each in the order of the names: images, other files, folders."""

    images: list[Path]
    others: list[Path]
    folders: list[Path]


def listed(folder: Path) -> Listed:
    """What is to be seen in a folder; DataError where it cannot be read."""
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
    """Whether a file or folder of that name is none of the user's: hidden, or of a system."""
    return name.startswith(".") or name.casefold() in JUNK


def is_image(path: Path) -> bool:
    """By its name; its content decides when it is read."""
    return path.suffix.lower() in SUFFIXES


def is_table(path: Path) -> bool:
    """By its name: a table that may hold the labels of images."""
    return path.suffix.lower() in (".csv", ".tsv")


class LeftOut:
    """Files of one data set that are not read, by the reason."""

    def __init__(self) -> None:
        self.images: Counter[str] = Counter()
        self.suffixes: Counter[str] = Counter()

    def add_images(self, n: int, where: str) -> None:
        """So many images; where: "beside the class folders"."""
        self.images[where] += n

    def add_others(self, files: list[Path]) -> None:
        """Files that are no images by their names."""
        self.suffixes.update(file.suffix.lower() or "no ending" for file in files)

    def add_below(self, folder: Path, where: str) -> int:
        """All of a folder, and of folders in it; how many images. Links are not followed."""
        n_images = 0
        for root, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if not is_junk(name)]
            files = [Path(root, name) for name in names if not is_junk(name)]
            n_images += sum(map(is_image, files))
            self.add_others([file for file in files if not is_image(file)])
        self.add_images(n_images, where)
        return n_images

    def add(self, other: LeftOut) -> None:
        """All that another one counted."""
        self.images += other.images
        self.suffixes += other.suffixes

    def words(self) -> str:
        """All of it in a few words, empty where nothing was left out."""
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
        """One note for the whole data set, if anything was left out."""
        if words := self.words():
            note(f"{where}: left out: {words}")
