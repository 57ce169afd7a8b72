"""Of two classes: from which probability on an image is predicted to be of the second."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_threshold(is_positive: NDArray[np.bool_], probability: NDArray[np.floating]) -> float:
    """The probability from which on "positive" is predicted, for the highest balanced accuracy.

    is_positive (N,): which images are; probability (N,): that each is, 0 to 1. To be chosen on
    validation images. It is the middle between two probabilities that occur, 0 and 1 beside them;
    of equally good ones that nearest to 0.5, and of these the lower. 0.5 where all images are of
    one class: nothing can be chosen then. Raises ValueError for what is no probability.
    """
    is_positive, p = np.asarray(is_positive, dtype=bool), np.asarray(probability, dtype=np.float64)
    if is_positive.shape != p.shape or p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(
            f"needs a probability of each image, got {p.shape} for {is_positive.shape}"
        )
    n_positive = int(is_positive.sum())
    n_negative = len(p) - n_positive
    if not n_positive or not n_negative:
        return 0.5
    values, place = np.unique(p, return_inverse=True)
    # Below each value lie so many positives, which are missed, and negatives, which are right.
    n_missed = np.cumsum(np.bincount(place, is_positive)) - np.bincount(place, is_positive)
    n_rejected = np.cumsum(np.bincount(place, ~is_positive)) - np.bincount(place, ~is_positive)
    # Whole numbers, so that what is equal compares equal. Everything rejected is as good as
    # everything accepted, which is the first of these.
    score = (n_positive - n_missed) * n_negative + n_rejected * n_positive
    below = np.concatenate([[0.0], values[:-1]])
    middle = (below + values) / 2
    middle = np.where(middle > below, middle, values)  # between neighbouring floats there is none
    best = np.flatnonzero(score == score.max())
    return float(middle[best[np.argmin(np.abs(middle[best] - 0.5))]])
