from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from mnistlab.evaluation import best_threshold

FEW = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5000001, 0.75, 1.0])
judged = st.lists(st.tuples(st.booleans(), FEW | st.floats(0, 1)), min_size=2, max_size=40)


def score(is_positive: np.ndarray, probability: np.ndarray, threshold: float) -> float:
    return float(balanced_accuracy_score(is_positive, probability >= threshold))


@settings(deadline=None)
@given(judged)
def test_no_cut_has_a_higher_balanced_accuracy(pairs: list[tuple[bool, float]]) -> None:
    is_positive, p = np.array([t for t, _ in pairs]), np.array([p for _, p in pairs])
    threshold = best_threshold(is_positive, p)
    if is_positive.all() or not is_positive.any():
        assert threshold == 0.5
        return
    everywhere = [score(is_positive, p, cut) for cut in [*np.unique(p), 2.0]]
    assert score(is_positive, p, threshold) == pytest.approx(max(everywhere), abs=1e-12)
    # It parts the same images as the value above it, and stands in the middle of its gap.
    values = np.unique(p)
    above = values[values >= threshold][0]
    below = values[values < threshold][-1] if (values < threshold).any() else 0.0
    assert threshold == pytest.approx((below + above) / 2, abs=1e-15)


@settings(deadline=None)
@given(judged)
def test_of_equally_good_gaps_the_one_nearest_to_a_half(pairs: list[tuple[bool, float]]) -> None:
    is_positive, p = np.array([t for t, _ in pairs]), np.array([p for _, p in pairs])
    if is_positive.all() or not is_positive.any():
        return
    values = np.unique(p)
    ends = zip([0.0, *values], values, strict=False)
    middles = [((a + b) / 2, score(is_positive, p, b)) for a, b in ends]
    best = max(each for _, each in middles)
    nearest = min(abs(m - 0.5) for m, each in middles if each == pytest.approx(best, abs=1e-12))
    assert abs(best_threshold(is_positive, p) - 0.5) == pytest.approx(nearest, abs=1e-15)


def test_the_middle_of_the_gap_and_the_lower_of_two_as_near() -> None:
    positive = np.array([False, False, True, True])
    assert best_threshold(positive, np.array([0.1, 0.2, 0.6, 0.9])) == pytest.approx(0.4)
    # Cutting at 0.4 or at 0.6 loses one of four either way.
    positive = np.array([False, True, False, True])
    assert best_threshold(positive, np.array([0.3, 0.5, 0.5, 0.7])) == pytest.approx(0.4)


def test_rare_positives_move_it_down() -> None:
    """One to nine: what calls nothing positive is right nine times in ten, and worth a half."""
    random = np.random.default_rng(0)
    positive = np.arange(1000) % 10 == 0
    p = np.clip(0.1 + 0.15 * positive + random.normal(0, 0.05, 1000), 0, 1)
    assert 0.1 < best_threshold(positive, p) < 0.25


def test_between_neighbouring_floats_there_is_still_a_cut() -> None:
    low = 0.5
    high = np.nextafter(low, 1)
    threshold = best_threshold(np.array([False, True]), np.array([low, high]))
    assert low < threshold <= high


@pytest.mark.parametrize("p", [[0.5, np.nan], [0.5, 1.5], [-0.1, 0.5], [0.5], [[0.5, 0.5]]])
def test_what_is_no_probability_of_each_is_refused(p: list) -> None:
    with pytest.raises(ValueError, match="needs a probability of each image"):
        best_threshold(np.array([True, False]), np.array(p))
