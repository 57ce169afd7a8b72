"""Solutions of chapter 5: cross-validation by hand, and the search for an SVM's C and gamma."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC


def k_fold_indices(n: int, n_folds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(training indices, validation indices) of every fold; folds in order, not shuffled."""
    everything = np.arange(n)
    folds = np.array_split(everything, n_folds)
    return [(np.setdiff1d(everything, fold), fold) for fold in folds]


def cross_validate(
    make_classifier: Callable[[], Any], X: np.ndarray, y: np.ndarray, n_folds: int = 5
) -> np.ndarray:
    """The validation accuracy of every fold, each of a new classifier."""
    accuracies = []
    for train, val in k_fold_indices(len(X), n_folds):
        classifier = make_classifier().fit(X[train], y[train])
        accuracies.append((classifier.predict(X[val]) == y[val]).mean())
    return np.array(accuracies)


def tune_svm(X: np.ndarray, y: np.ndarray) -> GridSearchCV:
    """The finished search over C and gamma, 3-fold, refitted on all images that it was given."""
    grid = {"C": [0.1, 1, 10], "gamma": ["scale", "auto", 0.01]}
    return GridSearchCV(SVC(kernel="rbf"), grid, cv=3).fit(X, y)
