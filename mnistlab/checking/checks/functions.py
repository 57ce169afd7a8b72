"""relu, relu_derivative and softmax on their own."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from mnistlab.checking.context import Context, Search, alike, differences
from mnistlab.checking.faults import ACTIVATION, HIDDEN, PROBABILITY
from mnistlab.checking.finding import DIFFERS
from mnistlab.checking.naming import UnboundError, bind
from mnistlab.checking.reference import Array, Fault, softmax
from mnistlab.checking.student import Student
from mnistlab.checking.tracing import Trace, traced

OMISSIONS = ("not-normalised",)  # the line is the one that returns what is incomplete
Z = np.array([[1.5, -0.7, 0.3, -2.0], [-0.2, 0.9, 2.2, 0.4], [0.6, -1.1, -0.4, 1.3]])


def check_functions(context: Context, student: Student) -> None:
    """Every one of the three that the file has, if it takes one array."""
    for role, check in (
        ("relu", _check_relu),
        ("relu_derivative", _check_derivative),
        ("softmax", _check_softmax),
    ):
        function = student.roles.get(role)
        if function is None:
            continue
        call = _of_one_array(function)
        if call is None:
            context.note(f"{role} takes more than one array and was not checked on its own")
            continue
        context.begin(role)
        n_before = len(context.findings)
        check(context, call)
        if len(context.findings) == n_before:
            context.trusted.add(function.__qualname__)


def _of_one_array(function: Callable[..., Any]) -> Callable[[Array], Any] | None:
    try:
        bind(function, {"X": Z})
    except UnboundError:
        return None

    def call(z: Array) -> Any:
        for kind in ("X", "z"):
            found = bind(function, {kind: z})
            if any(value is z for value in found.values()):
                return function(**found)
        return function(z)

    return call


def run(context: Context, role: str, call: Callable[[Array], Any], z: Array) -> Trace | None:
    """A traced call; None where it failed, which is then a finding."""
    before = z.copy()
    trace = traced(context.source.name, lambda: call(z))
    if trace.error is not None:
        context.failed(role, trace.error)
        return None
    if not np.array_equal(before, z):
        context.found(role, "input-changed", trace.last_line)
        return None
    if trace.value is None:
        line = context.source.line_of_function(role)
        context.found(role, "empty", line, says=f"{role} returns nothing")
        return None
    return trace


def _name(
    context: Context, role: str, trace: Trace, right: Array, faults: list[Fault], v: Any
) -> None:
    """Name what the value of a call equals, or report the difference."""
    step = faults[0].step
    for fault in faults:
        try:
            with np.errstate(all="ignore"):
                wrong = np.asarray(fault.make(v))
        except (ValueError, AttributeError):
            continue
        if wrong.shape == right.shape and alike(trace.value, wrong, 1e-6):
            line = None
            if fault.mistake not in OMISSIONS:
                search = Search(trace, [right, *_before(v)])
                line = search.line([*exponentials(fault, getattr(v, "z2", right)), wrong])
            line = line or trace.last_line
            context.found(role, fault.mistake, line, step)
            return
    context.found(role, DIFFERS, trace.last_line, step, differences(trace.value, right))


def exponentials(fault: Fault, z: Array) -> list[Array]:
    """What softmax has on its way, if the sign of the scores is wrong."""
    if fault.mistake != "softmax-sign":
        return []
    return [np.exp(-z), np.exp(z.min(1, keepdims=True) - z), np.exp(z.max(1, keepdims=True) - z)]


def _before(v: Any) -> list[Array]:
    return [getattr(v, name) for name in ("z1", "z2") if hasattr(v, name)]


def _check_relu(context: Context, call: Callable[[Array], Any]) -> None:
    trace = run(context, "relu", call, Z.copy())
    right = np.maximum(Z, 0)
    if trace is not None and not alike(trace.value, right):
        faults = [f for f in ACTIVATION if f.step == "a1"]
        _name(context, "relu", trace, right, faults, SimpleNamespace(z1=Z, right=right))


def _check_derivative(context: Context, call: Callable[[Array], Any]) -> None:
    trace = run(context, "relu_derivative", call, Z.copy())
    right: Array = (Z > 0).astype(np.float64)
    if trace is None or alike(np.asarray(trace.value) * 1.0, right):
        return
    trace.value = np.asarray(trace.value) * 1.0
    v = SimpleNamespace(z1=Z, a1=np.maximum(Z, 0), da1=np.ones_like(Z), right=right)
    names: tuple[str, ...] = ("mask-missing", "mask-inverted", "mask-threshold", "derivative-leaks")
    names += ("activation-for-mask", "derivative-of-sigmoid", "derivative-of-tanh")
    names += ("derivative-has-sign", "gradient-sign")
    faults = [f for f in HIDDEN if f.step == "dz1" and f.mistake in names]
    _name(context, "relu_derivative", trace, right, faults, v)


def _check_softmax(context: Context, call: Callable[[Array], Any]) -> None:
    if context.is_columns:
        call = _by_columns(call)
    trace = run(context, "softmax", call, Z.copy())
    if trace is None:
        return
    right = softmax(Z)
    if np.shape(trace.value) == Z.shape and alike(trace.value, right):
        _check_large_scores(context, call)
        return
    v = SimpleNamespace(z2=Z, right=right)
    _name(context, "softmax", trace, right, [f for f in PROBABILITY if f.step == "p"], v)


def _by_columns(call: Callable[[Array], Any]) -> Callable[[Array], Any]:
    """For students who have one image per column."""

    def turned(z: Array) -> Any:
        value = call(np.ascontiguousarray(z.T))
        return value.T if isinstance(value, np.ndarray) else value

    return turned


def _check_large_scores(context: Context, call: Callable[[Array], Any]) -> None:
    large = Z + 1000
    apart = Z + np.array([[2000.0], [0.0], [-2000.0]])
    for mistake, scores in (("softmax-overflow", large), ("softmax-underflow", apart)):
        trace = run(context, "softmax", call, scores)
        if trace is not None and not alike(trace.value, softmax(scores)):
            numbers = differences(trace.value, softmax(scores))
            line = _first_empty(trace) or trace.first_not_finite or trace.last_line
            context.found("softmax", mistake, line, "p", numbers)
            return


def _first_empty(trace: Trace) -> int | None:
    """The line of the first assigned array with a row of zeros: all its exponentials vanished."""
    for each in trace.assigned:
        if each.value.ndim == 2 and (each.value == 0).all(axis=1).any():
            return each.line
    return None
