"""A network: a list of layers, with all their parameters in one vector."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import DTypeLike

from mnistlab.scratch.layer import Array, Layer
from mnistlab.scratch.shaping import Scaling

EVALUATION_BATCH = 500  # small enough that the activations of a batch stay in the cache


class Network:
    """Layers applied in order. weights (P,), gradient (P,): all parameters, and their gradients.

    The layers' own W, b, dW, db become views of these vectors, so that an optimizer changes the
    whole network with one line. dtype: of weights and arithmetic.
    """

    def __init__(self, layers: Sequence[Layer], dtype: DTypeLike = np.float32) -> None:
        self.layers = list(layers)
        # For pickle: attributes of a layer now are its own, later ones are left by its passes.
        self._own = [frozenset(vars(layer)) for layer in self.layers]
        sizes = [getattr(layer, name).size for _, layer, name in self._attributes("trained")]
        self.weights: Array = np.empty(sum(sizes), dtype)
        self.gradient: Array = np.zeros(sum(sizes), dtype)
        ends = np.cumsum(sizes)
        for (_, layer, name), size, end in zip(
            self._attributes("trained"), sizes, ends, strict=True
        ):
            values = getattr(layer, name)
            for vector, attribute in ((self.weights, name), (self.gradient, f"d{name}")):
                setattr(layer, attribute, vector[end - size : end].reshape(values.shape))
            getattr(layer, name)[...] = values
        for _, layer, name in self._attributes("fixed"):
            setattr(layer, name, getattr(layer, name).astype(dtype))
        self._first_trained = next(
            (i for i, layer in enumerate(self.layers) if layer.trained), len(self.layers)
        )

    def forward(self, X: Array, training: bool = False) -> Array:
        """Logits (N, K) of X, in the shape of the first layer; the next pass overwrites them."""
        if not isinstance(self.layers[0], Scaling):
            X = X.astype(self.weights.dtype, copy=False)
        for layer in self.layers:
            X = layer.forward(X, training)
        return X

    def backward(self, dlogits: Array) -> None:
        """Compute `gradient` from the gradient of the loss by the logits of the last pass."""
        first = self._first_trained
        for layer in reversed(self.layers[first + 1 :]):
            dlogits = layer.backward(dlogits)
        if first < len(self.layers):  # the layers before it have no parameters, and need no dX
            self.layers[first].backward_parameters(dlogits)

    def predict_logits(self, X: Array) -> Array:
        """Logits (N, K) with dropout off, in an array that no later pass overwrites."""
        starts = range(0, len(X), EVALUATION_BATCH)
        batches = [self.forward(X[i : i + EVALUATION_BATCH]).copy() for i in starts]
        return np.concatenate(batches)

    def state(self) -> dict[str, Array]:
        """Copies of all trained and fixed arrays, named by layer: "1.W", "1.b", "3.W"."""
        return {name: array.copy() for name, array in self.arrays()}

    def restore(self, state: Mapping[str, Array]) -> Self:
        """Copy the arrays of `state`; ValueError unless names and shapes fit the network."""
        own = dict(self.arrays())
        for name in own.keys() | state.keys():
            mine, theirs = own.get(name), state.get(name)
            if mine is None or theirs is None or mine.shape != theirs.shape:
                raise ValueError(f"{name!r} is not the array that this network has there")
            mine[...] = theirs
        return self

    def astype(self, dtype: DTypeLike) -> Network:
        """A copy of the network in another dtype."""
        return Network(copy.deepcopy(self.layers), dtype)

    def __getstate__(self) -> dict[str, Any]:
        """For pickle: layers without what their passes left, so it is about as large as weights."""
        layers = []
        for layer, own in zip(self.layers, self._own, strict=True):
            bare = object.__new__(type(layer))
            vars(bare).update({k: v for k, v in vars(layer).items() if k in own}, _rooms={})
            layers.append(bare)
        return {"layers": layers, "dtype": self.weights.dtype}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """From pickle; with weights of its own, since those in `state` may be read-only."""
        self.__init__(state["layers"], state["dtype"])  # type: ignore[misc]

    def parameters(self) -> Iterator[tuple[str, Array, Array]]:
        """Name, values and gradient of each trained array, as views."""
        for number, layer, name in self._attributes("trained"):
            yield f"{number}.{name}", getattr(layer, name), getattr(layer, f"d{name}")

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """Name and values of every trained and fixed array, as views."""
        for kind in ("trained", "fixed"):
            for number, layer, name in self._attributes(kind):
                yield f"{number}.{name}", getattr(layer, name)

    def generators(self) -> list[Generator]:
        """The random generators of the layers, each once."""
        drawn = [layer.random for layer in self.layers if hasattr(layer, "random")]
        return list(dict.fromkeys(drawn))

    def _attributes(self, kind: str) -> Iterator[tuple[int, Layer, str]]:
        for number, layer in enumerate(self.layers):
            for name in getattr(layer, kind):
                yield number, layer, name
