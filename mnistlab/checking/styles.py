"""Which style a student's code has, and the network made from it."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import numpy as np

from mnistlab.checking.function_style import FunctionStudent
from mnistlab.checking.layer_style import LayerStudent, assembled_layers
from mnistlab.checking.naming import bind, plain
from mnistlab.checking.optimizers import MOMENTUM, made_optimizer, run_optimizer
from mnistlab.checking.pieces import Pieces, methods_by_role
from mnistlab.checking.reference import Problem
from mnistlab.checking.source import Source
from mnistlab.checking.student import Student


def constructed(kind: type, problem: Problem, layers: list[Any] | None = None) -> Any:
    """An object of a class, with the sizes of a problem; UnboundError where it asks for more."""
    n_in, n_hidden, n_out = problem.sizes
    offered = {
        "n_in": n_in,
        "n_hidden": n_hidden,
        "n_out": n_out,
        "sizes": layers or [n_in, n_hidden, n_out],
        "hidden_sizes": [n_hidden],
        "learning_rate": problem.learning_rate,
        "momentum": MOMENTUM,
        "seed": 0,
        "rng": np.random.default_rng(0),
        "epochs": 1,
        "batch_size": len(problem.X),
        "weight_decay": 0.0,
    }
    np.random.seed(0)  # noqa: NPY002  # students draw from it
    return kind(**bind(kind, offered))


class ClassStudent(Student):
    """A class with forward, loss and backward as methods; functions of the file fill gaps."""

    def __init__(
        self, source: Source, problem: Problem, module: ModuleType, pieces: Pieces, root: Any
    ) -> None:
        super().__init__(source, problem, module.__name__)
        self.root, self.globals, self.pieces = root, module, pieces
        self.roles = dict(pieces.functions) | {
            role: getattr(root, name) for role, name in methods_by_role(root).items()
        }
        self.locate()

    def offered(self, **more: Any) -> dict[str, Any]:
        """With the learning rate, for a backward pass that asks for it."""
        extra = {"learning_rate": self.problem.learning_rate, "momentum": MOMENTUM}
        return super().offered(**(extra | more))

    def step(self, returned: Any = None) -> None:
        """The network's own update, or an optimizer class of the file."""
        if "update" in self.roles:
            self.call("update", grads=returned, params=self.root)
        elif self.pieces.optimizers:
            if not hasattr(self, "optimizer"):
                self.optimizer = made_optimizer(self.pieces.optimizers[0], self.problem, self.root)
            run_optimizer(self.optimizer, self.root, returned)


def made_student(
    source: Source, problem: Problem, module: ModuleType, pieces: Pieces, kind: type | None = None
) -> Student:
    """The student's network with the weights of a problem; UnboundError where it is unclear."""
    if pieces.networks or kind:
        chosen = kind or pieces.networks[-1]
        layers = assembled_layers(pieces, problem) if "linear" in pieces.layers else None
        asked = [plain(name) for name in inspect.signature(chosen).parameters]
        wants_objects = layers is not None and asked[:1] == ["layers"]
        root = constructed(chosen, problem, layers if wants_objects else None)
        return ClassStudent(source, problem, module, pieces, root)
    if pieces.style == "layers":
        return LayerStudent(source, problem, module, pieces)
    return FunctionStudent(source, problem, module, pieces)
