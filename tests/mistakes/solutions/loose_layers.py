"""Layers without a network: Dense, ReLU, a fused loss, and an optimizer over the layers."""

import numpy as np


class Dense:
    def __init__(self, in_dim, out_dim, rng=None):
        rng = rng or np.random.default_rng(3)
        self.weights = rng.standard_normal((in_dim, out_dim)) * 0.05
        self.bias = np.zeros((1, out_dim))

    def forward(self, inputs):
        self.inputs = inputs
        return np.dot(inputs, self.weights) + self.bias

    def backward(self, dout):
        self.dweights = np.dot(self.inputs.T, dout)
        self.dbias = np.sum(dout, axis=0, keepdims=True)
        return np.dot(dout, self.weights.T)


class ReLU:
    def forward(self, inputs):
        self.inputs = inputs
        return np.maximum(0, inputs)

    def backward(self, dout):
        dinputs = dout.copy()
        dinputs[self.inputs <= 0] = 0
        return dinputs


class SoftmaxLoss:
    def forward(self, scores, y):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        self.probs = e / e.sum(axis=1, keepdims=True)
        self.y = y
        return -np.log(self.probs[np.arange(len(y)), y]).mean()

    def backward(self):
        grad = self.probs.copy()
        grad[np.arange(len(self.y)), self.y] -= 1
        return grad / len(self.y)


class SGD:
    def __init__(self, layers, lr=0.1, momentum=0.9):
        self.layers, self.lr, self.momentum = layers, lr, momentum
        self.velocities = {}

    def step(self):
        for i, layer in enumerate(self.layers):
            if not hasattr(layer, "weights"):
                continue
            v_w, v_b = self.velocities.get(i, (0.0, 0.0))
            v_w = self.momentum * v_w - self.lr * layer.dweights
            v_b = self.momentum * v_b - self.lr * layer.dbias
            layer.weights += v_w
            layer.bias += v_b
            self.velocities[i] = (v_w, v_b)
