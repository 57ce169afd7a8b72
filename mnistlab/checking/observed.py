"""One traced step of a student's network, and the gradients that it shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from mnistlab.checking.context import Context
from mnistlab.checking.reference import (
    GRADIENTS,
    RIGHT,
    Array,
    Problem,
    Values,
    is_equal,
)
from mnistlab.checking.slots import Slot
from mnistlab.checking.student import Student, gradients_in
from mnistlab.checking.tracing import Trace


class Observed:
    """One traced step of a fresh network: named gradients, and those that the weights moved by."""

    def __init__(self, context: Context, problem: Problem, form: str) -> None:
        self.student = context.make(problem)
        self.student.label_form = form
        before = self.student.weights()
        self.trace: Trace = self.student.one_step()
        rate = problem.learning_rate
        self.moved: dict[str, Array] = {}
        if self.trace.error is None:
            after = self.student.weights()
            self.moved = {
                "d" + name: -(after[name] - before[name]) / rate
                for name in before
                if after[name].shape == before[name].shape
            }
        self.has_moved = any(np.any(value) for value in self.moved.values())
        is_kept = self.has_moved or self.trace.error is not None
        found = gradients_in(self.student, self.trace, is_kept)
        self.named = {"d" + name: value for name, value in found.items()}

    @property
    def is_usable(self) -> bool:
        """Whether it ran, or at least computed all gradients before it failed."""
        return self.trace.error is None or set(self.named) >= set(GRADIENTS)

    def right(self, name: str, wanted: list[Values]) -> bool:
        """Whether the gradient of one parameter is right, by name or by movement."""
        return any(
            name in found and is_equal(found[name], values[name], RIGHT)
            for found in (self.named, self.moved)
            for values in wanted
        )

    @property
    def gradients(self) -> dict[str, Any]:
        """What stands for the gradient of each parameter: the named one, else the movement."""
        moved = self.moved if self.has_moved else {}
        return {name: value for name, value in (moved | self.named).items() if name in GRADIENTS}


class SquareObserved(Observed):
    """As Observed, with every size equal; where the weights are is known from unequal sizes."""

    def __init__(self, context: Context, problem: Problem, square: Problem, form: str) -> None:
        self.unequal = context.make(problem)
        self.square = square
        context_make = context.make

        def make(_: Problem) -> Student:
            student = context_make(square)
            student.slots = slots_by_path(student, self.unequal)
            student.is_columns = self.unequal.is_columns
            student.put(square.weights)
            return student

        context.make = make
        try:
            super().__init__(context, square, form)
        finally:
            context.make = context_make


def slots_by_path(student: Student, like: Student) -> dict[str, Slot]:
    """The parameters of one network at the places where another has them."""
    root, found = student.root_of_slots, {}
    for name, slot in like.slots.items():
        own = Slot(name, root, slot.path, slot.shape, slot.is_transposed)
        found[name] = Slot(name, root, slot.path, np.shape(own.value), slot.is_transposed)
    return found
