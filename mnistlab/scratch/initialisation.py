"""Random first weights, with the variance that keeps signals at one size through all layers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Initialisation = Callable[[int, int, Generator], NDArray[np.float64]]


def he(n_in: int, n_out: int, random: Generator) -> NDArray[np.float64]:
    """W (n_in, n_out) from N(0, 2 / n_in), for ReLU (He et al. 2015, eq. 10)."""
    return random.normal(0.0, np.sqrt(2 / n_in), (n_in, n_out))


def xavier(n_in: int, n_out: int, random: Generator) -> NDArray[np.float64]:
    """W (n_in, n_out) from N(0, 2 / (n_in + n_out)), for tanh (Glorot and Bengio 2010, eq. 12)."""
    return random.normal(0.0, np.sqrt(2 / (n_in + n_out)), (n_in, n_out))


INITIALISATIONS: dict[str, Initialisation] = {"he": he, "xavier": xavier}
