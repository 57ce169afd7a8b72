"""A student's gradient by finite differences, on losses whose gradients are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mnistlab.checking.attempts import attempt
from mnistlab.checking.context import Context, differences
from mnistlab.checking.finding import DIFFERS
from mnistlab.checking.naming import UnboundError, plain
from mnistlab.checking.reference import Array

STEP = 1e-2  # large, so that one-sided and two-sided differences are far apart
LOSS_WORDS = {
    "loss",
    "f",
    "func",
    "function",
    "lossfn",
    "lossfunction",
    "fn",
    "cost",
    "computeloss",
}
POINT_WORDS = {"parameter", "param", "x", "w", "weights", "theta", "array", "p", "params", "point"}
STEP_WORDS = {"step", "h", "eps", "epsilon", "delta", "stepsize"}


class _Loss:
    """Sum of a w^3 + b w: called with the array, or without anything, as the function wants."""

    def __init__(self, w: Array) -> None:
        self.w = w
        self.a = np.linspace(0.5, 2, w.size).reshape(w.shape)

    def __call__(self, w: Array | None = None) -> float:
        w = self.w if w is None else w
        return float((self.a * w**3 + 3 * self.a * w).sum())


def check_numerical_gradient(context: Context, function: Callable[..., Any]) -> None:
    """Call it with a step of 0.01, and compare with what each known mistake gives."""
    import inspect

    name, what = function.__name__, f"numerical gradient ({function.__name__})"
    w = np.array([[0.5, -1.0, 1.5], [2.0, -0.3, 0.8]])
    loss, start = _Loss(w), w.copy()
    given: dict[str, Any] = {}
    for each, parameter in inspect.signature(function).parameters.items():
        word = plain(each)
        for words, value in ((LOSS_WORDS, loss), (POINT_WORDS, w), (STEP_WORDS, STEP)):
            if word in words and each not in given:
                given[each] = value
        if each not in given and parameter.default is parameter.empty:
            context.note(f"{name} was not checked: it is not clear what {each} should receive")
            return
    if not any(value is loss for value in given.values()):
        context.note(f"{name} was not checked: it takes no loss")
        return
    context.begin(what)
    outcome = attempt(lambda: function(**given))
    if outcome.error is not None:
        if isinstance(outcome.error, UnboundError):
            raise outcome.error
        context.failed(what, outcome.error)
        return
    line = _line(context, name)
    if not np.allclose(w, start, rtol=0, atol=1e-12):
        context.found(what, "not-restored", line, "", differences(w, start))
        return
    _compare(context, what, line, np.asarray(outcome.value, dtype=np.float64), start, loss, given)


def _compare(
    context: Context,
    what: str,
    line: int | None,
    found: Array,
    w: Array,
    loss: _Loss,
    given: dict[str, Any],
) -> None:
    steps = [v for k, v in given.items() if plain(k) in STEP_WORDS]
    h = steps[0] if steps else None
    exact = 3 * loss.a * w**2 + 3 * loss.a
    if h is None:
        if found.shape == exact.shape and np.allclose(found, exact, rtol=1e-4):
            return
        context.found(what, DIFFERS, line, "", differences(found, exact))
        return
    above, here, below = (_slopes(loss, w, by) for by in (h, 0.0, -h))
    right = (above - below) / (2 * h)
    if found.shape == right.shape and np.allclose(found, right, rtol=1e-7):
        return
    for mistake, wrong in (
        ("one-sided", (above - here) / h),
        ("one-sided", (here - below) / h),
        ("step-not-halved", (above - below) / h),
        ("step-not-halved", (above - below) / (4 * h)),
        ("step-squared", (above - below) / (2 * h * h)),
        ("difference-not-divided", above - below),
        ("difference-not-divided", above - here),
        ("difference-not-divided", (above - below) * h / 2),
        ("gradient-check-sign", -right),
        ("all-at-once", np.full_like(right, (loss(w + h) - loss(w - h)) / (2 * h))),
    ):
        same = found.shape == wrong.shape or mistake == "all-at-once"
        if same and np.allclose(found, wrong, rtol=1e-7):
            context.found(what, mistake, line)
            return
    context.found(what, DIFFERS, line, "", differences(found, right))


def _slopes(loss: _Loss, w: Array, by: float) -> Array:
    """The loss with each element moved alone."""
    values = np.zeros_like(w)
    for index in np.ndindex(w.shape):
        moved = w.copy()
        moved[index] += by
        values[index] = loss(moved)
    return values


def _line(context: Context, name: str) -> int | None:
    """The line that divides, else the last one that sets an element, else the function's."""
    lines = context.source.text.splitlines()
    for node in context.source.functions:
        if node.name == name:
            body = range(node.body[0].lineno, (node.end_lineno or 0) + 1)
            for pattern in (" / ", "grad"):
                for number in body:
                    code = lines[number - 1].partition("#")[0]
                    if pattern in code and "=" in code and "zeros" not in code:
                        return number
            return node.lineno
    return None
