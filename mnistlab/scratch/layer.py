"""What a layer is, and the type of the arrays that pass through it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]  # float32 or float64, the same throughout a network


class Layer(ABC):
    """One operation Y = f(X), written as its forward and its backward pass.

    Examples lie along the first axis. The arrays a layer returns are its own and are
    overwritten by its next pass: copy what must last.
    """

    trained: tuple[str, ...] = ()  # attributes that learn; the gradient of W is called dW
    fixed: tuple[str, ...] = ()  # attributes that do not, but belong to the trained network

    def __init__(self) -> None:
        self._rooms: dict[str, Array] = {}

    @abstractmethod
    def forward(self, X: Array, training: bool = False) -> Array:
        """Y of X; keeps what backward needs."""

    @abstractmethod
    def backward(self, dY: Array) -> Array:
        """dX, the gradient of the loss by the X of the last forward pass, from that by its Y.

        Fills the gradients of the parameters on the way.
        """

    def backward_parameters(self, dY: Array) -> None:  # noqa: B027  # most layers have none
        """The gradients of the parameters alone: all that the first layer need compute."""

    def pattern(self) -> Array | None:
        """Which pieces a piecewise function used in the last pass; None where it has none."""
        return None

    def room(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array to write into, the same memory at every call.

        Fresh memory for every batch would be zeroed by the system page by page, which takes
        longer than the arithmetic of a small layer.
        """
        room = self._rooms.get(name)
        if room is None or len(room) < shape[0] or room.shape[1:] != shape[1:]:
            room = np.empty(shape, dtype)
        if room.dtype != dtype:
            room = room.astype(dtype)
        self._rooms[name] = room
        return room[: shape[0]]
