"""Which known mistakes lead to what a student computed.

The forward pass: one fault, else two. The backward pass: layer by layer, as the error goes, and the
explanation with the fewest mistakes.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from mnistlab.checking.reference import (
    EQUAL,
    RIGHT,
    Fault,
    Problem,
    Values,
    computed,
    is_equal,
    state_of,
    take_step,
)

ERRORS = (ValueError, IndexError, AttributeError, TypeError)
FORWARD_STEPS = ("z1", "a1", "z2", "p", "loss")
# Of each layer, last first: the steps of its error, then its gradients.
LAYERS = ((("dz2",), ("dW2", "db2")), (("da1", "dz1"), ("dW1", "db1")))
Faults = tuple[Fault, ...]


def values_of(problem: Problem, faults: Sequence[Fault]) -> Values | None:
    """The network with these faults; None where its shapes do not fit."""
    try:
        with np.errstate(all="ignore"):
            return computed(problem, faults)
    except ERRORS:
        return None


def explain_forward(
    output: Any, step: str, problem: Problem, faults: Sequence[Fault]
) -> list[Faults]:
    """Every set of as few faults as possible, one or two, that leads to this output of a step."""
    for n_faults in (1, 2):
        found = [
            chosen
            for chosen in itertools.combinations(faults, n_faults)
            if len({fault.step for fault in chosen}) == n_faults
            and (values := values_of(problem, chosen)) is not None
            and is_equal(output, values[step], EQUAL)
        ]
        if found:
            return found
    return []


def explain_backward(
    gradients: Mapping[str, Any],
    problem: Problem,
    faults: Sequence[Fault],
    given: Sequence[Fault] = (),
) -> Faults | None:
    """The faults, of as few mistakes as possible, that lead to all gradients; None: there are none.

    given: faults of the forward pass.
    """
    v = state_of(problem)
    with np.errstate(all="ignore"):
        for step in FORWARD_STEPS:
            take_step(v, step, given)
        found = [
            (*last, *first)
            for last, after in _layer(v, 0, gradients, faults)
            for first, _ in _layer(after, 1, gradients, faults)
        ]
    found = [each for each in found if each]
    return min(found, key=_cost) if found else None


def _cost(faults: Faults) -> tuple[int, int]:
    """An error that is wrong early in the backward pass explains all that follows from it."""
    return len({fault.mistake for fault in faults}), len(faults)


def _layer(
    v: SimpleNamespace, layer: int, gradients: Mapping[str, Any], faults: Sequence[Fault]
) -> Iterator[tuple[Faults, SimpleNamespace]]:
    """Every way to explain the gradients of one layer, and the network after it."""
    errors, wanted = LAYERS[layer]
    of_errors = [fault for fault in faults if fault.step in errors]
    singles: list[Faults] = [(), *((fault,) for fault in of_errors)]
    pairs = [pair for pair in itertools.combinations(of_errors, 2) if pair[0].step != pair[1].step]
    found = False
    for picked in singles:
        for each in _with_error(v, errors, picked, wanted, gradients, faults):
            found = True
            yield each
    if not found:
        for picked in pairs:
            yield from _with_error(v, errors, picked, wanted, gradients, faults)


def _with_error(
    v: SimpleNamespace,
    errors: Sequence[str],
    picked: Faults,
    wanted: Sequence[str],
    gradients: Mapping[str, Any],
    faults: Sequence[Fault],
) -> Iterator[tuple[Faults, SimpleNamespace]]:
    now = copy.copy(v)
    try:
        for step in errors:
            take_step(now, step, picked)
    except ERRORS:
        return
    chosen = list(picked)
    for step in wanted:
        own = _of_gradient(now, step, gradients[step], faults)
        if own is None:
            return
        chosen += own
    yield tuple(chosen), now


def _of_gradient(
    v: SimpleNamespace, step: str, observed: Any, faults: Sequence[Fault]
) -> Faults | None:
    """() where a gradient follows rightly from the error, else the one fault that leads to it."""
    for chosen in ((), *((fault,) for fault in faults if fault.step == step)):
        try:
            value = take_step(v, step, chosen)
        except ERRORS:
            continue
        if is_equal(observed, value, EQUAL):
            take_step_right(v, step)
            return chosen
    return None


def take_step_right(v: SimpleNamespace, step: str) -> None:
    """A later step that needs this gradient has the right one, if there is one."""
    try:
        take_step(v, step)
    except ERRORS:
        return


def changes(fault: Fault, problem: Problem, steps: Sequence[str], given: Sequence[Fault]) -> bool:
    """Whether a fault changes any of these steps."""
    right, values = computed(problem, given), values_of(problem, [*given, fault])
    return values is None or any(not is_equal(values[s], right[s], RIGHT) for s in steps)
