"""A column whose cells hold all pixels of an image, as in FER2013: "70 80 82 ..."."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import NamedTuple

FEWEST = 9  # numbers in one cell
SEPARATORS = re.compile(r"[\s,;|\[\]()]+")
PIXELS = re.compile(r"[\s\[(]*[0-9.eE+-]+([\s,;|()\[\]]+[0-9.eE+-]+)+[\s\])]*")


class Strings(NamedTuple):
    """The position of such a column, and how many pixels its first cell holds."""

    column: int
    n_pixels: int


def find(row: Sequence[str]) -> list[Strings]:
    """The columns of strings of pixels, by the cells of the first row below the header."""
    return [
        Strings(i, len(_numbers(cell)))
        for i, cell in enumerate(row)
        if PIXELS.fullmatch(cell) and len(_numbers(cell)) >= FEWEST
    ]


def widened(names: Sequence[str], strings: Strings) -> tuple[str, ...]:
    """The names of the columns where each pixel has one."""
    name = names[strings.column]
    of_pixels = [f"{name} {i}" for i in range(1, strings.n_pixels + 1)]
    return (*names[: strings.column], *of_pixels, *names[strings.column + 1 :])


def widen(block: bytes, delimiter: str, strings: Strings) -> bytes:
    """The rows of a block with a cell per pixel; what cannot be parsed stays as it is."""
    try:
        rows = list(csv.reader(io.StringIO(block.decode(), newline=""), delimiter=delimiter))
    except (UnicodeDecodeError, csv.Error):
        return block  # the parser of wide rows names the row
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    i = strings.column
    for row in rows:
        writer.writerow([*row[:i], *_numbers(row[i]), *row[i + 1 :]] if len(row) > i else row)
    return text.getvalue().encode()


def _numbers(cell: str) -> list[str]:
    return [number for number in SEPARATORS.split(cell) if number]
