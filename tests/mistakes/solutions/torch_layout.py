"""A class with torch's names and layout: weights (out, in), a gradient dictionary."""

import numpy as np


class MLP:
    def __init__(self, in_features, hidden_features, out_features, lr=0.05, momentum=0.9):
        rng = np.random.default_rng(0)
        bound = np.sqrt(6 / in_features)
        self.params = {
            "fc1.weight": rng.uniform(-bound, bound, (hidden_features, in_features)),
            "fc1.bias": np.zeros(hidden_features),
            "fc2.weight": rng.normal(0, 0.1, (out_features, hidden_features)),
            "fc2.bias": np.zeros(out_features),
        }
        self.velocity = {name: np.zeros_like(value) for name, value in self.params.items()}
        self.grads = {}
        self.lr, self.momentum = lr, momentum

    def forward(self, inputs):
        self.inputs = inputs
        self.hidden_sum = inputs @ self.params["fc1.weight"].T + self.params["fc1.bias"]
        self.hidden = self.hidden_sum.clip(min=0)
        logits = self.hidden @ self.params["fc2.weight"].T + self.params["fc2.bias"]
        logits = logits - logits.max(axis=1, keepdims=True)
        self.probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return self.probs

    def loss(self, probs, targets):
        picked = np.clip(probs[range(len(targets)), targets], 1e-12, 1.0)
        return float(-np.log(picked).mean())

    def backward(self, targets):
        delta = self.probs.copy()
        delta[range(len(targets)), targets] -= 1.0
        delta /= len(targets)
        self.grads["fc2.weight"] = delta.T @ self.hidden
        self.grads["fc2.bias"] = delta.sum(0)
        delta = delta @ self.params["fc2.weight"]
        delta[self.hidden_sum <= 0] = 0.0
        self.grads["fc1.weight"] = delta.T @ self.inputs
        self.grads["fc1.bias"] = delta.sum(0)
        return self.grads

    def step(self):
        for name, grad in self.grads.items():
            self.velocity[name] = self.momentum * self.velocity[name] + grad
            self.params[name] -= self.lr * self.velocity[name]

    def fit(self, X, y, epochs=5, batch_size=32):
        rng = np.random.default_rng(1)
        for _ in range(epochs):
            rows = rng.permutation(len(X))
            for chunk in np.array_split(rows, max(1, len(X) // batch_size)):
                probs = self.forward(X[chunk])
                self.loss(probs, y[chunk])
                self.backward(y[chunk])
                self.step()
        return self

    def predict(self, inputs):
        return self.forward(inputs).argmax(-1)
