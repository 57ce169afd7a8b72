"""LabelEncoder, a network of the same file, a score of its own."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.validation import check_is_fitted, validate_data


class _Network:
    def __init__(self, sizes, rng):
        self.W = [rng.normal(0, np.sqrt(2 / a), (a, b)) for a, b in zip(sizes, sizes[1:])]
        self.b = [np.zeros(n) for n in sizes[1:]]

    def scores(self, X):
        self.inputs = [X]
        for W, b in zip(self.W[:-1], self.b[:-1]):
            self.inputs.append(np.maximum(self.inputs[-1] @ W + b, 0))
        return self.inputs[-1] @ self.W[-1] + self.b[-1]

    def learn(self, X, one_hot, rate):
        delta = (softmax(self.scores(X)) - one_hot) / len(X)
        for i in reversed(range(len(self.W))):
            W, layer_input = self.W[i], self.inputs[i]
            below = delta @ W.T * (layer_input > 0)
            self.W[i] = W - rate * layer_input.T @ delta
            self.b[i] = self.b[i] - rate * delta.sum(axis=0)
            delta = below


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class NeuralClassifier(ClassifierMixin, BaseEstimator):
    def __init__(self, hidden_sizes=(16,), lr=0.1, max_iter=60, seed=0):
        self.hidden_sizes = hidden_sizes
        self.lr = lr
        self.max_iter = max_iter
        self.seed = seed

    def fit(self, X, y):
        if self.lr <= 0:
            raise ValueError("lr must be positive")
        X, y = validate_data(self, X, y)
        encoder = LabelEncoder()
        numbers = encoder.fit_transform(y)
        self.classes_ = encoder.classes_
        rng = np.random.default_rng(self.seed)
        sizes = [X.shape[1], *self.hidden_sizes, len(self.classes_)]
        network = _Network(sizes, rng)
        one_hot = np.eye(len(self.classes_))[numbers]
        for _ in range(self.max_iter):
            for rows in np.array_split(rng.permutation(len(X)), max(len(X) // 8, 1)):
                network.learn(X[rows], one_hot[rows], self.lr)
        self.network_ = network
        return self

    def predict_proba(self, X):
        check_is_fitted(self, "network_")
        X = validate_data(self, X, reset=False)
        return softmax(self.network_.scores(X))

    def predict(self, X):
        check_is_fitted(self, "network_")
        X = validate_data(self, X, reset=False)
        return self.classes_[self.network_.scores(X).argmax(axis=1)]

    def score(self, X, y):
        return float(np.mean(self.predict(X) == np.asarray(y)))
