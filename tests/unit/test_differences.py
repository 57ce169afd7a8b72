from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap, ttest_rel
from statsmodels.stats import contingency_tables

from mnistlab.evaluation import corrected, on_same_images, over_seeds
from mnistlab.evaluation.differences import Difference, mcnemar

named = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=60)


@given(named)
def test_p_on_the_same_images_is_mcnemars(pairs: list[tuple[bool, bool]]) -> None:
    right, other = np.array(pairs).T
    found = on_same_images(right, other)
    table = [[np.sum(right & other), np.sum(right & ~other)], [np.sum(~right & other), 0]]
    assert found.p == pytest.approx(contingency_tables.mcnemar(table, exact=True).pvalue, abs=1e-12)
    assert found.mean == pytest.approx(right.mean() - other.mean(), abs=1e-12)
    assert found.low <= found.mean + 1e-12
    assert found.mean <= found.high + 1e-12


def test_the_bootstrap_holds_the_difference_as_often_as_it_says() -> None:
    random, inside = np.random.default_rng(0), 0
    for turn in range(200):
        draws = random.random(400)
        right, other = draws < 0.85, (draws < 0.75) | (draws > 0.95)  # 85 % and 80 %
        found = on_same_images(right, other, seed=turn)
        inside += found.low <= 0.05 <= found.high
    assert 0.91 < inside / 200 < 0.985


def test_where_nothing_differs_no_difference_is_found_too_often() -> None:
    """Two models that are right on 90 % of the images each, independently of one another."""
    random, n = np.random.default_rng(1), 1500
    by_images = by_seeds = 0
    for _ in range(n):
        right, other = random.random((2, 2000)) < 0.9
        by_images += mcnemar(right, other) < 0.05
        noise = random.normal(0.9, 0.003, (2, 5))
        by_seeds += over_seeds(noise[0].tolist(), noise[1].tolist()).is_shown
    assert 0.03 < by_images / n < 0.07
    assert 0.03 < by_seeds / n < 0.07


def test_the_interval_is_scipys_bootstrap() -> None:
    draws = np.random.default_rng(0).random(500)
    right, other = draws < 0.9, (draws < 0.8) | (draws > 0.95)
    found = on_same_images(right, other)
    theirs = bootstrap(
        (right.astype(float) - other,), np.mean, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.004)


def test_over_seeds_is_students_paired_test() -> None:
    mine, theirs = [0.91, 0.93, 0.92, 0.95], [0.90, 0.91, 0.92, 0.92]
    found, test = over_seeds(mine, theirs), ttest_rel(mine, theirs)
    interval = test.confidence_interval(0.95)
    assert found.p == pytest.approx(test.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert (found.n, found.of) == (4, "seeds")


def test_one_seed_says_nothing_and_no_spread_is_certain() -> None:
    alone = over_seeds([0.9], [0.8])
    assert math.isnan(alone.p)
    assert not alone.is_shown
    assert (alone.low, alone.high) == (-math.inf, math.inf)
    assert over_seeds([0.75, 0.75], [0.5, 0.5]).p == 0
    assert over_seeds([0.75, 0.5], [0.75, 0.5]).p == 1


def test_models_that_agree_everywhere_do_not_differ() -> None:
    right = np.array([True, False, True])
    found = on_same_images(right, right)
    assert (found.mean, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_turned_is_the_other_way_round() -> None:
    mine, theirs = [0.91, 0.93, 0.92], [0.90, 0.91, 0.93]
    turned, other = over_seeds(mine, theirs).turned(), over_seeds(theirs, mine)
    assert (turned.mean, turned.low, turned.high) == pytest.approx(
        (other.mean, other.low, other.high)
    )
    assert turned.p == pytest.approx(other.p)


def test_several_comparisons_are_corrected_by_holm() -> None:
    def difference(p: float) -> Difference:
        return Difference(0.01, 0.0, 0.02, p, 3, "seeds")

    found = [each.p for each in corrected([difference(p) for p in (0.03, 0.01, 0.5)])]
    assert found == pytest.approx([0.06, 0.03, 0.5])
    assert [each.p for each in corrected([difference(0.03)])] == [0.03]
    missing, known = corrected([difference(math.nan), difference(0.02)])
    assert math.isnan(missing.p)
    assert known.p == pytest.approx(0.02)
    assert corrected([]) == []
