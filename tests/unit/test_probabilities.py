from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn import metrics

from mnistlab.evaluation import (
    fit_temperature,
    log_loss,
    mean_area,
    measure,
    most_confident_mistakes,
    most_confused_pairs,
    one_against_rest,
    reliability,
    tempered,
    top_k_accuracy,
)
from mnistlab.evaluation.probabilities import TEMPERATURES


@st.composite
def named(draw: st.DrawFn, n_classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Labels (N,) and probabilities (N, K), some of them equal, some 0 or 1."""
    n = draw(st.integers(1, 30))
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    steps = draw(st.sampled_from([1, 3, 1000]))
    p = random.integers(0, steps, (n, n_classes)) + random.integers(0, 2, (n, n_classes))
    p = np.where(p.sum(1, keepdims=True) == 0, 1, p).astype(float)
    return random.integers(0, n_classes, n), p / p.sum(1, keepdims=True)


@given(named())
def test_log_loss_and_top_k_are_scikit_learns(sample: tuple[np.ndarray, np.ndarray]) -> None:
    labels, p = sample
    theirs = metrics.log_loss(labels, p, labels=range(4))
    assert log_loss(labels, p) == pytest.approx(theirs, abs=1e-12)
    for k in (1, 2, 3):
        theirs = metrics.top_k_accuracy_score(labels, p, k=k, labels=range(4))
        assert top_k_accuracy(labels, p, k) == pytest.approx(theirs, abs=1e-12)
    assert top_k_accuracy(labels, p, 4) == 1


@given(named())
def test_areas_are_scikit_learns(sample: tuple[np.ndarray, np.ndarray]) -> None:
    labels, p = sample
    curves = one_against_rest(labels, p)
    for number, curve in enumerate(curves):
        is_class = labels == number
        assert (curve is None) == (is_class.all() or not is_class.any())
        if curve is not None:
            false_rate, true_rate, _ = metrics.roc_curve(is_class, p[:, number])
            np.testing.assert_array_equal(curve.false_positive_rate, false_rate)
            np.testing.assert_array_equal(curve.true_positive_rate, true_rate)
            assert curve.area == metrics.auc(false_rate, true_rate)
            theirs = metrics.roc_auc_score(is_class, p[:, number])
            assert curve.area == pytest.approx(theirs, abs=1e-12)
    areas = [curve.area for curve in curves if curve is not None]
    assert mean_area(curves) == (pytest.approx(np.mean(areas)) if areas else None)


@given(named(), st.integers(1, 20))
def test_calibration_error_is_the_sum_over_bins(
    sample: tuple[np.ndarray, np.ndarray], n_bins: int
) -> None:
    labels, p = sample
    found = reliability(labels, p, n_bins)
    sure, right = p.max(1), p.argmax(1) == labels
    expected = 0.0
    for low, high, n, confidence, accuracy in zip(
        found.edges, found.edges[1:], found.n, found.confidence, found.accuracy, strict=False
    ):
        inside = (sure * n_bins > low * n_bins + 1e-12) & (sure * n_bins <= high * n_bins + 1e-12)
        assert n == inside.sum()
        if n:
            assert confidence == pytest.approx(sure[inside].mean())
            assert accuracy == pytest.approx(right[inside].mean())
            expected += inside.mean() * abs(sure[inside].mean() - right[inside].mean())
        else:
            assert np.isnan(confidence)
            assert np.isnan(accuracy)
    assert found.ece == pytest.approx(expected, abs=1e-12)


def test_a_classifier_that_means_what_it_says_is_calibrated() -> None:
    random = np.random.default_rng(0)
    p = random.dirichlet(np.ones(5), 20_000)
    labels = (random.random((20_000, 1)) > p.cumsum(1)).sum(1)
    assert reliability(labels, p).ece < 0.02  # by chance alone about sqrt(15 / 20,000) / 2.5
    assert fit_temperature(labels, p) == pytest.approx(1, abs=0.03)
    assert fit_temperature(labels, tempered(p, 0.5)) == pytest.approx(2, abs=0.06)


@given(st.integers(2, 9), st.sampled_from([0.05, 0.3, 1, 3]), st.integers(0, 2**16))
def test_the_temperature_is_the_one_that_scipy_finds(
    n_classes: int, alpha: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.full(n_classes, alpha), 200)
    labels = (random.random((200, 1)) > tempered(p, 1.5).cumsum(1)).sum(1).clip(0, n_classes - 1)

    def loss(log_temperature: float) -> float:
        return log_loss(labels, tempered(p, float(np.exp(log_temperature))))

    theirs = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    ours = np.log(fit_temperature(labels, p))
    assert loss(ours) <= theirs.fun + 1e-9
    assert ours == pytest.approx(theirs.x, abs=1e-3)


def test_temperature_is_torchs_softmax_of_divided_logits() -> None:
    import torch

    logits = torch.randn(50, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    warm = tempered(logits.softmax(1).numpy(), 2.5)
    np.testing.assert_allclose(warm, (logits / 2.5).softmax(1).numpy(), atol=1e-12)


@pytest.mark.parametrize("right", [True, False])
def test_certain_classifiers_have_finite_figures(right: bool) -> None:
    """All right, and all wrong, with probabilities of 0 and 1 alone."""
    p = np.eye(3)[[0, 1, 2, 0]]
    labels = p.argmax(1) if right else (p.argmax(1) + 1) % 3
    assert np.isfinite(log_loss(labels, p))
    assert reliability(labels, p).ece == (0 if right else 1)
    assert 0.05 <= fit_temperature(labels, p) <= 20  # where all is right any of them will do
    assert right or fit_temperature(labels, p) == pytest.approx(20, rel=0.01)
    areas = [curve.area for curve in one_against_rest(labels, p) if curve]
    assert all(area == 1 for area in areas) if right else all(area < 0.5 for area in areas)


@given(named(), st.integers(0, 8))
def test_mistakes_come_surest_first(sample: tuple[np.ndarray, np.ndarray], n: int) -> None:
    labels, p = sample
    places = most_confident_mistakes(labels, p, n)
    wrong = p.argmax(1) != labels
    assert len(places) == min(n, wrong.sum())
    assert wrong[places].all()
    sure = p.max(1)
    assert (np.diff(sure[places]) <= 0).all()
    rest = wrong.copy()
    rest[places] = False
    if len(places) and rest.any():
        assert sure[places].min() >= sure[rest].max()


@given(named(), st.integers(1, 20))
def test_confused_pairs_are_the_largest_cells(
    sample: tuple[np.ndarray, np.ndarray], n: int
) -> None:
    labels, p = sample
    confusion = measure(labels, p.argmax(1), 4).confusion
    pairs = most_confused_pairs(confusion, n)
    assert all(confusion[pair.true, pair.predicted] == pair.n for pair in pairs)
    assert all(pair.true != pair.predicted and pair.n for pair in pairs)
    mistakes = sorted((confusion - np.diag(confusion.diagonal())).ravel(), reverse=True)
    assert [pair.n for pair in pairs] == [value for value in mistakes[:n] if value]
