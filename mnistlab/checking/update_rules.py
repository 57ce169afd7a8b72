"""Momentum, and every known wrong way to move the weights: (w, v, g, rate, m) -> (w, v)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mnistlab.checking.reference import Array

Rule = Callable[[Array, Array, Array, float, float], tuple[Array, Array]]


class NamedRule(NamedTuple):
    """An update rule and the mistake it is; "" for a right one."""

    mistake: str
    move: Rule


def _right(w: Array, v: Array, g: Array, rate: float, m: float) -> tuple[Array, Array]:
    v = m * v - rate * g
    return w + v, v


def _replaced(w: Array, v: Array, g: Array, rate: float, m: float) -> tuple[Array, Array]:
    v = m * v - rate * g
    return v, v


MOMENTUM = NamedRule("", _right)
PLAIN = NamedRule("momentum-missing", lambda w, v, g, rate, m: (w - rate * g, -rate * g))
WRONG = (
    PLAIN,
    NamedRule("momentum-order", lambda w, v, g, rate, m: (w + v, m * v - rate * g)),
    NamedRule("step-sign", lambda w, v, g, rate, m: (w - m * v + rate * g, m * v - rate * g)),
    NamedRule("step-sign", lambda w, v, g, rate, m: (w + m * v + rate * g, m * v + rate * g)),
    NamedRule("step-sign", lambda w, v, g, rate, m: (w + rate * g, 0 * g)),
    NamedRule("velocity-sign", lambda w, v, g, rate, m: (w - m * v - rate * g, -m * v - rate * g)),
    NamedRule(
        "momentum-damped",
        lambda w, v, g, rate, m: (w + m * v - (1 - m) * rate * g, m * v - (1 - m) * rate * g),
    ),
    NamedRule(
        "momentum-swapped",
        lambda w, v, g, rate, m: (w + (1 - m) * v - rate * g, (1 - m) * v - rate * g),
    ),
    NamedRule(
        "momentum-swapped",
        lambda w, v, g, rate, m: (w + (1 - m) * v - m * rate * g, (1 - m) * v - m * rate * g),
    ),
    NamedRule(
        "nesterov",
        lambda w, v, g, rate, m: (w + m * (m * v - rate * g) - rate * g, m * v - rate * g),
    ),
    NamedRule(
        "learning-rate-twice",
        lambda w, v, g, rate, m: (w + rate * (m * v - rate * g), m * v - rate * g),
    ),
    NamedRule("learning-rate-twice", lambda w, v, g, rate, m: (w - rate * rate * g, 0 * g)),
    NamedRule("learning-rate-missing", lambda w, v, g, rate, m: (w + m * v - g, m * v - g)),
    NamedRule("learning-rate-missing", lambda w, v, g, rate, m: (w - g, 0 * g)),
    NamedRule(
        "learning-rate-on-velocity",
        lambda w, v, g, rate, m: (w + m * (v - rate * g), m * (v - rate * g)),
    ),
    NamedRule("velocity-replaces-weights", _replaced),
    NamedRule("step-twice", lambda w, v, g, rate, m: (w + m * v - 2 * rate * g, m * v - rate * g)),
    NamedRule(
        "step-twice", lambda w, v, g, rate, m: (w + 2 * m * v - 2 * rate * g, m * v - rate * g)
    ),
    NamedRule(
        "momentum-on-weights",
        lambda w, v, g, rate, m: (m * w + m * v - rate * g, m * v - rate * g),
    ),
    NamedRule("momentum-on-weights", lambda w, v, g, rate, m: (m * w - rate * g, v)),
    NamedRule("momentum-is-one", lambda w, v, g, rate, m: (w + v - rate * g, v - rate * g)),
    NamedRule("not-updated", lambda w, v, g, rate, m: (w, 0 * g)),
)
EQUATION = "v = m v - rate g, then w = w + v"
