"""A class of any depth: lists of weights, plain gradient descent inside backward."""

import numpy as np


class NeuralNetwork:
    def __init__(self, layer_sizes, learning_rate=0.1):
        self.weights = []
        self.biases = []
        self.learning_rate = learning_rate
        for n_in, n_out in zip(layer_sizes[:-1], layer_sizes[1:]):
            self.weights.append(np.random.randn(n_in, n_out) * np.sqrt(2 / n_in))
            self.biases.append(np.zeros((1, n_out)))

    def softmax(self, z):
        z = z - z.max(axis=1)[:, None]
        return np.exp(z) / np.exp(z).sum(axis=1)[:, None]

    def forward(self, X):
        self.activations = [X]
        self.sums = []
        for i, (W, b) in enumerate(zip(self.weights, self.biases)):
            z = self.activations[-1] @ W + b
            self.sums.append(z)
            last = i == len(self.weights) - 1
            self.activations.append(self.softmax(z) if last else np.maximum(0, z))
        return self.activations[-1]

    def compute_loss(self, y_pred, y_true):
        return -(y_true * np.log(np.clip(y_pred, 1e-15, 1))).sum() / len(y_true)

    def backward(self, X, y_true):
        delta = (self.activations[-1] - y_true) / len(y_true)
        new_weights, new_biases = [], []
        for i in reversed(range(len(self.weights))):
            grad_w = self.activations[i].T @ delta
            grad_b = delta.sum(axis=0, keepdims=True)
            if i > 0:
                delta = (delta @ self.weights[i].T) * (self.sums[i - 1] > 0)
            new_weights.insert(0, self.weights[i] - self.learning_rate * grad_w)
            new_biases.insert(0, self.biases[i] - self.learning_rate * grad_b)
        self.weights, self.biases = new_weights, new_biases

    def train(self, X, y, epochs=10, batch_size=32):
        n = len(X)
        for _ in range(epochs):
            idx = np.arange(n)
            np.random.shuffle(idx)
            for i in range(0, n, batch_size):
                batch = idx[i : i + batch_size]
                self.forward(X[batch])
                self.backward(X[batch], y[batch])

    def predict(self, X):
        return np.argmax(self.forward(X), axis=1)
