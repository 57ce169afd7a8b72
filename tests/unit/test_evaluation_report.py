from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import precision_recall_fscore_support

from mnistlab.evaluation import class_report, measure, power_law

PAIRS = arrays(np.int64, st.tuples(st.integers(1, 40), st.just(2)), elements=st.integers(0, 3))


@given(PAIRS)
def test_class_report_is_scikit_learns(pairs: np.ndarray) -> None:
    true, predicted = pairs.T
    report = class_report(measure(true, predicted, 4).confusion)
    theirs = precision_recall_fscore_support(true, predicted, labels=range(4), zero_division=np.nan)
    for name, values in zip(("precision", "recall", "f1"), theirs, strict=False):
        ours = [getattr(scores, name) for scores in report.by_class]
        np.testing.assert_allclose([np.nan if x is None else x for x in ours], values)
    assert report.support == tuple(theirs[3])
    assert report.predicted == tuple(np.bincount(predicted, minlength=4))
    for kind in ("macro", "weighted"):
        average = precision_recall_fscore_support(
            true, predicted, labels=range(4), average=kind, zero_division=np.nan
        )
        ours = getattr(report, kind)
        for value, wanted in zip((ours.precision, ours.recall, ours.f1), average, strict=False):
            if value is None:  # scikit-learn says 0 where classes with a score have no weight
                assert wanted == 0 or np.isnan(wanted)
            else:
                assert value == pytest.approx(wanted)


@given(st.floats(-2, 3), st.floats(1e-3, 1e3))
def test_a_power_law_without_noise_is_found(exponent: float, factor: float) -> None:
    sizes = np.array([1000, 2000, 5000, 49_000])
    found, half_width, found_factor = power_law(sizes, factor * sizes**exponent)
    assert found == pytest.approx(exponent, abs=1e-9)
    assert found_factor == pytest.approx(factor)
    assert half_width < 1e-6


def test_the_interval_holds_the_exponent_as_often_as_it_says() -> None:
    random, sizes = np.random.default_rng(0), np.array([1, 2, 5, 10, 20, 49]) * 1000
    inside = 0
    for _ in range(1000):
        noise = np.exp(random.normal(0, 0.1, len(sizes)))
        exponent, half_width, _ = power_law(sizes, 1e-6 * sizes**1.7 * noise)
        inside += abs(exponent - 1.7) <= half_width
    assert 0.93 < inside / 1000 < 0.97


@pytest.mark.parametrize(
    ("sizes", "values"), [([1, 2], [1, 2]), ([1, 2, 3], [1, 0, 2]), ([1, 2, 3], [1, 2])]
)
def test_what_is_no_power_law_is_refused(sizes: list[float], values: list[float]) -> None:
    with pytest.raises(ValueError, match="a power law needs"):
        power_law(sizes, values)
