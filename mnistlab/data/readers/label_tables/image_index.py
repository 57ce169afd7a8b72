"""The images below a folder, found by any name that a table may use for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from mnistlab.data.dataset import SplitName
from mnistlab.data.readers.folders import split_folders
from mnistlab.data.readers.folders.left_out import is_image
from mnistlab.data.readers.spellings import composed

OUTSIDE = re.compile(r"/|[A-Za-z]:")  # /home/me, C:\
# Of servers, such as Label Studio's: only the end of such a path can be the name of a file here.
SERVED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|/data/upload/")
UPLOADED = re.compile("(.*/)[0-9a-f]{8}-([^/]+)")  # 3f2a1b9c-cat.png, as Label Studio calls cat.png
NUMBER = re.compile("[0-9]{1,18}")
BY_NUMBER = "by their numbers, as 7 with 007"
# Folders of pictures that belong to the images and are none: they yield where both match.
BESIDE = frozenset({"mask", "masks", "trimap", "trimaps", "segmentation", "segmentations"})


class Match(NamedTuple):
    """Images that a name may mean. how: what differs between name and file; empty for nothing."""

    files: list[Path]
    how: str = ""


NOTHING = Match([])


class Index:
    """The images of a set, by every name that a table may use for them.

    Names are compared in one Unicode form (NFC): macOS unpacks names in another than tables have.
    """

    def __init__(self, root: Path, files: Sequence[Path]) -> None:
        self.root = root
        start = len(root.as_posix().rstrip("/")) + 1 if root != Path() else 0
        self.exact = {composed(file.as_posix()[start:]): file for file in files}
        self.ends: dict[str, list[Path]] = {}
        for name, file in self.exact.items():
            bare, _, suffix = name.rpartition(".")
            if "/" in suffix:
                bare = name
            place = 0
            while place >= 0:
                self.ends.setdefault(name[place:], []).append(file)
                if place < len(bare):
                    self.ends.setdefault(bare[place:], []).append(file)
                place = name.find("/", place) + 1 or -1

    @cached_property
    def folded(self) -> dict[str, list[Path]]:
        """As `ends`, for names in any case."""
        found: dict[str, list[Path]] = {}
        for name, files in self.ends.items():
            found.setdefault(name.casefold(), []).extend(files)
        return found

    @cached_property
    def numbered(self) -> dict[int, list[Path]]:
        """As `ends`, for names that are numbers, without the zeros before them."""
        found: dict[int, list[Path]] = {}
        for name, files in self.ends.items():
            if NUMBER.fullmatch(name):
                found.setdefault(int(name), []).extend(files)
        return found

    def find(self, name: str, split: SplitName | None = None, base: Path | None = None) -> Match:
        """Images by their path below the folder or the end of it, with or without suffix.

        base: the folder of the table, below which a name is looked up first. A path from the root
        of the system that does not lead below the folder is one of another machine: it is matched
        by its longest end that is there, as a URL is, and nothing else is looked at. If several
        images match, only those in a folder of that split count. A name with another suffix, in
        another case or with other zeros before a number counts last.
        """
        name = composed(name)
        if not name or ".." in name.split("/"):
            return NOTHING
        if SERVED.match(name):
            found = self._by_end(name, split)
            return found if found.files else self._by_end(UPLOADED.sub(r"\1\2", name), split)
        if OUTSIDE.match(name):
            root = self.root.resolve()
            if not Path(name).is_relative_to(root):
                return self._by_end(name, split, first=0)
            name = Path(name).relative_to(root).as_posix()
        if base is not None and base != self.root:
            below = f"{composed(base.relative_to(self.root).as_posix())}/{name}"
            if known := self._known(below, split):
                return Match(known)
        if known := self._known(name, split):
            return Match(known)
        other = name.rpartition(".")[0] if is_image(Path(name)) else ""
        if other and (known := self._chosen(self.ends.get(other, []), split)):
            return Match(known, "with another ending")
        for called in filter(None, (name, other)):
            if known := self._chosen(self.folded.get(called.casefold(), []), split):
                return Match(known, "in another case")
            number = int(called) if NUMBER.fullmatch(called) else -1
            if known := self._chosen(self.numbered.get(number, []), split):
                return Match(known, BY_NUMBER)
        return NOTHING

    def _known(self, name: str, split: SplitName | None) -> list[Path]:
        found = self.ends.get(name, [])
        of_split = [file for file in found if split and self._split_above(file) == split]
        exact = self.exact.get(name)
        if exact is not None and (exact in of_split or not of_split):
            return [exact]
        return self._chosen(found, split)

    def _by_end(self, name: str, split: SplitName | None, first: int = 1) -> Match:
        """Images by the longest end of a path that is there. first: the step it begins with."""
        steps = [step for step in name.split("/") if step]
        for i in range(first, len(steps)):
            # train/1.png of another computer must not become test/1.png of this one.
            told = split_folders.told_by(steps[:i])
            found = self._known("/".join(steps[i:]), split or told)
            if told is not None:
                found = [f for f in found if self._split_above(f) in (None, told)]
            if found:
                return Match(found, "by the end of their paths")
        return NOTHING

    def _chosen(self, found: list[Path], split: SplitName | None) -> list[Path]:
        if len(found) > 1 and split is not None:
            found = [file for file in found if self._split_above(file) == split] or found
        if len(found) > 1:
            found = [file for file in found if not BESIDE & self._steps(file)] or found
        return found

    def _split_above(self, file: Path) -> SplitName | None:
        return split_folders.told_by(file.relative_to(self.root).parts[:-1])

    def _steps(self, file: Path) -> set[str]:
        return {step.casefold() for step in file.relative_to(self.root).parts[:-1]}
