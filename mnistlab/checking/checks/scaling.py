"""The scaling of the parts of a data set: fitted on the training part, the same for all parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from mnistlab.checking.context import Context
from mnistlab.checking.naming import bind, plain
from mnistlab.checking.pieces import ROLES
from mnistlab.checking.reference import Array
from mnistlab.checking.tracing import Trace, arrays_in, traced

LOOKED_AT = (".fit", "concatenate", "vstack", ".min(", ".max(", ".mean(", "np.min", "np.max")


def make_parts(seed: int) -> dict[str, Array]:
    """Training, validation and test images (N, 5); one pixel never changes in training.

    The first validation and test image is the first of training. The others depend on the seed.
    """
    train = np.random.default_rng(0).uniform(20, 200, (6, 5))
    train[:, 2] = 30.0
    random = np.random.default_rng(seed)
    others = [random.uniform(0, 255 * (1 + seed), (n, 5)) for n in (4, 3)]
    for part in others:
        part[0] = train[0]
    return {"X": train, "X_val": others[0], "X_test": others[1]}


def check_scaling(context: Context) -> None:
    """Call the function with two choices of the other parts, and compare what it returns."""
    function = context.pieces.functions["scale"]
    context.begin("scaling")
    parts = make_parts(1)
    before = {name: part.copy() for name, part in parts.items()}
    trace = traced(context.source.name, lambda: function(**bind(function, parts)))
    if trace.error is not None:
        context.failed("scaling", trace.error)
        return
    if any(not np.array_equal(before[name], part) for name, part in parts.items()):
        context.found("scaling", "input-changed", trace.last_line)
        return
    other = traced(context.source.name, lambda: function(**bind(function, make_parts(2))))
    scaled, again = _by_rows(context, trace), _by_rows(context, other)
    if len(before["X"]) not in scaled:
        context.note("the scaling returned no training images, and was not checked")
        context.checks.remove("scaling")
        return
    train = scaled[len(before["X"])]
    if not np.isfinite(train).all():
        context.found("scaling", "constant-pixel", trace.first_not_finite or trace.last_line)
    elif not np.array_equal(train, again[len(before["X"])]):
        context.found("scaling", "test-leakage", _line(context, trace))
    elif any(not np.allclose(part[0], train[0]) for part in scaled.values()):
        context.found("scaling", "scaled-apart", _line(context, trace, last=True))


def _by_rows(context: Context, trace: Trace) -> dict[int, Any]:
    """Each returned array by its number of images, which tells the part that it belongs to."""
    arrays = [np.asarray(array) for _, array in arrays_in(trace.value, context.module.__name__)]
    return {len(array): array for array in arrays if array.ndim == 2}


def _line(context: Context, trace: Trace, last: bool = False) -> int | None:
    """The first or last line of the function that looks at values to fit the scaling."""
    lines = context.source.text.splitlines()
    found = [
        number
        for function in context.source.functions
        if ROLES.get(plain(function.name)) == "scale"
        for number in range(function.lineno + 1, (function.end_lineno or 0) + 1)
        if any(word in lines[number - 1] for word in LOOKED_AT)
    ]
    return (found[-1] if last else found[0]) if found else trace.last_line
