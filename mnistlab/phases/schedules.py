"""Learning-rate schedules: pure functions of progress.

Each takes the share of a phase that is done, 0 <= t < 1, and returns the factor
the phase's learning rate is multiplied by.
"""

from __future__ import annotations

import math
from collections.abc import Callable

WARM_UP = 0.2  # share of a phase in which one-cycle and linear rise to the full rate


def constant(t: float) -> float:
    """The full rate throughout."""
    return 1.0


def cosine(t: float) -> float:
    """From the full rate to zero along half a cosine (Loshchilov and Hutter 2017, eq. 5)."""
    return (1 + math.cos(math.pi * t)) / 2


def one_cycle(t: float) -> float:
    """A linear rise, then a cosine fall to zero (after Smith and Topin 2018)."""
    return t / WARM_UP if t < WARM_UP else cosine((t - WARM_UP) / (1 - WARM_UP))


def linear(t: float) -> float:
    """A linear rise, then a linear fall to zero."""
    return t / WARM_UP if t < WARM_UP else (1 - t) / (1 - WARM_UP)


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": constant,
    "cosine": cosine,
    "one-cycle": one_cycle,
    "linear": linear,
}
