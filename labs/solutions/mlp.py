"""Solution of chapter 3: write-up A's network, 784-128-10, in NumPy alone."""

from __future__ import annotations

import numpy as np


class MLPFromScratch:
    """Linear, ReLU, linear, softmax; trained by gradient descent with momentum."""

    names = ("W1", "b1", "W2", "b2")

    def __init__(
        self,
        input_size: int = 784,
        hidden_size: int = 128,
        output_size: int = 10,
        learning_rate: float = 0.01,
        momentum: float = 0.9,
        seed: int = 0,
    ) -> None:
        random = np.random.default_rng(seed)
        self.W1 = random.normal(0, np.sqrt(2 / input_size), (input_size, hidden_size))
        self.b1 = np.zeros(hidden_size)
        self.W2 = random.normal(0, np.sqrt(2 / hidden_size), (hidden_size, output_size))
        self.b2 = np.zeros(output_size)
        self.learning_rate, self.momentum = learning_rate, momentum
        self.velocity = {name: np.zeros_like(getattr(self, name)) for name in self.names}
        self.random = random

    def relu(self, x: np.ndarray) -> np.ndarray:
        """The positive part of every element."""
        return np.maximum(0, x)

    def relu_derivative(self, x: np.ndarray) -> np.ndarray:
        """1 where x is positive, else 0."""
        return (x > 0).astype(x.dtype)

    def softmax(self, x: np.ndarray) -> np.ndarray:
        """Probabilities (N, K) of scores (N, K)."""
        exponentials = np.exp(x - x.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def forward(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (N, K); the values in between are kept for backward."""
        self.z1 = X @ self.W1 + self.b1
        self.a1 = self.relu(self.z1)
        self.z2 = self.a1 @ self.W2 + self.b2
        self.a2 = self.softmax(self.z2)
        return self.a2

    def compute_loss(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        """Mean cross-entropy in nats; 1e-8 keeps the logarithm finite."""
        return float(-np.log(y_pred[np.arange(len(y_true)), y_true] + 1e-8).mean())

    def backward(self, X: np.ndarray, y_true: np.ndarray) -> dict[str, np.ndarray]:
        """The gradient by every parameter, from the values of the last forward pass."""
        dz2 = self.a2.copy()
        dz2[np.arange(len(y_true)), y_true] -= 1
        dz2 /= len(y_true)
        dz1 = (dz2 @ self.W2.T) * self.relu_derivative(self.z1)
        return {
            "W1": X.T @ dz1,
            "b1": dz1.sum(axis=0),
            "W2": self.a1.T @ dz2,
            "b2": dz2.sum(axis=0),
        }

    def update(self, gradients: dict[str, np.ndarray]) -> None:
        """One step with momentum: v = m v - lr g, then w = w + v."""
        for name in self.names:
            velocity = self.momentum * self.velocity[name] - self.learning_rate * gradients[name]
            self.velocity[name] = velocity
            setattr(self, name, getattr(self, name) + velocity)

    def train(
        self,
        X_train: np.ndarray,
        y_train: np.ndarray,
        X_val: np.ndarray | None = None,
        y_val: np.ndarray | None = None,
        epochs: int = 50,
        batch_size: int = 128,
    ) -> dict[str, list[float]]:
        """The mean training loss, and the validation accuracy, of every epoch."""
        history: dict[str, list[float]] = {"train_loss": [], "val_accuracy": []}
        for _ in range(epochs):
            order = self.random.permutation(len(X_train))
            total = 0.0
            for start in range(0, len(X_train), batch_size):
                batch = order[start : start + batch_size]
                probabilities = self.forward(X_train[batch])
                total += len(batch) * self.compute_loss(y_train[batch], probabilities)
                self.update(self.backward(X_train[batch], y_train[batch]))
            history["train_loss"].append(total / len(X_train))
            if X_val is not None and y_val is not None:
                history["val_accuracy"].append(float((self.predict(X_val) == y_val).mean()))
        return history

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The most probable class of each image."""
        return self.forward(X).argmax(axis=1)
