"""Solutions of chapter 2: softmax, cross-entropy, softmax regression."""

from __future__ import annotations

import numpy as np


def softmax(z: np.ndarray) -> np.ndarray:
    """Probabilities (N, K) of scores (N, K)."""
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def cross_entropy(probabilities: np.ndarray, y: np.ndarray) -> float:
    """The mean of -log of the probability of the true class, in nats."""
    of_true_class = probabilities[np.arange(len(y)), y]
    return float(-np.log(of_true_class + 1e-8).mean())


class SoftmaxRegression:
    """One linear layer and softmax, trained by plain gradient descent on mini-batches."""

    def __init__(self, input_size: int, output_size: int, learning_rate: float = 0.1) -> None:
        self.W = np.zeros((input_size, output_size))
        self.b = np.zeros(output_size)
        self.learning_rate = learning_rate

    def forward(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (N, K)."""
        return softmax(X @ self.W + self.b)

    def compute_loss(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        """Cross-entropy of predicted probabilities."""
        return cross_entropy(y_pred, y_true)

    def backward(self, X: np.ndarray, y_true: np.ndarray) -> dict[str, np.ndarray]:
        """The gradients of the loss by W and b."""
        error = self.forward(X)
        error[np.arange(len(y_true)), y_true] -= 1
        error /= len(y_true)
        return {"W": X.T @ error, "b": error.sum(axis=0)}

    def train(
        self, X: np.ndarray, y: np.ndarray, epochs: int = 5, batch_size: int = 64, seed: int = 0
    ) -> list[float]:
        """The training loss after each epoch."""
        random = np.random.default_rng(seed)
        losses = []
        for _ in range(epochs):
            order = random.permutation(len(X))
            for start in range(0, len(X), batch_size):
                batch = order[start : start + batch_size]
                gradients = self.backward(X[batch], y[batch])
                self.W -= self.learning_rate * gradients["W"]
                self.b -= self.learning_rate * gradients["b"]
            losses.append(self.compute_loss(y, self.forward(X)))
        return losses

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The most probable class of each image."""
        return self.forward(X).argmax(axis=1)
