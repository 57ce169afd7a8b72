"""Solutions of chapter 10: intervals, a test of a difference, and metrics per class."""

from __future__ import annotations

from math import comb, sqrt

import numpy as np


def wilson_interval(n_correct: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of an accuracy that was measured on n images."""
    accuracy = n_correct / n
    middle = (accuracy + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * sqrt(accuracy * (1 - accuracy) / n + z**2 / (4 * n**2))
    return middle - half, middle + half


def mcnemar(is_correct_a: np.ndarray, is_correct_b: np.ndarray) -> float:
    """The exact p-value of "both models are equally good", from the images where they differ."""
    only_a = int((is_correct_a & ~is_correct_b).sum())
    only_b = int((~is_correct_a & is_correct_b).sum())
    n, fewer = only_a + only_b, min(only_a, only_b)
    one_side = sum(comb(n, k) for k in range(fewer + 1)) / 2**n
    return min(1.0, 2 * one_side)


def confusion_matrix(y_true: np.ndarray, y_pred: np.ndarray, n_classes: int) -> np.ndarray:
    """Counts (K, K): row is the true class, column the predicted one."""
    counts = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(counts, (y_true, y_pred), 1)
    return counts


def precision_recall_f1(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three values per class; 0 where a class was never predicted."""
    correct = np.diag(confusion)
    predicted, true = confusion.sum(axis=0), confusion.sum(axis=1)
    precision = correct / np.maximum(predicted, 1)
    recall = correct / np.maximum(true, 1)
    f1 = 2 * correct / np.maximum(predicted + true, 1)
    return precision, recall, f1
