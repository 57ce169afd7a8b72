"""Layers as objects, put together to a network by the checker."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from mnistlab.checking.naming import UnboundError, bind
from mnistlab.checking.optimizers import MOMENTUM, made_optimizer, run_optimizer
from mnistlab.checking.pieces import Pieces, methods_by_role
from mnistlab.checking.reference import Array, Problem
from mnistlab.checking.slots import find_slots
from mnistlab.checking.source import Source
from mnistlab.checking.student import Student


class LayerStudent(Student):
    """Layers put together by the checker: linear, ReLU, linear, then softmax and loss."""

    def __init__(
        self, source: Source, problem: Problem, module: ModuleType, pieces: Pieces
    ) -> None:
        super().__init__(source, problem, module.__name__)
        self.pieces, self.root = pieces, self
        self.layers = assembled_layers(pieces, problem)
        fused = pieces.layers.get("loss")
        self.criterion = fused() if fused else None
        self.tail = pieces.layers["softmax"]() if not fused and "softmax" in pieces.layers else None
        self.optimizer: Any = None
        self.roles = dict(pieces.functions) | {
            "forward": self._forward,
            "backward": self._backward,
        }
        if self.criterion is not None:
            self.roles["loss"] = self._loss
        self.locate()

    @property
    def root_of_slots(self) -> Any:
        """Only the layers hold weights."""
        return _Holder(self.layers)

    def locate(self) -> None:
        """Find the weights of the layers and give them the problem's values."""
        self.slots = find_slots(self.root_of_slots, self.module, self.problem.sizes)
        self.is_columns = False
        self.put(self.problem.weights)

    def _forward(self, X: Array) -> Any:
        for layer in self.layers:
            X = layer.forward(X)
        self.scores = X
        softmax = self.roles.get("softmax")
        if self.tail is not None:
            return self.tail.forward(X)
        return softmax(X) if softmax and self.criterion is None else X

    def _loss(self, z: Array, y: Any) -> float:
        method = getattr(self.criterion, methods_by_role(self.criterion).get("forward", "loss"))
        return float(method(**bind(method, {"z": z, "p": z, "X": z, "y": y})))

    def _backward(self, y: Any, p: Array) -> Any:
        last = self.criterion if self.criterion is not None else self.tail
        rate = {"learning_rate": self.problem.learning_rate}
        if self.criterion is not None:
            self._loss(self.scores, y)
        if last is None:
            raise UnboundError("there is no class for softmax or the loss, such as SoftmaxLoss")
        offered = {"y": y, "p": p, "z": self.scores, "upstream": y if self.tail else 1.0}
        gradient = last.backward(**bind(last.backward, offered | rate))
        for layer in reversed(self.layers):
            gradient = gradient[0] if isinstance(gradient, tuple) else gradient
            gradient = layer.backward(**bind(layer.backward, {"upstream": gradient} | rate))
        return None

    def step(self, returned: Any = None) -> None:
        """An optimizer class of the file, or the layers' own update."""
        if self.pieces.optimizers:
            if self.optimizer is None:
                self.optimizer = made_optimizer(
                    self.pieces.optimizers[0], self.problem, _Holder(self.layers)
                )
            run_optimizer(self.optimizer, _Holder(self.layers), returned)
            return
        rates = {"learning_rate": self.problem.learning_rate, "momentum": MOMENTUM}
        for layer in self.layers:
            if name := methods_by_role(layer).get("update"):
                method = getattr(layer, name)
                method(**bind(method, rates))


class _Holder:
    """Something with layers, as a network has."""

    def __init__(self, layers: list[Any]) -> None:
        self.layers = layers


def assembled_layers(pieces: Pieces, problem: Problem) -> list[Any]:
    """Linear, ReLU, linear, of the file's own classes."""
    n_in, n_hidden, n_out = problem.sizes
    linear = pieces.layers["linear"]
    np.random.seed(0)  # noqa: NPY002
    middle = [pieces.layers["relu"]()] if "relu" in pieces.layers else []
    return [_linear(linear, n_in, n_hidden), *middle, _linear(linear, n_hidden, n_out)]


def _linear(kind: type, n_in: int, n_out: int) -> Any:
    offered = {"n_in": n_in, "n_out": n_out, "rng": np.random.default_rng(0), "seed": 0}
    return kind(**bind(kind, offered))
