"""Which labels are likely wrong: confident learning (Northcutt, Jiang and Chuang 2021).

A classifier that has not seen an image says how probable each class is. A class is confident
where it is at least as probable as it is on average for the images labelled so (eq. 2 of the
paper); a label is likely wrong where another class is confident and more probable than the label's
own. The same can be had from cleanlab, with the extra `audit`. Nothing here imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import RecipeError
from mnistlab.evaluation.probabilities import Labels, Probabilities

Engine = Literal["own", "cleanlab"]
Ranking = Literal["self_confidence", "normalized_margin"]  # as cleanlab calls them

ROUNDING = 1e-6  # probabilities so close count as equal; cleanlab's value too


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """What is known of the labels of N images of K classes.

    is_likely (N,): the label is likely wrong. suggested (N,): the most probable class, which is
    the given one where nothing speaks against it. quality (N,): 0 to 1, low where the label fits
    badly: the probability of the given class, or (1 + margin) / 2, its margin being that
    probability less the largest other. engine: who found them.
    """

    is_likely: NDArray[np.bool_]
    suggested: NDArray[np.int64]
    quality: NDArray[np.float64]
    ranking: Ranking
    engine: Engine

    @property
    def order(self) -> NDArray[np.intp]:
        """All images, the worst label first; those likely wrong come before all others."""
        return np.lexsort((self.quality, ~self.is_likely))


def check_settings(ranking: str, engine: str) -> None:
    """RecipeError for an unknown ranking or engine, or for cleanlab where it is not installed."""
    for name, value, there in (("ranking", ranking, Ranking), ("engine", engine, Engine)):
        if value not in get_args(there):
            known = ", ".join(get_args(there))
            raise RecipeError(f"unknown {name} {value!r}; there are: {known}")
    if engine == "cleanlab" and installed_engine() != "cleanlab":
        raise RecipeError("cleanlab is not installed; pip install 'mnistlab[audit]'")


def installed_engine() -> Engine:
    """cleanlab where it is installed, else the project's own; both find the same."""
    try:
        return "cleanlab" if find_spec("cleanlab") else "own"
    except ValueError:  # a module of that name that was not imported from anywhere
        return "own"


def find_label_errors(
    labels: Labels,
    probabilities: Probabilities,
    *,
    ranking: Ranking = "self_confidence",
    engine: Engine = "own",
) -> LabelErrors:
    """The labels (N,) that out-of-fold probabilities (N, K) speak against.

    No image's probabilities may come from a classifier trained on it. Raises RecipeError as
    `check_settings` does.
    """
    check_settings(ranking, engine)
    p = np.asarray(probabilities, dtype=np.float64)
    if engine == "cleanlab":
        is_likely, quality = _by_cleanlab(labels, p, ranking)
    else:
        is_likely, quality = _unlike_confident(labels, p), label_quality(labels, p, ranking)
    return LabelErrors(is_likely, p.argmax(1), quality, ranking, engine)


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


def _by_cleanlab(
    labels: Labels, p: NDArray[np.float64], ranking: Ranking
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    is_likely = find_label_issues(labels, p, filter_by="confident_learning", n_jobs=1)
    return is_likely, get_label_quality_scores(labels, p, method=ranking)
