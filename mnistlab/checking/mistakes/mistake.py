"""What the catalogue says of one mistake."""

from __future__ import annotations

from typing import NamedTuple


class Mistake(NamedTuple):
    """says: one sentence. hints: of levels 2 and 3. equation: instead of the step's own.

    where: the hint of level 1, for mistakes that belong to no step of the network.
    """

    says: str
    hints: tuple[str, str]
    equation: str = ""
    where: str = ""


def entries(text: str) -> dict[str, Mistake]:
    """Mistakes from blocks of lines: name, what it says, two hints, then maybe `= equation` and
    `? where`. Blocks are apart by an empty line."""
    found = {}
    for block in text.strip().split("\n\n"):
        name, says, second, third, *rest = (line.strip() for line in block.split("\n"))
        marks = {line[0]: line[2:] for line in rest}
        assert name not in found, name
        found[name] = Mistake(says, (second, third), marks.get("=", ""), marks.get("?", ""))
    return found
