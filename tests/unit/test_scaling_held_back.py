"""Pixels are scaled by the training part alone: scikit-learn's scalers, fitted on it, beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from mnistlab.classifiers.scratch_classifier import ScratchClassifier
from mnistlab.classifiers.svm_classifier import SVMClassifier
from mnistlab.classifiers.torch_classifier import TorchClassifier

CLASSIFIERS = {
    "torch": TorchClassifier("mlp", {"hidden_sizes": (3,)}, n_epochs=1, random_state=0),
    "by hand": ScratchClassifier((3,), n_epochs=1, random_state=0),
}
SCALERS = {"standard": StandardScaler, "min-max": MinMaxScaler}


def images(n: int, low: int, high: int) -> NDArray[np.uint8]:
    return np.random.default_rng(low).integers(low, high, (n, 6, 6), dtype=np.uint8)


X, X_VAL = images(40, 20, 90), images(20, 0, 256)  # the validation part is darker and brighter
Y, Y_VAL = np.arange(40) % 2, np.arange(20) % 2


def by_scikit_learn(scaling: str) -> tuple[float, float]:
    """Shift and scale of all pixels of the training part as one column."""
    scaler = SCALERS[scaling]().fit(X.reshape(-1, 1).astype(float))
    if scaling == "standard":
        return float(scaler.mean_[0]), float(scaler.scale_[0])
    return float(scaler.data_min_[0]), float(scaler.data_range_[0])


@pytest.mark.parametrize("scaling", SCALERS)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_validation_images_do_not_scale_the_pixels(name: str, scaling: str) -> None:
    classifier: Any = CLASSIFIERS[name]
    fitted = classifier.set_params(scaling=scaling).fit(X, Y, X_VAL, Y_VAL).arrays()
    found = (float(fitted["0.shift"].item()), float(fitted["0.scale"].item()))
    assert found == pytest.approx(by_scikit_learn(scaling), rel=1e-6)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_nor_do_images_that_fit_itself_holds_out(name: str) -> None:
    classifier: Any = CLASSIFIERS[name]
    held_out = classifier.set_params(scaling="min-max", validation_fraction=0.5)
    darkest, brightest = [], []
    for place in range(len(X)):  # the one extreme image is now in the one part, now in the other
        changed = X.copy()
        changed[place] = 255
        fitted = held_out.fit(changed, Y).arrays()
        darkest.append(float(fitted["0.shift"].item()))
        brightest.append(float((fitted["0.shift"] + fitted["0.scale"]).item()))
    assert sum(value == 255 for value in brightest) == 20
    assert set(darkest) <= set(map(float, range(20, 30)))


@pytest.mark.parametrize("scaling", SCALERS)
def test_the_svm_takes_no_account_of_the_validation_part(scaling: str) -> None:
    fitted = SVMClassifier(scaling=scaling).fit(X, Y, X_VAL, Y_VAL)
    assert fitted.scaling_ == pytest.approx(by_scikit_learn(scaling), rel=1e-6)
