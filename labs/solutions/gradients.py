"""Solution of chapter 3: gradients by finite differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def numerical_gradient(
    loss: Callable[[], float], parameter: np.ndarray, step: float = 1e-5
) -> np.ndarray:
    """The gradient of `loss` by every element of `parameter`, by central differences."""
    gradient = np.zeros_like(parameter)
    for index in np.ndindex(parameter.shape):
        value = parameter[index]
        parameter[index] = value + step
        above = loss()
        parameter[index] = value - step
        below = loss()
        parameter[index] = value
        gradient[index] = (above - below) / (2 * step)
    return gradient
