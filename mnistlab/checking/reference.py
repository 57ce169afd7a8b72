"""The right network, one named step per line, and what any fault in any step makes of it.

Input, one hidden layer with ReLU, softmax, cross-entropy. Each step computes one quantity from the
quantities before it; a Fault computes one quantity in a wrong way, and everything after it follows.
So the gradient that a mistake leads to is known exactly, and can be compared with a student's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Values: TypeAlias = dict[str, Array]
PARAMETERS = ("W1", "b1", "W2", "b2")
GRADIENTS = ("dW2", "db2", "dW1", "db1")  # in the order in which they are computed
EQUAL = 1e-6  # relative: a student's array equals that of a known mistake
RIGHT = 1e-5  # relative: a student's array is right; an epsilon in the log moves it by 1e-6


@dataclass(frozen=True)
class Problem:
    """A small problem to compute: every size differs, so that a shape tells what an array is.

    X (N, n_in), labels (N,) in 0..K-1, weights W1 (n_in, H), b1 (H,), W2 (H, K), b2 (K,).
    """

    X: Array
    labels: NDArray[np.int64]
    weights: Values
    learning_rate: float = 0.07  # not one minus the momentum: the two must not be mistaken

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Inputs, hidden units, classes."""
        (n_in, n_hidden), n_classes = self.weights["W1"].shape, self.weights["W2"].shape[1]
        return n_in, n_hidden, n_classes

    @property
    def one_hot(self) -> Array:
        """Labels (N, K)."""
        return np.eye(self.sizes[2])[self.labels]


@dataclass(frozen=True)
class Fault:
    """A wrong way to compute one step.

    make: from the values of a network so far to the wrong value. The right one is `v.right`.
    """

    mistake: str
    step: str
    make: Callable[[SimpleNamespace], Any]


def softmax(z: Array) -> Array:
    """Probabilities (N, K) of scores (N, K)."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


STEPS: dict[str, Callable[[SimpleNamespace], Array]] = {
    "z1": lambda v: v.X @ v.W1 + v.b1,
    "a1": lambda v: np.maximum(v.z1, 0),
    "z2": lambda v: v.a1 @ v.W2 + v.b2,
    "p": lambda v: softmax(v.z2),
    "loss": lambda v: -np.mean(np.log(v.p[np.arange(v.n), v.labels])),
    "dz2": lambda v: (v.p - v.Y) / v.n,
    "dW2": lambda v: v.a1.T @ v.dz2,
    "db2": lambda v: v.dz2.sum(axis=0),
    "da1": lambda v: v.dz2 @ v.W2.T,
    "dz1": lambda v: v.da1 * (v.z1 > 0),
    "dW1": lambda v: v.X.T @ v.dz1,
    "db1": lambda v: v.dz1.sum(axis=0),
}
EQUATIONS = {
    "z1": "z1 = X W1 + b1",
    "a1": "a1 = max(0, z1)",
    "z2": "z2 = a1 W2 + b2",
    "p": "p_ik = exp(z_ik) / sum_j exp(z_ij)",
    "loss": "L = -(1/N) sum_i log p_i,y(i)",
    "dz2": "dL/dz2 = (p - y) / N",
    "dW2": "dL/dW2 = a1^T dL/dz2",
    "db2": "dL/db2 = the sum of dL/dz2 over the images",
    "da1": "dL/da1 = dL/dz2 W2^T",
    "dz1": "dL/dz1 = dL/da1 * relu'(z1)",
    "dW1": "dL/dW1 = X^T dL/dz1",
    "db1": "dL/db1 = the sum of dL/dz1 over the images",
}


def state_of(problem: Problem) -> SimpleNamespace:
    """What the first step starts from."""
    return SimpleNamespace(
        **problem.weights,
        X=problem.X,
        labels=problem.labels,
        Y=problem.one_hot,
        n=len(problem.X),
        learning_rate=problem.learning_rate,
    )


def take_step(v: SimpleNamespace, step: str, faults: Sequence[Fault] = ()) -> Array:
    """Compute one step, with those of the faults that are of this step."""
    v.right = STEPS[step](v)
    for fault in faults:
        if fault.step == step:
            v.right = fault.make(v)
    value = np.asarray(v.right)
    setattr(v, step, value)
    return value


def computed(problem: Problem, faults: Sequence[Fault] = ()) -> Values:
    """Every quantity of the network with these faults; ValueError where shapes do not fit."""
    v = state_of(problem)
    return {step: take_step(v, step, faults) for step in STEPS}


@cache
def make_problem(
    n: int = 6,
    sizes: tuple[int, int, int] = (7, 5, 4),
    learning_rate: float = 0.07,  # not one minus the momentum: the two must not be mistaken
) -> Problem:
    """A problem whose ReLUs are all well away from zero, so that differences are exact."""
    n_in, n_hidden, n_classes = sizes
    labels = np.arange(n) % n_classes
    labels[-1] = (labels[-1] + 1) % n_classes  # no class as often as another
    for seed in range(10_000):
        random = np.random.default_rng(seed)
        weights = {
            "W1": random.normal(0, 0.6, (n_in, n_hidden)),
            "b1": random.normal(0, 0.5, n_hidden),
            "W2": random.normal(0, 0.6, (n_hidden, n_classes)),
            "b2": random.normal(0, 0.3, n_classes),
        }
        problem = Problem(random.uniform(0.1, 1, (n, n_in)), labels, weights, learning_rate)
        values = computed(problem)
        is_active = values["z1"] > 0
        if (
            np.abs(values["z1"]).min() > 0.02
            and np.abs(values["z2"]).min() > 0.02
            and 0.3 < is_active.mean() < 0.8
            and is_active.any(0).all()
            and values["p"].min() > 0.02
        ):
            return problem
    raise AssertionError("no such problem")


def is_equal(a: object, b: Array, tolerance: float = EQUAL) -> bool:
    """Whether two arrays have one shape and values equal relative to the largest."""
    a = np.asarray(a)
    if a.shape != b.shape or a.dtype.kind not in "fiu":
        return False
    scale = max(float(np.abs(b).max(initial=0)), 1e-9)  # some sums are 0 but for rounding
    return bool(np.abs(a - b).max(initial=0) <= tolerance * scale)
