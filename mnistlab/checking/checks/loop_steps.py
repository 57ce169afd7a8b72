"""Each step of a training loop: is the gradient that the optimizer uses that of its batch?"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mnistlab.checking.context import Context
from mnistlab.checking.finding import DIFFERS
from mnistlab.checking.torch_parts.events import Event
from mnistlab.checking.torch_parts.performance import Pass, Performance

TOLERANCE = 1e-3  # of the largest entry: float32, and sums in another order
Gradient = dict[str, Tensor]


class Batch(NamedTuple):
    """One batch of training: its events, and the right gradient at its weights."""

    forward: Event
    events: list[Event]
    right: Gradient

    def first(self, kind: str) -> int | None:
        """The place of the first event of a kind, within the batch."""
        return next((i for i, e in enumerate(self.events) if e.kind == kind), None)

    def line(self, kind: str) -> int | None:
        """The line of the first event of a kind."""
        return next((e.line for e in self.events if e.kind == kind), None)


def check_steps(context: Context, what: str, played: Performance) -> None:
    """Name the first thing that is wrong about the steps."""
    if "accum" in context.source.text.lower():
        context.note("gradients of several batches are added up on purpose: steps were not checked")
        return
    passes = training_passes(played)
    batches = [batch for each in passes for batch in _batches(played, each)]
    if not batches:
        return
    if _check_kinds(context, what, played, passes, batches):
        return
    seen: list[Batch] = []
    for batch in batches:
        seen.append(batch)
        steps = [event for event in batch.events if event.kind == "step"]
        if steps and not _is_right(context, what, played, seen, steps[0]):
            return
    made = played.log.of("optimizer")
    if len(made) > 1:
        context.found(what, "optimizer-made-again", made[-1].line)


def training_passes(played: Performance) -> list[Pass]:
    """Passes that change weights; all passes over training images where nothing does."""
    own = [each for each in played.passes if each.part == "train"]
    return [each for each in own if each.is_training] or own


def _batches(played: Performance, of: Pass) -> list[Batch]:
    return [
        Batch(events[0], events, played.right_gradient(events[0]))
        for events in of.batches
        if events[0].rows and events[0].part == "train"
    ]


def _check_kinds(
    context: Context, what: str, played: Performance, passes: list[Pass], batches: list[Batch]
) -> bool:
    """Whether a kind of event is missing, or comes too often."""
    log = played.log
    steps, backs = log.of("step"), log.of("backward")
    line = batches[0].line("backward") or batches[0].line("loss") or batches[0].forward.line
    if not backs:
        context.found(what, "backward-missing", batches[0].line("step") or line)
        return True
    for batch in batches:
        if _has_wrong_labels(context, what, played, batch):
            return True
    if not steps:
        if _has_moved(played):
            context.note("the weights are changed without an optimizer: steps were not checked")
        else:
            context.found(what, "step-missing", line)
        return True
    per_pass = [sum(event.kind == "step" for event in each.events) for each in passes]
    if len(steps) == len(passes) < len(batches) and max(per_pass) <= 1:
        context.found(what, "step-per-epoch", steps[0].line)
        return True
    counts = [sum(event.kind == "step" for event in batch.events) for batch in batches]
    if min(counts) > 1:
        again = [event.line for event in batches[0].events if event.kind == "step"]
        context.found(what, "several-steps", again[-1])
        return True
    return False


def _has_moved(played: Performance) -> bool:
    first = played.log.of("forward")[0].weights
    last = dict(played.network.named_parameters())
    return any(not torch.equal(first[name], last[name]) for name in first)


def _has_wrong_labels(context: Context, what: str, played: Performance, batch: Batch) -> bool:
    _, right = played.batch(batch.forward.rows)
    for event in batch.events:
        if event.kind != "loss" or not event.labels:
            continue
        if event.labels != tuple(int(label) for label in right):
            context.found(what, "loop-labels-wrong", event.line)
            return True
        given = event.value[0].detach()
        sums = given.sum(1)
        if bool((given >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
            context.found(what, "scores-softmaxed", event.line)
            return True
        return False
    return False


def is_near(found: Gradient, wanted: Gradient) -> bool:
    """Whether all gradients are equal, but for rounding."""
    scale = max(float(g.abs().max()) for g in wanted.values())
    return all(
        float((found[name] - wanted[name]).abs().max()) <= TOLERANCE * scale + 1e-9
        for name in wanted
    )


def _scaled(gradient: Gradient, factor: float) -> Gradient:
    return {name: factor * value for name, value in gradient.items()}


def _sum(gradients: list[Gradient]) -> Gradient:
    return {name: torch.stack([g[name] for g in gradients]).sum(0) for name in gradients[0]}


def _is_right(
    context: Context, what: str, played: Performance, seen: list[Batch], step: Event
) -> bool:
    """Whether the gradient of a step is right; a finding if not."""
    batch, used = seen[-1], step.value[1]
    if is_near(used, batch.right) or _is_allowed(context, used, batch):
        return True
    zeros = played.log.of("zero")
    named = _order_of(batch) or _history_of(seen, used, zeros) or _scale_of(batch, used)
    mistake, line = named or ("", None)
    if not mistake and not any(bool(g.any()) for g in used.values()):
        mistake, line = "zeroed-before-step", step.line
    if not mistake and is_near(used, played.right_gradient(batch.forward, is_softmaxed=True)):
        mistake, line = "scores-softmaxed", batch.line("loss")
    if mistake:
        context.found(what, mistake, line or step.line)
        return False
    ratio = _length(used) / max(_length(batch.right), 1e-12)
    numbers = f"the gradient of batch {len(seen)} is {ratio:.3g} times as long as the right one"
    context.found(what, DIFFERS, batch.line("backward") or step.line, "", numbers)
    return False


def _order_of(batch: Batch) -> tuple[str, int | None] | None:
    back, step, zero = (batch.first(kind) for kind in ("backward", "step", "zero"))
    if back is None:
        return "backward-missing", batch.line("step")
    if step is not None and step < back:
        return "step-before-backward", batch.line("step")
    if zero is not None and step is not None and back < zero < step:
        return "zeroed-before-step", batch.line("zero")
    return None


def _history_of(
    seen: list[Batch], used: Gradient, zeros: list[Event]
) -> tuple[str, int | None] | None:
    """Whether gradients of earlier batches are in it, since they were set to zero."""
    for n in range(2, len(seen) + 1):
        if is_near(used, _sum([batch.right for batch in seen[-n:]])):
            if zeros:
                return "zeroed-once", zeros[0].line
            return "gradients-add-up", seen[-1].line("backward")
    if len(seen) > 1 and is_near(used, seen[-2].right):
        return "step-before-backward", seen[-1].line("step")
    return None


def _scale_of(batch: Batch, used: Gradient) -> tuple[str, int | None] | None:
    n = len(batch.forward.rows)
    line = batch.line("backward")
    for mistake, factor in (("loss-times-images", n), ("loss-divided-again", 1 / n)):
        if is_near(used, _scaled(batch.right, factor)):
            return mistake, line
    return None


def _length(gradient: Gradient) -> float:
    return float(sum((g**2).sum() for g in gradient.values())) ** 0.5


def _is_allowed(context: Context, used: Gradient, batch: Batch) -> bool:
    """A clipped gradient, or one with a penalty on the weights, is a choice and no mistake."""
    if "clip_grad" in context.source.text:
        ratio = _length(used) / max(_length(batch.right), 1e-12)
        return ratio < 1 and is_near(used, _scaled(batch.right, ratio))
    rest = {name: used[name] - batch.right[name] for name in used}
    weights = batch.forward.weights
    for penalty in (weights, {name: w.sign() for name, w in weights.items()}):
        size = sum(float((p**2).sum()) for p in penalty.values())
        factor = sum(float((rest[n] * p).sum()) for n, p in penalty.items()) / max(size, 1e-12)
        if abs(factor) > 1e-6 and is_near(rest, _scaled(penalty, factor)):
            return True
    return False
