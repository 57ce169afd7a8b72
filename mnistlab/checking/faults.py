"""Every known wrong way to compute a step of the network. To add a mistake: one entry here, and
its words in `mistakes.py`; a test compares each fault with all others."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace as Network

import numpy as np

from mnistlab.checking.reference import Array, Fault, softmax


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def _by_axis(z: Array) -> Array:
    e = np.exp(z - z.max())
    return e / e.sum(axis=0)


def _shifted(z: Array) -> Array:
    return np.exp(z - z.max(axis=1, keepdims=True))


def _hard(p: Array) -> Array:
    return np.eye(p.shape[1])[p.argmax(axis=1)]


def _swapped(v: Network, epsilon: float) -> Array:
    return np.asarray(-np.mean((v.p * np.log(v.Y + epsilon)).sum(axis=1)))


def _true(v: Network) -> Array:
    return v.p[np.arange(v.n), v.labels]


ACTIVATION = [
    Fault("bias-left-out", "z1", lambda v: v.X @ v.W1),
    Fault("bias-sign", "z1", lambda v: v.X @ v.W1 - v.b1),
    Fault("bias-after-activation", "a1", lambda v: np.maximum(v.X @ v.W1, 0) + v.b1),
    Fault("activation-missing", "a1", lambda v: v.z1),
    Fault("other-activation", "a1", lambda v: _sigmoid(v.z1)),
    Fault("other-activation", "a1", lambda v: np.tanh(v.z1)),
    Fault("leaky-activation", "a1", lambda v: np.where(v.z1 > 0, v.z1, 0.01 * v.z1)),
    Fault("leaky-activation", "a1", lambda v: np.where(v.z1 > 0, v.z1, 0.1 * v.z1)),
    Fault("absolute-value", "a1", lambda v: np.abs(v.z1)),
    Fault("activation-upside-down", "a1", lambda v: np.minimum(v.z1, 0)),
    Fault("step-activation", "a1", lambda v: (v.z1 > 0).astype(float)),
    Fault("clipped-activation", "a1", lambda v: np.clip(v.z1, 0, 1)),
    Fault("mask-threshold", "a1", lambda v: v.z1 * (v.z1 > 1)),
    Fault("mask-threshold", "a1", lambda v: v.z1 * (v.z1 > 0.5)),
    Fault("activation-softmax", "a1", lambda v: softmax(v.z1)),
    Fault("bias-left-out", "z2", lambda v: v.a1 @ v.W2),
    Fault("bias-sign", "z2", lambda v: v.a1 @ v.W2 - v.b2),
    Fault("activation-unused", "z2", lambda v: v.z1 @ v.W2 + v.b2),
    Fault("activation-on-scores", "z2", lambda v: np.maximum(v.right, 0)),
]
PROBABILITY = [
    Fault("softmax-missing", "p", lambda v: v.z2),
    Fault("softmax-twice", "p", lambda v: softmax(v.right)),
    Fault("softmax-wrong-axis", "p", lambda v: _by_axis(v.z2)),
    Fault("softmax-over-batch", "p", lambda v: np.exp(v.z2) / np.exp(v.z2).sum()),
    Fault("softmax-over-batch", "p", lambda v: softmax(v.z2) / len(v.z2)),
    Fault("softmax-over-batch", "p", lambda v: _shifted(v.z2) / _shifted(v.z2).sum()),
    Fault("softmax-wrong-axis", "p", lambda v: _shifted(v.z2) / _shifted(v.z2).sum(axis=0)),
    Fault("softmax-sign", "p", lambda v: softmax(-v.z2)),
    Fault("sigmoid-for-softmax", "p", lambda v: _sigmoid(v.z2)),
    Fault("not-normalised", "p", lambda v: np.exp(v.z2)),
    Fault("not-normalised", "p", lambda v: np.exp(v.z2 - v.z2.max(axis=1, keepdims=True))),
    Fault("not-normalised", "p", lambda v: np.exp(v.z2 - v.z2.max())),
    Fault("exponential-missing", "p", lambda v: v.z2 / v.z2.sum(axis=1, keepdims=True)),
    Fault(
        "exponential-missing",
        "p",
        lambda v: (
            (v.z2 - v.z2.max(1, keepdims=True))
            / (v.z2 - v.z2.max(1, keepdims=True)).sum(1, keepdims=True)
        ),
    ),
    Fault("log-softmax", "p", lambda v: np.log(v.right)),
    Fault("hard-decisions", "p", lambda v: _hard(v.right)),
]
LOSS = [
    Fault("loss-summed", "loss", lambda v: v.right * v.n),
    Fault("loss-over-all-entries", "loss", lambda v: v.right / v.p.shape[1]),
    Fault("loss-over-classes", "loss", lambda v: v.right * v.n / v.p.shape[1]),
    Fault("loss-sign", "loss", lambda v: -v.right),
    Fault("loss-log-base", "loss", lambda v: v.right / np.log(10)),
    Fault("loss-log-base", "loss", lambda v: v.right / np.log(2)),
    Fault("loss-halved", "loss", lambda v: v.right / 2),
    Fault("loss-log-missing", "loss", lambda v: -np.mean(_true(v))),
    Fault("loss-log-missing", "loss", lambda v: 1 - np.mean(_true(v))),
    Fault("loss-log-of-mean", "loss", lambda v: -np.log(np.mean(_true(v)))),
    Fault("loss-of-largest", "loss", lambda v: -np.mean(np.log(v.p.max(axis=1)))),
    Fault("loss-log-of-rest", "loss", lambda v: -np.mean(np.log(1 - _true(v)))),
    Fault("loss-all-classes", "loss", lambda v: -np.mean(np.log(v.p).sum(axis=1))),
    Fault("loss-all-classes", "loss", lambda v: -np.mean(np.log(v.p))),
    Fault("loss-entropy", "loss", lambda v: -np.mean((v.p * np.log(v.p)).sum(axis=1))),
    Fault("loss-squared-error", "loss", lambda v: np.mean((v.p - v.Y) ** 2)),
    Fault("loss-squared-error", "loss", lambda v: np.mean(((v.p - v.Y) ** 2).sum(axis=1))),
    Fault("loss-squared-error", "loss", lambda v: 0.5 * np.mean((v.p - v.Y) ** 2)),
    Fault("loss-squared-error", "loss", lambda v: 0.5 * np.mean(((v.p - v.Y) ** 2).sum(axis=1))),
    Fault("loss-squared-error", "loss", lambda v: np.sum((v.p - v.Y) ** 2)),
    Fault(
        "loss-binary",
        "loss",
        lambda v: -np.mean((v.Y * np.log(v.p) + (1 - v.Y) * np.log(1 - v.p)).sum(axis=1)),
    ),
    Fault(
        "loss-binary",
        "loss",
        lambda v: -np.mean(v.Y * np.log(v.p) + (1 - v.Y) * np.log(1 - v.p)),
    ),
    *(
        Fault(
            "loss-arguments-swapped",
            "loss",
            partial(_swapped, epsilon=e),
        )
        for e in (1e-8, 1e-15, 1e-12, 1e-10, 1e-9, 1e-7, 1e-6)
    ),
    Fault(
        "softmax-twice", "loss", lambda v: -np.mean(np.log(softmax(v.p)[np.arange(v.n), v.labels]))
    ),
    Fault(
        "loss-of-scores",
        "loss",
        lambda v: -np.mean(v.z2[np.arange(v.n), v.labels]),
    ),
]
OUTPUT = [
    Fault("not-averaged", "dz2", lambda v: v.right * v.n),
    Fault("averaged-twice", "dz2", lambda v: v.right / v.n),
    Fault("wrong-count", "dz2", lambda v: v.right * v.n / v.p.shape[1]),
    Fault("wrong-count", "dz2", lambda v: v.right / v.p.shape[1]),
    Fault("wrong-count", "dz2", lambda v: v.right * v.n / v.X.shape[1]),
    Fault("gradient-sign", "dz2", lambda v: -v.right),
    Fault("factor-two", "dz2", lambda v: 2 * v.right),
    Fault("softmax-derivative-again", "dz2", lambda v: v.right * v.p * (1 - v.p)),
    Fault("labels-not-subtracted", "dz2", lambda v: v.p / v.n),
    Fault("probabilities-not-used", "dz2", lambda v: -v.Y / v.n),
    Fault("softmax-skipped", "dz2", lambda v: -v.Y / v.p / v.n),
    Fault("scores-for-probabilities", "dz2", lambda v: (v.z2 - v.Y) / v.n),
    Fault("decisions-for-probabilities", "dz2", lambda v: (_hard(v.p) - v.Y) / v.n),
    Fault("mask-on-output", "dz2", lambda v: v.right * (v.z2 > 0)),
    Fault("loss-as-factor", "dz2", lambda v: v.right * v.loss),
    Fault("absolute-error", "dz2", lambda v: np.abs(v.right)),
    Fault("absolute-error", "dz2", lambda v: np.sign(v.right) / v.n),
    Fault("squared-error", "dz2", lambda v: v.right**2),
    Fault("squared-error", "dz2", lambda v: v.right**2 * v.n),
    Fault("labels-off-by-one", "dz2", lambda v: (v.p - np.roll(v.Y, 1, axis=1)) / v.n),
    Fault("labels-off-by-one", "dz2", lambda v: (v.p - np.roll(v.Y, -1, axis=1)) / v.n),
    Fault("softmax-twice", "dz2", lambda v: (softmax(v.p) - v.Y) / v.n),
    Fault(
        "softmax-twice",
        "dz2",
        lambda v: v.p * (softmax(v.p) - v.Y - ((softmax(v.p) - v.Y) * v.p).sum(1)[:, None]) / v.n,
    ),
]
HIDDEN = [
    Fault("weights-not-transposed", "da1", lambda v: v.dz2 @ v.W2),
    Fault("weights-of-wrong-layer", "da1", lambda v: v.dz2 @ v.W1.T),
    Fault("weights-of-wrong-layer", "da1", lambda v: v.dz2 @ v.W1),
    Fault("weights-left-out", "da1", lambda v: v.dz2),
    Fault("updated-too-early", "da1", lambda v: v.dz2 @ (v.W2 - v.learning_rate * v.dW2).T),
    Fault("gradient-for-weights", "da1", lambda v: v.dz2 @ v.dW2.T),
    Fault("gradient-sign", "da1", lambda v: -v.right),
    Fault("error-of-wrong-layer", "da1", lambda v: v.p @ v.W2.T),
    Fault("error-of-wrong-layer", "da1", lambda v: v.Y @ v.W2.T),
    Fault("error-of-wrong-layer", "da1", lambda v: v.p @ v.W2.T / v.n),
    Fault("error-of-wrong-layer", "da1", lambda v: v.Y @ v.W2.T / v.n),
    Fault("averaged-twice", "da1", lambda v: v.right / v.n),
    Fault("not-averaged", "da1", lambda v: v.right * v.n),
    Fault("mask-missing", "dz1", lambda v: v.da1),
    Fault("mask-inverted", "dz1", lambda v: v.da1 * (v.z1 <= 0)),
    Fault("mask-of-gradient", "dz1", lambda v: v.da1 * (v.da1 > 0)),
    Fault("activation-for-mask", "dz1", lambda v: v.da1 * v.a1),
    Fault("activation-for-mask", "dz1", lambda v: v.da1 * v.z1),
    Fault("mask-before-bias", "dz1", lambda v: v.da1 * (v.X @ v.W1 > 0)),
    Fault("mask-of-wrong-layer", "dz1", lambda v: v.da1 * (v.z2 > 0)),
    Fault("mask-of-wrong-layer", "dz1", lambda v: v.da1 * v.z2),
    Fault("mask-of-wrong-layer", "dz1", lambda v: v.da1 * np.maximum(v.z2, 0)),
    Fault("mask-threshold", "dz1", lambda v: v.da1 * (v.z1 > 1)),
    Fault("mask-threshold", "dz1", lambda v: v.da1 * (v.z1 > 0.5)),
    Fault("mask-alone", "dz1", lambda v: (v.z1 > 0) * 1.0),
    Fault("mask-alone", "dz1", lambda v: (v.z1 > 0) / v.n),
    Fault("derivative-of-sigmoid", "dz1", lambda v: v.da1 * v.a1 * (1 - v.a1)),
    Fault("derivative-of-sigmoid", "dz1", lambda v: v.da1 * _sigmoid(v.z1) * (1 - _sigmoid(v.z1))),
    Fault("derivative-of-sigmoid", "dz1", lambda v: v.da1 * v.z1 * (1 - v.z1)),
    Fault("derivative-of-tanh", "dz1", lambda v: v.da1 * (1 - v.a1**2)),
    Fault("derivative-leaks", "dz1", lambda v: v.da1 * np.where(v.z1 > 0, 1, 0.01)),
    Fault("derivative-has-sign", "dz1", lambda v: v.da1 * np.sign(v.z1)),
    Fault("gradient-sign", "dz1", lambda v: -v.right),
    Fault("wrong-gradient-masked", "dz1", lambda v: v.right * v.da1),
]


def _of_weights(layer: int) -> list[Fault]:
    step, input_, error = f"dW{layer}", ("X", "a1")[layer - 1], f"dz{layer}"

    def product(left: str, right: str) -> Fault:
        mistake = "error-of-wrong-layer" if left == input_ else "input-of-wrong-layer"
        return Fault(mistake, step, lambda v: getattr(v, left).T @ getattr(v, right))

    others = {1: [("a1", "dz1"), ("X", "dz2"), ("z1", "dz1")], 2: [("X", "dz2"), ("p", "dz2")]}
    return [
        Fault("not-averaged", step, lambda v: v.right * v.n),
        Fault("averaged-twice", step, lambda v: v.right / v.n),
        Fault("gradient-sign", step, lambda v: -v.right),
        Fault("factor-two", step, lambda v: 2 * v.right),
        Fault("transposed", step, lambda v: v.right.T),
        Fault("not-transposed", step, lambda v: getattr(v, input_) @ getattr(v, error)),
        Fault("gradient-missing", step, lambda v: np.zeros_like(v.right)),
        Fault("wrong-count", step, lambda v: v.right * v.n / getattr(v, input_).shape[1]),
        Fault("wrong-count", step, lambda v: v.right / getattr(v, input_).shape[1]),
        Fault("wrong-count", step, lambda v: v.right / v.p.shape[1]),
        Fault("weights-in-gradient", step, lambda v: v.right * getattr(v, f"W{layer}")),
        *(product(*pair) for pair in others[layer]),
        *(
            [Fault("mask-missing", step, lambda v: v.X.T @ v.da1)]
            if layer == 1
            else [
                Fault("before-activation", step, lambda v: v.z1.T @ v.dz2),
                Fault("mask-for-activation", step, lambda v: (v.z1 > 0).T @ v.dz2),
            ]
        ),
    ]


def _of_bias(layer: int) -> list[Fault]:
    step, error = f"db{layer}", f"dz{layer}"
    return [
        Fault("not-averaged", step, lambda v: v.right * v.n),
        Fault("averaged-twice", step, lambda v: v.right / v.n),
        Fault("gradient-sign", step, lambda v: -v.right),
        Fault("factor-two", step, lambda v: 2 * v.right),
        Fault("gradient-missing", step, lambda v: np.zeros_like(v.right)),
        Fault("bias-wrong-axis", step, lambda v: getattr(v, error).sum(axis=1)),
        Fault("bias-wrong-axis", step, lambda v: getattr(v, error).mean(axis=1)),
        Fault("bias-summed-over-all", step, lambda v: getattr(v, error).sum()),
        Fault("bias-summed-over-all", step, lambda v: getattr(v, error).mean()),
        Fault("bias-not-summed", step, lambda v: getattr(v, error)),
        Fault("bias-one-image", step, lambda v: getattr(v, error)[0]),
        Fault("bias-one-image", step, lambda v: getattr(v, error)[-1]),
        Fault("bias-largest", step, lambda v: getattr(v, error).max(axis=0)),
        Fault("wrong-count", step, lambda v: v.right * v.n / getattr(v, error).shape[1]),
        Fault("wrong-count", step, lambda v: v.right / getattr(v, error).shape[1]),
        Fault("bias-times-value", step, lambda v: v.right * getattr(v, f"b{layer}")),
        *(
            [
                Fault("mask-missing", step, lambda v: v.da1.sum(axis=0)),
                Fault("error-of-wrong-layer", step, lambda v: v.dz2.sum(axis=0)),
                # Of layer 2 such a sum is 0 for every network, as a missing gradient is.
                Fault("bias-summed-over-all", step, lambda v: np.full_like(v.right, v.dz1.sum())),
            ]
            if layer == 1
            else [Fault("error-of-wrong-layer", step, lambda v: v.p.sum(axis=0))]
        ),
    ]


FORWARD = [*ACTIVATION, *PROBABILITY]
BACKWARD = [*OUTPUT, *HIDDEN, *_of_weights(2), *_of_bias(2), *_of_weights(1), *_of_bias(1)]
