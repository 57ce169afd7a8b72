"""The styles of code that can be checked: a class, functions, layers."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import numpy as np

from mnistlab.checking.naming import UnboundError, bind, kinds_of, plain
from mnistlab.checking.pieces import Pieces, methods_by_role
from mnistlab.checking.reference import Array, Problem
from mnistlab.checking.slots import find_slots
from mnistlab.checking.source import Source
from mnistlab.checking.student import Student, learning_rate_names, returned_names

MOMENTUM = 0.9
LEARNING_RATE_NAMES = ("lr", "learningrate", "eta", "alpha")


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


def made_optimizer(kind: type, problem: Problem, network: Any) -> Any:
    """An optimizer of the file, for a network or its list of layers."""
    offered = {
        "learning_rate": problem.learning_rate,
        "momentum": MOMENTUM,
        "params": network,
        "sizes": getattr(network, "layers", None),
    }
    return kind(**bind(kind, offered))


def run_optimizer(optimizer: Any, network: Any, returned: Any) -> None:
    """One step of an optimizer, whatever of network, layers and gradients it asks for."""
    step = getattr(optimizer, methods_by_role(optimizer)["update"])
    layers = getattr(network, "layers", None)
    step(**bind(step, {"params": network, "sizes": layers, "grads": returned}))


class FunctionStudent(Student):
    """Functions whose weights are globals, a dictionary, or parameters of their own."""

    def __init__(
        self, source: Source, problem: Problem, module: ModuleType, pieces: Pieces
    ) -> None:
        super().__init__(source, problem, module.__name__)
        self.functions, self.globals = pieces.functions, module
        self.roles = dict(pieces.functions)
        self.is_tuple = False
        self.params = self._initial()
        self.root = self.params if self.params is not None else vars(module)
        self.grads: Any = None
        self._give_rate()
        self.locate()
        self.velocities = self._first_velocity()

    def _give_rate(self) -> None:
        for name, _ in learning_rate_names(self.globals):
            setattr(self.globals, name, self.problem.learning_rate)

    def _initial(self) -> Any:
        """Weights from the file's own function, or of the names that its forward pass asks for."""
        n_in, n_hidden, n_out = self.problem.sizes
        shapes = {"W1": (n_in, n_hidden), "b1": (n_hidden,), "W2": (n_hidden, n_out)}
        shapes |= {"b2": (n_out,)}
        if init := self.roles.get("init"):
            offered: dict[str, Any] = {
                "n_in": n_in,
                "n_hidden": n_hidden,
                "n_out": n_out,
                "seed": 0,
            }
            offered |= {"sizes": [n_in, n_hidden, n_out], "rng": np.random.default_rng(0)}
            np.random.seed(0)  # noqa: NPY002
            made = init(**bind(init, offered))
            self.is_tuple = isinstance(made, tuple)
            if isinstance(made, tuple) and all(isinstance(each, np.ndarray) for each in made):
                names = returned_names(self.source, init)
                return {n.lstrip("#"): each for n, each in zip(names, made, strict=False)}
            return made[0] if isinstance(made, tuple) else made
        forward = self.roles.get("forward")
        asked = list(inspect.signature(forward).parameters) if forward else []
        by_plain = {plain(name): name for name in asked}
        if {"w1", "b1", "w2", "b2"} <= set(by_plain):
            return {by_plain[name.lower()]: np.zeros(shape) for name, shape in shapes.items()}
        if any("params" in kinds_of(name) and plain(name) not in ("p",) for name in asked):
            return {name: np.zeros(shape) for name, shape in shapes.items()}
        for name, value in list(vars(self.globals).items()):
            slot = {key.lower(): shape for key, shape in shapes.items()}.get(plain(name))
            if slot is not None and isinstance(value, np.ndarray):
                setattr(self.globals, name, np.zeros(_resized(value.shape, slot)))
        return None

    def _first_weights(self) -> Any:
        """As the student's own function returns them."""
        copied = {key: np.array(value) for key, value in self.params.items()}
        return tuple(copied.values()) if self.is_tuple else copied

    def _first_velocity(self) -> Any:
        if init := self.roles.get("init_velocity"):
            made = init(**bind(init, {"params": self.params}, self.exact()))
            return made
        if isinstance(self.params, dict):
            return {key: np.zeros_like(value) for key, value in self.params.items()}
        return None

    def forward(self, X: Array | None = None) -> Any:
        """Keeps what the forward pass computed, for a backward pass that asks for it by name."""
        self.output = super().forward(X)
        names = returned_names(self.source, self.roles["forward"])
        if isinstance(self.output, tuple):
            self.memory = dict(zip(names, self.output, strict=False))
        return self.output

    def offered(self, **more: Any) -> dict[str, Any]:
        """With weights, velocities and rates."""
        extra = {
            "params": self.params,
            "velocity": self.velocities if hasattr(self, "velocities") else None,
            "learning_rate": self.problem.learning_rate,
            "momentum": MOMENTUM,
        }
        return super().offered(**(extra | more))

    def exact(self) -> dict[str, Any]:
        """Weights, velocities, gradients and values of the forward pass, by their names."""
        named: dict[str, Any] = dict(self.memory)
        if hasattr(self, "slots"):
            named |= {slot.path[-1]: slot.value for slot in self.slots.values()}
        if isinstance(self.grads, dict):
            named |= self.grads
        velocities = getattr(self, "velocities", None)
        if isinstance(velocities, dict):
            named |= {
                f"{prefix}{key}": value
                for key, value in velocities.items()
                for prefix in ("v", "v_", "vel_", "velocity_", "vd", "v_d")
            } | {key: v for key, v in velocities.items() if key.startswith("v")}
        return named

    def train(self, **given: Any) -> Any:
        """The training loop; the weights that it returns are the new ones."""
        n_in, n_hidden, n_out = self.problem.sizes
        sizes = {
            "n_in": n_in,
            "n_hidden": n_hidden,
            "n_out": n_out,
            "sizes": list(self.problem.sizes),
        }
        init = self.roles.get("init")
        if init is None:
            made = super().train(**given, **sizes)
        else:  # a loop that makes its own weights gets those of the problem
            setattr(self.globals, init.__name__, lambda *args, **kwargs: self._first_weights())
            try:
                made = super().train(**given, **sizes)
            finally:
                setattr(self.globals, init.__name__, init)
        if made is not None:
            self._replace(made, returned_names(self.source, self.roles["train"]))
        return made

    def step(self, returned: Any = None) -> None:
        """The update function; what it returns takes the place of weights and velocities."""
        if "update" not in self.roles:
            return
        names = returned_names(self.source, self.roles["backward"])
        self.grads = returned
        if isinstance(returned, tuple):
            self.grads = dict(zip(names, returned, strict=False))
        made = self.call("update", grads=returned)
        if made is None:
            return
        self._replace(made, returned_names(self.source, self.roles["update"]))

    def _replace(self, made: Any, names: list[str]) -> None:
        if isinstance(made, dict):
            made, names = (made,), ["params"]
        if not isinstance(made, tuple | list):
            return
        if all(isinstance(each, dict) for each in made):
            self.params = self.root = made[0]
            if len(made) > 1:
                self.velocities = made[1]
            for slot in self.slots.values():  # also where a shape has become a wrong one
                slot.root = made[0]
            return
        for name, value in zip(names, made, strict=False):
            for slot in self.slots.values():
                if slot.path[-1] == name:
                    slot.container[name] = value
            if isinstance(self.velocities, dict):
                for prefix in ("v", "v_", "vel_", "velocity_", "vd", "v_d"):
                    if name.startswith(prefix) and name[len(prefix) :] in self.velocities:
                        self.velocities[name[len(prefix) :]] = value
                if name in self.velocities and name.startswith("v"):
                    self.velocities[name] = value


def _resized(own: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape in the layout of the student's own array: transposed, or with a side of one."""
    if len(shape) == 1:
        return tuple(1 if side == 1 else shape[0] for side in own) if len(own) == 2 else shape
    return shape if own[0] >= own[1] else shape[::-1]


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
