"""The power law of a cost, beside scipy's own regression on logarithms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress, t

from mnistlab.evaluation import power_law

SIZES = (1000, 2000, 5000, 10_000, 20_000, 49_000)
positive = st.floats(1e-3, 1e6)


@given(st.lists(st.tuples(positive, positive), min_size=3, max_size=12, unique_by=lambda p: p[0]))
def test_it_is_the_regression_of_the_logarithms(points):
    sizes, values = zip(*points, strict=True)
    if np.ptp(np.log(sizes)) < 1e-6:
        return  # so near each other that both lose all figures
    fitted = linregress(np.log(sizes), np.log(values))
    exponent, half_width, factor = power_law(sizes, values)
    assert exponent == pytest.approx(fitted.slope, rel=1e-6, abs=1e-6)
    if abs(fitted.intercept) < 700:  # beyond, a float holds the factor badly or not at all
        assert np.log(factor) == pytest.approx(fitted.intercept, rel=1e-6, abs=1e-5)
    wanted = t.ppf(0.975, len(sizes) - 2) * fitted.stderr
    assert half_width == pytest.approx(wanted, rel=1e-5, abs=1e-6)


def test_points_too_steep_for_a_factor_still_have_an_exponent():
    sizes = (341_700.0, 354_674.0, 361_858.0)
    for values, wanted in (((999_566.0, 742.0, 1.0), np.inf), ((1.0, 742.0, 999_566.0), 0.0)):
        exponent, _, factor = power_law(sizes, values)
        assert abs(exponent) > 100
        assert factor == wanted


def test_an_exact_law_is_found_exactly():
    exponent, half_width, factor = power_law(SIZES, [3e-7 * n**1.9 for n in SIZES])
    assert exponent == pytest.approx(1.9)
    assert factor == pytest.approx(3e-7)
    assert half_width == pytest.approx(0, abs=1e-10)


def test_a_cost_that_does_not_grow_has_exponent_zero():
    assert power_law(SIZES, [0.5] * 6)[0] == pytest.approx(0, abs=1e-12)


def test_the_interval_holds_the_true_exponent_as_often_as_it_says():
    random = np.random.default_rng(0)
    for confidence in (0.95, 0.5):
        held = 0
        for noise in random.normal(0, 0.3, (600, len(SIZES))):
            values = 1e-4 * np.power(SIZES, 1.5) * np.exp(noise)
            exponent, half_width, _ = power_law(SIZES, values, confidence)
            held += abs(exponent - 1.5) <= half_width
        assert held / 600 == pytest.approx(confidence, abs=0.05)


@pytest.mark.parametrize(
    ("sizes", "values", "fault"),
    [
        ([1, 2], [1, 2], "three points or more, got 2 and 2"),
        ([1, 2, 3], [1, 2], "three points or more, got 3 and 2"),
        ([], [], "three points or more"),
        ([1, 2, 3], [1, 0, 2], "positive numbers"),
        ([1, 2, 3], [1, -1, 2], "positive numbers"),
        ([0, 2, 3], [1, 1, 2], "positive numbers"),
        ([1, 2, 3], [1, float("nan"), 2], "positive numbers"),
        ([1, 2, 3], [1, float("inf"), 2], "positive numbers"),
        ([1, 2, float("inf")], [1, 2, 3], "positive numbers"),
        ([5, 5, 5], [1, 2, 3], "sizes that differ"),
    ],
)
def test_what_has_no_law_is_refused(sizes, values, fault):
    with pytest.raises(ValueError, match=fault):
        power_law(sizes, values)
