"""The classification report: precision, recall and F1 of every class and on average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scores:
    """Precision, recall and F1; None where nothing was predicted or there is nothing to find."""

    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class ClassReport:
    """Scores by class, support and predicted (K,), and averages.

    support: images of each class. predicted: images predicted as each class. macro: every class
    alike, those without a score left out. weighted: by support.
    """

    by_class: tuple[Scores, ...]
    support: tuple[int, ...]
    predicted: tuple[int, ...]
    macro: Scores
    weighted: Scores


def class_report(confusion: NDArray[np.int64]) -> ClassReport:
    """The report of a confusion matrix (K, K), row true, column predicted.

    precision = right / predicted, recall = right / true, F1 = 2 right / (predicted + true).
    """
    right, true, predicted = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    columns = [_ratio(right, predicted), _ratio(right, true), _ratio(2 * right, predicted + true)]
    return ClassReport(
        by_class=tuple(Scores(*map(_or_none, row)) for row in np.transpose(columns)),
        support=tuple(int(n) for n in true),
        predicted=tuple(int(n) for n in predicted),
        macro=Scores(*(_average(column, np.ones(len(true))) for column in columns)),
        weighted=Scores(*(_average(column, true) for column in columns)),
    )


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    ratio = np.full(len(whole), np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio


def _average(values: NDArray[np.float64], weights: NDArray[Any]) -> float | None:
    known = ~np.isnan(values)
    total = float(weights[known].sum())
    return float(values[known] @ weights[known]) / total if total else None


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
