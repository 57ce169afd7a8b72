"""A first row of numbers that a program took for column names, and renamed where they recur.

A table without header that was opened as if it had one, and saved again, has its first image as
column names: 5, 0, 0.1, 0.2, 255, 255.1 where the image has 5, 0, 0, 0, 255, 255. pandas writes
0.1, R X0.1, polars 0_duplicated_0, Excel's queries 0_1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mnistlab.data.readers.tables.csv_cells import number

RENAMED = re.compile(r"(?P<value>.+?)(?P<mark>_duplicated_|[._])(?P<count>[0-9]{1,9})")
FEWEST = 3  # renamed cells


def restored(
    cells: Sequence[str], others: Callable[[], Sequence[Sequence[str]]]
) -> list[str] | None:
    """The numbers of the first row before they were renamed; None where they were not.

    cells: of the first row, one of which may be a text (a label). others: gives further rows, which
    tell a renamed 0 (0.1) from the fraction 0.1.
    """
    names = [cell.strip() for cell in cells]
    if len(set(names)) < len(names):
        return None
    bare = _without_x(names)
    found: list[str] = []
    seen: dict[str, int] = {}
    texts = n_renamed = 0
    is_certain = False
    for name in bare:
        value = _value_of(name, seen)
        if value is None:
            texts += 1
            found.append(name)
            continue
        seen[value] = seen.get(value, 0) + 1
        if value != name:
            n_renamed += 1
            is_certain = is_certain or number(name) is None or name.endswith(".10")
        found.append(value)
    if texts > 1 or n_renamed < FEWEST:
        return None
    return found if is_certain or not _have_fractions(others()) else None


def _without_x(names: Sequence[str]) -> list[str]:
    """R puts an X before names that begin with a digit."""
    with_x = [bool(re.match("X[0-9]", name)) for name in names]
    return [
        name[1:] if is_x and sum(with_x) >= len(names) - 1 else name
        for name, is_x in zip(names, with_x, strict=True)
    ]


def _value_of(name: str, seen: dict[str, int]) -> str | None:
    """The number that a cell held before; None for a text."""
    match = RENAMED.fullmatch(name)
    if match and match["value"] in seen and number(match["value"]) is not None:
        n_before = seen[match["value"]] - (match["mark"] == "_duplicated_")  # polars counts from 0
        if match["count"] == str(n_before):
            return match["value"]
    return None if number(name) is None else name


def _have_fractions(rows: Sequence[Sequence[str]]) -> bool:
    numbers = (number(cell) for row in rows for cell in row)
    return any(value is not None and value % 1 for value in numbers)
