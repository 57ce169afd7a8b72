"""Whether one model, or one method, is better than another, and by how much.

McNemar's test asks whether a model is better on the images both were tried on; a paired test
over seeds asks whether a method trains better models. Differences reported together are
corrected together: p by Holm's method, intervals so that all of them hold with that confidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mnistlab.evaluation.intervals import CONFIDENCE, ROUNDING, mean_interval

N_RESAMPLES = 9999
MINUS = "\N{MINUS SIGN}"

Interval = Callable[[float], tuple[float, float]]


@dataclass(frozen=True)
class Difference:
    """Accuracy of one minus accuracy of another.

    low, high: the interval. It agrees with the test: 0 lies in it where no difference is shown;
    where one is, an end at 0 does not belong to it. p: of the hypothesis that there is none; NaN
    where nothing can be said. n, of: how many what it was found on, "images" or "seeds".
    interval_at: the interval of this difference alone, by confidence. n_together: of how many
    differences p and the interval are corrected for.
    """

    mean: float
    low: float
    high: float
    p: float
    n: int
    of: str
    interval_at: Interval = field(repr=False, compare=False)
    n_together: int = 1

    @property
    def is_shown(self) -> bool:
        """Whether p is below the level of the interval."""
        return bool(self.p < 1 - CONFIDENCE)

    def turned(self) -> Difference:
        """The other one's accuracy minus the one's."""

        def interval_at(confidence: float) -> tuple[float, float]:
            low, high = self.interval_at(confidence)
            return -high, -low

        return replace(
            self, mean=-self.mean, low=-self.high, high=-self.low, interval_at=interval_at
        )


def on_same_images(right: NDArray[np.bool_], other: NDArray[np.bool_], seed: int = 0) -> Difference:
    """Two models on the same images, right (N,) and other (N,): which each predicted correctly.

    p by McNemar's test, the interval by the paired bootstrap (percentiles).
    """
    n, n_won, n_lost = _discordant(right, other)

    def interval_at(confidence: float) -> tuple[float, float]:
        # A resample of N images has so many won, lost and alike by the multinomial law: drawing
        # these three numbers is drawing the images, and a thousand times faster.
        fractions = [n_won / n, n_lost / n, (n - n_won - n_lost) / n]
        resampled = np.random.default_rng(seed).multinomial(n, fractions, N_RESAMPLES)
        tail = 50 * (1 - confidence)
        gained = (resampled[:, 0] - resampled[:, 1]) / n
        low, high = np.percentile(gained, [tail, 100 - tail])
        return float(low), float(high)

    mean, p = (n_won - n_lost) / n, mcnemar(right, other)
    return _judged(Difference(mean, mean, mean, p, n, "images", interval_at), p, 1)


def mcnemar(right: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Mid-p of McNemar's test: images only one model predicted correctly are heads and tails.

    The exact p counts the observed split in full and so rejects too seldom; the mid-p counts half
    of it (Fagerland, Lydersen and Laake 2013).
    """
    from scipy.stats import binom

    _, n_won, n_lost = _discordant(right, other)
    if n_won == n_lost:
        return float(1 - binom.pmf(n_won, 2 * n_won, 0.5) / 2) if n_won else 1.0
    split = min(n_won, n_lost), n_won + n_lost, 0.5
    return float(2 * binom.cdf(*split) - binom.pmf(*split))


def _discordant(right: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Numbers of images: all, correct only by the one, correct only by the other."""
    return len(right), int((right & ~other).sum()), int((other & ~right).sum())


def over_seeds(accuracies: Sequence[float], others: Sequence[float]) -> Difference:
    """Two methods, one accuracy per seed each, seeds paired: Student's paired test and interval.

    One pair alone says nothing: its interval is all numbers, and p is NaN. Where every seed
    gained the same, Student's test has no number: p is that of flipping the gains' signs,
    2 / 2^n, and there is no interval. ValueError unless there are as many of the one as of the
    other.
    """
    from scipy.special import stdtr

    gains = [mine - theirs for mine, theirs in zip(accuracies, others, strict=True)]
    n, mean = len(gains), mean_interval(gains)[0]
    if n == 1:
        return Difference(mean, -math.inf, math.inf, math.nan, 1, "seeds", _anything)
    if max(gains) - min(gains) < ROUNDING:
        p, interval_at = 1.0 if abs(mean) < ROUNDING else 2.0 ** (1 - n), _anything
    else:
        deviation = float(np.std(gains, ddof=1)) / math.sqrt(n)
        p = 2 * float(stdtr(n - 1, -abs(mean) / deviation))

        def interval_at(confidence: float) -> tuple[float, float]:
            _, half_width = mean_interval(gains, confidence)
            return max(mean - half_width, -1.0), min(mean + half_width, 1.0)

    return _judged(Difference(mean, mean, mean, p, n, "seeds", interval_at), p, 1)


def _anything(confidence: float) -> tuple[float, float]:
    return -math.inf, math.inf


def corrected(differences: Sequence[Difference]) -> list[Difference]:
    """The same, corrected for being reported together; those without a p stay as they are.

    p is Holm's (1979): the chance that any difference is shown where there is none is at most
    5 %. The intervals are Bonferroni's: with 95 % all of them hold the true difference. Holm's
    method can show what such an interval leaves open; it then ends at 0, exclusively. No bounded
    intervals hold together with all that Holm's method shows: decision 0007 says why.
    """
    known = np.array([each.p for each in differences if not math.isnan(each.p)])
    if len(known) < 2:
        return list(differences)
    p = iter(_holm(known).tolist())
    return [
        each if math.isnan(each.p) else _judged(each, next(p), len(known)) for each in differences
    ]


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smallest of m times m, the next times m - 1, ...; never less than the one before."""
    order, factors = np.argsort(p), np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1)
    return adjusted


def _judged(difference: Difference, p: float, n_together: int) -> Difference:
    """The difference with that p, its interval at the level of so many and in agreement with p."""
    low, high = difference.interval_at(1 - (1 - CONFIDENCE) / n_together)
    if p >= 1 - CONFIDENCE:
        low, high = min(low, 0.0), max(high, 0.0)
    elif difference.mean > 0:
        low = max(low, 0.0)
    else:
        high = min(high, 0.0)
    return replace(difference, p=p, low=low, high=high, n_together=n_together)


def interval_text(difference: Difference, decimals: int = 1) -> str:
    """The interval in points, such as "+0.2 to +2.4"; "–" where it is all numbers.

    "above 0" for a low end, "below 0" for a high one, that leaves 0 out and would be read as 0.
    """
    gained = difference.mean > 0
    ends = (difference.low, "above 0", gained), (difference.high, "below 0", not gained)
    texts = []
    for end, beyond_zero, is_near in ends:
        if math.isfinite(end):
            text = f"{round(100 * end, decimals) + 0.0:+.{decimals}f}"  # + 0.0: never -0.0
            is_zero = float(text) == 0 and is_near and difference.is_shown
            texts.append(beyond_zero if is_zero else text.replace("-", MINUS))
    return " to ".join(texts) or "–"
