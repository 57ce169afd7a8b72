"""What is not read from a folder: counted and reported in one line, junk of systems aside."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mnistlab.data.notes import note
from mnistlab.data.readers.folders.outputs import is_own
from mnistlab.data.readers.pixels import SUFFIXES
from mnistlab.errors import DataError, reason

# Files that systems and file servers create; those that begin with a dot are junk as well.
JUNK = frozenset(
    {"__macosx", "__pycache__", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"}
)
SUFFIXES_SHOWN = 5
# Files that are not read and may have the labels of images: by their endings, or by a word.
SPREADSHEETS = frozenset({".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".numbers"})
OTHER_TABLES = frozenset({".mat", ".xml", ".rda", ".rds", ".sav", ".dta", ".db", ".sqlite"})
# Texts about the set, and tables that were looked at whatever they are called.
NO_TABLES = frozenset(
    {
        *(".md", ".rst", ".py", ".ipynb", ".html", ".csv", ".tsv", ".tab", ".txt", ".lst", ".list"),
        *(".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".parquet", ".pq", ".pbtxt", ".data"),
    }
)
# Photographs that are not read, such as an iPhone's: to be converted.
PHOTOGRAPHS = frozenset({".heic", ".heif", ".avif", ".jxl", ".dng"})
LABEL_WORD = re.compile(r"label|target|annotation|ground[-_ ]?truth|classes|diagnos", re.IGNORECASE)
TABLES_SHOWN = 3


class Listed(NamedTuple):
    """The content of a folder, sorted by name: images, other files, folders."""

    images: list[Path]
    others: list[Path]
    folders: list[Path]


def listed(folder: Path) -> Listed:
    """The content without junk and runs of mnistlab; DataError where it cannot be read."""
    found = Listed([], [], [])
    try:
        with os.scandir(folder) as entries:
            seen = sorted((e for e in entries if not is_junk(e.name)), key=lambda e: e.name)
        for entry in seen:
            path = folder / entry.name
            # A link may lead nowhere, or round in circles: then it is no folder.
            if path.is_dir() if entry.is_symlink() else entry.is_dir():
                if not is_own(path):
                    found.folders.append(path)
            else:
                (found.images if is_image(path) else found.others).append(path)
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {reason(error)}") from error
    return found


def is_junk(name: str) -> bool:
    """Whether a file or folder of that name is hidden or made by the system, not by the user."""
    return name.startswith(".") or name.casefold() in JUNK


def below(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Each folder, itself first, with the names of its files; without junk and runs."""
    for root, folders, names in os.walk(folder):
        folders[:] = [n for n in folders if not is_junk(n) and not is_own(Path(root, n))]
        yield Path(root), [name for name in names if not is_junk(name)]


def is_image(path: Path) -> bool:
    """Whether it is called like an image; when it is read, its content decides."""
    return path.suffix.lower() in SUFFIXES


def is_table(path: Path) -> bool:
    """Whether it is called like a table that may hold the labels of images."""
    return path.suffix.lower() in (".csv", ".tsv")


def may_have_labels(path: Path) -> bool:
    """Whether it is a file of a kind that is not read here, but may list the labels of images."""
    suffix = path.suffix.lower()
    if suffix in SPREADSHEETS | OTHER_TABLES:
        return not path.name.startswith("~$")
    return suffix not in NO_TABLES and LABEL_WORD.search(path.stem) is not None


def how_to_convert(path: Path) -> str:
    """What to do with such a file, if it has the labels."""
    if path.suffix.lower() in SPREADSHEETS:
        return f"pandas.read_excel({path.name!a}).to_csv('labels.csv', index=False)"
    return "write labels.csv (filename,label)"


class LeftOut:
    """Counts the files of a data set that are not read, by reason.

    tables: files among them that may have the labels of the images.
    """

    def __init__(self) -> None:
        self.images: Counter[str] = Counter()
        self.suffixes: Counter[str] = Counter()
        self.tables: list[Path] = []

    def add_images(self, n: int, where: str) -> None:
        """Count n images; where: such as "beside the class folders"."""
        self.images[where] += n

    def add_others(self, files: list[Path]) -> None:
        """Count files that are not called like images."""
        self.suffixes.update(file.suffix.lower() or "no ending" for file in files)
        self.tables += filter(may_have_labels, files)

    def add_below(self, folder: Path, where: str) -> int:
        """Count everything below a folder, links aside, and return the number of images."""
        n_images = 0
        for root, names in below(folder):
            files = [root / name for name in names]
            n_images += sum(map(is_image, files))
            self.add_others([file for file in files if not is_image(file)])
        self.add_images(n_images, where)
        return n_images

    def add(self, other: LeftOut) -> None:
        """Add the counts of another one."""
        self.images += other.images
        self.suffixes += other.suffixes
        self.tables += other.tables

    def words(self) -> str:
        """All counts in a few words; empty where nothing was left out."""
        said = []
        if n := self.suffixes.total():
            most = sorted(+self.suffixes, key=lambda kind: (-self.suffixes[kind], kind))
            kinds = most[:SUFFIXES_SHOWN]
            more = ", ..." if len(most) > SUFFIXES_SHOWN else ""
            photographs = [kind for kind in most if kind in PHOTOGRAPHS]
            convert = f"; convert {', '.join(photographs)} to JPEG" if photographs else ""
            other = f"{', '.join(kinds)}{more}{convert}"
            said.append(f"{n} file{'s' * (n > 1)} of other kinds ({other})")
        for where, n in self.images.items():
            if n:
                said.append(f"{n} image{'s' * (n > 1)} {where}")
        return ", ".join(said)

    def say(self, where: str) -> None:
        """Write one note for the whole data set, if anything was left out.

        Another one says of which files the labels would have been overlooked.
        """
        if words := self.words():
            note(f"{where}: left out: {words}")
        if tables := sorted(self.tables):
            names = ", ".join(path.name for path in tables[:TABLES_SHOWN])
            more = f" and {len(tables) - TABLES_SHOWN} more" if len(tables) > TABLES_SHOWN else ""
            note(
                f"{where}: no labels are taken from {names}{more}, which cannot be read as a table "
                f"here; if the true labels are there: {how_to_convert(tables[0])}"
            )
