"""The backward pass: against finite differences of the student's own loss, then named."""

from __future__ import annotations

import numpy as np

from mnistlab.checking.context import Context, Search, differences, line_of
from mnistlab.checking.faults import BACKWARD
from mnistlab.checking.finding import DIFFERS
from mnistlab.checking.naming_faults import changes, explain_backward, values_of
from mnistlab.checking.observed import Observed, SquareObserved
from mnistlab.checking.reference import (
    GRADIENTS,
    PARAMETERS,
    Array,
    Fault,
    Problem,
    Values,
    computed,
    is_equal,
    make_problem,
)
from mnistlab.checking.slots import is_gradient_of
from mnistlab.checking.student import LABEL_FORMS, Student, gradients_in
from mnistlab.checking.tracing import traced

STEP = 1e-5  # of the finite differences
COUNTS = ("not-averaged", "averaged-twice", "wrong-count", "factor-two")
BACKWARD_STEPS = ("dz2", "dW2", "db2", "da1", "dz1", "dW1", "db1")


def finite_differences(student: Student, problem: Problem) -> Values:
    """Gradients of the student's own loss, by central differences, in float64."""
    found = {}
    for name in PARAMETERS:
        gradient = np.zeros_like(problem.weights[name])
        for index in np.ndindex(gradient.shape):
            losses = []
            for sign in (1, -1):
                moved = problem.weights[name].copy()
                moved[index] += sign * STEP
                student.put(problem.weights | {name: moved})
                losses.append(student.loss())
            gradient[index] = (losses[0] - losses[1]) / (2 * STEP)
        found["d" + name] = gradient
    student.put(problem.weights)
    return found


def check_gradients(context: Context, problem: Problem) -> None:
    """Every gradient of the backward pass."""
    student = context.make(problem)
    if "backward" not in student.roles:
        context.note("no backward pass was found: gradients were not checked")
        return
    context.begin("gradients")
    if not student.is_complete:
        missing = ", ".join(sorted(set(PARAMETERS) - set(student.slots)))
        context.note(f"no array has the shape of {missing}: gradients were not checked")
        context.is_gradient_known = False
        return
    forms = sorted(LABEL_FORMS, key=lambda form: form != context.label_form)
    observed = {form: Observed(context, problem, form) for form in forms}
    working = [form for form in forms if observed[form].is_usable]
    if not working:
        _explain_error(context, problem, forms, observed[forms[0]])
        return
    wanted = _right_gradients(context, problem, working[0])
    for form in working:
        if all(observed[form].right(name, wanted) for name in GRADIENTS):
            context.label_form = form
            by_formula = wanted[-2:]
            context.is_gradient_known = all(observed[form].right(n, by_formula) for n in GRADIENTS)
            _check_added_up(context, problem)
            return
    for form in working:
        if _named(context, problem, observed[form], wanted):
            context.label_form = form
            return
    context.label_form = working[0]
    _unexplained(context, observed[working[0]], wanted)


def _check_added_up(context: Context, problem: Problem) -> None:
    """Whether the gradients of a second call contain those of the first."""
    student = context.make(problem)
    student.label_form = context.label_form
    before = student.weights()
    found = []
    for _ in range(2):
        trace = traced(context.source.name, student.run_backward)
        found.append((trace, gradients_in(student, trace)))
    (_, first), (trace, second) = found
    if any(not np.array_equal(before[n], w) for n, w in student.weights().items()):
        return
    doubled = [
        name
        for name in first
        if name in second and is_equal(second[name], 2 * first[name]) and np.any(first[name])
    ]
    if doubled:
        line = Search(trace, []).line([second[doubled[0]]])
        context.found(f"gradient of {doubled[0]}", "gradients-added-up", line)
        context.is_gradient_known = False


def _right_gradients(context: Context, problem: Problem, form: str) -> list[Values]:
    """By formula from the forward pass as it is, and by differences of the student's own loss."""
    wanted = [computed(problem, context.faults), computed(problem)]
    student = context.make(problem)
    student.label_form = form
    if "loss" in student.roles:
        try:
            with np.errstate(all="ignore"):
                wanted.insert(0, finite_differences(student, problem))
        except Exception:  # reported already, by the check of the loss
            context.note("the loss could not be computed, so the gradients have only formulas")
    return wanted


def _named(context: Context, problem: Problem, observed: Observed, wanted: list[Values]) -> bool:
    gradients = observed.gradients
    if set(gradients) != set(GRADIENTS):
        return False
    faults = explain_backward(gradients, problem, BACKWARD, context.faults)
    if faults is None and observed.has_moved and set(observed.moved) == set(GRADIENTS):
        faults = explain_backward(observed.moved, problem, BACKWARD, context.faults)
    if faults is None:
        return False
    for fault in _in_order(faults):
        if fault.step == "dz1" and context.has_found("relu_derivative"):
            continue  # what follows from a wrong derivative, which was named
        line = line_of_fault(context, problem, observed, fault)
        context.found(_what(fault), fault.mistake, line, fault.step)
    context.faults += faults
    return True


def _in_order(faults: tuple[Fault, ...]) -> list[Fault]:
    return sorted(faults, key=lambda fault: BACKWARD_STEPS.index(fault.step))


def _what(fault: Fault) -> str:
    names = {"dz2": "the scores", "da1": "the hidden values", "dz1": "the hidden sums"}
    return f"gradient of {names.get(fault.step, fault.step[1:])}"


def line_of_fault(
    context: Context, problem: Problem, observed: Observed, fault: Fault
) -> int | None:
    """The first wrong assignment, by value; else the assignment to the gradient's name."""
    wrong = values_of(problem, [*context.faults, fault])
    right = computed(problem, context.faults)
    own = _line_of_gradient(observed, fault.step)
    if fault.mistake in ("transposed", "not-transposed") and own:
        return own
    if wrong is not None:
        others = [right[step] for step in right] + [_moved(problem, right, n) for n in PARAMETERS]
        arrays = [wrong[step] for step in BACKWARD_STEPS[BACKWARD_STEPS.index(fault.step) :]]
        if fault.mistake not in COUNTS:  # some divide by N at the end only
            arrays = [each for array in arrays for each in (array, len(problem.X) * array)]
            others += [len(problem.X) * right[step] for step in BACKWARD_STEPS]
        search = Search(observed.trace, others, False, context.trusted)
        own_values = arrays[: 1 if fault.mistake in COUNTS else 2]
        if line := _line_of_own(search, own_values, right[fault.step], len(problem.X)):
            return line
        if line := search.line([*arrays, *(_moved(problem, wrong, name) for name in PARAMETERS)]):
            return line
    lines = context.source.assignments_to(fault.step)
    return own or (lines[0] if lines else context.line_of_role("backward"))


def _line_of_own(search: Search, values: list[Array], right: Array, n: int) -> int | None:
    """Where the quantity itself is wrong, or a right value got its name, such as dz1 = da1.

    If the quantity is nowhere, the one line with that value is meant to compute it.
    """
    for value in values:
        if line := search.alias_line(value) or search.line([value]):
            return line
    if search.has(right) or search.has(n * right):
        return None
    return next((line for v in values if (line := search.alias_of_one(v))), None)


def _line_of_gradient(observed: Observed, step: str) -> int | None:
    """Where the gradient of that name was assigned last."""
    slot = observed.student.slots.get(step[1:])
    if slot is None:
        return None
    lines = [each.line for each in observed.trace.assigned if is_gradient_of(slot, each.path)]
    return lines[-1] if lines else None


def _moved(problem: Problem, values: Values, name: str) -> Array:
    step = values["d" + name]
    weights = problem.weights[name]
    if step.shape != weights.shape:
        return step
    return weights - problem.learning_rate * step


def _unexplained(context: Context, observed: Observed, wanted: list[Values]) -> None:
    """Report each wrong gradient with its numbers."""
    gradients = observed.gradients
    context.is_gradient_known = False
    if context.has_found("relu_derivative", "relu", "softmax", "forward"):
        context.note("gradients are wrong as well, perhaps because of the above")
        return
    for name in GRADIENTS:
        if name not in gradients:
            if not observed.right(name, wanted):
                says = f"no gradient of {name[1:]} is returned, stored, or moves the weights"
                line = context.line_of_role("backward")
                context.found(f"gradient of {name[1:]}", "no-gradient", line, name, "", says)
        elif not observed.right(name, wanted):
            lines = context.source.assignments_to(name)
            line = lines[0] if lines else context.source.line_of_function("backward")
            numbers = differences(gradients[name], wanted[0][name])
            context.found(f"gradient of {name[1:]}", DIFFERS, line, name, numbers)
    if not gradients:
        context.found(
            "gradients",
            "no-gradient",
            context.source.line_of_function("backward"),
        )


def _explain_error(context: Context, problem: Problem, forms: list[str], first: Observed) -> None:
    """Name a mistake of shapes: with all sizes equal the same code runs, and gives numbers."""
    context.is_gradient_known = False
    error = first.trace.error
    assert error is not None
    square = make_problem(5, (5, 5, 5), problem.learning_rate)
    misfits = [f for f in BACKWARD if values_of(problem, [f]) is None or _changes_shape(problem, f)]
    misfits = [f for f in misfits if changes(f, square, GRADIENTS, context.faults)]
    for form in forms:
        observed = SquareObserved(context, problem, square, form)
        if observed.trace.error is not None or set(observed.gradients) != set(GRADIENTS):
            continue
        faults = explain_backward(observed.gradients, square, misfits, context.faults)
        if faults is not None:
            context.label_form = form
            for fault in _in_order(faults):
                line = line_of_fault(context, square, observed, fault)
                line = line or line_of(error, context.source.name)
                context.found(_what(fault), fault.mistake, line, fault.step, str(error)[:200])
            context.is_gradient_known = False
            return
    context.failed("gradients", error)


def _changes_shape(problem: Problem, fault: Fault) -> bool:
    values, right = values_of(problem, [fault]), computed(problem)
    return values is not None and any(values[n].shape != right[n].shape for n in GRADIENTS)
