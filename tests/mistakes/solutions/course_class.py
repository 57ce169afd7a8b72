"""A right solution: write-up A's class."""

import numpy as np


class MLPFromScratch:
    """One hidden layer, trained with momentum."""

    def __init__(self, input_size, hidden_size, output_size, learning_rate=0.01, momentum=0.9):
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.W1 = np.random.randn(input_size, hidden_size) * np.sqrt(2.0 / input_size)
        self.b1 = np.zeros((1, hidden_size))
        self.W2 = np.random.randn(hidden_size, output_size) * np.sqrt(2.0 / hidden_size)
        self.b2 = np.zeros((1, output_size))
        self.v_W1 = np.zeros_like(self.W1)
        self.v_b1 = np.zeros_like(self.b1)
        self.v_W2 = np.zeros_like(self.W2)
        self.v_b2 = np.zeros_like(self.b2)

    def relu(self, x):
        return np.maximum(0, x)

    def relu_derivative(self, x):
        return (x > 0).astype(float)

    def softmax(self, x):
        exps = np.exp(x - np.max(x, axis=1, keepdims=True))
        return exps / np.sum(exps, axis=1, keepdims=True)

    def forward(self, X):
        self.z1 = X @ self.W1 + self.b1
        self.a1 = self.relu(self.z1)
        self.z2 = self.a1 @ self.W2 + self.b2
        self.a2 = self.softmax(self.z2)
        return self.a2

    def compute_loss(self, y_true, y_pred):
        n = y_true.shape[0]
        log_probs = np.log(y_pred[np.arange(n), y_true] + 1e-8)
        return -np.sum(log_probs) / n

    def backward(self, X, y):
        n = X.shape[0]
        one_hot = np.zeros_like(self.a2)
        one_hot[np.arange(n), y] = 1
        dz2 = (self.a2 - one_hot) / n
        dW2 = self.a1.T @ dz2
        db2 = np.sum(dz2, axis=0, keepdims=True)
        da1 = dz2 @ self.W2.T
        dz1 = da1 * self.relu_derivative(self.z1)
        dW1 = X.T @ dz1
        db1 = np.sum(dz1, axis=0, keepdims=True)

        self.v_W2 = self.momentum * self.v_W2 - self.learning_rate * dW2
        self.W2 = self.W2 + self.v_W2
        self.v_b2 = self.momentum * self.v_b2 - self.learning_rate * db2
        self.b2 = self.b2 + self.v_b2
        self.v_W1 = self.momentum * self.v_W1 - self.learning_rate * dW1
        self.W1 = self.W1 + self.v_W1
        self.v_b1 = self.momentum * self.v_b1 - self.learning_rate * db1
        self.b1 = self.b1 + self.v_b1

    def train(self, X_train, y_train, X_val, y_val, epochs=50, batch_size=128):
        n = X_train.shape[0]
        losses, accuracies = [], []
        for epoch in range(epochs):
            order = np.random.permutation(n)
            X_shuffled = X_train[order]
            y_shuffled = y_train[order]
            total = 0.0
            for start in range(0, n, batch_size):
                X_batch = X_shuffled[start : start + batch_size]
                y_batch = y_shuffled[start : start + batch_size]
                y_pred = self.forward(X_batch)
                total += self.compute_loss(y_batch, y_pred) * len(X_batch)
                self.backward(X_batch, y_batch)
            losses.append(total / n)
            accuracies.append(np.mean(self.predict(X_val) == y_val))
        return losses, accuracies

    def predict(self, X):
        return np.argmax(self.forward(X), axis=1)
