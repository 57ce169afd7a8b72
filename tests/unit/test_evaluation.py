from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    recall_score,
)

from mnistlab.evaluation import (
    fraction_interval,
    largest_swing,
    mean_interval,
    measure,
    wilson_interval,
)

labelled = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


@settings(deadline=None)
@given(labelled)
def test_figures_agree_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = np.array(pairs, dtype=np.int64).T
    figures = measure(labels, predicted, 5)
    assert figures.accuracy == pytest.approx(accuracy_score(labels, predicted), abs=1e-12)
    expected = confusion_matrix(labels, predicted, labels=range(5))
    assert np.array_equal(figures.confusion, expected)
    recall = recall_score(labels, predicted, labels=range(5), average=None, zero_division=np.nan)
    for ours, theirs in zip(figures.per_class_accuracy, recall, strict=True):
        assert (ours is None) == math.isnan(theirs)
        if ours is not None:
            assert ours == pytest.approx(theirs, abs=1e-12)
    recalls = recall[~np.isnan(recall)]
    assert figures.balanced_accuracy == pytest.approx(recalls.mean(), abs=1e-12)
    f1 = f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0)
    assert figures.macro_f1 == pytest.approx(f1, abs=1e-12)
    low, high = figures.accuracy_ci
    assert 0 <= low <= figures.accuracy + 1e-12
    assert figures.accuracy <= high + 1e-12


def test_balanced_accuracy_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    labels = random.choice(4, 200, p=[0.85, 0.1, 0.04, 0.01])
    predicted = np.where(random.random(200) < 0.7, labels, 0)
    figures = measure(labels, predicted, 6)  # two classes do not occur: no warning, no effect
    assert figures.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert figures.balanced_accuracy < figures.accuracy


def test_wilson_interval_is_the_formula() -> None:
    n_correct, n, z = 9_210, 10_000, 1.959963984540054
    p = n_correct / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert wilson_interval(n_correct, n) == pytest.approx((centre - half, centre + half))
    for n_correct, n in ((11, 10), (-1, 10), (0, 0)):
        with pytest.raises(ValueError, match=f"{n_correct} of {n} images"):
            wilson_interval(n_correct, n)


@given(st.integers(1, 20_000), st.floats(0, 1), st.sampled_from([0.5, 0.95, 0.999]))
def test_wilson_interval_is_scipys(n: int, fraction: float, confidence: float) -> None:
    n_correct = round(n * fraction)
    expected = binomtest(n_correct, n).proportion_ci(confidence, method="wilson")
    found = wilson_interval(n_correct, n, confidence)
    assert found == pytest.approx((expected.low, expected.high), rel=1e-12, abs=1e-15)


def test_mean_interval_is_students() -> None:
    values = [0.91, 0.93, 0.92, 0.95]
    mean, half = mean_interval(values)
    interval = ttest_1samp(values, 0).confidence_interval(0.95)
    assert (mean - half, mean + half) == pytest.approx((interval.low, interval.high))
    assert math.isnan(mean_interval([0.5])[1])
    assert mean_interval([0.5, 0.5]) == (0.5, 0.0)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=10))
def test_the_interval_of_a_fraction_stays_between_0_and_1(values: list[float]) -> None:
    mean, low, high = fraction_interval(values)
    if max(values) - min(values) < 1e-9:
        assert math.isnan(low)
    else:
        assert 0 <= low <= mean <= high <= 1


def test_the_interval_of_a_fraction_is_students_where_the_bounds_are_far() -> None:
    values = [0.915, 0.917, 0.9165, 0.914, 0.918]
    interval = ttest_1samp(values, 0).confidence_interval(0.95)
    assert fraction_interval(values)[1:] == pytest.approx((interval.low, interval.high), abs=3e-5)
    assert math.isnan(fraction_interval([0.5])[1])
    assert math.isnan(fraction_interval([0.5, 0.5])[1])  # no spread to tell one from


def test_the_interval_of_a_fraction_holds_the_mean_as_often_as_it_says() -> None:
    """Of figures near the border, as the F1 of a class that is often lost."""
    random, inside = np.random.default_rng(0), 0
    for _ in range(2000):
        _, low, high = fraction_interval(random.beta(8, 2, 5).tolist())
        inside += low <= 0.8 <= high
    assert 0.92 < inside / 2000 < 0.97


def test_largest_swing() -> None:
    assert largest_swing([0.80, 0.83, 0.81, 0.82]) == pytest.approx(0.03)
    assert largest_swing([0.8]) == 0
    assert largest_swing([]) == 0
