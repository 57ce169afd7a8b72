"""Which blocks `unfreeze_layers(n)` lets train: the last n, of whatever is counted as a block."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from torch import nn

from mnistlab.checking.attempts import attempt
from mnistlab.checking.context import Context
from mnistlab.checking.naming import plain
from mnistlab.checking.torch_parts.making import Made

FEW, MANY = 1, 3
Names = frozenset[str]


def check_unfreezing(context: Context, made: Made, frozen: dict[str, nn.Parameter]) -> None:
    """Call the method with 0, 1 and 3 on copies of the network."""
    name = type(made.network).__name__
    methods = [each for each in dir(made.network) if plain(each).startswith("unfreeze")]
    if not methods:
        context.note(f"{name} has no method such as unfreeze_layers")
        return
    method = methods[0]
    what = f"transfer {method} ({name})"
    context.begin(what)
    takes_number = bool(inspect.signature(getattr(made.network, method)).parameters)
    counts: tuple[Any, ...] = (0, FEW, MANY) if takes_number else ("",)
    found: dict[Any, Names] = {}
    for count in counts:
        free = _unfrozen(context, what, made, method, count, frozen)
        if free is None:
            return
        found[count] = free
    mistake = _mistake(made.network, frozen, found) if takes_number else ""
    if not takes_number and not found[""]:
        mistake = "unfreezes-nothing"
    if mistake:
        line = context.line_in(name, method, r"requires_grad") or context.line_of_method(
            name, method
        )
        numbers = (
            f"{len(found[counts[-1]])} of {len(frozen)} arrays train after {method}({counts[-1]})"
        )
        context.found(what, mistake, _line_of_slice(context, name, method) or line, "", numbers)
    elif takes_number and not context.findings:
        _check_afterwards(context, what, made, method, frozen)


def _check_afterwards(
    context: Context, what: str, made: Made, method: str, frozen: dict[str, nn.Parameter]
) -> None:
    """After unfreezing: the rest stays as it is, and gradients reach what is free."""
    from mnistlab.checking.checks import cnn_layers, transfer

    again, name = transfer.copied(made), type(made.network).__name__
    getattr(again.network, method)(MANY)
    after = dict(again.network.named_parameters())
    own = {key: after[key] for key in frozen}
    if transfer.moves_statistics(again, own):
        line = context.line_of_method(name, "train")
        context.found(what, "statistics-after-unfreezing", line)
    cnn_layers.check_gradients(context, again, name, "transfer")


def _line_of_slice(context: Context, name: str, method: str) -> int | None:
    return context.line_in(name, method, r"\[.*:.*\]|range\(|for ")


def _unfrozen(
    context: Context,
    what: str,
    made: Made,
    method: str,
    count: Any,
    frozen: dict[str, nn.Parameter],
) -> Names | None:
    """The names of the pretrained parameters that train afterwards; None after a finding."""
    from mnistlab.checking.checks import transfer

    again = transfer.copied(made)
    name = type(made.network).__name__
    call = getattr(again.network, method)
    outcome = attempt(lambda: call(count) if count != "" else call())
    if outcome.error is not None:
        context.failed(what, outcome.error)
        return None
    after = dict(again.network.named_parameters())
    line = context.line_in(name, method, r"requires_grad") or context.line_of_method(name, method)
    if any(not p.requires_grad for key, p in after.items() if key not in frozen):
        context.found(what, "head-refrozen", line)
        return None
    free = frozenset(key for key in frozen if after[key].requires_grad)
    return free


def _mistake(network: nn.Module, frozen: dict[str, nn.Parameter], found: dict[Any, Names]) -> str:
    """ "" where the last blocks are unfrozen, in some way to count blocks."""
    everything = frozenset(frozen)
    few, many = found[FEW], found[MANY]
    if not many:
        return "unfreezes-nothing"
    if found[0]:
        return "unfreezes-all" if few == everything else _of_zero(found[0], everything)
    for blocks in _ways(network, frozen):
        if _last(blocks, FEW) == few and _last(blocks, MANY) == many:
            return ""
    if few == many == everything:
        return "unfreezes-all"
    for blocks in _ways(network, frozen):
        if _first(blocks, FEW) == few and _first(blocks, MANY) == many:
            return "unfreezes-first"
        for more in (-1, 1, 2):
            if _last(blocks, FEW + more) == few and _last(blocks, MANY + more) == many:
                return "unfreezes-other-count"
    order = list(frozen)
    is_end = set(order[len(order) - len(many) :]) == many
    if not is_end:
        return "unfreezes-not-last"
    return "" if len(few) < len(many) else "unfreezes-other-count"


def _of_zero(zero: Names, everything: Names) -> str:
    return "zero-unfreezes-all" if zero == everything else "unfreezes-other-count"


def _ways(network: nn.Module, frozen: dict[str, nn.Parameter]) -> Iterator[list[Names]]:
    """Every way to cut the pretrained part into blocks: children of a module, or parameters."""
    for prefix, module in network.named_modules():
        children = list(module.named_children())
        if len(children) < MANY:
            continue
        blocks = []
        for child, part in children:
            path = f"{prefix}.{child}" if prefix else child
            names = {f"{path}.{key}" for key, _ in part.named_parameters()}
            blocks.append(frozenset(names & set(frozen)))
        if any(blocks):
            yield blocks
            yield [block for block in blocks if block]
    yield [frozenset({name}) for name in frozen]


def _last(blocks: list[Names], n: int) -> Names:
    chosen = blocks[max(len(blocks) - n, 0) :] if n > 0 else []
    return frozenset().union(*chosen)


def _first(blocks: list[Names], n: int) -> Names:
    return frozenset().union(*blocks[:n])
