"""The losses and accuracies that a training loop returns, against those of the same batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from mnistlab.checking.checks.loop_steps import training_passes
from mnistlab.checking.context import Context
from mnistlab.checking.finding import DIFFERS
from mnistlab.checking.naming import plain
from mnistlab.checking.student import returned_names
from mnistlab.checking.torch_parts import stage
from mnistlab.checking.torch_parts.performance import Pass, Performance
from mnistlab.checking.torch_parts.scalars import numbers_in

Series = list[float]


class Known(NamedTuple):
    """One value per epoch that a report may have. mistake: "" for a right one."""

    quantity: str  # "train loss", "val accuracy", ...
    mistake: str
    values: Series


class Sums(NamedTuple):
    """Of one pass: for each batch the mean loss, the number of right answers and of images."""

    losses: Series
    right: Series
    sizes: Series


def check_report(
    context: Context, name: str, function: Callable[..., Any], played: Performance
) -> None:
    """Recognise every series that was returned; what is wrong is named, or differs."""
    what = f"loop report ({name})"
    passes = training_passes(played)
    validations = [each for each in played.passes if each.part == "val" and each.forwards]
    catalogue = [*_known(played, passes, "train"), *_known(played, validations, "val")]
    returned = list(_series(context, function, played))
    if not returned:
        return
    context.begin(what)
    if _check_graph(context, what, name, played):
        return
    is_explained = context.has_found(f"loop validation ({name})")
    for label, values in returned:
        if is_explained and _quantity(label)[0] == "val":
            continue
        wrong = _judge(label, values, catalogue)
        if wrong is None:
            continue
        mistake, numbers = wrong
        line = _line(played, values, catalogue) or context.source.line_of_function(name)
        context.found(what, mistake, line, "", numbers)
    if not is_explained:
        _check_scheduler(context, name, played, catalogue)


def _known(played: Performance, passes: list[Pass], part: str) -> Iterator[Known]:
    """Right and wrong values of a part, an epoch each."""
    sums = [_sums_of(played, each) for each in passes]
    if not sums:
        return
    for mistake, value in LOSSES:
        yield Known(f"{part} loss", mistake, [value(each) for each in sums])
    for mistake, value in ACCURACIES:
        series = [value(each) for each in sums]
        yield Known(f"{part} accuracy", mistake, series)
        yield Known(f"{part} accuracy", mistake, [100 * each for each in series])
    for quantity, value in (("loss", _right_loss), ("accuracy", _right_accuracy)):
        total, growing = 0.0, []
        for each in sums:
            total += value(each)
            growing.append(total)
        yield Known(f"{part} {quantity}", "totals-not-reset", growing)
        if quantity == "accuracy":
            yield Known(f"{part} accuracy", "totals-not-reset", [100 * g for g in growing])
    yield from _of_whole_part(played, passes, part)


def _of_whole_part(played: Performance, passes: list[Pass], part: str) -> Iterator[Known]:
    """Values after the epoch, of all images at once: as right as those on the way."""
    if part != "train":
        return
    ends = [each.weights for each in passes[1:]] + [dict(played.network.named_parameters())]
    scores = [stage.scores_with(weights, played.train.data).detach() for weights in ends]
    labels = played.train.targets
    losses = [float(functional.cross_entropy(each, labels)) for each in scores]
    accuracies = [float((each.argmax(1) == labels).float().mean()) for each in scores]
    yield Known("train loss", "", losses)
    yield Known("train accuracy", "", accuracies)
    yield Known("train accuracy", "", [100 * each for each in accuracies])


def _sums_of(played: Performance, of: Pass) -> Sums:
    losses, right, sizes = [], [], []
    for event in of.forwards:
        images, labels = played.batch(event.rows)
        scores = stage.scores_with(event.weights, images)
        losses.append(float(functional.cross_entropy(scores, labels)))
        right.append(float((scores.argmax(1) == labels).sum()))
        sizes.append(float(len(labels)))
    return Sums(losses, right, sizes)


def _weighted(of: Sums) -> float:
    return math.fsum(loss * n for loss, n in zip(of.losses, of.sizes, strict=True))


def _right_loss(of: Sums) -> float:
    return _weighted(of) / sum(of.sizes)


def _right_accuracy(of: Sums) -> float:
    return sum(of.right) / sum(of.sizes)


def _sum_of_means(of: Sums) -> float:
    return sum(r / n for r, n in zip(of.right, of.sizes, strict=True))


def _largest(of: Sums) -> float:
    return max(of.sizes)


# Right values first; a mistake counts only where no right value is as near.
LOSSES: tuple[tuple[str, Callable[[Sums], float]], ...] = (
    ("", _right_loss),
    ("mean-of-batches", lambda s: sum(s.losses) / len(s.losses)),
    ("not-divided", lambda s: sum(s.losses)),
    ("not-divided", _weighted),
    ("divided-twice", lambda s: sum(s.losses) / sum(s.sizes)),
    ("divided-by-batches", lambda s: _weighted(s) / len(s.sizes)),
    ("batch-size-assumed", lambda s: sum(s.losses) * _largest(s) / sum(s.sizes)),
    ("last-batch-only", lambda s: s.losses[-1]),
    ("last-batch-only", lambda s: s.losses[-1] * s.sizes[-1] / sum(s.sizes)),
    ("last-batch-only", lambda s: s.losses[-1] / sum(s.sizes)),
    ("last-batch-only", lambda s: s.losses[-1] / len(s.sizes)),
)
ACCURACIES: tuple[tuple[str, Callable[[Sums], float]], ...] = (
    ("", _right_accuracy),
    ("mean-of-batches", lambda s: _sum_of_means(s) / len(s.sizes)),
    ("not-divided", lambda s: sum(s.right)),
    ("divided-by-batches", lambda s: sum(s.right) / len(s.sizes)),
    ("batch-size-assumed", lambda s: sum(s.right) / (len(s.sizes) * _largest(s))),
    ("batch-size-assumed", lambda s: _sum_of_means(s) * _largest(s) / sum(s.sizes)),
    ("last-batch-only", lambda s: s.right[-1] / s.sizes[-1]),
    ("last-batch-only", lambda s: s.right[-1] / sum(s.sizes)),
)


def _series(
    context: Context, function: Callable[..., Any], played: Performance
) -> Iterator[tuple[str, Series]]:
    """(name, values) of everything returned with one number per epoch."""
    value, n = played.outcome.value, played.n_epochs
    names = returned_names(context.source, function)
    if "epochs" not in played.given:
        found = [dict(numbers_in(each)) for each in value]
        for i, key in enumerate(found[0] if found else {}):
            label = names[i] if i < len(names) else key
            yield label, [each.get(key, math.nan) for each in found]
        return
    items = list(value) if isinstance(value, tuple) else [value]
    for i, item in enumerate(items):
        label = names[i] if i < len(names) else ""
        yield from _within(label, item, n)


def _within(label: str, item: Any, n: int) -> Iterator[tuple[str, Series]]:
    if isinstance(item, dict):
        for key, each in item.items():
            yield from _within(f"{label}.{key}", each, n)
    elif isinstance(item, list) and len(item) == n:
        rows = [dict(numbers_in(each)) for each in item]
        if all(rows):
            for key in rows[0]:
                yield f"{label}{key}", [row.get(key, math.nan) for row in rows]


def _is_near(a: Series, b: Series) -> bool:
    return len(a) == len(b) and all(
        math.isclose(x, y, rel_tol=2e-4, abs_tol=1e-6) for x, y in zip(a, b, strict=True)
    )


def _quantity(label: str) -> tuple[str, str]:
    """("train" or "val" or "", "loss" or "accuracy" or "") that a name speaks of."""
    own, word = plain(label.rpartition(".")[2]), plain(label)
    word = own if "loss" in own or "acc" in own else word
    part = "val" if any(p in word for p in ("val", "test", "dev")) else ""
    part = part or ("train" if "train" in word or "tr" in word else "")
    if "loss" in word:
        return part, "loss"
    return part, "accuracy" if "acc" in word else ""


def _judge(label: str, values: Series, catalogue: list[Known]) -> tuple[str, str] | None:
    """(mistake, numbers) of a series; None where it is right, or no series of this kind."""
    part, quantity = _quantity(label)
    fits = [known for known in catalogue if not quantity or quantity in known.quantity]
    own = [known for known in fits if not part or known.quantity.startswith(part)]
    if any(not known.mistake and _is_near(values, known.values) for known in own):
        return None
    if not quantity:
        return None
    if part == "val" and any(
        not known.mistake and _is_near(values, known.values) for known in fits
    ):
        return "accuracy-of-training" if quantity == "accuracy" else "validated-on-training", ""
    right = next((known.values for known in own if not known.mistake), None)
    if right is None:
        return None
    numbers = f"{values[0]:.6g} in the first epoch instead of {right[0]:.6g}"
    for known in own:
        if known.mistake and _is_near(values, known.values):
            return known.mistake, numbers
    return DIFFERS, numbers


def _line(played: Performance, values: Series, catalogue: list[Known]) -> int | None:
    """Where the value of the first epoch is assigned first, unless another quantity has it."""
    for number in played.numbers:
        if math.isclose(number.value, values[0], rel_tol=2e-4, abs_tol=1e-9):
            return number.line
    return None


def _check_graph(context: Context, what: str, name: str, played: Performance) -> bool:
    if not any(_has_graph(each) for each in _leaves(played.outcome.value)):
        return False
    lines = context.source.text.splitlines()
    added = [
        number
        for number, line in enumerate(lines, 1)
        if ("+=" in line or ".append(" in line) and "loss" in line and ".item()" not in line
    ]
    line = added[0] if added else context.source.line_of_function(name)
    context.found(what, "graph-kept", line)
    return True


def _leaves(value: Any, depth: int = 0) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple) and depth < 4:
        for each in value:
            yield from _leaves(each, depth + 1)
    else:
        yield value


def _has_graph(value: Any) -> bool:
    return isinstance(value, Tensor) and value.grad_fn is not None and value.numel() == 1


def _check_scheduler(
    context: Context, name: str, played: Performance, catalogue: list[Known]
) -> None:
    values = [event.value for event in played.log.of("scheduler")]
    if len(values) != played.n_epochs or any(value is None for value in values):
        return
    given = [float(torch.as_tensor(value).detach()) for value in values]
    right = [k for k in catalogue if k.quantity == "val loss"]
    others = [k for k in catalogue if k.quantity != "val loss" and not k.mistake]
    if not any(_is_near(given, k.values) for k in right) and any(
        _is_near(given, k.values) for k in others
    ):
        line = played.log.of("scheduler")[0].line
        context.found(f"loop scheduler ({name})", "scheduler-other-value", line)
