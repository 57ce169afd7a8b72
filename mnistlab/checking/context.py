"""What every check needs: how to make the student's network, and where findings go."""

from __future__ import annotations

import ast
import re
import traceback
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from mnistlab.checking.finding import DIFFERS, Finding
from mnistlab.checking.mistakes import MISTAKES, hint_for
from mnistlab.checking.naming import plain
from mnistlab.checking.pieces import ROLES, Pieces
from mnistlab.checking.reference import EQUAL, EQUATIONS, RIGHT, Array, Fault, Problem, is_equal
from mnistlab.checking.source import Source
from mnistlab.checking.student import Student, WrongReturnError
from mnistlab.checking.tracing import Assigned, Trace

REPEATED = (DIFFERS, "exception", "empty")  # shown for every part that has it
LONG_STATEMENT = 3  # lines; within a longer one, such as a dictionary, the line itself is named


@dataclass
class Context:
    """A file being checked. hint_level: 0 for none, 1 to 3.

    faults: of the forward pass and of the gradients, as far as they were named; what follows from
    them is no mistake of its own.
    """

    source: Source
    module: ModuleType
    pieces: Pieces
    make: Callable[[Problem], Student]
    hint_level: int = 0
    findings: list[Finding] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    is_forward_right: bool = True
    is_gradient_known: bool = True
    label_form: str = "integers"
    returns_scores: bool = False  # the forward pass ends before softmax, and the loss has it
    is_columns: bool = False
    last: list[Callable[[], None]] = field(default_factory=list)  # findings that others may explain
    trusted: set[str] = field(default_factory=set)  # functions that were found right on their own
    is_course: bool = False  # write-up A's class, which fixes first weights and momentum
    initial: Callable[[tuple[int, int, int]], Any] = lambda sizes: None
    has_exact_lines: bool = False  # of parts of a statement, such as one layer of several

    @property
    def wants_momentum(self) -> bool:
        """Whether plain gradient descent would be a mistake."""
        return self.is_course or self.source.mentions_momentum

    def begin(self, what: str) -> None:
        """Say that something is checked now."""
        if what not in self.checks:
            self.checks.append(what)

    def found(
        self,
        what: str,
        mistake: str,
        line: int | None,
        step: str = "",
        numbers: str = "",
        says: str = "",
    ) -> None:
        """Add a finding; of one mistake in several places only the first is shown."""
        if mistake not in REPEATED and any(each.mistake == mistake for each in self.findings):
            return
        if line is not None and not self.has_exact_lines:
            first, last = self.source.statement_at(line)
            line = first if last - first < LONG_STATEMENT else line
        known = MISTAKES.get(mistake)
        self.findings.append(
            Finding(
                what,
                mistake,
                says or (known.says if known else ""),
                self.source.name,
                line,
                (known.equation if known else "") or EQUATIONS.get(step, ""),
                hint_for(mistake, step, self.hint_level),
                numbers,
            )
        )

    def failed(self, what: str, error: BaseException) -> None:
        """Add an exception that a student's code raised, at its line."""
        if self.findings and what in ("training", "update", "overfits 32 images"):
            self.note(f"{what} raised {type(error).__name__}, perhaps because of the above")
            return
        line = line_of(error, self.source.name)
        says = f"the code raises {type(error).__name__}: {error}"
        if isinstance(error, MemoryError):
            says = "the code needs more memory than there is (the checker gives 3 GB)"
        if isinstance(error, WrongReturnError):
            says, line = str(error), self.line_of_role("loss" if what == "loss" else "forward")
        if isinstance(error, NotImplementedError):
            self.found(what, "empty", line, says="this is not written yet")
        else:
            self.found(what, "exception", line, says=" ".join(says.split())[:300])

    def line_of_role(self, *roles: str) -> int | None:
        """Where the first function of the first of these roles is defined."""
        for role in roles:
            for function in self.source.functions:
                if ROLES.get(plain(function.name)) == role:
                    return function.lineno
        return None

    def line_of_class(self, name: str) -> int | None:
        """Where a class is defined."""
        return next((node.lineno for node in self.classes(name)), None)

    def line_of_method(self, kind: str, name: str) -> int | None:
        """Where a method of a class is defined; the class's own line if it has none."""
        for node in self.classes(kind):
            for each in node.body:
                if isinstance(each, ast.FunctionDef) and each.name == name:
                    return each.lineno
        return self.line_of_class(kind)

    def line_in(self, kind: str, method: str, pattern: str) -> int | None:
        """The first line of a method's body that matches; None without one."""
        lines = self.source.text.splitlines()
        bodies = [each for node in self.classes(kind) for each in node.body]
        for each in bodies:
            if isinstance(each, ast.FunctionDef) and each.name == method:
                for number in range(each.body[0].lineno, (each.end_lineno or 0) + 1):
                    if re.search(pattern, lines[number - 1].partition("#")[0]):
                        return number
        return None

    def classes(self, name: str) -> list[ast.ClassDef]:
        """The syntax trees of the classes of a name."""
        nodes = ast.walk(self.source.tree)
        return [node for node in nodes if isinstance(node, ast.ClassDef) and node.name == name]

    def has_found(self, *whats: str) -> bool:
        """Whether there is a finding on one of these."""
        return any(each.what in whats for each in self.findings)

    def note(self, text: str) -> None:
        """Say what could not be checked."""
        if text not in self.notes:
            self.notes.append(text)

    def is_empty(self, role: str) -> bool:
        """Whether the function of a role has nothing but `pass`, `...` or NotImplementedError."""
        names = {
            getattr(self.pieces.functions.get(role), "__name__", ""),
            *(name for kind in self.pieces.networks for name in _named(kind, role)),
        }
        functions = [each for each in self.source.functions if each.name in names - {""}]
        return bool(functions) and all(is_stub(each) for each in functions)


def _named(kind: type, role: str) -> list[str]:
    from mnistlab.checking.pieces import methods_by_role

    return [name for each, name in methods_by_role(kind).items() if each == role]


def is_stub(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function does nothing yet."""
    for node in function.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_raise = isinstance(node, ast.Raise) and "NotImplemented" in ast.unparse(node)
        if not (is_text or is_raise or isinstance(node, ast.Pass)):
            return False
    return True


def line_of(error: BaseException, file: str) -> int | None:
    """The innermost line of the student's file in an exception's traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file]
    return lines[-1] if lines else None


def alike(value: Any, wanted: Array, tolerance: float = RIGHT, is_exact: bool = False) -> bool:
    """Equal, also with sides of one and, unless exactly wanted, when transposed."""
    value, wanted = np.asarray(value), np.asarray(wanted)
    forms = [value]
    if value.ndim == 2 and not is_exact:
        forms.append(value.T)
    if value.size == wanted.size and 1 in (*value.shape, *wanted.shape):
        forms.append(value.reshape(wanted.shape))
    return any(is_equal(form, wanted, tolerance) for form in forms)


@dataclass(frozen=True)
class Search:
    """Looks through a trace for the line where a value first became wrong.

    right: values that a right program has. is_exact: a transposed array is another array. trusted:
    functions that were found right on their own; what they do is not looked at, but what is done
    with their results.
    """

    trace: Trace
    right: Sequence[Array]
    is_exact: bool = False
    trusted: Container[str] = ()

    def line(self, wrong: Iterable[Array]) -> int | None:
        """The first line with one of these values, unless a right program has it as well."""
        for value in wrong:
            if not self._is_right(value) and (same := self._same(value)):
                return same[0].line
        return None

    def alias_line(self, value: Array, names: str = "") -> int | None:
        """The line of the second name of a value, such as dz1 = da1; None without a second name.

        names: a pattern; a second name that matches it goes first.
        """
        if not self._is_right(value):
            return None
        same = self._same(value)
        again = [
            each
            for each in same[1:]
            if (each.function, each.path) != (same[0].function, same[0].path)
            and each.line != same[0].line
        ]
        named = [e for e in again if names and any(re.match(names, part) for part in e.path)]
        return next((each.line for each in (*named, *again)), None)

    def alias_of_one(self, value: Array) -> int | None:
        """The line of a value that a right program has as well, if it is assigned just once."""
        same = self._same(value) if self._is_right(value) else []
        return same[0].line if len(same) == 1 else None

    def has(self, value: Array) -> bool:
        """Whether the value is assigned anywhere."""
        return bool(self._same(value))

    def _is_right(self, value: Array) -> bool:
        return any(alike(value, other, RIGHT, self.is_exact) for other in self.right)

    def _same(self, value: Array) -> list[Assigned]:
        return [
            each
            for each in self.trace.assigned
            if each.function not in self.trusted
            and (not each.source or each.source in self.trusted)
            and alike(each.value, value, EQUAL, self.is_exact)
        ]


def differences(value: Any, wanted: Array) -> str:
    """How two arrays differ, in numbers."""
    value, wanted = np.asarray(value), np.asarray(wanted)
    if value.shape != wanted.shape:
        return f"shape {value.shape} instead of {wanted.shape}"
    if value.dtype.kind not in "fiub":
        return f"dtype {value.dtype}"
    if not np.isfinite(value).all():
        return f"{int((~np.isfinite(value)).sum())} of {value.size} values are not finite"
    scale = max(float(np.abs(wanted).max(initial=0)), 1e-12)
    error = float(np.abs(value - wanted).max(initial=0)) / scale
    sizes = float(np.linalg.norm(value) / max(float(np.linalg.norm(wanted)), 1e-12))
    norm = max(float(np.linalg.norm(value) * np.linalg.norm(wanted)), 1e-12)
    cosine = float((value * wanted).sum()) / norm
    if value.ndim == 0:
        return f"{float(value):.6g} instead of {float(wanted):.6g}"
    return (
        f"relative error {error:.2g}; length {sizes:.3g} times the right one; "
        f"cosine of the angle between them {cosine:.3f}"
    )
