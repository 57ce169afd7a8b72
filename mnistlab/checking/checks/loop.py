"""A training loop in PyTorch, watched on a tiny network: steps, modes, images, what it reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mnistlab.checking.checks import loop_modes, loop_report, loop_steps
from mnistlab.checking.checks.loop_best import check_best
from mnistlab.checking.context import Context, line_of
from mnistlab.checking.naming import UnboundError
from mnistlab.checking.torch_parts.performance import Performance, play

N_EPOCHS = 3


def check_loop(context: Context, function: Callable[..., Any]) -> None:
    """Run the loop for three epochs, and compare each step with plain PyTorch."""
    name = function.__name__
    if "NLLLoss" in context.source.text or "nll_loss" in context.source.text:
        context.note(f"{name} uses another loss than cross-entropy and was not checked")
        return
    try:
        played = play(function, context.source, N_EPOCHS)
    except UnboundError as error:
        context.note(f"{name} was not checked: {error}")
        return
    what = f"loop steps ({name})"
    context.begin(what)
    if played.outcome.error is not None:
        _name_error(context, what, played)
        return
    if not played.log.of("forward"):
        line = context.source.line_of_function(name)
        context.found(what, "empty", line, says=f"{name} never calls the network")
        return
    if not played.passes or not all(event.rows for event in played.log.of("forward")):
        context.note(f"{name} changes the images before the network sees them: it was not checked")
        context.checks.remove(what)
        return
    loop_steps.check_steps(context, what, played)
    loop_modes.check_modes(context, name, played)
    if not context.has_found(what, f"loop epochs ({name})"):
        loop_report.check_report(context, name, function, played)
    if not context.has_found(what, f"loop epochs ({name})", f"loop validation ({name})"):
        check_best(context, name, function)


def _name_error(context: Context, what: str, played: Performance) -> None:
    """Name the mistake behind an exception by what happened last."""
    error = played.outcome.error
    assert error is not None
    text, last = str(error), played.log.events[-1] if played.log.events else None
    line = line_of(error, context.source.name)
    if last is not None and last.kind == "forward" and len(last.value[0]) < 2:
        context.found(what, "batch-unpacked-wrongly", last.line)
    elif last is not None and last.kind == "loss" and _is_swapped(last.value):
        context.found(what, "criterion-swapped", last.line)
    elif (isinstance(error, AttributeError) and "has no attribute 'backward'" in text) or (
        isinstance(error, RuntimeError) and "does not require grad" in text
    ):
        context.found(what, "loss-cut-off", line)
    else:
        context.failed(what, error)


def _is_swapped(given: tuple[Any, Any]) -> bool:
    scores, labels = given
    is_label = getattr(scores, "ndim", 2) == 1 and not scores.dtype.is_floating_point
    return bool(is_label and getattr(labels, "ndim", 1) == 2)
