"""The support vector machine behind the project's contract (row A6). Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if

from mnistlab.bounds import MOST_SHIFTED, check_all_finite, check_count, shown
from mnistlab.classifiers.inputs import (
    check_both,
    check_images,
    check_training_images,
    seed_of,
    validation_images,
)
from mnistlab.classifiers.kernel_machine import KernelMachine, features_of
from mnistlab.classifiers.support_vectors import SupportVectors
from mnistlab.classifiers.weights import Weights, weights_of
from mnistlab.data.hog import n_features
from mnistlab.data.scaling import PER_PIXEL, Shift, fit_scaling
from mnistlab.errors import RecipeError
from mnistlab.phases import CallbackOptions

DTYPES = (np.float64, np.float32, np.uint8)  # float64 images are computed in float64
FEATURES = ("pixels", "hog")


class SVMClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Scaled pixels into scikit-learn's SVC with the RBF kernel exp(-gamma |x - s|^2).

    C, gamma: see sklearn.svm.SVC. scaling: see mnistlab.data.scaling.
    features: what is compared, "pixels" or "hog", histograms of oriented gradients (data/hog.py).
    virtual_shift: train again on the support vectors and on their images shifted by so many pixels
    up, down, left and right (virtual support vectors, Schölkopf et al. 1996); 0: do not.
    calibrated: have predict_proba as well. Sigmoids (Platt 1999) are fitted to the decisions on
    n_calibration_folds folds, which takes that many more trainings.
    class_weight: "balanced", a dict by label or None, as in scikit-learn's SVC; probabilities are
    then those in a set with these weights.
    random_state: orders the folds; without calibration nothing is random.

    With the extra `fast-svm`, scikit-learn-intelex trains the machine; prediction is the same code
    in both cases.
    Fitted: classes_ (K,), machine_, engine_ (the package that trained it), image_shape_,
    n_parameters_ (how many numbers prediction needs), history_ (empty: there are no epochs).
    """

    def __init__(
        self,
        C: float = 1.0,
        gamma: float | str = "scale",
        scaling: str = "min-max",
        calibrated: bool = False,
        n_calibration_folds: int = 5,
        random_state: int | np.random.RandomState | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        features: str = "pixels",
        virtual_shift: int = 0,
    ) -> None:
        self.C = C
        self.gamma = gamma
        self.scaling = scaling
        self.calibrated = calibrated
        self.n_calibration_folds = n_calibration_folds
        self.random_state = random_state
        self.class_weight = class_weight
        self.features = features
        self.virtual_shift = virtual_shift

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        **callbacks: Unpack[CallbackOptions],
    ) -> Self:
        """Train on images (N, H, W) or rows (N, D), uint8 or float, and any labels (N,).

        sample_weight (N,): what C of each image is multiplied by, beside class_weight. Validation
        images and callbacks, which networks use, are accepted and not used.
        Raises ValueError as scikit-learn does.
        """
        check_both(X_val, y_val)
        check_all_finite("C", self.C)  # SVC itself checks the rest
        check_all_finite("gamma", self.gamma)
        check_count("virtual_shift", self.virtual_shift, 0, MOST_SHIFTED)
        if self.features not in FEATURES:
            raise RecipeError(
                f"unknown features {shown(self.features)}; there are: {', '.join(FEATURES)}"
            )
        images, codes = check_training_images(self, X, y, DTYPES)
        weights = weights_of(self.class_weight, sample_weight, self.classes_, codes)
        self._check_every_class(codes, weights)
        if X_val is not None and y_val is not None:  # the same images are refused as for a network
            validation_images(self, X_val, y_val)
        by_rows = images.reshape(len(images), -1)
        self.scaling_: tuple[Shift, Shift] = fit_scaling(self.scaling, by_rows)
        if (
            self.scaling == "none"
        ):  # the kernel depends on differences only; centred, they lose fewer digits
            self.scaling_ = float(images.mean(dtype=np.float64)), 1.0
        rows = self._scaled(images)
        kernel_machine = self._machine().fit(rows, codes, weights)
        self.machine_, self.engine_ = kernel_machine.machine_, kernel_machine.engine_
        self.sigmoids_ = (
            self._fit_sigmoids(rows, codes, weights) if self.calibrated else np.empty((0, 2))
        )
        self._finish()
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Larger is more probable: (N, K), or (N,) for the second of two classes."""
        images = check_images(self, X, DTYPES)
        return self.machine_.one_against_rest(self.rows(images))

    def rows(self, images: NDArray[Any]) -> NDArray[Any]:
        """What the machine compares (N, D): scaled pixels, or what is computed from them.

        float64 of float64 images (N, H, W) or rows of their pixels, else float32, twice as fast.
        """
        return features_of(self.features, self._scaled(images), self.image_shape_)

    @available_if(lambda self: self.calibrated)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Calibrated probabilities (N, K), columns in the order of classes_."""
        decision = self.decision_function(X)
        decision = decision.reshape(len(decision), -1)  # (N, K), or (N, 1) of two classes
        p: NDArray[np.float64] = expit(-(decision * self.sigmoids_[:, 0] + self.sigmoids_[:, 1]))
        if p.shape[1] == 1:
            return np.hstack([1 - p, p])
        total = p.sum(axis=1, keepdims=True)
        # Where every sigmoid is zero, all classes are equally probable.
        np.divide(p, total, out=p, where=total > 0)
        p[total[:, 0] == 0] = 1 / p.shape[1]
        return p

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class with the most votes, or if calibrated the most probable class, (N,)."""
        if self.calibrated:
            codes = self.predict_proba(X).argmax(1)
        else:
            images = check_images(self, X, DTYPES)
            codes = self.machine_.predict(self.rows(images))
        return np.asarray(self.classes_[codes])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted machine as plain arrays; `restore` takes them back."""
        machine = {
            f.name: np.asarray(getattr(self.machine_, f.name)) for f in fields(self.machine_)
        }
        return machine | {"scaling": np.array(self.scaling_), "sigmoids": self.sigmoids_}

    def restore(
        self,
        classes: ArrayLike,
        image_shape: tuple[int, int],
        arrays: Mapping[str, NDArray[Any]],
    ) -> Self:
        """Take fitted state from storage instead of training; ValueError where it does not fit."""
        self.classes_, self.image_shape_ = np.asarray(classes), image_shape
        self.n_features_in_ = image_shape[0] * image_shape[1]
        if self.features not in FEATURES or any(
            array.dtype.kind != "f" for name, array in arrays.items() if name != "n_support"
        ):
            raise ValueError("the arrays are not those of this classifier")
        known: dict[str, Any] = {f.name: arrays[f.name] for f in fields(SupportVectors)}
        known["gamma"] = float(known["gamma"].item())
        self.machine_ = SupportVectors(**known)
        shift, scale = arrays["scaling"]
        self.scaling_, self.sigmoids_ = (shift, scale), arrays["sigmoids"]
        n_columns = n_features(image_shape) if self.features == "hog" else self.n_features_in_
        shape = (2, self.n_features_in_) if self.scaling == PER_PIXEL else (2,)
        n_sigmoids = (
            0 if not self.calibrated else 1 if len(self.classes_) == 2 else len(self.classes_)
        )
        if (
            len(self.machine_.n_support) != len(self.classes_)
            or self.machine_.vectors.shape[1] != n_columns
            or self.sigmoids_.shape != (n_sigmoids, 2)
            or arrays["scaling"].shape != shape
            or not np.isfinite([*arrays["scaling"].ravel(), *self.sigmoids_.ravel()]).all()
            or not (scale > 0).all()
        ):
            raise ValueError("the arrays are not those of this classifier")
        self.engine_ = "stored"
        self._finish()
        return self

    def _finish(self) -> None:
        machine = self.machine_
        self.n_parameters_ = (
            machine.vectors.size + machine.coefficients.size + machine.intercepts.size
        )
        self.history_: list[dict[str, Any]] = []

    def _scaled(self, images: NDArray[Any]) -> NDArray[Any]:
        shift, scale = self.scaling_
        dtype = np.float64 if images.dtype == np.float64 else np.float32
        rows: NDArray[Any] = images.reshape(len(images), -1).astype(dtype)
        rows -= np.asarray(shift, dtype)
        rows *= np.asarray(1 / scale, dtype)
        return rows

    def _machine(self) -> KernelMachine:
        return KernelMachine(
            self.C, self.gamma, self.features, self.virtual_shift, self.image_shape_
        )

    def _check_every_class(self, codes: NDArray[np.int64], weights: Weights | None) -> None:
        """ValueError for a class whose images all have weight 0: no machine learns it."""
        for code, weight in enumerate(np.bincount(codes, weights)):
            if not weight > 0:
                raise ValueError(
                    f"the images of class {self.classes_.tolist()[code]!r} all weigh zero"
                )

    def _fit_sigmoids(
        self, rows: NDArray[Any], codes: NDArray[np.int64], weights: Weights | None
    ) -> NDArray[np.float64]:
        """(K, 2), or (1, 2) for two classes: a and b of 1 / (1 + exp(a decision + b))."""
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.model_selection import StratifiedKFold

        folds = StratifiedKFold(
            self.n_calibration_folds, shuffle=True, random_state=seed_of(self.random_state)
        )
        calibrated = CalibratedClassifierCV(
            self._machine(), method="sigmoid", cv=folds, ensemble=False
        ).fit(rows, codes, weights)
        (fitted,) = calibrated.calibrated_classifiers_
        return np.array([[sigmoid.a_, sigmoid.b_] for sigmoid in fitted.calibrators])
