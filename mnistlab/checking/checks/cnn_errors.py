"""A forward pass that raises: which layer receives what it cannot use."""

from __future__ import annotations

from torch import Tensor

from mnistlab.checking.checks.course_networks import explain_error
from mnistlab.checking.context import Context
from mnistlab.checking.torch_parts.making import Made
from mnistlab.checking.torch_parts.tape import Op, Tape


def name_error(context: Context, what: str, made: Made, tape: Tape) -> None:
    """Name the mistake behind an exception, or show the exception."""
    assert tape.error is not None
    failed, text = tape.failed, str(tape.error)
    not_called = [each for each in tape.made.made if not list(each.module.parameters())]
    if isinstance(tape.error, TypeError | AttributeError) and not_called:
        context.found(what, "layer-not-called", not_called[-1].line)
        return
    found = _of_call(failed, len(made.images)) if failed is not None else None
    if failed is None or found is None:
        context.failed(what, tape.error)
        return
    mistake, numbers = found
    explained = explain_error(made, tape) if mistake == "linear-wrong-size" else None
    if explained is not None:
        context.found(what, explained[0], explained[1], "", numbers)
        return
    line = failed.line
    if mistake in ("linear-wrong-size", "channels-do-not-fit", "norm-wrong-size"):
        line = made.births.line_of(failed.owner) or line
    if mistake in ("flatten-batch", "reshape-wrong-size"):
        line = _flattening(tape) or line
    context.found(what, mistake, line, "", numbers or text.split("\n")[0][:200])


def _of_call(op: Op, n: int) -> tuple[str, str] | None:
    if op.name in ("view", "reshape", "flatten"):
        return ("reshape-wrong-size", "") if op.name != "flatten" else None
    if not op.inputs:
        return None
    given = op.inputs[0]
    if op.name == "linear":
        return _of_linear(given, op.inputs[1].shape[-1], n)
    if op.name == "conv2d":
        return _of_convolution(given, op.inputs[1])
    if op.name == "batch_norm":
        return "norm-wrong-size", f"receives {given.shape[1]} channels"
    return None


def _of_linear(given: Tensor, wanted: int, n: int) -> tuple[str, str] | None:
    if given.ndim == 1 or (given.ndim == 2 and given.shape[0] == 1 and n > 1):
        return "flatten-batch", f"shape {tuple(given.shape)} for {n} images"
    if given.ndim == 4:
        numbers = f"shape {tuple(given.shape)}"
        return "flatten-missing", numbers
    if given.ndim == 2 and given.shape[0] != n:
        return "reshape-wrong-size", f"shape {tuple(given.shape)} for {n} images"
    if given.ndim == 2:
        numbers = f"receives {given.shape[1]:,} features, is made for {wanted:,}"
        return "linear-wrong-size", numbers
    return None


def _of_convolution(given: Tensor, weight: Tensor) -> tuple[str, str] | None:
    if given.ndim == 2:
        return "flatten-too-early", f"shape {tuple(given.shape)}"
    if given.ndim in (3, 4):
        channels = given.shape[-3]
        numbers = f"receives {channels} channels, is made for {weight.shape[1]}"
        return "channels-do-not-fit", numbers
    return None


def _flattening(tape: Tape) -> int | None:
    lines = [op.line for op in tape.ops if op.name in ("flatten", "view", "reshape", "ravel")]
    return lines[-1] if lines else None
