"""A class whose backward returns gradients in a tuple, and whose train moves the weights."""

import numpy as np


class TwoLayerNet:
    def __init__(self, input_dim, hidden_dim, num_classes):
        self.W1 = np.random.randn(input_dim, hidden_dim) * 0.01
        self.b1 = np.zeros(hidden_dim)
        self.W2 = np.random.randn(hidden_dim, num_classes) * 0.01
        self.b2 = np.zeros(num_classes)

    def forward(self, X):
        Z1 = X.dot(self.W1) + self.b1
        A1 = np.maximum(0, Z1)
        scores = A1.dot(self.W2) + self.b2
        e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        P = e / np.sum(e, axis=1, keepdims=True)
        return P, (X, Z1, A1)

    def loss(self, P, y):
        return np.mean(-np.log(np.maximum(P[np.arange(y.size), y], 1e-12)))

    def backward(self, P, y, cache):
        X, Z1, A1 = cache
        N = y.size
        dS = P.copy()
        dS[np.arange(N), y] -= 1
        dS = dS / N
        dA1 = dS.dot(self.W2.T)
        dZ1 = np.where(Z1 > 0, dA1, 0)
        return X.T.dot(dZ1), dZ1.sum(axis=0), A1.T.dot(dS), dS.sum(axis=0)

    def train(self, X, y, lr=0.1, momentum=0.9, num_epochs=10, batch_size=64, seed=0):
        rng = np.random.default_rng(seed)
        velocities = [0, 0, 0, 0]
        names = ["W1", "b1", "W2", "b2"]
        for _ in range(num_epochs):
            order = rng.permutation(len(X))
            X_epoch, y_epoch = X[order], y[order]
            for start in range(0, len(X), batch_size):
                xb, yb = X_epoch[start : start + batch_size], y_epoch[start : start + batch_size]
                P, cache = self.forward(xb)
                gradients = self.backward(P, yb, cache)
                for i, name in enumerate(names):
                    velocities[i] = momentum * velocities[i] - lr * gradients[i]
                    setattr(self, name, getattr(self, name) + velocities[i])

    def predict(self, X):
        P, _ = self.forward(X)
        return np.argmax(P, axis=1)
