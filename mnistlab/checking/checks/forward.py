"""The forward pass, the loss and the predicted classes."""

from __future__ import annotations

import numpy as np

from mnistlab.checking.checks.functions import exponentials
from mnistlab.checking.context import Context, Search, alike, differences
from mnistlab.checking.faults import ACTIVATION, FORWARD, LOSS, PROBABILITY
from mnistlab.checking.finding import DIFFERS
from mnistlab.checking.naming_faults import explain_forward, values_of
from mnistlab.checking.reference import (
    EQUAL,
    RIGHT,
    Array,
    Fault,
    Problem,
    computed,
    is_equal,
)
from mnistlab.checking.student import LABEL_FORMS, Student
from mnistlab.checking.tracing import Trace, traced

STEPS = ("z1", "a1", "z2", "p")


def check_forward(context: Context, problem: Problem) -> bool:
    """Compare class probabilities with the right ones; False where there are none."""
    context.begin("forward")
    student = context.make(problem)
    images = student.images()
    before = images.copy()
    trace = traced(context.source.name, lambda: student.probabilities())
    if trace.error is not None:
        _explain_error(context, problem, trace.error)
        return False
    student.call("forward", X=images)
    if not np.array_equal(images, before):
        context.found("forward", "input-changed", context.source.line_of_function("forward"))
    if not context.is_forward_right:
        return True
    right = computed(problem)
    p = np.asarray(trace.value)
    if is_equal(p, right["p"], RIGHT):
        _check_large(context, student)
        return True
    context.returns_scores = not context.is_course and _loss_takes_scores(student, p)
    if context.returns_scores and is_equal(p, right["z2"], EQUAL):
        return True
    _name_forward(context, problem, trace, p)
    return True


def _check_large(context: Context, student: Student) -> None:
    """Scores in the thousands, of a forward pass that has softmax within it."""
    if "softmax" in student.roles or set(student.slots) != {"W1", "b1", "W2", "b2"}:
        return
    problem = student.problem
    student.put({name: 300 * value for name, value in problem.weights.items()})
    trace = traced(student.source.name, student.probabilities)
    student.put(problem.weights)
    if trace.error is None and not np.isfinite(trace.value).all():
        context.found("forward", "softmax-overflow", trace.first_not_finite, "p")


def _loss_takes_scores(student: Student, output: Array) -> bool:
    """Whether softmax is a part of the loss, and what the forward pass returns are scores."""
    if np.allclose(output.sum(axis=1), 1) or "loss" not in student.roles:
        return False
    if "softmax" not in student.roles:
        return True
    name = student.roles["softmax"].__qualname__
    trace = traced(student.source.name, lambda: student.loss(output))
    return any(function == name for function, _ in trace.lines)


def _name_forward(context: Context, problem: Problem, trace: Trace, p: Array) -> None:
    context.is_forward_right = False
    right = computed(problem)
    known = [
        fault for fault in FORWARD if any(fault.mistake == f.mistake for f in context.findings)
    ]
    step = "z2" if context.returns_scores else "p"
    faults_of = ACTIVATION if context.returns_scores else FORWARD
    found = explain_forward(p, step, problem, known) if known else []
    found = found or explain_forward(p, step, problem, faults_of)
    if not found:
        context.is_gradient_known = False
        if context.has_found("relu", "softmax"):
            context.note("forward is wrong as well, perhaps because of the above")
            return
        line = context.source.line_of_function("forward")
        context.found("forward", DIFFERS, line, step, differences(p, right[step]))
        return
    faults = min(found, key=lambda each: _is_seen(problem, trace, each), default=())
    context.faults += faults
    for fault in faults:
        wrong = computed(problem, [fault])
        first = STEPS.index(fault.step)
        arrays = [wrong[step] for step in STEPS[first:]]
        search = Search(trace, [right[s] for s in STEPS], False, context.trusted)
        line = search.alias_line(arrays[0]) or search.line(arrays)
        line = line or context.source.line_of_function("forward")
        context.found("forward", fault.mistake, line, fault.step)


def _is_seen(problem: Problem, trace: Trace, faults: tuple[Fault, ...]) -> int:
    """How few different hidden values that the faults lead to were assigned, as a negative number.

    A ReLU that nothing uses gives the same scores as none; but its values are seen.
    """
    values = computed(problem, faults)
    hidden = [values["z1"], values["z2"]]
    if not alike(values["a1"], values["z1"]):
        hidden.append(values["a1"])
    return -sum(any(alike(each.value, value, EQUAL) for each in trace.assigned) for value in hidden)


def _explain_error(context: Context, problem: Problem, error: BaseException) -> None:
    """An exception: what the same code computes where all sizes are equal may name it."""
    context.is_forward_right = context.is_gradient_known = False
    context.failed("forward", error)


def check_loss(context: Context, problem: Problem) -> None:
    """Compare the loss of right probabilities with the cross-entropy."""
    student = context.make(problem)
    if "loss" not in student.roles:
        context.note("no loss function was found, such as compute_loss")
        return
    context.begin("loss")
    right = computed(problem)
    given = right["z2"] if context.returns_scores else right["p"]
    traces = {form: _loss_with(student, form, given) for form in LABEL_FORMS}
    for form, trace in traces.items():
        if trace.error is None and is_equal(trace.value, right["loss"], 2e-5):
            context.label_form = form
            _check_log_of_zero(context, student, form)
            return
    for form, trace in traces.items():
        if trace.error is not None:
            continue
        for fault in [*LOSS, *(PROBABILITY if context.returns_scores else ())]:
            values = values_of(problem, [fault])
            if values is not None and is_equal(trace.value, values["loss"], 2e-5):
                context.label_form = form
                context.faults += [fault] if fault.step == "p" else []
                wrong = [values["p"], values["loss"]] if fault.step == "p" else [values["loss"]]
                wrong = [*exponentials(fault, right["z2"]), *wrong]
                line = Search(trace, [right["loss"], right["p"]]).line(wrong) or trace.last_line
                context.found("loss", fault.mistake, line, fault.step)
                return
    _unexplained_loss(context, traces, right["loss"])


def _loss_with(student: Student, form: str, given: Array) -> Trace:
    student.label_form = form
    student.probabilities()
    return traced(student.source.name, lambda: student.loss(given))


def _unexplained_loss(context: Context, traces: dict[str, Trace], wanted: Array) -> None:
    for form, trace in traces.items():
        if trace.error is None:
            context.label_form = form
            line = trace.last_line
            context.found("loss", DIFFERS, line, "loss", differences(trace.value, wanted))
            return
    errors = [trace.error for trace in traces.values() if trace.error is not None]
    context.failed("loss", errors[0])


def _check_log_of_zero(context: Context, student: Student, form: str) -> None:
    if context.returns_scores:
        return
    p = np.eye(student.problem.sizes[2])[(student.problem.labels + 1) % student.problem.sizes[2]]
    trace = _loss_with(student, form, p)
    if trace.error is None and not np.isfinite(trace.value):
        line = trace.first_not_finite or trace.last_line
        context.found("loss", "log-of-zero", line, "loss")


def check_predict(context: Context, problem: Problem) -> None:
    """Classes (N,) as integers, those of the largest probability."""
    student = context.make(problem)
    if "predict" not in student.roles:
        return
    context.begin("predict")
    trace = traced(context.source.name, lambda: student.call("predict"))
    if trace.error is not None:
        context.failed("predict", trace.error)
        return
    p = student.probabilities()
    found = np.asarray(trace.value)
    if found.dtype.kind not in "fiub":
        says = f"predict returns {type(trace.value).__name__}, not classes (N,)"
        context.found("predict", "exception", context.line_of_role("predict"), says=says)
        return
    line = trace.last_line
    right = p.argmax(axis=1)
    if found.shape == right.shape and np.array_equal(found, right):
        return
    for mistake, wrong in (
        ("argmax-wrong-axis", p.argmax(axis=0)),
        ("argmax-wrong-axis", p.argmax()),
        ("argmin", p.argmin(axis=1)),
        ("largest-for-argmax", p.max(axis=1)),
        ("probabilities-for-classes", p),
        ("classes-from-one", right + 1),
        ("one-hot-for-classes", np.eye(p.shape[1])[right]),
        ("column-of-classes", right[:, None]),
    ):
        if found.shape == np.shape(wrong) and np.allclose(found, wrong):
            context.found("predict", mistake, line)
            return
    context.found("predict", DIFFERS, line, "", differences(found, right * 1.0))
