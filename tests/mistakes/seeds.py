"""Seeded mistakes: small edits of right solutions, with the name each should be given."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "solutions"


class Seed(NamedTuple):
    """Replaces `old` by `new` in a solution. anchor: text of the line to be named, if not `new`."""

    mistake: str
    old: str
    new: str
    anchor: str | tuple[str, ...] = ""
    also: tuple[str, ...] = ()  # other mistakes that the edit brings about

    def edited(self, text: str) -> str:
        assert text.count(self.old) == 1, (self.mistake, self.old, text.count(self.old))
        return text.replace(self.old, self.new)

    def lines(self, text: str) -> set[int]:
        """Numbers of the lines that may be named, in the edited text."""
        edited = self.edited(text)
        if self.anchor:
            anchors = (self.anchor,) if isinstance(self.anchor, str) else self.anchor
            return {edited.count("\n", 0, edited.index(each)) + 1 for each in anchors}
        start = text.index(self.old)
        end = start + len(self.new.rstrip())
        start += len(self.new) - len(self.new.lstrip())
        return {*range(edited.count("\n", 0, start) + 1, edited.count("\n", 0, end) + 2)}


def solution(style: str) -> str:
    """The text of the right solution of a style."""
    return (FOLDER / f"{style}.py").read_text(encoding="utf-8")
