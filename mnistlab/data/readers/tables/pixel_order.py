"""In which order columns of pixels make an image: as their names count, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

# pixel12, or 3x4: row and column; before the numbers one and the same word.
NAME = re.compile(
    r"(?P<word>.*?)(?P<first>[0-9]{1,9})(?:(?P<mark>[x_., -])(?P<second>[0-9]{1,9}))?"
)
# r3c4, row_3_col_4, y3x4, h3w4, and the other way round.
GRID = re.compile(
    r".*?(?<![a-z])(?P<one>rows?|r|y|h|columns?|cols?|c|x|w)[_ -]?(?P<first>[0-9]{1,9})[_.,; -]*"
    r"(?P<other>rows?|r|y|h|columns?|cols?|c|x|w)[_ -]?(?P<second>[0-9]{1,9})"
)
OF_ROWS = ("r", "y", "h")  # first letters of words that count rows


def pixel_order(names: Sequence[str]) -> list[int]:
    """Positions of the columns of those names in the order of their pixels.

    That of the file, unless the names are numbered and in disorder: sorted as texts, so that
    pixel10 comes before pixel2, or shuffled. Pairs of numbers may count by columns first; where
    words say which number is that of the row, the order is by rows.
    """
    in_file = list(range(len(names)))
    if (places := _places(names)) is not None:
        return sorted(in_file, key=places.__getitem__)
    found = [NAME.fullmatch(name.strip().casefold()) for name in names]
    matches = [match for match in found if match is not None]
    if len(matches) < len(names) or len({match["word"] for match in matches}) > 1:
        return in_file
    pairs = [(int(match["first"]), int(match["second"] or 0)) for match in matches]
    if len(set(pairs)) < len(pairs) or len({match["second"] is None for match in matches}) > 1:
        return in_file
    if {match["mark"] for match in matches} == {"."} and not _is_grid(pairs):
        return in_file  # 0.1 is a level that became a name, not row 0 and column 1
    if not any(match["mark"] or match["word"] for match in matches) and not _is_range(pairs):
        return in_file
    by_row = sorted(in_file, key=lambda i: pairs[i])
    by_column = sorted(in_file, key=lambda i: pairs[i][::-1])
    return in_file if by_column == in_file else by_row


def _places(names: Sequence[str]) -> list[tuple[int, int]] | None:
    """Row and column of each name; None unless words of all of them tell both."""
    places = []
    for name in names:
        match = GRID.fullmatch(name.strip().casefold())
        if match is None:
            return None
        first, second = int(match["first"]), int(match["second"])
        are_rows = [match[word].startswith(OF_ROWS) for word in ("one", "other")]
        if are_rows[0] == are_rows[1]:
            return None
        places.append((first, second) if are_rows[0] else (second, first))
    return places if len(set(places)) == len(places) > 0 else None


def _is_grid(pairs: Sequence[tuple[int, int]]) -> bool:
    """Whether every row occurs with every column, and columns are counted."""
    columns = {(0, column) for _, column in pairs}
    n_rows = len({row for row, _ in pairs})
    return n_rows * len(columns) == len(pairs) and _is_range([(c, 0) for _, c in sorted(columns)])


def _is_range(pairs: Sequence[tuple[int, int]]) -> bool:
    numbers = [number for number, _ in pairs]
    return not numbers or max(numbers) - min(numbers) + 1 == len(numbers)
