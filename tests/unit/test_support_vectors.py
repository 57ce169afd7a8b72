"""The decisions of a stored machine are those of scikit-learn's SVC, whose arrays it holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.svm import SVC

from mnistlab.classifiers import support_vectors
from mnistlab.classifiers.support_vectors import SupportVectors

N_FEATURES = 6


def blobs(n_classes: int, seed: int = 0, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Classes that overlap, so that pairs disagree and votes are tied; not the same size."""
    random = np.random.default_rng(seed)
    y = random.permutation(np.minimum(np.arange(n) % (n_classes + 1), n_classes - 1))
    return random.normal(size=(n, N_FEATURES)) + 0.9 * np.eye(n_classes, N_FEATURES)[y], y


def machine_of(svc: SVC, X: np.ndarray, dtype: Any) -> SupportVectors:
    gammas = {"scale": 1 / (X.shape[1] * X.var()), "auto": 1 / X.shape[1]}
    return SupportVectors(
        vectors=svc.support_vectors_.astype(dtype),
        coefficients=svc.dual_coef_.astype(dtype),
        intercepts=svc.intercept_,
        n_support=svc.n_support_.astype(np.int64),
        gamma=gammas.get(svc.gamma, svc.gamma),
    )


@pytest.mark.parametrize("gamma", ["scale", "auto", 0.03, 3.0])
@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize(("dtype", "atol"), [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_decisions_are_those_of_svc(
    dtype: type, atol: float, n_classes: int, gamma: float | str
) -> None:
    X, y = blobs(n_classes)
    new = np.vstack([X, blobs(n_classes, seed=1)[0]]).astype(dtype)
    svc = SVC(C=2.0, gamma=gamma).fit(X, y)
    machine = machine_of(svc, X, dtype)
    against_rest = svc.decision_function(new)
    np.testing.assert_allclose(machine.one_against_rest(new), against_rest, atol=atol)
    svc.decision_function_shape = "ovo"
    by_pairs = svc.decision_function(new).reshape(len(new), -1)
    sign = -1 if n_classes == 2 else 1  # SVC's is positive for the second of two classes
    np.testing.assert_allclose(machine.decision(new), sign * by_pairs, atol=atol)
    assert np.array_equal(machine.predict(new), svc.predict(new))


@settings(deadline=None, max_examples=40)
@given(
    n_classes=st.integers(2, 6),
    seed=st.integers(0, 999),
    C=st.floats(0.01, 100),
    gamma=st.floats(0.01, 10),
)
def test_any_machine_decides_as_svc(n_classes: int, seed: int, C: float, gamma: float) -> None:
    X, y = blobs(n_classes, seed, n=40)
    svc = SVC(C=C, gamma=gamma).fit(X, y)
    machine = machine_of(svc, X, np.float64)
    assert np.array_equal(machine.predict(X), svc.predict(X))
    np.testing.assert_allclose(
        machine.one_against_rest(X), svc.decision_function(X), rtol=1e-9, atol=1e-9 * C
    )


def small_machine(n_support: tuple[int, ...] = (2, 1, 3)) -> SupportVectors:
    random = np.random.default_rng(0)
    n_classes, n_vectors = len(n_support), sum(n_support)
    return SupportVectors(
        vectors=random.normal(size=(n_vectors, N_FEATURES)),
        coefficients=random.normal(size=(n_classes - 1, n_vectors)),
        intercepts=random.normal(size=n_classes * (n_classes - 1) // 2),
        n_support=np.array(n_support),
        gamma=0.2,
    )


def test_the_decision_of_a_pair_is_its_formula() -> None:
    machine = small_machine()
    x = np.random.default_rng(1).normal(size=N_FEATURES)
    kernel = [float(np.exp(-0.2 * ((x - s) ** 2).sum())) for s in machine.vectors]
    a, b = machine.coefficients.tolist()
    expected = [
        a[0] * kernel[0] + a[1] * kernel[1] + a[2] * kernel[2],  # 0 against 1
        b[0] * kernel[0] + b[1] * kernel[1] + sum(a[s] * kernel[s] for s in (3, 4, 5)),  # 0, 2
        b[2] * kernel[2] + sum(b[s] * kernel[s] for s in (3, 4, 5)),  # 1 against 2
    ]
    np.testing.assert_allclose(machine.decision(x[None])[0], expected + machine.intercepts)


def test_equal_votes_go_to_the_first_class() -> None:
    """Each class wins one pair: 0 against 1, 1 against 2, 2 against 0."""
    machine = replace(small_machine(), intercepts=np.array([90.0, -90.0, 80.0]))
    X = np.zeros((1, N_FEATURES))
    assert machine.predict(X).tolist() == [0]
    against_rest = machine.one_against_rest(X)
    assert np.array_equal(np.round(against_rest), [[1, 1, 1]])
    assert np.abs(against_rest - 1).max() < 1 / 3


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_where_every_pair_is_undecided_it_names_the_class_svc_names(n_classes: int) -> None:
    """SVC's decision_function names another class then than its predict; here they agree."""
    y = np.arange(30 * n_classes) % n_classes
    X = 100.0 * np.random.default_rng(0).normal(size=(len(y), N_FEATURES))
    svc = SVC(gamma=2.0).fit(X, y)  # so narrow that nothing is near to anything
    machine = machine_of(svc, X, np.float64)
    new = X[:5] + 50
    assert not machine.decision(new).any()
    assert np.array_equal(machine.predict(new), svc.predict(new))
    against_rest = machine.one_against_rest(new)
    if n_classes > 2:
        assert np.array_equal(against_rest.argmax(1), svc.predict(new))


def test_a_class_without_support_vectors_is_told_by_the_intercepts() -> None:
    machine = small_machine((2, 0, 3))
    assert machine.decision(np.zeros((4, N_FEATURES))).shape == (4, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [1, 7, 10_000])
def test_the_size_of_a_block_does_not_matter(monkeypatch, dtype: type, n_rows: int) -> None:
    X, y = blobs(3)
    machine = machine_of(SVC().fit(X, y), X, dtype)
    X = X.astype(dtype)
    whole = machine.decision(X)
    row_bytes = len(machine.vectors) * machine.vectors.itemsize
    monkeypatch.setattr(support_vectors, "BLOCK_BYTES", n_rows * row_bytes)
    assert len(list(machine._blocks(len(X)))) == -(-len(X) // n_rows)
    np.testing.assert_allclose(
        machine.decision(X), whole, atol=1e-5 if dtype == np.float32 else 1e-13
    )
    monkeypatch.setattr(support_vectors, "BLOCK_BYTES", 0)  # a machine larger than a block
    assert np.array_equal(machine.predict(X), whole_votes(machine, whole))


def whole_votes(machine: SupportVectors, decision: np.ndarray) -> np.ndarray:
    winners = [
        [i if value > 0 else j for value, (i, j) in zip(row, machine.pairs, strict=True)]
        for row in decision
    ]
    return np.array([np.bincount(row, minlength=3).argmax() for row in winners])


def test_images_are_not_changed_and_may_have_another_type() -> None:
    machine = small_machine()
    X = np.random.default_rng(2).normal(size=(5, N_FEATURES)).astype(np.float32)
    kept = X.copy()
    np.testing.assert_allclose(machine.decision(X), machine.decision(X.astype(np.float64)))
    assert np.array_equal(X, kept)


def test_a_vector_meets_itself_without_overflow() -> None:
    """Rounding leaves squared distances a little below zero; their kernel is still at most 1."""
    random = np.random.default_rng(0)
    vectors = (1000 + random.random((50, N_FEATURES))).astype(np.float32)
    machine = SupportVectors(
        vectors, np.ones((1, 50), np.float32), np.zeros(1), np.array([25, 25]), gamma=100.0
    )
    assert np.abs(machine.decision(vectors)).max() <= 50


HOSTILE = {
    "vectors in one row": {"vectors": np.zeros(6)},
    "vectors without shape": {"vectors": np.array(1.0)},
    "too few vectors": {"vectors": np.zeros((5, N_FEATURES))},
    "a vector with NaN": {"vectors": np.full((6, N_FEATURES), np.nan)},
    "vectors of whole numbers": {"vectors": np.zeros((6, N_FEATURES), np.int64)},
    "vectors that are true or false": {"vectors": np.zeros((6, N_FEATURES), bool)},
    "complex vectors": {"vectors": np.zeros((6, N_FEATURES), np.complex64)},
    "half vectors": {"vectors": np.zeros((6, N_FEATURES), np.float16)},
    "coefficients of two classes": {"coefficients": np.zeros((1, 6))},
    "coefficients of other vectors": {"coefficients": np.zeros((2, 7))},
    "coefficients in one row": {"coefficients": np.zeros(12)},
    "an infinite coefficient": {"coefficients": np.full((2, 6), np.inf)},
    "complex coefficients": {"coefficients": np.zeros((2, 6), np.complex64)},
    "too many intercepts": {"intercepts": np.zeros(4)},
    "intercepts in a matrix": {"intercepts": np.zeros((3, 1))},
    "an intercept with NaN": {"intercepts": np.array([0, np.nan, 0])},
    "complex intercepts": {"intercepts": np.zeros(3, np.complex64)},
    "one class": {"n_support": np.array([6])},
    "no class": {"n_support": np.array([], dtype=np.int64)},
    "n_support without shape": {"n_support": np.array(6)},
    "n_support in a matrix": {"n_support": np.array([[2, 0], [1, 0], [3, 0]])},
    "n_support that does not add up": {"n_support": np.array([2, 1, 2])},
    "a negative n_support": {"n_support": np.array([2, -1, 5])},
    "n_support in fractions": {"n_support": np.array([1.5, 1.5, 3.0])},
    "n_support that wraps around": {"n_support": np.array([2**63 - 1, 2**63 - 1, 8])},
    "more classes than can be paired": {
        "n_support": np.zeros(4000, np.int64),
        "vectors": np.zeros((0, N_FEATURES)),
        "coefficients": np.zeros((3999, 0)),
    },
    "gamma zero": {"gamma": 0.0},
    "gamma below zero": {"gamma": -1.0},
    "gamma NaN": {"gamma": float("nan")},
    "gamma infinite": {"gamma": float("inf")},
}


@pytest.mark.parametrize("change", HOSTILE)
def test_arrays_that_do_not_fit_together_are_refused(change: str) -> None:
    with pytest.raises(ValueError, match=r"support vector machine|gamma must be positive"):
        replace(small_machine(), **HOSTILE[change])


def test_where_32_bits_cannot_tell_a_sign_it_is_that_of_64() -> None:
    """Images on the border of two classes have one answer, alone and in a batch."""
    X, y = blobs(3)
    machine = machine_of(SVC(gamma=0.05).fit(X, y), X, np.float32)
    wide = {name: getattr(machine, name).astype(np.float64) for name in ("vectors", "coefficients")}
    exact = replace(machine, **wide)  # the very numbers, in 64 bits
    decided = exact.decision(X)[:, 0]
    border = []
    for first in X[(y == 0) & (decided > 0)][:20]:
        second = X[(y == 1) & (decided < 0)][0]
        low, high = 0.0, 1.0
        for _ in range(40):  # bisection, until 32 bits have no image between
            middle = (low + high) / 2
            is_first = exact.decision((first + middle * (second - first))[None])[0, 0] > 0
            low, high = (middle, high) if is_first else (low, middle)
        border += [(first + t * (second - first)).astype(np.float32) for t in (low, high)]
    images = np.array(border)
    wanted = exact.decision(images)
    assert 0 < np.abs(wanted[:, 0]).max() < 1e-5
    ours = machine.decision(np.concatenate([images, X.astype(np.float32)]))[: len(images)]
    np.testing.assert_array_equal(ours > 0, wanted > 0)
    alone = np.concatenate([machine.decision(image[None]) for image in images])
    np.testing.assert_allclose(alone[:, 0], wanted[:, 0], atol=1e-12)
