"""A student's network with known weights: one interface over every style of code."""

from __future__ import annotations

import ast
from abc import ABC
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mnistlab.checking.naming import bind, kinds_of, plain
from mnistlab.checking.reference import PARAMETERS, Array, Problem
from mnistlab.checking.slots import Slot, find_slots, is_gradient_of, may_be_gradient
from mnistlab.checking.source import Source
from mnistlab.checking.tracing import Trace, arrays_in, traced


class WrongReturnError(ValueError):
    """A student's function returned something else than its task asks for."""


LABEL_FORMS = ("integers", "one-hot")


class Student(ABC):
    """A constructed network whose weights are those of a problem.

    label_form: how labels are passed. Layout "columns": one image per column, as X (n_in, N).
    """

    roles: dict[str, Callable[..., Any]]
    root: Any

    def __init__(self, source: Source, problem: Problem, module: str) -> None:
        self.source, self.problem, self.module = source, problem, module
        self.label_form = LABEL_FORMS[0]
        self.memory: dict[str, Any] = {}  # local variables of the last forward pass, by name
        self.output: Any = None
        self.given: tuple[Any, Any] = (None, None)  # images and labels of the last training

    def locate(self) -> None:
        """Find the weights and give them the problem's values."""
        self.slots: dict[str, Slot] = find_slots(self.root, self.module, self.problem.sizes)
        b1 = self.slots.get("b1")
        self.is_columns = b1 is not None and b1.shape == (self.problem.sizes[1], 1)
        self.put(self.problem.weights)

    @property
    def root_of_slots(self) -> Any:
        """What holds the weights."""
        return self.root

    def put(self, weights: dict[str, Array]) -> None:
        """Set every parameter that was found."""
        for name, slot in self.slots.items():
            slot.put(weights[name])

    def weights(self) -> dict[str, Array]:
        """A copy of every parameter that was found, as in the reference."""
        return {name: slot.canonical() for name, slot in self.slots.items()}

    @property
    def is_complete(self) -> bool:
        """Whether all four parameters were found."""
        return set(self.slots) == set(PARAMETERS)

    def images(self, X: Array | None = None) -> Array:
        """Images as the student wants them."""
        X = self.problem.X if X is None else X
        return X.T.copy() if self.is_columns else X.copy()

    def labels(self, labels: Any = None) -> Any:
        """Labels as the student wants them."""
        labels = self.problem.labels if labels is None else labels
        if self.label_form == "integers":
            return labels.copy()
        one_hot = np.eye(self.problem.sizes[2])[labels]
        return one_hot.T.copy() if self.is_columns else one_hot

    def offered(self, **more: Any) -> dict[str, Any]:
        """Values by kind that any function may ask for."""
        return {"X": self.images(), "y": self.labels(), "n": len(self.problem.X)} | more

    def exact(self) -> dict[str, Any]:
        """Values by name that a function may ask for."""
        return {}

    def call(self, role: str, **more: Any) -> Any:
        """Call the function of a role with what its parameters are named after."""
        function, exact = self.roles[role], self.exact()
        if role == "loss":  # of the probabilities given, not of those of the last forward pass
            exact = {name: v for name, v in exact.items() if not {"p", "z"} & {*kinds_of(name)}}
        return function(**bind(function, self.offered(**more), exact))

    def forward(self, X: Array | None = None) -> Any:
        """What the student's forward pass returns."""
        self.output = self.call("forward", X=self.images(X))
        return self.output

    def probabilities(self, X: Array | None = None) -> Array:
        """The (N, K) array that the forward pass returns; ValueError where there is none."""
        n, n_classes = len(self.problem.X if X is None else X), self.problem.sizes[2]
        shape = (n_classes, n) if self.is_columns else (n, n_classes)
        given = self.forward(X)
        arrays = [a for _, a in arrays_in(given, self.module) if np.shape(a) == shape]
        if not arrays:
            raise WrongReturnError(
                "forward returns nothing: is its return missing?"
                if given is None
                else f"forward returns no array of shape {shape}"
            )
        of_one = [a for a in arrays if np.allclose(a.sum(axis=0 if self.is_columns else 1), 1)]
        chosen = np.asarray((of_one or arrays)[-1])
        return chosen.T if self.is_columns else chosen

    def loss(self, p: Array | None = None, z: Array | None = None) -> float:
        """The student's loss; without p, of its own forward pass."""
        if p is None:
            p = self.probabilities()
        p = p.T if self.is_columns else p
        z = p if z is None else z.T if self.is_columns else z
        value = self.call("loss", p=p, z=z)
        numbers = [a for _, a in arrays_in(value, self.module) if np.size(a) == 1]
        if isinstance(value, int | float):
            numbers = [np.asarray(value)]
        if not numbers:
            raise WrongReturnError(f"the loss is {type(value).__name__}, not one number")
        return float(np.asarray(numbers[0]).item())

    def run_backward(self) -> Any:
        """Forward pass, then backward pass."""
        p = self.probabilities()
        output = self.output
        p = p.T if self.is_columns else p
        cache = output
        if isinstance(output, tuple) and len(output) == 2:
            cache = output[1] if np.shape(output[0]) == p.shape else output[0]
        return self.call("backward", p=p, z=p, cache=cache, upstream=None)

    def step(self, returned: Any = None) -> None:
        """Change the weights once, where that is not part of the backward pass."""
        if "update" in self.roles:
            self.call("update", grads=returned)

    def train(self, **given: Any) -> Any:
        """The student's training loop."""
        return self.call("train", **given)

    def one_step(self) -> Trace:
        """Forward, backward and update, traced; what backward returned is the trace's value."""

        def work() -> Any:
            returned = self.run_backward()
            self.step(returned)
            return returned

        return traced(self.source.name, work)


def gradients_in(student: Student, trace: Trace, has_moved: bool = True) -> dict[str, Array]:
    """Gradients that a backward pass returned, stored or had in variables, as in the reference.

    By name, else by the shape of what has the name of a gradient, else by the order returned.
    """
    found: dict[str, Array] = {}
    returned = _returned(student, trace)
    for name, slot in student.slots.items():
        candidates: list[tuple[tuple[str, ...], Any, object]] = [
            (path, value, None) for path, value in returned
        ]
        # What a caller is given counts, not what a variable held that was dropped.
        candidates += [
            (each.path, each.value, each.owner)
            for each in reversed(trace.assigned)
            if not returned and (has_moved or len(each.path) > 1)
        ]
        own = [
            value
            for path, value, owner in candidates
            if is_gradient_of(slot, path) and _belongs(slot, path, owner, student)
        ]
        shaped = [
            value
            for path, value, _ in candidates
            if may_be_gradient(path) and slot.shape in (value.shape, value.shape[::-1])
        ]
        by_order = [value for path, value in returned if path[-1].startswith("#")]
        by_order = [value for value in by_order if value.shape == slot.shape]
        for choice in (own, shaped, by_order):
            if choice:
                found[name] = slot.as_reference(choice[0])
                break
    return found


def _belongs(slot: Slot, path: tuple[str, ...], owner: object, student: Student) -> bool:
    """Whether a gradient of the right name lies at the parameter's own object.

    Two layers of one class have gradients of one name.
    """
    if slot.path[:-1] and not isinstance(slot.container, dict | list | tuple):
        if owner is slot.container:
            return True
        root = path[1:-1] if path[0] == "self" else path[:-1]
        return owner is student.root and root == slot.path[:-1]
    return True


def _returned(student: Student, trace: Trace) -> list[tuple[tuple[str, ...], Any]]:
    if trace.error is not None or trace.value is None:
        return []
    function = student.roles.get("backward")
    names = returned_names(student.source, function) if function else []
    found: list[tuple[tuple[str, ...], Any]] = []
    for path, array in arrays_in(trace.value, student.module):
        array = np.asarray(array)
        if not path:
            found.append((("#",), array))
        elif path[0].isdigit() and isinstance(trace.value, tuple) and len(path) == 1:
            i = int(path[0])
            found.append(((names[i] if i < len(names) else f"#{i}",), array))
        else:
            found.append((("grads", *path), array))
    return found


def returned_names(source: Source, function: Callable[..., Any]) -> list[str]:
    """Names in the tuple of the last `return a, b`; those that are no plain names are "#0" ..."""
    code = getattr(function, "__code__", None)
    tuples = [
        node.value
        for defined in source.functions
        if code and defined.name == code.co_name and defined.lineno <= code.co_firstlineno + 5
        for node in ast.walk(defined)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)
    ]
    if not tuples:
        return []
    last = max(tuples, key=lambda node: node.lineno)
    return [_name_of(each, i) for i, each in enumerate(last.elts)]


def _name_of(each: ast.expr, i: int) -> str:
    if isinstance(each, ast.Name):
        return each.id
    return each.attr if isinstance(each, ast.Attribute) else f"#{i}"


def learning_rate_names(holder: Any) -> Iterator[tuple[str, float]]:
    """Numbers of an object or module whose name is that of a learning rate."""
    for name, value in list(vars(holder).items()):
        if plain(name) in ("lr", "learningrate", "eta", "alpha") and isinstance(value, int | float):
            yield name, float(value)
