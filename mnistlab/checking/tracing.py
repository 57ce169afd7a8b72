"""Every assignment that a call makes in the student's file, in order: name, line and value.

A line of Python says what was written; the value says what it means. The first assigned value that
equals a known mistake is the line to look at, whatever the variables are called.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEPTH = 4  # of containers and objects within each other
MOST_ENTRIES = 200_000  # arrays larger than this are not followed
MOST_ASSIGNMENTS = 20_000


@dataclass(frozen=True)
class Assigned:
    """One assigned array: in which function and line, under which path of names, by whom.

    owner: the `self` of the function, None for a function that has none.
    """

    function: str
    line: int
    path: tuple[str, ...]
    value: NDArray[Any]
    owner: object = None


@dataclass
class Trace:
    """What one call did: its result, or the exception it raised, and its assignments."""

    value: Any = None
    error: BaseException | None = None
    assigned: list[Assigned] = field(default_factory=list)
    lines: list[tuple[str, int]] = field(default_factory=list)

    @property
    def last_line(self) -> int | None:
        """The last line that ran in the function that was called first."""
        if not self.lines:
            return None
        return [line for name, line in self.lines if name == self.lines[0][0]][-1]

    @property
    def first_not_finite(self) -> int | None:
        """The line of the first assigned array that holds NaN or infinity."""
        for each in self.assigned:
            if not np.isfinite(each.value).all():
                return each.line
        return None


def arrays_in(root: Any, module: str | None, path: tuple[str, ...] = ()) -> Iterator[Any]:
    """(path, array) of every number array within containers and objects of the student's module."""
    if isinstance(root, np.ndarray | np.floating):
        if root.size <= MOST_ENTRIES and root.dtype.kind in "fiub":
            yield path, root
        return
    if len(path) > DEPTH:
        return
    if isinstance(root, dict):
        for key, value in list(root.items())[:200]:
            yield from arrays_in(value, module, (*path, str(key)))
    elif isinstance(root, list | tuple):
        for i, value in enumerate(root[:50]):
            yield from arrays_in(value, module, (*path, str(i)))
    elif type(root).__module__ == module and hasattr(root, "__dict__"):
        for key, value in list(vars(root).items()):
            yield from arrays_in(value, module, (*path, key))


class _Recorder:
    def __init__(self, file: str, trace: Trace) -> None:
        self.file, self.trace = file, trace
        self.seen: dict[int, dict[tuple[str, ...], NDArray[Any]]] = {}
        self.last_line: dict[int, int] = {}
        self.owners: dict[int, object] = {}

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        if frame.f_code.co_filename != self.file or len(self.trace.assigned) > MOST_ASSIGNMENTS:
            return None
        if event == "call":
            self.seen[id(frame)] = self._snapshot(frame)
            self.last_line[id(frame)] = frame.f_lineno
            return self
        self._compare(frame)
        if event == "line":
            self.last_line[id(frame)] = frame.f_lineno
            self.trace.lines.append((frame.f_code.co_name, frame.f_lineno))
        return self

    def _snapshot(self, frame: FrameType) -> dict[tuple[str, ...], NDArray[Any]]:
        module = frame.f_globals.get("__name__")
        # Of one object reached under several names the first path is enough.
        found: dict[tuple[str, ...], NDArray[Any]] = {}
        names = {name: frame.f_locals[name] for name in frame.f_locals}
        for name in frame.f_code.co_names:  # a function's own globals, such as W1
            if isinstance(value := frame.f_globals.get(name), np.ndarray | dict | list):
                names.setdefault(name, value)
        for path, array in arrays_in(names, module):
            found[path] = np.array(array)
        return found

    def _compare(self, frame: FrameType) -> None:
        before, now = self.seen[id(frame)], self._snapshot(frame)
        for path, value in now.items():
            old = before.get(path)
            if old is None or not np.array_equal(old, value, equal_nan=value.dtype.kind == "f"):
                self.trace.assigned.append(
                    Assigned(
                        frame.f_code.co_name,
                        self.last_line[id(frame)],
                        path,
                        value,
                        frame.f_locals.get("self"),
                    )
                )
        self.seen[id(frame)] = now


def traced(file: str, call: Callable[[], Any]) -> Trace:
    """Run `call` and record what is assigned in `file`. An exception is recorded, not raised.

    Assignments of a caller are recorded after those of the functions it calls.
    """
    trace = Trace()
    before = sys.gettrace()
    sys.settrace(_Recorder(file, trace))
    try:
        with np.errstate(all="ignore"):
            trace.value = call()
    except Exception as error:  # whatever a student's code raises
        trace.error = error
    finally:
        sys.settrace(before)
    return trace
