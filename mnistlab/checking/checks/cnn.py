"""A network in PyTorch: shapes, layers, modes and gradients, whatever its architecture is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mnistlab.checking.checks import cnn_errors, cnn_layers
from mnistlab.checking.checks.course_networks import check_course_network
from mnistlab.checking.context import Context, line_of
from mnistlab.checking.torch_parts.making import (
    OTHER_CLASSES,
    Made,
    arguments,
    made_network,
    takes_class_count,
)
from mnistlab.checking.torch_parts.tape import DROPOUTS, Op, Tape

RANDOM = (*DROPOUTS, "rand", "rand_like", "bernoulli", "randn", "randn_like")
SHAPING = ("view", "reshape", "squeeze", "unsqueeze", "flatten", "contiguous", "to", "float")


def check_cnn(context: Context, kind: type) -> None:
    """Every check on one class of networks."""
    forward = f"cnn forward ({kind.__name__})"
    made = made_network(context, kind, forward)
    if made is None:
        return
    before = made.images.clone()
    tape = made.forward()
    if _takes_rows(tape):
        made.images = before = made.images.flatten(1)
        tape = made.forward()
    if tape.error is None and isinstance(tape.value, Tensor) and tape.value.shape == before.shape:
        context.note(f"{kind.__name__} returns images, not scores, and was not checked")
        return
    context.begin(forward)
    if tape.error is not None:
        cnn_errors.name_error(context, forward, made, tape)
        return
    if not torch.equal(made.images, before):
        context.found(forward, "input-changed", context.line_of_method(kind.__name__, "forward"))
        return
    if not check_shape(context, forward, made, tape):
        return
    n_before = len(context.findings)
    if cnn_layers.check_registered(context, made, tape, kind.__name__):
        check_rows(context, made, tape, kind.__name__)
    check_scores(context, forward, made)
    cnn_layers.check_layers(context, made, tape, kind.__name__)
    _check_class_count(context, forward, made)
    if len(context.findings) == n_before:
        check_course_network(context, made, tape, kind.__name__)


def _takes_rows(tape: Tape) -> bool:
    """Whether a linear layer is the first that receives the images, which it cannot use."""
    failed = tape.failed
    if failed is None or failed.name != "linear" or tape.ops:
        return False
    return bool(failed.inputs[1].shape[-1] == 28 * 28)


def check_shape(context: Context, what: str, made: Made, tape: Tape) -> bool:
    """Whether there is one row of scores per image; a finding if not."""
    value, n = tape.value, len(made.images)
    line = last_line(tape) or context.line_of_method(type(made.network).__name__, "forward")
    if value is None:
        context.found(what, "forward-returns-nothing", line)
        return False
    if not isinstance(value, Tensor):
        says = f"forward returns {type(value).__name__}, not a tensor of scores"
        context.found(what, "exception", line, says=says)
        return False
    numbers = f"shape {tuple(value.shape)} for {n} images"
    if not value.dtype.is_floating_point:
        context.found(what, "classes-for-scores", line)
    elif value.shape == (n, made.n_classes):
        return True
    elif value.ndim == 2 and value.shape[0] == n:
        sizes = [layer for layer in tape.layers if layer.name == "linear"]
        line = made.births.line_of(sizes[-1].owner) if sizes else line
        context.found(what, "scores-shape", line, "", numbers)
    elif value.ndim == 2 and value.shape[0] != n:
        shaped = [op for op in tape.ops if _changes_rows(op, n)]
        context.found(what, "reshape-wrong-size", shaped[0].line if shaped else line, "", numbers)
    else:
        context.found(what, "scores-shape", line, "", numbers)
    return False


def _changes_rows(op: Op, n: int) -> bool:
    is_tensor = isinstance(op.output, Tensor) and op.inputs and op.output.ndim > 0
    return bool(is_tensor and op.inputs[0].shape[:1] == (n,) and op.output.shape[0] != n)


def last_line(tape: Tape) -> int | None:
    """The line of the last call that made a tensor."""
    lines = [op.line for op in tape.ops if isinstance(op.output, Tensor)]
    return lines[-1] if lines else None


def check_rows(context: Context, made: Made, tape: Tape, name: str) -> None:
    """In evaluation mode: the same scores every time, and for an image alone."""
    what = f"cnn modes ({name})"
    context.begin(what)
    torch.manual_seed(7)
    again = made.network.eval()(made.images)
    if not torch.allclose(again, tape.value, rtol=1e-4, atol=1e-6):
        random = [op for op in tape.named(*RANDOM) if op.settings.get("training", True)]
        line = random[0].line if random else context.line_of_method(name, "forward")
        context.found(what, "dropout-in-evaluation", line)
        return
    alone = made.forward(made.images[:1])
    if alone.error is not None or alone.value.shape != (1, made.n_classes):
        squeezed = tape.named("squeeze")
        norms = [op for op in tape.named("batch_norm") if op.settings.get("training")]
        mistake = "batch-statistics" if norms else "batch-of-one"
        found = norms or squeezed
        context.found(what, mistake, found[0].line if found else last_line(tape))
    elif not torch.allclose(alone.value[0], tape.value[0], rtol=1e-3, atol=1e-5):
        norms = [op for op in tape.named("batch_norm") if op.settings.get("training")]
        if norms:
            context.found(what, "batch-statistics", norms[0].line)
        else:
            context.found(what, "images-mixed", _first_mixed(tape, alone))


def _first_mixed(tape: Tape, alone: Tape) -> int | None:
    """The first call whose result for the first image depends on the others."""
    for many, one in zip(tape.ops, alone.ops, strict=False):
        if not isinstance(many.output, Tensor) or not isinstance(one.output, Tensor):
            continue
        if many.output.ndim == 0 or many.output.shape[1:] != one.output.shape[1:]:
            if many.inputs and many.output.ndim:
                return many.line
            continue
        is_row = many.output.shape[0] == len(tape.value) and one.output.shape[0] == 1
        if is_row and not torch.allclose(many.output[:1], one.output, rtol=1e-3, atol=1e-5):
            return many.line
    return last_line(tape)


def check_scores(context: Context, what: str, made: Made) -> None:
    """What comes after the last layer with weights, in training mode."""
    tape = made.forward(is_training=True)
    if tape.error is not None or not isinstance(tape.value, Tensor):
        return
    value, maker = tape.value.detach(), origin(tape, tape.value)
    line = maker.line if maker is not None else last_line(tape)
    sums = value.sum(dim=-1)
    if bool((value >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
        context.found(what, "softmax-in-network", line)
    elif maker is None:
        return
    elif maker.name == "softmax":  # over the wrong dimension
        context.found(what, "softmax-in-network", line)
    elif maker.name == "sigmoid":
        context.found(what, "sigmoid-on-scores", line)
    elif maker.name in ("relu", "clamp", "clamp_min", "relu6"):
        context.found(what, "relu-on-scores", line)
    elif maker.name in DROPOUTS and maker.settings.get("p", 0) > 0:
        context.found(what, "dropout-on-scores", line)


def origin(tape: Tape, value: Any) -> Op | None:
    """The call that made a value, behind all that only changes its shape."""
    for op in reversed(tape.ops):
        if op.output is value:
            if op.name in SHAPING and op.inputs:
                return origin(tape, op.inputs[0])
            return op
    return None


def _check_class_count(context: Context, what: str, made: Made) -> None:
    kind = type(made.network)
    if not takes_class_count(kind):
        return
    line = context.line_of_method(kind.__name__, "__init__")
    try:
        scores = kind(**arguments(kind, OTHER_CLASSES)).eval()(made.images[:2])
    except Exception as error:  # the network of ten classes has passed: only the count is different
        line = line_of(error, context.source.name) or line
        numbers = f"with {OTHER_CLASSES} classes: {type(error).__name__}: {error}"
        context.found(what, "classes-fixed", line, "", " ".join(numbers.split())[:300])
        return
    if isinstance(scores, Tensor) and scores.shape != (2, OTHER_CLASSES):
        numbers = f"shape {tuple(scores.shape)} for 2 images"
        context.found(what, "classes-fixed", line, "", numbers)
