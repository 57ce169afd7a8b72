"""The modes of the network in a training loop, and which images come in which epoch."""

from __future__ import annotations

from mnistlab.checking.checks.loop_steps import training_passes
from mnistlab.checking.context import Context
from mnistlab.checking.torch_parts import stage
from mnistlab.checking.torch_parts.events import Event
from mnistlab.checking.torch_parts.performance import Pass, Performance


def check_modes(context: Context, name: str, played: Performance) -> None:
    """Training mode for training, evaluation mode for validation, each image where it belongs."""
    passes = training_passes(played)
    what = f"loop modes ({name})"
    context.begin(what)
    _check_training_mode(context, what, played, passes)
    _check_epochs(context, f"loop epochs ({name})", played, passes)
    if {"val", "val images"} & played.given:
        _check_validation(context, f"loop validation ({name})", played, passes)
    if "scheduler" in played.given:
        _check_scheduler(context, f"loop scheduler ({name})", played, passes)


def _mode_line(played: Performance, before: Event) -> int | None:
    """The line that last set the mode, before an event."""
    place = next(i for i, event in enumerate(played.log.events) if event is before)
    modes = [event for event in played.log.events[:place] if event.kind == "mode"]
    return modes[-1].line if modes else None


def _check_training_mode(
    context: Context, what: str, played: Performance, passes: list[Pass]
) -> None:
    for i, each in enumerate(passes):
        wrong = [event for event in each.forwards if not event.is_training]
        if wrong:
            mistake = "train-not-restored" if i else "trained-in-evaluation-mode"
            context.found(what, mistake, _mode_line(played, wrong[0]) or wrong[0].line)
            return


def _check_epochs(context: Context, what: str, played: Performance, passes: list[Pass]) -> None:
    context.begin(what)
    line = passes[0].line if passes else None
    rows = [[row for event in each.forwards for row in event.rows] for each in passes]
    is_short = [len(set(each)) < stage.N_TRAIN for each in rows]
    if "patience" in context.source.text or not all(rows):
        return
    if len(passes) != played.n_epochs:
        numbers = f"{len(passes)} instead of {played.n_epochs}"
        context.found(what, "wrong-epochs", line, "", numbers)
    elif any(is_short):
        left = stage.N_TRAIN - len(set(rows[is_short.index(True)]))
        context.found(what, "loop-images-left-out", line, "", f"{left} of {stage.N_TRAIN} images")
    elif "train" not in played.given and len(rows) > 1 and rows[0] == rows[1]:
        context.found(what, "loop-not-shuffled", line)


def _check_validation(context: Context, what: str, played: Performance, passes: list[Pass]) -> None:
    context.begin(what)
    validations = [each for each in played.passes if each.part == "val" and each.forwards]
    forwards = [event for each in played.passes for event in each.forwards if event.part == "val"]
    if not forwards:
        others = [e for e in played.passes if e.part == "train" and not e.is_training]
        if others:
            context.found(what, "validated-on-training", others[0].line)
        else:
            context.found(what, "validation-missing", context.source.line_of_function(_name(what)))
        return
    for each in validations:
        changed = [event for event in each.events if event.kind in ("step", "backward")]
        if changed:
            context.found(what, "loop-validation-trained", changed[0].line)
            return
    in_training = [event for event in forwards if event.is_training]
    if in_training:
        context.found(what, "eval-missing", in_training[0].line)
    recording = [event for event in forwards if event.has_gradients]
    if recording:
        context.found(what, "validation-with-gradients", recording[0].line)


def _name(what: str) -> str:
    return what.partition("(")[2].rstrip(")")


def _check_scheduler(context: Context, what: str, played: Performance, passes: list[Pass]) -> None:
    context.begin(what)
    steps = played.log.of("scheduler")
    n_batches = sum(len(each.batches) for each in passes)
    if not steps:
        context.found(what, "scheduler-unused", context.source.line_of_function(_name(what)))
    elif len(steps) >= n_batches > len(passes):
        context.found(what, "scheduler-per-batch", steps[0].line)
