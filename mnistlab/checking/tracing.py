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

    owner: the `self` of the function, None for a function that has none. source: the function that
    returned the value, if the line only called it.
    """

    function: str
    line: int
    path: tuple[str, ...]
    value: NDArray[Any]
    owner: object = None
    source: str = ""


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


Snapshot = dict[tuple[str, ...], tuple[int, NDArray[Any]]]


class _Recorder:
    """A trace function of Python: called for each line of the student's file, before it runs."""

    def __init__(self, file: str, trace: Trace) -> None:
        self.file, self.trace = file, trace
        self.seen: dict[int, Snapshot] = {}
        self.last_line: dict[int, int] = {}
        self.roots: dict[int, dict[str, int]] = {}  # what each name of a frame stood for
        self.mark: dict[int, int] = {}  # how many assignments there were at a frame's last line
        self.own: dict[int, set[tuple[str, ...]]] = {}  # paths assigned in the frame itself
        self.returned: tuple[str, list[NDArray[Any]]] = ("", [])

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        if frame.f_code.co_filename != self.file or len(self.trace.assigned) > MOST_ASSIGNMENTS:
            return None
        name, key = frame.f_code.co_qualname, id(frame)
        if event == "call":
            self.seen[key], self.own[key] = self._snapshot(frame), set()
            self.roots[key] = {name: id(value) for name, value in frame.f_locals.items()}
            self.last_line[key], self.mark[key] = frame.f_lineno, len(self.trace.assigned)
            return self
        self._compare(frame)
        if event == "return":
            self._record_return(frame, arg)
        elif event == "line":
            self.last_line[key] = frame.f_lineno
            self.trace.lines.append((name, frame.f_lineno))
        return self

    def _snapshot(self, frame: FrameType) -> Snapshot:
        module = frame.f_globals.get("__name__")
        names = {name: frame.f_locals[name] for name in frame.f_locals}
        for name in frame.f_code.co_names:  # a function's own globals, such as W1
            if isinstance(value := frame.f_globals.get(name), np.ndarray | dict | list):
                names.setdefault(name, value)
        return {path: (id(array), np.array(array)) for path, array in arrays_in(names, module)}

    def _compare(self, frame: FrameType) -> None:
        key = id(frame)
        before, now = self.seen[key], self._snapshot(frame)
        known = {ident for ident, _ in before.values()}
        roots = self.roots.get(key, {})
        called = [each.value for each in self.trace.assigned[self.mark[key] :]]
        for path, (ident, value) in now.items():
            old = before.get(path)
            if old is not None and _is_same(old[1], value):
                continue
            # A name for an object, as in a loop over layers, is no new value of its arrays.
            is_new_name = roots.get(path[0]) != id(frame.f_locals.get(path[0]))
            if len(path) > 1 and is_new_name and ident in known and _has(before, value):
                continue
            # What a called function did to an object was recorded there.
            if (
                len(path) > 1
                and any(_is_same(value, each) for each in called)
                and not any(_is_same(value, each) for each in self.returned[1])
            ):
                continue
            self.own[key].add(path)
            self._record(frame, path, value)
        self.roots[key] = {name: id(value) for name, value in frame.f_locals.items()}
        self.seen[key], self.mark[key] = now, len(self.trace.assigned)
        self.returned = ("", [])

    def _record(self, frame: FrameType, path: tuple[str, ...], value: NDArray[Any]) -> None:
        name, arrays = self.returned
        source = name if any(_is_same(value, each) for each in arrays) else ""
        owner, line = frame.f_locals.get("self"), self.last_line[id(frame)]
        self.trace.assigned.append(
            Assigned(frame.f_code.co_qualname, line, path, value, owner, source)
        )

    def _record_return(self, frame: FrameType, arg: object) -> None:
        """What a function returns counts as assigned, unless one of its own variables has it."""
        module = frame.f_globals.get("__name__")
        own = [
            self.seen[id(frame)][path][1]
            for path in self.own[id(frame)]
            if path in self.seen[id(frame)]
        ]
        arrays = [np.array(array) for _, array in arrays_in(arg, module)]
        for value in arrays:
            if not any(_is_same(value, each) and value.dtype == each.dtype for each in own):
                self._record(frame, ("return",), value)
        self.returned = (frame.f_code.co_qualname, arrays)


def _is_same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f"))


def _has(before: Snapshot, value: NDArray[Any]) -> bool:
    return any(_is_same(value, each) for _, each in before.values())


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
    except (Exception, SystemExit) as error:  # whatever a student's code raises
        trace.error = error
    finally:
        sys.settrace(before)
    return trace
