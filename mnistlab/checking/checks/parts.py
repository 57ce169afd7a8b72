"""A split into training, validation and test part, as the course asks for it: 70, 15, 15 %."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from mnistlab.checking.attempts import attempt
from mnistlab.checking.context import Context
from mnistlab.checking.naming import kinds_of, plain
from mnistlab.checking.tracing import arrays_in

N = 200
CLASSES = (100, 80, 20)  # images of each class
FRACTIONS = (0.7, 0.15, 0.15)


def check_parts(context: Context, function: Callable[..., Any]) -> None:
    """200 images sorted by class, of which one class is rare."""
    name, what = function.__name__, f"split ({function.__name__})"
    y = np.repeat([0, 1, 2], CLASSES)
    X = np.column_stack([np.arange(N), y]).astype(np.float64)
    given: dict[str, Any] = {}
    for each, parameter in inspect.signature(function).parameters.items():
        if "X" in kinds_of(each) and X is not None:
            given[each] = X.copy()
        elif "y" in kinds_of(each):
            given[each] = y.copy()
        elif "seed" in plain(each) or "random" in plain(each):
            given[each] = 0
        elif parameter.default is parameter.empty:
            context.note(f"{name} was not checked: it is not clear what {each} should receive")
            return
    if len([each for each in given if kinds_of(each)]) < 2:
        context.note(f"{name} was not checked: it takes no images and labels")
        return
    context.begin(what)
    outcome = attempt(lambda: function(**given))
    if outcome.error is not None:
        context.failed(what, outcome.error)
        return
    arrays = [np.asarray(a) for _, a in arrays_in(outcome.value, context.module.__name__)]
    images = [a for a in arrays if a.ndim == 2]
    labels = [a for a in arrays if a.ndim == 1]
    if len(images) < 2 or len(images) != len(labels):
        context.note(f"{name} returns no images and labels of each part, and was not checked")
        context.checks.remove(what)
        return
    again = attempt(lambda: function(**given))
    named = _mistake(images, labels, len(images) == 3) or _repeated(context, images, again.value)
    if named is not None:
        context.found(what, named[0], context.source.line_of_function(name), "", named[1])


def _mistake(images: list[Any], labels: list[Any], is_course: bool) -> tuple[str, str] | None:
    rows = [part[:, 0].astype(int) for part in images]
    together = np.concatenate(rows)
    counts = np.bincount(together, minlength=N)
    if (counts > 1).any():
        return "parts-overlap", f"{int((counts > 1).sum())} images are in more than one part"
    if (counts == 0).any():
        return "parts-left-out", f"{int((counts == 0).sum())} of {N} images are in no part"
    for part, own in zip(images, labels, strict=True):
        if len(part) != len(own) or not np.array_equal(part[:, 1], own):
            return "parts-labels", ""
    sizes = [len(part) for part in images]
    wanted = [round(N * fraction) for fraction in FRACTIONS]
    if is_course and any(abs(a - b) > 2 for a, b in zip(sizes, wanted, strict=True)):
        return "parts-sizes", f"{sizes} instead of {wanted}"
    if np.array_equal(together, np.arange(N)):
        return "parts-not-shuffled", ""
    for own, size in zip(labels, sizes, strict=True):
        counts = np.bincount(own.astype(int), minlength=len(CLASSES))
        wanted_counts = size * np.array(CLASSES) / N
        if (np.abs(counts - wanted_counts) > 1).any():
            numbers = f"a part of {size} images has {counts.tolist()} of the classes"
            return "parts-not-stratified", numbers
    return None


def _repeated(context: Context, images: list[Any], value: Any) -> tuple[str, str] | None:
    again = [np.asarray(a) for _, a in arrays_in(value, context.module.__name__)]
    again = [a for a in again if a.ndim == 2]
    if any(not np.array_equal(a, b) for a, b in zip(images, again, strict=False)):
        return "parts-not-repeatable", ""
    return None
