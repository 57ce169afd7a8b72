"""The weights of the best epoch: are they kept, and are they those of that epoch?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from mnistlab.checking.context import Context
from mnistlab.checking.torch_parts.events import copied
from mnistlab.checking.torch_parts.performance import Performance, play

N_EPOCHS = 4
BEST, WORST = 1, 2  # epochs, by the validation images: 3, 7, 0 and 4 of 7 right
Weights = dict[str, Tensor]


def check_best(context: Context, name: str, function: Callable[..., Any]) -> None:
    """Train again on validation images that decide which epoch is best."""
    if not re.search(r"best", context.source.text, re.IGNORECASE):
        return
    played = play(function, context.source, N_EPOCHS, is_judged=True)
    if "val images" in played.given:
        context.note(f"the kept weights of {name} were not checked: it takes no validation loader")
    if played.outcome.error is not None or not {"val", "epochs"} <= played.given:
        return
    validations = [each for each in played.passes if each.part == "val"]
    if len(validations) <= WORST or not _keeps(context, played):
        return
    what = f"loop best epoch ({name})"
    context.begin(what)
    after = [each.weights for each in validations]
    kept = _kept(played)
    if any(_is_same(weights, after[BEST]) for weights in kept):
        return
    states = played.log.of("state")
    line = states[-1].line if states else _assignment(context)
    loads = played.log.of("load")
    if any(_is_same(weights, after[WORST]) for weights in kept):
        context.found(what, "best-is-worst", _comparison(context) or line)
    elif states and not loads and not _returned(played):
        context.found(what, "best-not-restored", line)
    else:
        context.found(what, "best-by-reference", line)


def _keeps(context: Context, played: Performance) -> bool:
    """Whether the loop keeps weights at all, not only the best accuracy."""
    is_copied = re.search(
        r"best\w*\s*=\s*(copy\.)?(deepcopy\()?\w*(model|net)", context.source.text
    )
    return bool(played.log.of("state", "load") or is_copied)


def _returned(played: Performance) -> list[Weights]:
    return list(_weights_in(played.outcome.value))


def _kept(played: Performance) -> list[Weights]:
    """All weights that are there after the training: the network's, returned ones, saved ones."""
    found = [copied(played.network), *_returned(played)]
    for buffer in played.log.files.values():
        buffer.seek(0)
        found += list(_weights_in(torch.load(buffer, weights_only=True)))
    return found


def _weights_in(value: Any, depth: int = 0) -> Iterator[Weights]:
    if isinstance(value, nn.Module):
        yield copied(value)
    elif isinstance(value, dict) and any(isinstance(each, Tensor) for each in value.values()):
        yield {name: each for name, each in value.items() if isinstance(each, Tensor)}
    elif isinstance(value, list | tuple | dict) and depth < 3:
        for each in value.values() if isinstance(value, dict) else value:
            yield from _weights_in(each, depth + 1)


def _is_same(a: Weights, b: Weights) -> bool:
    return set(a) >= set(b) and all(torch.equal(a[name], b[name]) for name in b)


def _assignment(context: Context) -> int | None:
    return _line_matching(context, r"best\w*\s*=\s*.*(model|net)")


def _comparison(context: Context) -> int | None:
    return _line_matching(context, r"if .*[<>].*")


def _line_matching(context: Context, pattern: str) -> int | None:
    for number, line in enumerate(context.source.text.splitlines(), 1):
        if re.search(pattern, line) and "best" in line:
            return number
    return None
