"""Solution of chapter 5: MLPFromScratch as a scikit-learn classifier."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from solutions.mlp import MLPFromScratch


class MLPClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """fit, predict and score around MLPFromScratch; labels may be any values."""

    def __init__(
        self,
        hidden_size: int = 128,
        learning_rate: float = 0.01,
        epochs: int = 50,
        batch_size: int = 128,
        random_state: int = 0,
    ) -> None:
        self.hidden_size = hidden_size
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> MLPClassifier:
        """Train a new network."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        self.network_ = MLPFromScratch(
            X.shape[1],
            self.hidden_size,
            len(self.classes_),
            self.learning_rate,
            seed=self.random_state,
        )
        self.network_.train(X, numbers, epochs=self.epochs, batch_size=self.batch_size)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (N, K), columns in the order of classes_."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.network_.forward(X)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The most probable class of each image."""
        numbers = self.predict_proba(X).argmax(axis=1)  # first: it checks that fit was called
        return self.classes_[numbers]
