"""The calls that a training loop makes: with which images, labels and weights, in which order."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.checking.naming import kinds_of
from mnistlab.checking.reference import Array, Problem
from mnistlab.checking.slots import find_slots
from mnistlab.checking.student import Student
from mnistlab.checking.tracing import Trace

WORK = ("forward", "backward", "loss")


@dataclass
class Call:
    """One call of forward, backward or loss, from a line of the student's file.

    near: the calls between this forward pass and the next.
    """

    role: str
    line: int | None
    rows: tuple[int, ...]  # of the training images from 0, of validation images from 1000
    labels: tuple[int, ...]
    weights: tuple[bytes, ...]
    near: list[Call] = field(default_factory=list)


@dataclass
class Recording:
    """The calls of one training."""

    train: Problem
    val: Problem
    student: Student
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        roles = self.student.roles
        functions = {role: roles[role] for role in WORK if role in roles}
        self.codes = {inspect.unwrap(f).__code__: role for role, f in functions.items()}
        self.file, self.module = self.student.source.name, self.student.module

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        """What Python calls at every call of a function."""
        code = frame.f_code
        if event == "call" and code in self.codes:
            names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            given = {n: frame.f_locals[n] for n in names if n in frame.f_locals}
            self.calls.append(
                Call(
                    self.codes[code],
                    self._caller(frame),
                    self._rows(given),
                    self._labels(given),
                    self._weights(frame),
                )
            )
        return None

    def _caller(self, frame: FrameType) -> int | None:
        back = frame.f_back
        while back is not None and back.f_code.co_filename != self.file:
            back = back.f_back
        return back.f_lineno if back is not None else None

    def _rows(self, given: dict[str, Any]) -> tuple[int, ...]:
        n_in = self.train.X.shape[1]
        for value in given.values():
            if isinstance(value, np.ndarray) and value.ndim == 2 and n_in in value.shape:
                images = value if value.shape[1] == n_in else value.T
                known = [(self.train.X, 0), (self.val.X, 1000)]
                found = tuple(_index(row, known) for row in images)
                if -1 not in found:
                    return found
        return ()

    def _labels(self, given: dict[str, Any]) -> tuple[int, ...]:
        n_classes = self.train.sizes[2]
        for name, value in given.items():
            if "y" not in kinds_of(name) or not isinstance(value, np.ndarray):
                continue
            if value.ndim == 1 or 1 in value.shape:
                return tuple(int(label) for label in value.ravel())
            if n_classes in value.shape:
                axis = 1 if value.shape[1] == n_classes else 0
                return tuple(int(label) for label in value.argmax(axis=axis))
        return ()

    def _weights(self, frame: FrameType) -> tuple[bytes, ...]:
        for root in (dict(frame.f_locals), frame.f_globals):
            slots = find_slots(root, self.module, self.train.sizes)
            if {"W1", "W2"} <= set(slots):
                return tuple(np.asarray(slots[n].value).tobytes() for n in ("W1", "W2"))
        return ()


def _index(row: NDArray[Any], known: list[tuple[Array, int]]) -> int:
    for images, first in known:
        near = np.flatnonzero(np.abs(images - row).max(axis=1) < 1e-12)
        if len(near):
            return first + int(near[0])
    return -1


def recorded(recording: Recording, work: Any) -> Trace:
    """Run with the recording, which sees calls only: far cheaper than every line."""
    before = sys.gettrace()
    trace = Trace()
    sys.settrace(recording)
    try:
        with np.errstate(all="ignore"):
            trace.value = work()
    except (Exception, SystemExit) as error:
        trace.error = error
    finally:
        sys.settrace(before)
    return trace
