"""Support vector machines trained again on shifted support vectors, beside scikit-learn's SVC."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import SVC

import mnistlab as ml
from mnistlab.errors import RecipeError


def shifted(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """By one pixel, what comes in being the border."""
    moved = np.roll(images, (down, right), axis=(1, 2))
    if down:
        moved[:, 0 if down > 0 else -1] = images[:, 0 if down > 0 else -1]
    if right:
        moved[:, :, 0 if right > 0 else -1] = images[:, :, 0 if right > 0 else -1]
    return moved


@pytest.mark.parametrize("features", ["pixels", "hog"])
@pytest.mark.parametrize("weighted", [False, True])
def test_virtual_support_vectors_are_scikit_learns_second_machine(
    features: str, weighted: bool
) -> None:
    data = ml.load("digits")
    X, y = data.images[:300].astype(np.float64), data.labels[:300]
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y)) if weighted else None
    settings = {"C": 5.0, "scaling": "min-max", "features": features}
    ours = ml.SVMClassifier(**settings, virtual_shift=1).fit(X, y, sample_weight=weights)
    compared = ml.SVMClassifier(**settings).fit(X, y).rows
    rows = compared(X)
    gamma = 1 / (rows.shape[1] * rows.var())
    first = SVC(C=5.0, gamma=gamma).fit(rows, y, weights)
    chosen = np.sort(first.support_)
    moves = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
    views = [compared(shifted(X[chosen], *move)) for move in moves]
    of_views = None if weights is None else np.tile(weights[chosen], 5)
    second = SVC(C=5.0, gamma=gamma).fit(np.concatenate(views), np.tile(y[chosen], 5), of_views)
    others = data.images[300:600].astype(np.float64)
    np.testing.assert_allclose(
        ours.decision_function(others), second.decision_function(compared(others)), atol=2e-2
    )
    assert (ours.predict(others) == second.predict(compared(others))).all()
    assert not np.allclose(
        first.decision_function(compared(others)),
        second.decision_function(compared(others)),
        atol=0.1,
    )


def test_a_calibrated_machine_has_virtual_support_vectors_in_every_fold() -> None:
    data = ml.load("digits")
    X, y = data.images[:200], data.labels[:200]
    machine = ml.SVMClassifier(C=5.0, calibrated=True, virtual_shift=1, random_state=0).fit(X, y)
    without = ml.SVMClassifier(C=5.0, calibrated=True, random_state=0).fit(X, y)
    assert machine.n_parameters_ > without.n_parameters_
    assert not np.allclose(machine.sigmoids_, without.sigmoids_)
    assert machine.score(data.images[200:], data.labels[200:]) > 0.8


def test_a_shift_beyond_eight_pixels_is_refused() -> None:
    with pytest.raises(RecipeError, match="virtual_shift"):
        ml.SVMClassifier(virtual_shift=9).fit(np.zeros((4, 3, 3)), [0, 1, 0, 1])
