from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, bootstrap, ttest_rel
from statsmodels.stats import contingency_tables
from statsmodels.stats.multitest import multipletests

from mnistlab.evaluation import corrected, interval_text, mcnemar, on_same_images, over_seeds
from mnistlab.evaluation.differences import Difference

named = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=60)


@given(named)
def test_p_on_the_same_images_is_mcnemars(pairs: list[tuple[bool, bool]]) -> None:
    right, other = np.array(pairs).T
    found = on_same_images(right, other)
    n_won, n_lost = np.sum(right & ~other), np.sum(~right & other)
    table = [[np.sum(right & other), n_won], [n_lost, 0]]
    exact = contingency_tables.mcnemar(table, exact=True).pvalue
    point = binom.pmf(n_won, n_won + n_lost, 0.5)
    if n_won == n_lost:
        assert found.p == pytest.approx(1 - point / 2 if n_won else 1)
    else:
        assert found.p == pytest.approx(exact - point, abs=1e-12)
    assert found.mean == pytest.approx(right.mean() - other.mean(), abs=1e-12)
    assert found.low <= found.mean + 1e-12
    assert found.mean <= found.high + 1e-12


def with_discordant(n_won: int, n_lost: int) -> tuple[np.ndarray, np.ndarray]:
    right = np.array([True] * n_won + [False] * n_lost + [True] * 80)
    return right, np.array([False] * n_won + [True] * n_lost + [True] * 80)


def test_the_mid_p_is_that_of_the_definition() -> None:
    """Twice the chance of fewer, and that of as many, images (Fagerland et al. 2013)."""
    fewer = sum(math.comb(12, k) for k in range(2)) / 2**12
    assert mcnemar(*with_discordant(2, 10)) == pytest.approx(2 * fewer + math.comb(12, 2) / 2**12)
    assert mcnemar(*with_discordant(10, 2)) == mcnemar(*with_discordant(2, 10))
    assert mcnemar(*with_discordant(3, 3)) == pytest.approx(1 - math.comb(6, 3) / 2**6 / 2)
    assert mcnemar(*with_discordant(1, 0)) == pytest.approx(0.5)  # the exact test has 1
    assert mcnemar(*with_discordant(0, 0)) == 1


def test_the_mid_p_rejects_more_often_than_the_exact_test_and_not_too_often() -> None:
    """Of 20 images that two equal models disagree on: the exact test rejects 4.1 % of the time."""
    chances = binom.pmf(np.arange(21), 20, 0.5)
    rejected = [mcnemar(*with_discordant(k, 20 - k)) < 0.05 for k in range(21)]
    exact = [2 * binom.cdf(min(k, 20 - k), 20, 0.5) < 0.05 for k in range(21)]
    assert sum(rejected) >= sum(exact)
    assert 0.03 < chances[rejected].sum() < 0.06


@given(named)
def test_the_interval_on_images_agrees_with_the_test(pairs: list[tuple[bool, bool]]) -> None:
    right, other = np.array(pairs).T
    check_agreement(on_same_images(right, other))


def check_agreement(found: Difference) -> None:
    """0 is inside where no difference is shown; where one is, at most its excluded end."""
    if found.is_shown:
        assert found.low >= 0 or found.high <= 0
        assert found.low <= found.mean <= found.high
        assert (
            "above 0" in interval_text(found)
            or "below 0" in interval_text(found)
            or (min(abs(found.low), abs(found.high)) > 0.0004)
        )
    else:
        assert found.low <= 0 <= found.high


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


def test_as_many_accuracies_of_the_one_as_of_the_other() -> None:
    with pytest.raises(ValueError, match="zip"):
        over_seeds([0.5, 0.6], [0.5])


def test_one_seed_says_nothing() -> None:
    alone = over_seeds([0.9], [0.8])
    assert math.isnan(alone.p)
    assert not alone.is_shown
    assert (alone.low, alone.high) == (-math.inf, math.inf)
    assert interval_text(alone) == "–"


@pytest.mark.parametrize(("n", "p"), [(2, 0.5), (3, 0.25), (5, 0.0625), (6, 0.03125)])
def test_gains_without_a_spread_are_judged_by_their_signs(n: int, p: float) -> None:
    """Student's test has no number for them; by rounding alone it would say p = 1e-16."""
    seeds = np.linspace(0.7, 0.9, n)
    found = over_seeds((seeds + 0.02).tolist(), seeds.tolist())
    assert found.p == p
    assert found.is_shown == (n >= 6)
    assert (found.low, found.high) == ((0, math.inf) if n >= 6 else (-math.inf, math.inf))
    assert interval_text(found) == ("above 0" if n >= 6 else "–")
    assert interval_text(found.turned()) == ("below 0" if n >= 6 else "–")
    same = over_seeds(seeds.tolist(), seeds.tolist())
    assert (same.p, same.is_shown) == (1, False)


def test_a_difference_of_accuracies_is_no_more_than_all() -> None:
    found = over_seeds([0.9, 0.2], [0.1, 0.3])
    assert (found.low, found.high) == (-1, 1)


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


@st.composite
def families(draw: st.DrawFn) -> list[Difference]:
    """Paired accuracies of 2 to 5 seeds, in families of up to eight, with and without effect."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_seeds = draw(st.integers(2, 5))
    effects = draw(st.lists(st.sampled_from([0, 0.005, 0.02, -0.01]), min_size=2, max_size=8))
    base = random.normal(0.8, 0.003, n_seeds)
    return [
        over_seeds((base + effect + random.normal(0, 0.003, n_seeds)).tolist(), base.tolist())
        for effect in effects
    ]


@settings(max_examples=3, deadline=None)  # statsmodels collects garbage first, each time
@given(families())
def test_several_comparisons_are_corrected_by_holm(family: list[Difference]) -> None:
    found = corrected(family)
    theirs = multipletests([each.p for each in family], method="holm")
    assert [each.p for each in found] == pytest.approx(theirs[1].tolist())
    assert [each.is_shown for each in found] == theirs[0].tolist()
    assert {each.n_together for each in found} == {len(family)}


@given(families())
def test_intervals_are_bonferronis_and_agree_with_holms_test(family: list[Difference]) -> None:
    """Only the end at which test and interval would contradict each other is moved, to 0."""
    confidence = 1 - 0.05 / len(family)
    for each, found in zip(family, corrected(family), strict=True):
        check_agreement(found)
        low, high = each.interval_at(confidence)
        assert found.low in (pytest.approx(low), 0)
        assert found.high in (pytest.approx(high), 0)
        if low > 0 or high < 0:
            assert found.is_shown
            assert (found.low, found.high) == (low, high)
        check_agreement(found.turned())


def test_the_interval_of_a_family_is_students_at_its_level() -> None:
    mine, theirs = [0.91, 0.93, 0.92, 0.95], [0.90, 0.91, 0.92, 0.92]
    found, _, _ = corrected([over_seeds(mine, theirs)] * 3)
    interval = ttest_rel(mine, theirs).confidence_interval(1 - 0.05 / 3)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_what_holm_shows_and_the_interval_leaves_open_ends_at_zero() -> None:
    clear = over_seeds([0.9, 0.901, 0.902], [0.8, 0.801, 0.8025])
    faint = over_seeds([0.82, 0.83, 0.84], [0.813, 0.82, 0.826])
    alone, (_, found) = faint, corrected([clear, faint])
    assert alone.low > 0
    assert found.interval_at(0.975)[0] < 0
    assert found.is_shown
    assert interval_text(found) == "above 0 to +2.3"
    assert interval_text(found.turned()) == "−2.3 to below 0"


def test_a_family_of_one_is_not_corrected_and_what_says_nothing_does_not_count() -> None:
    one, nothing = over_seeds([0.9, 0.8, 0.7], [0.8, 0.75, 0.65]), over_seeds([0.9], [0.8])
    assert corrected([one]) == [one]
    assert corrected([nothing, one]) == [nothing, one]
    assert corrected([]) == []
