"""Optimizers, sorted by growing complexity.

Each changes all weights of a network at once. They are one vector w, with the gradient as another,
g, so that an update is a few lines of vector arithmetic.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import numpy as np

from mnistlab.scratch.layer import Array


class Optimizer(ABC):
    """Changes w (P,) in place by g (P,), which it may overwrite; backward computes g anew.

    weight_decay is L2: g + weight_decay w instead of g.
    """

    decoupled = False  # whether weight decay shrinks w directly instead of changing g
    remembered: tuple[str, ...] = ()  # attributes that the next step needs

    def __init__(self, w: Array, g: Array, weight_decay: float = 0.0) -> None:
        self.w, self.g, self.weight_decay = w, g, weight_decay

    def step(self, learning_rate: float) -> None:
        """One update with the gradient as it is."""
        if self.weight_decay and self.decoupled:
            self.w *= 1 - learning_rate * self.weight_decay
        elif self.weight_decay:
            self.g += self.weight_decay * self.w
        self.update(self.w, self.g, learning_rate)

    def state(self) -> dict[str, Array]:
        """Copies of what the next step needs; `restore` takes them back."""
        return {name: np.array(getattr(self, name)) for name in self.remembered}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from a state; KeyError for a missing array, ValueError for another shape."""
        for name in self.remembered:
            mine = getattr(self, name)
            if isinstance(mine, np.ndarray):
                mine[...] = state[name]
            else:  # a count of steps
                setattr(self, name, int(state[name]))

    @abstractmethod
    def update(self, w: Array, g: Array, learning_rate: float) -> None:
        """The update rule."""


class SGD(Optimizer):
    """w = w - lr g (Robbins and Monro 1951)."""

    def update(self, w: Array, g: Array, learning_rate: float) -> None:
        """The update rule."""
        g *= learning_rate
        w -= g


class Momentum(Optimizer):
    """v = m v - lr g, w = w + v (Polyak 1964, in the form of row A4).

    torch multiplies by lr when v is applied; under a constant rate both are the same.
    """

    remembered = ("v",)

    def __init__(
        self, w: Array, g: Array, weight_decay: float = 0.0, momentum: float = 0.9
    ) -> None:
        super().__init__(w, g, weight_decay)
        self.momentum, self.v = momentum, np.zeros_like(w)

    def update(self, w: Array, g: Array, learning_rate: float) -> None:
        """The update rule."""
        g *= learning_rate
        self.v *= self.momentum
        self.v -= g
        w += self.v


class Nesterov(Momentum):
    """v = m v - lr g, w = w + m v - lr g (Nesterov 1983, as Sutskever et al. 2013 write it)."""

    def update(self, w: Array, g: Array, learning_rate: float) -> None:
        """The update rule."""
        g *= learning_rate
        self.v *= self.momentum
        self.v -= g
        w -= g
        w += self.momentum * self.v


class Adagrad(Optimizer):
    """s = s + g^2, w = w - lr g / (sqrt(s) + epsilon) (Duchi, Hazan and Singer 2011)."""

    remembered = ("s",)

    def __init__(
        self, w: Array, g: Array, weight_decay: float = 0.0, epsilon: float = 1e-10
    ) -> None:
        super().__init__(w, g, weight_decay)
        self.epsilon, self.s = epsilon, np.zeros_like(w)

    def update(self, w: Array, g: Array, learning_rate: float) -> None:
        """The update rule."""
        self.s += g**2
        w -= learning_rate * g / (np.sqrt(self.s) + self.epsilon)


class RMSprop(Optimizer):
    """s = a s + (1 - a) g^2, w = w - lr g / (sqrt(s) + epsilon) (Tieleman and Hinton 2012)."""

    remembered = ("s",)

    def __init__(
        self,
        w: Array,
        g: Array,
        weight_decay: float = 0.0,
        alpha: float = 0.99,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(w, g, weight_decay)
        self.alpha, self.epsilon, self.s = alpha, epsilon, np.zeros_like(w)

    def update(self, w: Array, g: Array, learning_rate: float) -> None:
        """The update rule."""
        self.s *= self.alpha
        self.s += (1 - self.alpha) * g**2
        w -= learning_rate * g / (np.sqrt(self.s) + self.epsilon)


class Adam(Optimizer):
    """m = b1 m + (1 - b1) g, s = b2 s + (1 - b2) g^2; after step t, with both corrected for

    starting at zero, w = w - lr (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + epsilon)
    (Kingma and Ba 2015, algorithm 1).
    """

    remembered = ("m", "s", "t")

    def __init__(
        self,
        w: Array,
        g: Array,
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(w, g, weight_decay)
        self.betas, self.epsilon, self.t = betas, epsilon, 0
        self.m, self.s = np.zeros_like(w), np.zeros_like(w)

    def update(self, w: Array, g: Array, learning_rate: float) -> None:
        """The update rule."""
        (b1, b2), self.t = self.betas, self.t + 1
        self.m *= b1
        self.m += (1 - b1) * g
        self.s *= b2
        self.s += (1 - b2) * g**2
        m, s = self.m / (1 - b1**self.t), self.s / (1 - b2**self.t)
        w -= learning_rate * m / (np.sqrt(s) + self.epsilon)


class AdamW(Adam):
    """Adam with w = (1 - lr weight_decay) w before each step (Loshchilov and Hutter 2019)."""

    decoupled = True


OPTIMIZERS: dict[str, Callable[[Array, Array, float], Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}
