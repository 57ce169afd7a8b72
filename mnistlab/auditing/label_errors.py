"""Which labels are likely wrong: confident learning (Northcutt, Jiang and Chuang 2021).

A classifier that has not seen an image says how probable each class is. A class is confident
where it is at least as probable as it is on average for the images labelled so (eq. 2 of the
paper); a label is likely wrong where another class is confident and more probable than the label's
own. The tests compare every step with cleanlab, the authors' library. Nothing here imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import RecipeError
from mnistlab.evaluation.probabilities import Labels, Probabilities

Ranking = Literal["self_confidence", "normalized_margin"]  # as cleanlab calls them

ROUNDING = 1e-6  # probabilities so close count as equal; cleanlab's value too


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """What is known of the labels of N images of K classes.

    is_likely (N,): the label is likely wrong. suggested (N,): the most probable class, often the
    given one. quality (N,): 0 to 1, low for a label that fits badly. With ranking
    "self_confidence" it is the probability of the given class, with "normalized_margin"
    (1 + margin) / 2, the margin being that probability minus the largest of the other classes.
    """

    is_likely: NDArray[np.bool_]
    suggested: NDArray[np.int64]
    quality: NDArray[np.float64]
    ranking: Ranking

    @property
    def order(self) -> NDArray[np.intp]:
        """All images, the worst label first; those likely wrong come before all others."""
        return np.lexsort((self.quality, ~self.is_likely))


def check_ranking(ranking: str) -> None:
    """RecipeError for an unknown ranking."""
    if ranking not in get_args(Ranking):
        known = ", ".join(get_args(Ranking))
        raise RecipeError(f"unknown ranking {ranking!r}; there are: {known}")


def find_label_errors(
    labels: Labels, probabilities: Probabilities, ranking: Ranking = "self_confidence"
) -> LabelErrors:
    """The labels (N,) that out-of-fold probabilities (N, K) speak against.

    No image's probabilities may come from a classifier trained on it. Raises RecipeError as
    `check_ranking` does.
    """
    check_ranking(ranking)
    p = np.asarray(probabilities, dtype=np.float64)
    quality = label_quality(labels, p, ranking)
    return LabelErrors(_unlike_confident(labels, p), p.argmax(1), quality, ranking)


def label_quality(
    labels: Labels, probabilities: Probabilities, ranking: Ranking = "self_confidence"
) -> NDArray[np.float64]:
    """How well each label fits, (N,), 0 to 1; see LabelErrors."""
    p, rows = np.asarray(probabilities, dtype=np.float64), np.arange(len(labels))
    own = p[rows, labels]
    if ranking == "self_confidence":
        return np.asarray(own)
    others = p.copy()
    others[rows, labels] = -np.inf
    return np.asarray((own - others.max(1) + 1) / 2)


def class_thresholds(labels: Labels, probabilities: Probabilities) -> NDArray[np.float64]:
    """The mean probability of each class over the images labelled so, (K,).

    Infinite for a class that no image is labelled as: it is never confident.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    n_classes = p.shape[1]
    n = np.bincount(labels, minlength=n_classes)
    sums = np.bincount(labels, p[np.arange(len(labels)), labels], n_classes)
    return np.asarray(np.divide(sums, n, out=np.full(n_classes, np.inf), where=n > 0))


def confident_classes(labels: Labels, probabilities: Probabilities) -> NDArray[np.int64]:
    """The class each image is confidently of, (N,), -1 for none.

    Where several classes are confident it is the most probable one of all, as cleanlab has it;
    the paper would have the most probable of the confident ones (eq. 1), which is nearly always
    the same.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    is_confident = p >= class_thresholds(labels, p) - ROUNDING
    n_confident = is_confident.sum(1)
    found = np.where(n_confident > 1, p.argmax(1), is_confident.argmax(1))
    return np.where(n_confident > 0, found, -1)


def confident_joint(labels: Labels, probabilities: Probabilities) -> NDArray[np.int64]:
    """How many images are labelled i and confidently of class j, (K, K)."""
    found, n_classes = confident_classes(labels, probabilities), np.shape(probabilities)[1]
    joint = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(joint, (labels[found >= 0], found[found >= 0]), 1)
    return joint


def _unlike_confident(labels: Labels, p: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Off the diagonal of the confident joint, unless the label is the most probable class."""
    found = confident_classes(labels, p)
    own = p[np.arange(len(labels)), labels]
    return np.asarray((found >= 0) & (found != labels) & (own + ROUNDING < p.max(1)))
