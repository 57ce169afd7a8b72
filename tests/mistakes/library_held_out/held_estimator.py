"""A perceptron with labels by a dictionary and a private loop."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class TinyNetClassifier(ClassifierMixin, BaseEstimator):
    def __init__(self, hidden=12, eta=0.2, n_iter=80, random_state=0):
        self.hidden = hidden
        self.eta = eta
        self.n_iter = n_iter
        self.random_state = random_state

    def fit(self, X, y):
        X, y = validate_data(self, X, y)
        self.classes_ = np.array(sorted(set(y.tolist())), dtype=y.dtype)
        number = {label: i for i, label in enumerate(self.classes_.tolist())}
        target = np.array([number[label] for label in y.tolist()])
        draw = np.random.RandomState(self.random_state)
        self.coefs_ = [
            draw.randn(X.shape[1], self.hidden) * np.sqrt(2 / X.shape[1]),
            draw.randn(self.hidden, len(self.classes_)) * np.sqrt(2 / self.hidden),
        ]
        self.intercepts_ = [np.zeros(self.hidden), np.zeros(len(self.classes_))]
        for _ in range(self.n_iter):
            self._epoch(X, target, draw)
        return self

    def _hidden(self, X):
        return np.clip(X @ self.coefs_[0] + self.intercepts_[0], 0, None)

    def _epoch(self, X, target, draw):
        for rows in np.array_split(draw.permutation(len(X)), -(-len(X) // 10)):
            a = self._hidden(X[rows])
            d = self._softmax(a @ self.coefs_[1] + self.intercepts_[1])
            d[np.arange(len(rows)), target[rows]] -= 1
            d /= len(rows)
            below = d @ self.coefs_[1].T
            below[a <= 0] = 0
            self.coefs_[1] -= self.eta * a.T @ d
            self.intercepts_[1] -= self.eta * d.sum(0)
            self.coefs_[0] -= self.eta * X[rows].T @ below
            self.intercepts_[0] -= self.eta * below.sum(0)

    @staticmethod
    def _softmax(z):
        z = np.exp(z - z.max(axis=-1, keepdims=True))
        return z / z.sum(axis=-1, keepdims=True)

    def predict_proba(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return self._softmax(self._hidden(X) @ self.coefs_[1] + self.intercepts_[1])

    def predict(self, X):
        p = self.predict_proba(X)
        return np.take(self.classes_, p.argmax(axis=1))
