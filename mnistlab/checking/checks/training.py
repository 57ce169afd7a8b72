"""The training loop: which images come in which order, and which of them change the weights."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from mnistlab.checking.context import Context
from mnistlab.checking.naming import UnboundError, kinds_of, plain
from mnistlab.checking.pieces import ROLES
from mnistlab.checking.recording import Call, Recording, recorded
from mnistlab.checking.reference import Problem, computed, make_problem
from mnistlab.checking.source import names_in
from mnistlab.checking.student import LABEL_FORMS, Student
from mnistlab.checking.tracing import Trace, traced

N_TRAIN, N_VAL, BATCH, N_EPOCHS = 22, 9, 4, 3


@cache
def training_problem(n: int, seed: int, sizes: tuple[int, int, int] = (7, 5, 4)) -> Problem:
    """Images of classes that can be told apart, with the weights of the usual problem."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(n) % sizes[2])
    means = np.random.default_rng(99).uniform(0, 1, (sizes[2], sizes[0]))
    images = np.clip(means[labels] + random.normal(0, 0.08, (n, sizes[0])), 0, 1)
    return Problem(images, labels, make_problem(6, sizes).weights)


def run_training(
    context: Context,
    train: Problem,
    val: Problem,
    epochs: int,
    batch_size: int,
    recording: Recording | None = None,
    is_traced: bool = False,
) -> tuple[Student, Trace]:
    """Train a fresh network; in the other form of labels where the first raises."""
    first = context.label_form
    trace = Trace()
    student = context.make(train)
    for form in sorted(LABEL_FORMS, key=lambda each: each != first):
        student = context.make(train)
        student.label_form = form
        np.random.seed(1)  # noqa: NPY002  # students draw from it
        X, y = student.images(), student.labels()

        def work(student: Student = student, X: Any = X, y: Any = y) -> Any:
            return student.train(
                X=X,
                y=y,
                X_val=student.images(val.X),
                y_val=student.labels(val.labels),
                epochs=epochs,
                batch_size=batch_size,
                verbose=False,
            )

        if recording is not None:
            recording.calls.clear()
            trace = recorded(recording, work)
        else:
            trace = traced(context.source.name if is_traced else "", work)
        student.given = (X, y)
        if trace.error is None or isinstance(trace.error, UnboundError):
            break
    return student, trace


def check_training(context: Context, problem: Problem) -> None:
    """Order, labels, validation images, the caller's arrays; then whether it learns."""
    student = context.make(problem)
    if "train" not in student.roles:
        context.note("no training loop was found, such as train")
        return
    context.begin("training")
    train, val = training_problem(N_TRAIN, 1), training_problem(N_VAL, 2)
    recording = Recording(train, val, student)
    student, trace = run_training(context, train, val, N_EPOCHS, BATCH, recording)
    if isinstance(trace.error, UnboundError):
        context.note(f"training was not checked: {trace.error}")
        context.checks.remove("training")
        return
    if trace.error is not None:
        context.failed("training", trace.error)
        return
    X, y = student.given
    if not np.array_equal(X, student.images()) or not np.array_equal(y, student.labels()):
        line = _line_with(context, "shuffle") or context.source.line_of_function("train")
        context.found("training", "input-changed", line)
    _check_order(context, recording, student)
    if not context.findings:
        _check_learning(context)


def _line_with(context: Context, *words: str) -> int | None:
    lines = context.source.text.splitlines()
    for function in context.source.functions:
        if ROLES.get(plain(function.name)) != "train":
            continue
        for number in range(function.lineno + 1, (function.end_lineno or 0) + 1):
            code = lines[number - 1].partition("#")[0]
            if any(word in code for word in words):
                return number
    return None


def _line_of_labels(context: Context) -> int | None:
    """Where the training function first gives labels a new value."""
    lines = [
        node.lineno
        for function in context.source.functions
        if ROLES.get(plain(function.name)) == "train"
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and any("y" in kinds_of(name) for target in node.targets for name in names_in(target))
    ]
    return min(lines, default=None)


def _loops(context: Context) -> list[int]:
    """Lines of the loops of the training function, outermost first."""
    return sorted(
        node.lineno
        for function in context.source.functions
        if ROLES.get(plain(function.name)) == "train"
        for node in ast.walk(function)
        if isinstance(node, ast.For | ast.While)
    )


def _training_calls(recording: Recording, student: Student) -> Iterator[Call]:
    """Forward passes after which the weights changed, each with the calls near it."""
    calls = recording.calls
    if not {"W1", "W2"} <= set(student.slots):
        return
    final = tuple(np.asarray(student.slots[n].value).tobytes() for n in ("W1", "W2"))
    starts = [i for i, call in enumerate(calls) if call.role == "forward" and call.rows]
    for start, end in zip(starts, [*starts[1:], len(calls)], strict=True):
        call, after = calls[start], calls[end].weights if end < len(calls) else final
        if call.weights == after:
            continue
        near = [each for each in calls[start:end] if len(each.labels) == len(call.rows)]
        back = [each.line for each in calls[start:end] if each.role == "backward"]
        yield Call("", (back or [call.line])[0], call.rows, (), (), near)


def _check_order(context: Context, recording: Recording, student: Student) -> None:
    trained = list(_training_calls(recording, student))
    if not recording.calls or not any(call.rows for call in recording.calls):
        context.note("the images of the batches were not recognised: their order was not checked")
        return
    loops = _loops(context)
    last_loop = loops[-1] if loops else context.source.line_of_function("train")
    if not trained:
        context.found("training", "never-updated", last_loop)
        return
    for call in trained:
        if any(row >= 1000 for row in call.rows):
            context.found("training", "validation-trained", call.line)
            return
    for call in trained:
        wanted = tuple(int(recording.train.labels[row]) for row in call.rows)
        for each in call.near:
            if each.labels != wanted:
                line = _line_of_labels(context) or each.line
                context.found("training", "labels-not-shuffled", line)
                return
    _check_epochs(context, trained, loops)


def _check_epochs(context: Context, trained: list[Call], loops: list[int]) -> None:
    rows = [row for call in trained for row in call.rows]
    per_epoch, left = divmod(len(rows), N_EPOCHS)
    inner = loops[-1] if loops else None
    if left or len(trained) % N_EPOCHS:
        context.note("epochs of different length: the order of the images was not checked")
        return
    epochs = [rows[i * per_epoch : (i + 1) * per_epoch] for i in range(N_EPOCHS)]
    sizes = [len(call.rows) for call in trained[: len(trained) // N_EPOCHS]]
    if len(sizes) == 1 and sizes[0] < N_TRAIN:
        context.found("training", "one-batch", inner)
        return
    is_ordered = epochs[0] == sorted(epochs[0])
    if per_epoch > N_TRAIN or (is_ordered and len(set(epochs[0])) < per_epoch):
        context.found("training", "batches-overlap", inner)
    elif any(len(set(epoch)) < per_epoch for epoch in epochs):
        line = _line_with(context, "choice", "randint", "integers") or inner
        context.found("training", "with-replacement", line)
    if epochs[0] == epochs[1] == epochs[2]:
        mistake = "not-shuffled" if is_ordered else "shuffled-once"
        shuffled = _line_with(context, "permutation", "shuffle")
        outer = loops[0] if loops else None
        context.found("training", mistake, (shuffled or outer) if not is_ordered else outer)
    never = set(range(N_TRAIN)) - set(rows)
    if len(never) > N_TRAIN % BATCH or per_epoch < N_TRAIN - N_TRAIN % BATCH:
        context.found("training", "images-never-used", inner)


def _check_learning(context: Context) -> None:
    context.begin("overfits 32 images")
    train, val = training_problem(32, 3), training_problem(N_VAL, 2)
    before = float(computed(train)["loss"])
    student, trace = run_training(context, train, val, 200, 8)
    if trace.error is not None:
        context.failed("overfits 32 images", trace.error)
        return
    weights = student.weights()
    if set(weights) != set(train.weights):
        return
    values = computed(Problem(train.X, train.labels, weights))
    after, accuracy = float(values["loss"]), (values["p"].argmax(1) == train.labels).mean()
    line = context.source.line_of_function("train")
    if not after < 0.9 * before:
        numbers = f"loss {before:.3f} before, {after:.3f} after 200 epochs"
        context.found("overfits 32 images", "loss-does-not-fall", line, "", numbers)
    elif accuracy < 31 / 32:
        numbers = f"{accuracy:.0%} of 32 images right after 200 epochs, loss {after:.3f}"
        context.found("overfits 32 images", "does-not-overfit", line, "", numbers)
