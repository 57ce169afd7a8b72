"""A softmax regression within the estimator itself, labels by searchsorted."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, check_X_y


class SoftmaxClassifier(ClassifierMixin, BaseEstimator):
    def __init__(self, learning_rate=0.5, n_epochs=50, batch_size=16, random_state=None):
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X, y):
        X, y = check_X_y(X, y)
        rng = check_random_state(self.random_state)
        self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        index = np.searchsorted(self.classes_, y)
        one_hot = np.eye(len(self.classes_))[index]
        self.W_ = rng.normal(0, 0.01, (X.shape[1], len(self.classes_)))
        self.b_ = np.zeros(len(self.classes_))
        for _ in range(self.n_epochs):
            order = rng.permutation(len(X))
            for start in range(0, len(X), self.batch_size):
                rows = order[start : start + self.batch_size]
                error = (self._proba(X[rows]) - one_hot[rows]) / len(rows)
                self.W_ -= self.learning_rate * X[rows].T @ error
                self.b_ -= self.learning_rate * error.sum(axis=0)
        return self

    def _proba(self, X):
        z = X @ self.W_ + self.b_
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def predict_proba(self, X):
        check_is_fitted(self)
        X = check_array(X)
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but SoftmaxClassifier is expecting "
                f"{self.n_features_in_} features as input."
            )
        return self._proba(X)

    def predict(self, X):
        best = np.argmax(self.predict_proba(X), axis=1)
        return self.classes_[best]
