"""Learning-rate schedules: pure functions of how much of a phase is complete.

Each takes that fraction, 0 <= t < 1, and the loss of each epoch so far (the validation loss where
there is one), and returns the factor of the phase's learning rate. To add one, write its function
and name it in SCHEDULES.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

Schedule = Callable[[float, Sequence[float]], float]

WARM_UP = 0.2  # fraction of a phase in which the rate rises to its full value
STEPS, STEP_FACTOR = (0.5, 0.75), 0.1
PLATEAU_PATIENCE, PLATEAU_FACTOR, PLATEAU_THRESHOLD = 3, 0.1, 1e-4  # A12; torch's defaults


def constant(t: float, losses: Sequence[float]) -> float:
    """The full rate throughout."""
    return 1.0


def warm_up(t: float, losses: Sequence[float]) -> float:
    """A linear rise, then the full rate."""
    return min(t / WARM_UP, 1.0)


def linear(t: float, losses: Sequence[float]) -> float:
    """A linear rise, then a linear fall to zero."""
    return min(t / WARM_UP, (1 - t) / (1 - WARM_UP))


def step(t: float, losses: Sequence[float]) -> float:
    """A tenth of the rate after half of the phase, a hundredth after three quarters."""
    return STEP_FACTOR ** sum(t >= begins for begins in STEPS)


def cosine(t: float, losses: Sequence[float]) -> float:
    """From the full rate to zero along half a cosine (Loshchilov and Hutter 2017, eq. 5)."""
    return (1 + math.cos(math.pi * t)) / 2


def one_cycle(t: float, losses: Sequence[float]) -> float:
    """A linear rise, then a cosine fall to zero (after Smith and Topin 2018)."""
    return t / WARM_UP if t < WARM_UP else cosine((t - WARM_UP) / (1 - WARM_UP), losses)


def plateau(t: float, losses: Sequence[float]) -> float:
    """A tenth of the rate whenever more than three epochs in a row brought no lower loss.

    The rule of torch's ReduceLROnPlateau(mode="min", patience=3), row A12.
    """
    factor, best, n_bad = 1.0, math.inf, 0
    for loss in losses:
        n_bad = 0 if loss < best * (1 - PLATEAU_THRESHOLD) else n_bad + 1
        best = loss if n_bad == 0 else best
        if n_bad > PLATEAU_PATIENCE:
            factor, n_bad = factor * PLATEAU_FACTOR, 0
    return factor


SCHEDULES: dict[str, Schedule] = {
    "constant": constant,
    "warm-up": warm_up,
    "linear": linear,
    "step": step,
    "cosine": cosine,
    "one-cycle": one_cycle,
    "plateau": plateau,
}
