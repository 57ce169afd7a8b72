"""What a file's labels mean: integers 0..K-1, or class names in alphabetical order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import DataError

# Kuzushiji-Kanji, the largest set of its kind, has 3,832. A damaged label must not name millions.
MAX_CLASSES = 10_000

Labels = tuple[NDArray[np.int64], tuple[str, ...]]


def from_integers(
    values: NDArray[Any], where: str, class_names: tuple[str, ...] | None = None
) -> Labels:
    """Check integer labels (N,) and name their classes "0".."K-1" if no names are given.

    Raises DataError naming `where` for a label outside the classes.
    """
    n_classes = MAX_CLASSES if class_names is None else len(class_names)
    wrong = np.flatnonzero((values < 0) | (values >= n_classes))
    if len(wrong):
        raise DataError(
            f"{where}: label {values[wrong[0]]} of image {wrong[0] + 1} "
            f"is out of range 0..{n_classes - 1}"
        )
    checked = values.astype(np.int64)
    return checked, class_names or numbered(checked)


def numbered(checked: NDArray[np.int64]) -> tuple[str, ...]:
    """Names "0".."K-1" for labels that have none, K being the highest plus one."""
    return tuple(str(k) for k in range(int(checked.max(initial=-1)) + 1))


def from_names(values: list[str], where: str) -> Labels:
    """Number class names in alphabetical order."""
    names, labels = np.unique(np.array(values, dtype=np.str_), return_inverse=True)
    if len(names) > MAX_CLASSES:
        raise DataError(f"{where}: {len(names)} classes are more than {MAX_CLASSES}")
    return labels.astype(np.int64), tuple(str(name) for name in names)
