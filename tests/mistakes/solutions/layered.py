"""A right solution: layers as objects, softmax fused with the loss, momentum in the layers."""

import numpy as np


class Linear:
    def __init__(self, n_in, n_out):
        self.W = np.random.normal(0.0, np.sqrt(2.0 / n_in), (n_in, n_out))
        self.b = np.zeros(n_out)
        self.vW = np.zeros_like(self.W)
        self.vb = np.zeros_like(self.b)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T

    def step(self, lr, momentum=0.9):
        self.vW = momentum * self.vW - lr * self.dW
        self.vb = momentum * self.vb - lr * self.db
        self.W += self.vW
        self.b += self.vb


class ReLU:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        shifted = logits - logits.max(axis=1, keepdims=True)
        exps = np.exp(shifted)
        self.probs = exps / exps.sum(axis=1, keepdims=True)
        self.labels = labels
        picked = self.probs[np.arange(len(labels)), labels]
        loss = -np.log(picked + 1e-12).mean()
        return loss

    def backward(self):
        grad = self.probs.copy()
        grad[np.arange(len(self.labels)), self.labels] -= 1
        grad = grad / len(self.labels)
        return grad


class Network:
    def __init__(self, sizes, lr=0.1):
        self.lr = lr
        self.layers = []
        for i in range(len(sizes) - 1):
            self.layers.append(Linear(sizes[i], sizes[i + 1]))
            if i < len(sizes) - 2:
                self.layers.append(ReLU())
        self.criterion = SoftmaxCrossEntropy()

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def loss(self, logits, labels):
        return self.criterion.forward(logits, labels)

    def backward(self, logits, labels):
        self.criterion.forward(logits, labels)
        grad = self.criterion.backward()
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

    def step(self):
        for layer in self.layers:
            if isinstance(layer, Linear):
                layer.step(self.lr)

    def fit(self, X, y, epochs=10, batch_size=32):
        history = []
        for _ in range(epochs):
            order = np.random.permutation(len(X))
            losses = []
            for start in range(0, len(X), batch_size):
                rows = order[start : start + batch_size]
                logits = self.forward(X[rows])
                losses.append(self.loss(logits, y[rows]))
                self.backward(logits, y[rows])
                self.step()
            history.append(np.mean(losses))
        return history

    def predict(self, X):
        scores = self.forward(X)
        return scores.argmax(axis=1)
