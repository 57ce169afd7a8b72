"""Confidence intervals: for one model on one test set, and for a method over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

CONFIDENCE = 0.95
ROUNDING = 1e-9  # accuracies that differ by less differ by rounding alone


def wilson_interval(n_correct: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval of a proportion (Wilson 1927); ValueError unless 0 <= n_correct <= n and n > 0."""
    from scipy.stats import binomtest

    interval = binomtest(n_correct, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Mean and half-width of Student's interval over seeds; the half-width of one value is NaN."""
    from scipy.special import stdtrit

    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return mean, math.nan
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    return mean, float(stdtrit(n - 1, (1 + confidence) / 2)) * math.sqrt(variance / n)


def fraction_interval(
    fractions: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float, float]:
    """Mean over seeds of what lies between 0 and 1, such as accuracy or F1, and its interval.

    Student's interval on the scale of the mean's logit (delta method), whose ends stay between
    0 and 1. They are NaN for one value, and where all values are the same: without a spread
    there is nothing to tell a spread from.
    """
    from scipy.special import expit, logit

    mean, half_width = mean_interval(fractions, confidence)
    if len(fractions) == 1 or max(fractions) - min(fractions) < ROUNDING:
        return mean, math.nan, math.nan
    centre, half_width = logit(mean), half_width / (mean * (1 - mean))  # the logit's derivative
    return mean, float(expit(centre - half_width)), float(expit(centre + half_width))
