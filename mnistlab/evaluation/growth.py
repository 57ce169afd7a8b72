"""How a cost grows with size: the exponent of the power law that fits it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mnistlab.evaluation.intervals import CONFIDENCE


def power_law(
    sizes: Sequence[float], values: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float, float]:
    """Exponent b, half-width of its interval, and factor a of values = a sizes^b.

    Least squares on the logarithms, log value = log a + b log size; the interval is
    Student's for the slope, with n - 2 degrees of freedom. The factor is infinite or 0 where
    the points are so steep that no number holds it. Raises ValueError for fewer
    than three points, equal sizes, or a number that is not positive.
    """
    from scipy.stats import t

    x, y = np.asarray(sizes, dtype=float), np.asarray(values, dtype=float)
    if len(x) < 3 or len(x) != len(y):
        raise ValueError(f"a power law needs three points or more, got {len(x)} and {len(y)}")
    if not (np.all(x > 0) and np.all(y > 0) and np.isfinite([x, y]).all() and np.ptp(x) > 0):
        raise ValueError("a power law needs positive numbers, and sizes that differ")
    x, y = np.log(x), np.log(y)
    slope, intercept = np.polynomial.polynomial.polyfit(x, y, 1)[::-1]
    residuals = y - intercept - slope * x
    deviation = np.sqrt(residuals @ residuals / (len(x) - 2) / np.sum((x - x.mean()) ** 2))
    half_width = float(t.ppf((1 + confidence) / 2, len(x) - 2) * deviation)
    with np.errstate(over="ignore"):
        factor = float(np.exp(intercept))
    return float(slope), half_width, factor
