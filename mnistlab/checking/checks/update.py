"""Three exact steps of the student's update, from weights that are known."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from mnistlab.checking.context import Context, Search, differences
from mnistlab.checking.finding import DIFFERS
from mnistlab.checking.naming import UnboundError
from mnistlab.checking.reference import PARAMETERS, Array, Problem, computed, is_equal
from mnistlab.checking.student import Student
from mnistlab.checking.tracing import Trace
from mnistlab.checking.update_rules import MOMENTUM, PLAIN, WRONG, NamedRule

N_STEPS = 3
COEFFICIENT = 0.9
VELOCITY = r"(?i)_*(v|vel|mom)"  # names that an array of velocities may have


class Steps(NamedTuple):
    """Weights before the first and after each step, gradients before each, and traces."""

    weights: list[dict[str, Array]]
    gradients: list[dict[str, Array]]
    traces: list[Trace]
    is_of_training: bool = False


def check_update(context: Context, problem: Problem) -> None:
    """Compare three steps with momentum, or with plain descent where the file has no momentum."""
    if not context.is_gradient_known:
        context.note("the update was not checked: its gradients are not understood")
        return
    steps = _steps(context, problem)
    if steps is None:
        return
    context.begin("update")
    if changed := _changed_shape(context, problem, steps):
        if not context.findings:
            context.found(
                f"update of {changed}", "shape-changed", _line_of(context, steps, changed)
            )
        return
    rules: dict[str, str] = {}
    for name in PARAMETERS:
        rules[name] = _mistake_of(context, name, problem, steps)
    for mistake in dict.fromkeys(rules.values()):
        if not mistake:
            continue
        names = [name for name, each in rules.items() if each == mistake]
        if mistake == "not-updated" and len(names) == 4:
            mistake = "never-updated"
        line = _line(context, names[0], mistake, problem, steps)
        numbers = ""
        if mistake == DIFFERS:
            wanted = _predicted(MOMENTUM, names[0], problem, steps)[-1]
            numbers = differences(steps.weights[-1][names[0]], wanted)
        what = f"update of {', '.join(names)}"
        if mistake == DIFFERS and steps.is_of_training:  # a loop that is wrong explains it
            context.last.append(partial(_unless_explained, context, what, line, numbers))
        else:
            context.found(what, mistake, line, "update", numbers)


def _unless_explained(context: Context, what: str, line: int | None, numbers: str) -> None:
    if not context.has_found("training"):
        context.found(what, DIFFERS, line, "update", numbers)


def _changed_shape(context: Context, problem: Problem, steps: Steps) -> str:
    """The first parameter that a step gave another shape; "" where there is none."""
    for weights in steps.weights:
        for name, value in weights.items():
            if value.shape != problem.weights[name].shape:
                return name
    return ""


def _line_of(context: Context, steps: Steps, name: str) -> int | None:
    lines = context.source.assignments_to(name)
    return lines[-1] if lines else context.source.line_of_function("backward")


def _steps(context: Context, problem: Problem) -> Steps | None:
    student = context.make(problem)
    student.label_form = context.label_form
    before = student.weights()
    trace = student.one_step()
    if trace.error is not None:
        if isinstance(trace.error, UnboundError):
            context.note(f"the update was not checked: {trace.error}")
        else:
            context.begin("update")
            context.failed("update", trace.error)
        return None
    moved = any(not np.array_equal(before[n], w) for n, w in student.weights().items())
    if moved or "update" in student.roles or "train" not in student.roles:
        steps = _of_student(student, before, trace, problem, context)
        if not moved and "update" not in student.roles and not _has_optimizer(student):
            context.note("no function changes the weights: the update was not checked")
            return None
        return steps
    return _of_training(context, problem)


def _has_optimizer(student: Student) -> bool:
    return bool(context_optimizers(student))


def context_optimizers(student: Student) -> list[type]:
    """Optimizer classes of the student's file."""
    return list(getattr(getattr(student, "pieces", None), "optimizers", []))


def _of_student(
    student: Student, before: dict[str, Array], trace: Trace, problem: Problem, context: Context
) -> Steps:
    weights, traces = [before, student.weights()], [trace]
    for _ in range(N_STEPS - 1):
        if any(w.shape != problem.weights[name].shape for name, w in weights[-1].items()):
            return Steps(weights, [], traces)
        traces.append(student.one_step())
        weights.append(student.weights())
    if any(w.shape != problem.weights[name].shape for name, w in weights[-1].items()):
        return Steps(weights, [], traces)
    gradients = [_gradients(context, problem, w) for w in weights[:-1]]
    return Steps(weights, gradients, traces)


def _gradients(context: Context, problem: Problem, weights: dict[str, Array]) -> dict[str, Array]:
    values = computed(
        Problem(problem.X, problem.labels, weights, problem.learning_rate), context.faults
    )
    return {name: values["d" + name] for name in PARAMETERS}


def _of_training(context: Context, problem: Problem) -> Steps | None:
    """Train with one batch of all images, so that each epoch is one step."""
    from mnistlab.checking.checks.training import run_training

    weights, traces = [dict(problem.weights)], []
    for n_steps in range(1, N_STEPS + 1):
        student, trace = run_training(
            context, problem, problem, epochs=n_steps, batch_size=len(problem.X), is_traced=True
        )
        if trace.error is not None:
            if isinstance(trace.error, UnboundError):
                context.note(f"the update was not checked: {trace.error}")
            else:
                context.begin("training")
                context.failed("training", trace.error)
            return None
        weights.append(student.weights())
        traces.append(trace)
        if any(w.shape != problem.weights[name].shape for name, w in weights[-1].items()):
            return Steps(weights, [], traces)
    gradients = [_gradients(context, problem, w) for w in weights[:-1]]
    return Steps(weights, gradients, traces, is_of_training=True)


def _predicted(rule: NamedRule, name: str, problem: Problem, steps: Steps) -> list[Array]:
    """Weights after each step by a rule, each from the weights that the student had before it."""
    velocity = np.zeros_like(steps.weights[0][name])
    predicted = []
    for before, gradient in zip(steps.weights, steps.gradients, strict=False):
        w, velocity = rule.move(
            before[name], velocity, gradient[name], problem.learning_rate, COEFFICIENT
        )
        predicted.append(w)
    return predicted


def _follows(rule: NamedRule, name: str, problem: Problem, steps: Steps) -> bool:
    for before, after, wanted in zip(
        steps.weights, steps.weights[1:], _predicted(rule, name, problem, steps), strict=False
    ):
        # Of the change, which is small beside the weights.
        if not is_equal(after[name] - before[name], wanted - before[name], 1e-5) and not (
            np.abs(after[name] - wanted).max() < 1e-12
        ):
            return False
    return True


def _mistake_of(context: Context, name: str, problem: Problem, steps: Steps) -> str:
    """ "" where the parameter is moved rightly; the mistake of the rule it follows; "differs"."""
    if (
        name not in steps.weights[-1]
        or steps.weights[-1][name].shape != problem.weights[name].shape
    ):
        return DIFFERS
    right = [MOMENTUM] if context.wants_momentum else [MOMENTUM, PLAIN]
    if any(_follows(rule, name, problem, steps) for rule in right):
        return ""
    gradient = steps.gradients[0][name]
    if not np.any(gradient):  # named already: its gradient is missing
        return ""
    for rule in WRONG:
        if _follows(rule, name, problem, steps):
            return rule.mistake
    return DIFFERS


def _line(context: Context, name: str, mistake: str, problem: Problem, steps: Steps) -> int | None:
    """The first assignment, in the second step, of a wrong velocity or wrong weights."""
    last = steps.traces[1] if len(steps.traces) > 1 else steps.traces[0]
    before, gradient = steps.weights[1][name], steps.gradients[1][name]
    rate = problem.learning_rate
    first = -rate * steps.gradients[0][name]
    right_w, right_v = MOMENTUM.move(before, first, gradient, rate, COEFFICIENT)
    right = [right_w, right_v, -right_v, -right_v / rate, gradient, before, first, -first]
    right += list(steps.weights[0].values()) + list(steps.gradients[1].values())
    for rule in WRONG:
        if rule.mistake != mistake or not _follows(rule, name, problem, steps):
            continue
        _, v = rule.move(
            steps.weights[0][name],
            np.zeros_like(first),
            steps.gradients[0][name],
            rate,
            COEFFICIENT,
        )
        w, v = rule.move(before, v, gradient, rate, COEFFICIENT)
        search = Search(last, right)
        if line := search.line([v, -v, v / rate, -v / rate, w]):
            return line
        for array in (v, -v, v / rate, -v / rate, w):
            if line := search.alias_line(array, VELOCITY):
                return line
    after = steps.weights[2][name] if len(steps.weights) > 2 else before
    return Search(last, right[:-4]).line([after]) or context.line_of_role("update", "backward")
