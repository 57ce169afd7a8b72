"""A script of functions: weights in globals, a dictionary, or parameters of their own."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import numpy as np

from mnistlab.checking.naming import bind, kinds_of, plain
from mnistlab.checking.optimizers import MOMENTUM
from mnistlab.checking.pieces import Pieces
from mnistlab.checking.reference import Array, Problem
from mnistlab.checking.source import Source
from mnistlab.checking.student import Student, learning_rate_names, returned_names


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
