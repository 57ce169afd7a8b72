"""Whether one model, or one method, is better than another, and by how much.

McNemar's test asks whether a model is better on the images both were tried on; a paired test
over seeds asks whether a method trains better models. Where several pairs are compared at once
their p-values are corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mnistlab.evaluation.intervals import CONFIDENCE, mean_interval

N_RESAMPLES = 9999


@dataclass(frozen=True)
class Difference:
    """Accuracy of one minus accuracy of another.

    low, high: the interval. p: of the hypothesis that there is none; NaN where nothing can be
    said. n, of: how many what it was found on, "images" or "seeds".
    """

    mean: float
    low: float
    high: float
    p: float
    n: int
    of: str

    @property
    def is_shown(self) -> bool:
        """Whether p is below the level of the interval."""
        return bool(self.p < 1 - CONFIDENCE)

    def turned(self) -> Difference:
        """The other one's accuracy minus the one's."""
        return replace(self, mean=-self.mean, low=-self.high, high=-self.low)


def on_same_images(right: NDArray[np.bool_], other: NDArray[np.bool_], seed: int = 0) -> Difference:
    """Two models on the same images, right (N,) and other (N,): which each named rightly.

    p by McNemar's test, the interval by the paired bootstrap (percentiles).
    """
    n, n_won, n_lost = _discordant(right, other)
    # A resample of N images has so many won, lost and alike by the multinomial law: drawing
    # these three numbers is drawing the images, and a thousand times quicker.
    shares = [n_won / n, n_lost / n, (n - n_won - n_lost) / n]
    resampled = np.random.default_rng(seed).multinomial(n, shares, N_RESAMPLES)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile((resampled[:, 0] - resampled[:, 1]) / n, [tail, 100 - tail])
    p = mcnemar(right, other)
    return Difference((n_won - n_lost) / n, float(low), float(high), p, n, "images")


def mcnemar(right: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """p of McNemar's exact test: the images only one named rightly are heads and tails."""
    from scipy.stats import binomtest

    _, n_won, n_lost = _discordant(right, other)
    return float(binomtest(n_won, n_won + n_lost).pvalue) if n_won + n_lost else 1.0


def _discordant(right: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[int, int, int]:
    """How many images there are, and how many only the one, and only the other, named rightly."""
    return len(right), int((right & ~other).sum()), int((other & ~right).sum())


def over_seeds(accuracies: Sequence[float], others: Sequence[float]) -> Difference:
    """Two methods, an accuracy a seed each, seeds paired: Student's paired test and interval.

    One pair alone says nothing: its interval is all numbers, and p is NaN.
    """
    from scipy.stats import ttest_rel

    gains = np.subtract(accuracies, others)
    mean, half = mean_interval(gains.tolist())
    if len(gains) == 1:
        return Difference(mean, -np.inf, np.inf, np.nan, 1, "seeds")
    same = np.ptp(gains) == 0  # no spread, for which the test has no number
    p = float(mean == 0) if same else float(ttest_rel(accuracies, others).pvalue)
    return Difference(mean, mean - half, mean + half, p, len(gains), "seeds")


def corrected(differences: Sequence[Difference]) -> list[Difference]:
    """The same with p corrected for their number (Holm 1979); intervals stay those of one."""
    from statsmodels.stats.multitest import multipletests

    told = [i for i, each in enumerate(differences) if not np.isnan(each.p)]
    if not told:
        return list(differences)
    p = multipletests([differences[i].p for i in told], method="holm")[1]
    by_place = dict(zip(told, p, strict=True))
    return [
        replace(each, p=float(by_place[i])) if i in by_place else each
        for i, each in enumerate(differences)
    ]
