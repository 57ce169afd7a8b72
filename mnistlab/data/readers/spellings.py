"""Spellings of one class: the two Unicode forms of a name, and whole numbers however written.

macOS writes ä as a and two dots, Windows and Linux as one character; archives keep what they got.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from mnistlab.data.notes import note

# So many digits that a float holds them all: beyond, two labels could become one.
INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
DECIMAL = re.compile(r"[+-]?[0-9]{1,400}\.?[0-9]{0,400}([eE][+-]?[0-9]{1,3})?")
LARGEST_WHOLE = 10**15
SHOWN = 4


def composed(name: str) -> str:
    """The text in the Unicode form NFC."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def say_forms(names: Iterable[str], where: str) -> None:
    """Say which of these names are there in two forms of Unicode, and so are one class."""
    n_forms = Counter(map(composed, set(names)))
    if several := sorted(name for name, n in n_forms.items() if n > 1):
        note(f"{where}: {', '.join(several[:SHOWN])}: one name in two forms of Unicode, one class")


def whole(text: str) -> int | None:
    """The whole number that 5, 5.0, 5.0e+00 and 005 stand for; None for other texts."""
    if INTEGER.fullmatch(text):
        return int(text)
    if not DECIMAL.fullmatch(text):
        return None
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < LARGEST_WHOLE else None


def as_known(names: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Which of the known names each name means; without those that mean none.

    A name means itself, else its other Unicode form. If all names of both sides are whole numbers,
    01 also means 1, but not where both are on one side: there they are two classes.
    """
    forms = {composed(name): name for name in known}
    same = {name: name if name in known else forms.get(composed(name)) for name in names}
    here, there = _by_number(names), _by_number(known)
    of_number = {here[n]: there[n] for n in here if n in there}
    meant = {name: same[name] or of_number.get(name) for name in names}
    return {name: one for name, one in meant.items() if one is not None}


def _by_number(names: Sequence[str]) -> dict[int, str]:
    """The name of each number; none unless all names are whole numbers, each another one."""
    found = {number: name for name in names if (number := whole(name)) is not None}
    return found if len(found) == len(names) else {}
