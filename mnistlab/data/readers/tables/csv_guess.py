"""Which outer column of a table has the labels, where no name tells: all that might are compared.

Labels are whole numbers, repeat, and are never all the same. A column of pixels resembles its
neighbours, a column of labels does not; and images of one label are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.readers.tables.csv_cells import number
from mnistlab.data.readers.tables.csv_head import Sample

N_BESIDE = 4  # columns of pixels with which the first or last one is compared
CLEARLY = 0.25  # difference (Kolmogorov-Smirnov) above which a column is unlike its neighbours
EXPLAINS = 0.03  # of the variance of the pixels, beyond chance: what labels explain at least
TIMES_MORE = 3  # what labels explain, beside what any pixel does
FEWEST, FEWEST_EACH = 40, 4  # rows, and rows of each value, that tell what is explained


class Guess(NamedTuple):
    """Whether the last column (or the first) has the labels, and whether that may be wrong.

    is_doubtful: nothing speaks for the one rather than for the other.
    """

    is_last: bool
    may_be_wrong: bool = False
    is_doubtful: bool = False


def guessed(rows: Sample, columns: Sequence[int], is_whole: bool = False) -> Guess | None:
    """Whether the labels are in the last of the columns or in the first.

    rows: of the beginning of the table, or, where it `is_whole`, from everywhere. None where only
    the whole table can tell: a column that is constant at its beginning may be sorted labels.
    """
    width = max(map(len, rows), default=0)
    whole = [row for row in rows if len(row) == width]
    n_beside = min(N_BESIDE, len(columns) - 2)
    if n_beside < 1 or columns[-1] >= width:
        return Guess(is_last=False)
    head = _numbers(whole, columns[: 1 + n_beside])
    tail = _numbers(whole, columns[: -2 - n_beside : -1])
    if np.isnan(head[:, 0]).any() or np.isnan(tail[:, 0]).any():  # texts are no pixels
        return Guess(is_last=not np.isnan(head[:, 0]).any())
    head_may, tail_may = _may_be_labels(head[:, 0]), _may_be_labels(tail[:, 0], n_each=2)
    head_is_one, tail_is_one = (len(np.unique(side[:, 0])) == 1 for side in (head, tail))
    of_head, of_tail = _difference(head), _difference(tail)
    if (head_is_one and (tail_is_one or tail_may)) or (tail_is_one and of_head <= CLEARLY):
        if not is_whole:
            return None
        if head_is_one and tail_is_one:  # images of one class, to be predicted
            return Guess(is_last=of_tail > of_head, may_be_wrong=True)
        return Guess(is_last=tail_may, may_be_wrong=not tail_may)
    if not tail_may:
        return Guess(is_last=False, may_be_wrong=not _may_be_labels(head[:, 0], n_each=2))
    if not head_may:
        return Guess(is_last=True)
    if abs(of_head - of_tail) > CLEARLY and min(of_head, of_tail) <= CLEARLY:
        return Guess(is_last=of_tail > of_head, may_be_wrong=True)
    return _by_the_images(whole, columns, (head[:, 0], tail[:, 0]), (of_head, of_tail))


def _by_the_images(
    rows: Sample,
    columns: Sequence[int],
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
    differences: tuple[float, float],
) -> Guess:
    """Of two columns that both might: the one whose values tell more of the images.

    Else, if both are unlike their neighbours, the one that is more so, or with fewer values.
    """
    pixels = _numbers(rows, columns[1:-1])
    of_head, of_tail = (_explained(pixels, labels) for labels in ends)
    if max(of_head, of_tail) > max(EXPLAINS, TIMES_MORE * min(of_head, of_tail)):
        return Guess(of_tail > of_head, may_be_wrong=True)
    if abs(differences[1] - differences[0]) > CLEARLY:
        return Guess(differences[1] > differences[0], may_be_wrong=True)
    n_head, n_tail = (len(np.unique(labels)) for labels in ends)
    if min(differences) <= CLEARLY:
        return Guess(is_last=False, may_be_wrong=True, is_doubtful=True)
    return Guess(n_tail < n_head, may_be_wrong=True, is_doubtful=n_tail == n_head)


def _may_be_labels(values: NDArray[np.float64], n_each: int = 1) -> bool:
    """Whether the values are whole, several, and occur so many times or more on average."""
    n = len(np.unique(values))
    return not (values % 1).any() and n > 1 and n_each * n <= len(values)


def _numbers(rows: Sample, columns: Sequence[int]) -> NDArray[np.float64]:
    values = [[number(row[i]) for i in columns] for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(rows), len(columns))


def _difference(columns: NDArray[np.float64]) -> float:
    """Between the first column and the others: the Kolmogorov-Smirnov statistic, in 0..1."""
    one, others = np.sort(columns[:, 0]), np.sort(columns[:, 1:], axis=None)
    every = np.concatenate([one, others])
    below = (np.searchsorted(s, every, side="right") / len(s) for s in (one, others))
    return float(np.abs(next(below) - next(below)).max())


def _explained(pixels: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """The fraction of the variance of the pixels (N, D) between labels (N,), beyond chance.

    Epsilon squared (Kelley 1935): what as many labels explain by chance is subtracted. 0 where the
    rows are too few to tell.
    """
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    n, k = len(labels), len(counts)
    if n < max(FEWEST, FEWEST_EACH * k):
        return 0.0
    known = np.nan_to_num(pixels)
    sums = np.zeros((k, known.shape[1]))
    np.add.at(sums, codes, known)
    total = float(((known - known.mean(0)) ** 2).sum())
    within = total - float(((sums / counts[:, None] - known.mean(0)) ** 2 * counts[:, None]).sum())
    return 0.0 if total == 0 else 1 - within / (n - k) * (n - 1) / total
