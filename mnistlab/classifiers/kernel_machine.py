"""Training of a support vector machine on scaled images, by the fastest package installed."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from mnistlab.classifiers.support_vectors import SupportVectors
from mnistlab.classifiers.weights import Weights
from mnistlab.data.hog import hog
from mnistlab.errors import RecipeError

N_VIRTUAL = 5  # a support vector and its four shifted copies
CACHE_MB = 2000  # of kernel rows while training; the default of 200 suits smaller sets


class KernelMachine(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """SVC on rows of scaled pixels (N, H * W) and classes 0..K-1; calibration trains one per fold.

    features, virtual_shift: see SVMClassifier. image_shape: (H, W), where one of them needs it.
    """

    def __init__(
        self,
        C: float = 1.0,
        gamma: float | str = "scale",
        features: str = "pixels",
        virtual_shift: int = 0,
        image_shape: tuple[int, int] | None = None,
    ) -> None:
        self.C = C
        self.gamma = gamma
        self.features = features
        self.virtual_shift = virtual_shift
        self.image_shape = image_shape

    def fit(
        self, X: NDArray[Any], y: NDArray[np.int64], sample_weight: Weights | None = None
    ) -> Self:
        """Train; ValueError for a C or gamma that SVC refuses or cannot compute with."""
        svc_class, self.engine_ = fastest_svc()
        rows = self._features(X)
        svc = svc_class(C=self.C, gamma=self.gamma, cache_size=CACHE_MB).fit(rows, y, sample_weight)
        variance = float(rows.var(dtype=np.float64))
        named = {"scale": 1 / (rows.shape[1] * variance or 1.0), "auto": 1 / rows.shape[1]}
        gamma = named[self.gamma] if isinstance(self.gamma, str) else float(self.gamma)
        if self.virtual_shift:
            chosen = np.sort(svc.support_)
            weights = None if sample_weight is None else np.tile(sample_weight[chosen], N_VIRTUAL)
            rows = self._features(self._with_shifted(X[chosen]))
            svc = svc_class(C=self.C, gamma=gamma, cache_size=CACHE_MB)
            svc.fit(rows, np.tile(y[chosen], N_VIRTUAL), weights)
        self.classes_ = svc.classes_
        if not all(np.isfinite(of).all() for of in (svc.dual_coef_, svc.intercept_)):
            raise RecipeError(  # gamma times a distance that was rounded to below 0 overflows
                f"C {self.C} and gamma {self.gamma} give numbers that are not finite; take "
                "smaller ones"
            )
        self.machine_ = SupportVectors(
            vectors=np.ascontiguousarray(svc.support_vectors_, dtype=rows.dtype),
            coefficients=np.asarray(svc.dual_coef_, dtype=rows.dtype),
            intercepts=np.asarray(svc.intercept_, dtype=np.float64),
            n_support=np.asarray(svc.n_support_, dtype=np.int64),
            gamma=gamma,
        )
        return self

    def decision_function(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """As SVC's, one against the rest."""
        return self.machine_.one_against_rest(self._features(X))

    def predict(self, X: NDArray[Any]) -> NDArray[Any]:
        """As SVC's."""
        return np.asarray(self.classes_[self.machine_.predict(self._features(X))])

    def _features(self, X: NDArray[Any]) -> NDArray[Any]:
        return features_of(self.features, X, self.image_shape)

    def _with_shifted(self, X: NDArray[Any]) -> NDArray[Any]:
        """Rows of images, then the same shifted up, down, left and right; borders are repeated."""
        assert self.image_shape is not None
        n, (height, width) = self.virtual_shift, self.image_shape
        padded = np.pad(X.reshape(-1, height, width), ((0, 0), (n, n), (n, n)), mode="edge")
        corners = ((n, n), (2 * n, n), (0, n), (n, 2 * n), (n, 0))
        views = [padded[:, y : y + height, x : x + width] for y, x in corners]
        return np.concatenate(views).reshape(-1, height * width)


def features_of(
    features: str, rows: NDArray[Any], image_shape: tuple[int, int] | None
) -> NDArray[Any]:
    """What a machine compares (N, D), of rows of scaled pixels; image_shape: for all but pixels."""
    if features == "pixels":
        return rows
    assert image_shape is not None
    return hog(rows.reshape(-1, *image_shape))


def fastest_svc() -> tuple[type, str]:
    """The fastest SVC installed and the name of its package; nothing in scikit-learn is patched."""
    try:
        from sklearnex.svm import SVC

        return SVC, "scikit-learn-intelex"
    except ImportError:
        from sklearn.svm import SVC

        return SVC, "scikit-learn"
