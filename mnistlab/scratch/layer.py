"""What a layer is, and the type of the arrays that it takes and returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]  # float32 or float64, the same throughout a network


class Layer(ABC):
    """One operation Y = f(X), written as its forward and its backward pass.

    The first axis is that of the examples. A layer writes its results into arrays of its own, and
    overwrites them in the next pass: copy what must last.
    """

    trained: tuple[str, ...] = ()  # attributes that training changes; the gradient of W is dW
    fixed: tuple[str, ...] = ()  # attributes that it does not, saved with the network as well

    def __init__(self) -> None:
        self._rooms: dict[str, Array] = {}

    @abstractmethod
    def forward(self, X: Array, training: bool = False) -> Array:
        """Y of X; remembers what backward needs."""

    @abstractmethod
    def backward(self, dY: Array) -> Array:
        """dX, the gradient of the loss by the X of the last forward pass; dY: by its Y.

        It also computes the gradients of the parameters.
        """

    def backward_parameters(self, dY: Array) -> None:  # noqa: B027  # most layers have none
        """Compute only the gradients of the parameters, which is enough for the first layer."""

    def pattern(self) -> Array | None:
        """Which pieces of a piecewise function the last pass used; None for smooth functions."""
        return None

    def room(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array to write into: the same memory in every call with that name.

        The system zeroes new memory page by page, which takes longer than the arithmetic of a
        small layer.
        """
        room = self._rooms.get(name)
        if room is None or len(room) < shape[0] or room.shape[1:] != shape[1:]:
            room = np.empty(shape, dtype)
        if room.dtype != dtype:
            room = room.astype(dtype)
        self._rooms[name] = room
        return room[: shape[0]]
