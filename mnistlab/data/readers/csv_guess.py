"""Which outer column of a table has the labels, where no name tells: by the values beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.readers.csv_cells import number

N_BESIDE = 4  # columns of pixels with which the first or last one is compared
CLEARLY = 0.25  # difference (Kolmogorov-Smirnov) above which a column is unlike its neighbours

Sample = Sequence[Sequence[str]]


class Guess(NamedTuple):
    """Whether the last column (or the first) has the labels, and whether that may be wrong."""

    is_last: bool
    may_be_wrong: bool = False


def guessed(rows: Sample, first: int) -> Guess | None:
    """Whether the labels are in the last column or in `first`; None if they may be in both.

    A column of pixels resembles its neighbours, a column of labels does not. If both ends differ
    from their neighbours, the one with fewer distinct values has the labels.
    """
    width = max(map(len, rows), default=0)
    whole = [row for row in rows if len(row) == width]
    n_beside = min(N_BESIDE, width - first - 2)
    if n_beside < 1:
        return Guess(is_last=False)
    head = _numbers(whole, range(first, first + 1 + n_beside))
    tail = _numbers(whole, range(width - 1, width - 2 - n_beside, -1))
    if np.isnan(head[:, 0]).any() or np.isnan(tail[:, 0]).any():  # texts are no pixels
        return Guess(is_last=not np.isnan(head[:, 0]).any())
    n_head, n_tail = (len(np.unique(side[:, 0])) for side in (head, tail))
    if n_head == n_tail == 1:
        return None  # a table sorted by class, whose corners are dark
    if not _may_be_labels(tail[:, 0]):
        return Guess(is_last=False, may_be_wrong=not _may_be_labels(head[:, 0]))
    if (head[:, 0] % 1).any():
        return Guess(is_last=True)
    of_head, of_tail = _difference(head), _difference(tail)
    is_last = of_tail > of_head + CLEARLY
    if min(of_head, of_tail) > CLEARLY and abs(of_tail - of_head) <= CLEARLY and n_head > 1:
        is_last = n_tail < n_head
    return Guess(is_last, may_be_wrong=True)


def _may_be_labels(values: NDArray[np.float64]) -> bool:
    """Whether the values are whole and occur twice or more on average."""
    n = len(np.unique(values))
    return not (values % 1).any() and n > 1 and 2 * n <= len(values)


def _numbers(rows: Sample, columns: range) -> NDArray[np.float64]:
    values = [[number(row[i]) for i in columns] for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(rows), len(columns))


def _difference(columns: NDArray[np.float64]) -> float:
    """Between the first column and the others: the Kolmogorov-Smirnov statistic, in 0..1."""
    one, others = np.sort(columns[:, 0]), np.sort(columns[:, 1:], axis=None)
    every = np.concatenate([one, others])
    below = (np.searchsorted(s, every, side="right") / len(s) for s in (one, others))
    return float(np.abs(next(below) - next(below)).max())
