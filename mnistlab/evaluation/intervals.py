"""Confidence intervals: for one model on one test set, and for a method over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

CONFIDENCE = 0.95
ROUNDING = 1e-9  # accuracies that differ by less differ by rounding alone


def wilson_interval(n_correct: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval of a proportion (Wilson 1927); ValueError unless 0 <= n_correct <= n and n > 0."""
    if not 0 <= n_correct <= n or n <= 0:
        raise ValueError(f"{n_correct} of {n} images cannot be correct")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p, shrunk = n_correct / n, 1 / (1 + z * z / n)
    centre = shrunk * (p + z * z / (2 * n))
    half_width = shrunk * z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # Rounding aside, the interval of none begins at 0 and that of all ends at 1.
    low = centre - half_width if n_correct else 0.0
    high = centre + half_width if n_correct < n else 1.0
    return low, high


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
