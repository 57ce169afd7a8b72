"""Columns of a table that are neither pixels nor labels: found by their names and their values.

They are left out where the rest makes an image, with a note; else an error names them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from mnistlab.data.readers.tables.csv_cells import number
from mnistlab.data.readers.tables.csv_head import LABEL_NAMES, Sample

PIXEL_NAME = re.compile(r"[a-z_. -]*[0-9]+([x_., -][0-9]+)?")
ANY_NUMBERED = re.compile(r"(?P<word>[^0-9]*)[0-9]+([^0-9]+[0-9]+)?")
FEWEST_ROWS = 12  # in which a column may be seen to count
FEWEST_DISTINCT = 30  # rows that all differ: IDs
MOST_HOT = 100  # classes whose labels are columns
MOST = 16  # columns that are left out
SHOWN = 4  # columns in a message
FEWEST_TO_ONE = 10  # columns called alike, to one that is not


def unlike_pixels(names: Sequence[str], among: Sequence[int]) -> list[int]:
    """The columns whose names are not of the form that most of the others have."""
    folded = {i: names[i].casefold() for i in among}
    matches = {i: ANY_NUMBERED.fullmatch(name) for i, name in folded.items()}
    words = Counter(match["word"] for match in matches.values() if match)
    word, n = words.most_common(1)[0] if words else ("", 0)
    if 2 * n > len(among):
        return [i for i, match in matches.items() if match is None or match["word"] != word]
    return [i for i, name in folded.items() if not PIXEL_NAME.fullmatch(name)]


def rarely_named(names: Sequence[str], among: Sequence[int]) -> list[int]:
    """The few columns that are not called like nearly all others, nor like any pixel."""
    odd = unlike_pixels(names, among)
    if FEWEST_TO_ONE * len(odd) > len(among):
        return []
    return [i for i in odd if not PIXEL_NAME.fullmatch(names[i].casefold())]


def counts_rows(cells: Sequence[str], fewest: int = FEWEST_ROWS) -> bool:
    """Whether the cells of the first rows go 0, 1, 2, ... or 1, 2, 3, ..."""
    n = len(cells)
    numbers = [number(cell) for cell in cells]
    return n >= fewest and numbers in (list(range(n)), list(range(1, n + 1)))


def are_ids(cells: Sequence[str]) -> bool:
    """Whether all cells differ, and are whole numbers or texts."""
    numbers = [number(cell) for cell in cells]
    is_whole = all(value is None or value % 1 == 0 for value in numbers)
    return is_whole and len(cells) >= FEWEST_DISTINCT and len(set(cells)) == len(cells)


def column(rows: Sample, i: int, width: int) -> list[str]:
    """The cells of a column, of the rows that have all their cells."""
    return [row[i].strip() for row in rows if len(row) == width]


def index_at_an_end(first: Sample, rows: Sample, among: Sequence[int], width: int) -> int | None:
    """The first or last of the columns if it counts or numbers the rows; None if neither does."""
    for i in (among[0], among[-1]):
        if counts_rows(column(first, i, width)):
            return i
    for i in (among[0], among[-1]):
        if are_ids(column(rows, i, width)):
            return i
    return None


def left_out(
    names: Sequence[str], among: Sequence[int], fits: Callable[[int], bool]
) -> tuple[int, ...]:
    """The columns without which the others make an image; none where there are no such."""
    odd = unlike_pixels(names, among)
    others = [i for i in odd if names[i].casefold() in LABEL_NAMES]
    for some in (odd, others):
        if some and len(some) <= MOST and fits(len(among) - len(some)):
            return tuple(some)
    return ()


def suspects(
    names: Sequence[str], among: Sequence[int], first: Sample, rows: Sample, has_header: bool
) -> str:
    """Which columns do not look like pixels, and why; empty where none is suspicious.

    first: rows from the beginning, in order; rows: others as well.
    """
    odd = unlike_pixels(names, among) if has_header else []
    odd = odd if len(odd) <= MOST and 2 * len(odd) < len(among) else []
    outer, said = {*among[:2], *among[-2:]}, []
    for i in among:
        cells = column(rows, i, len(names))
        why = _why(column(first, i, len(names)), cells, i in odd, i in outer)
        if why:
            said.append(f"{names[i]!r} ({why})" if has_header else f"{names[i]} ({why})")
    if not has_header and (n_hot := _one_hot_at_the_end(rows, len(names))) is not None:
        return f"the last {n_hot} columns, which are one-hot labels"
    if not said:
        return ""
    more = f" and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
    return f"column{'s' * (len(said) > 1)} {', '.join(said[:SHOWN])}{more}"


def are_one_hot(columns: Sequence[Sequence[str]]) -> bool:
    """Whether one of several columns is 1 in every row, and the others are 0."""
    rows = [[number(cell) for cell in row] for row in zip(*columns, strict=True)]
    return len(columns) > 1 and all({*row} == {0, 1} and row.count(1) == 1 for row in rows)


def _one_hot_at_the_end(rows: Sample, width: int) -> int | None:
    """How many columns at the end are one-hot labels; None where they are not."""
    last = [column(rows, i, width) for i in range(max(0, width - MOST_HOT), width)]
    if not last or not last[0] or not {number(cell) for cell in last[-1]} <= {0, 1}:
        return None
    counts = range(2, len(last))
    return next((n for n in counts if are_one_hot(last[-n:])), None)


def _why(first: Sequence[str], cells: Sequence[str], is_odd: bool, is_outer: bool) -> str:
    """Why a column is no pixel; empty where nothing tells."""
    if counts_rows(first):
        return "it counts the rows"
    numbers = [number(cell) for cell in cells]
    for cell, value in zip(cells, numbers, strict=True):
        if value is None and cell:
            return f"such as {cell[:20]!r}"
    known = [value for value in numbers if value is not None]
    highest = max(known, default=0)
    if highest > 255 and (is_odd or is_outer):
        return "different in every row" if are_ids(cells) else f"up to {highest:g}"
    is_constant = len(set(cells)) == 1 and len(cells) >= FEWEST_ROWS
    if is_constant and highest and (is_odd or is_outer):
        return f"always {cells[0][:20]}"
    return "by its name" if is_odd else ""
