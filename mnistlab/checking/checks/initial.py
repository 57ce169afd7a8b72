"""The first weights: their spread, their mean, and the biases."""

from __future__ import annotations

import numpy as np

from mnistlab.checking.context import Context
from mnistlab.checking.reference import Array
from mnistlab.checking.slots import find_slots

MOST = 1.5  # of a standard deviation: no known scheme has so large weights
SIZES = (180, 140, 110)  # enough weights to tell their spread apart, few enough to be quick


def check_initial(context: Context) -> None:
    """Weights N(0, 2/n_in) and zero biases, where the file makes them itself."""
    made = context.initial(SIZES)
    if made is None:
        return
    slots = find_slots(made, context.module.__name__, SIZES)
    if not {"W1", "W2"} <= set(slots):
        return
    context.begin("initial weights")
    for name, n_in in (("W1", SIZES[0]), ("W2", SIZES[1])):
        w = slots[name].canonical()
        lines = context.source.assignments_to(str(slots[name].path[-1]))
        line = lines[0] if lines else context.source.line_of_function("__init__")
        if mistake := _mistake(w, n_in, context.is_course):
            numbers = f"standard deviation {w.std():.4g}, mean {w.mean():.2g}"
            context.found("initial weights", mistake, line, "", numbers)
    for name in ("b1", "b2"):
        if name in slots and np.any(slots[name].canonical()):
            lines = context.source.assignments_to(str(slots[name].path[-1]))
            context.found("initial weights", "init-bias", lines[0] if lines else None)


def _mistake(w: Array, n_in: int, is_course: bool) -> str:
    std, wanted = float(w.std()), (2 / n_in) ** 0.5
    if std == 0:
        return "init-zero"
    if abs(w.mean()) > 5 * std / w.size**0.5:
        return "init-not-centred"
    if std > MOST:
        return "init-wrong-size"
    if not is_course or abs(std / wanted - 1) < 0.04:
        return ""
    if abs(std / (2 / n_in) - 1) < 0.04:
        return "init-variance-for-deviation"
    return "init-wrong-size"
