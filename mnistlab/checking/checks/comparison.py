"""A comparison of optimizers: each trains its own network, from the same first weights."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mnistlab.checking.attempts import attempt
from mnistlab.checking.context import Context
from mnistlab.checking.naming import plain
from mnistlab.checking.torch_parts import stage
from mnistlab.checking.torch_parts.events import Event, Log, copied, noted
from mnistlab.checking.torch_parts.performance import MODELS, OTHER_PARTS, quiet

N_EPOCHS, N_LEAST = 2, 2
WAYS = ("make", "build", "create", "class", "fn", "factory", "cls", "constructor")


@dataclass
class Training:
    """The steps of one optimizer."""

    optimizer: Any
    first: Event
    network: stage.Network | None


def check_comparison(context: Context, function: Callable[..., Any]) -> None:
    """Run the comparison for two epochs on tiny images."""
    name, what = function.__name__, f"comparison ({function.__name__})"
    log, networks = Log(context.source.name), []

    def make(*args: Any, **kwargs: Any) -> stage.Network:
        log.add("network")
        network = _drawn(log)
        networks.append(network)
        log.network = network
        return network

    given = _arguments(context, function, log, make)
    if given is None:
        return
    context.begin(what)
    torch.manual_seed(1)
    with noted(log), quiet():
        log.events.clear()
        outcome = attempt(lambda: function(**given))
    if outcome.error is not None:
        context.failed(what, outcome.error)
        return
    trainings = _trainings(log, networks)
    if len(trainings) < N_LEAST:
        line = context.source.line_of_function(name)
        if log.of("forward"):
            context.found(what, "one-result", line, "", f"{len(trainings)} optimizers trained")
        else:
            context.found(what, "empty", line, says=f"{name} trains nothing")
        return
    named = _mistake(trainings, networks, outcome.value)
    if named is not None:
        made = log.of("optimizer")
        at_network = ("same-network", "other-first-weights")
        events = (log.of("network") or made) if named[0] in at_network else made
        line = events[0].line if events else context.source.line_of_function(name)
        if named[0] == "one-result":
            line = context.source.line_of_function(name)
        context.found(what, named[0], line, "", named[1])


def _drawn(log: Log) -> stage.Network:
    """A network whose first weights come from the current random state, as of any other."""
    state = torch.get_rng_state()
    network = stage.Network(log)
    torch.set_rng_state(state)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-0.05, 0.05)
    return network


def _arguments(
    context: Context, function: Callable[..., Any], log: Log, make: Callable[..., Any]
) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    loaders = {
        "train": stage.Loader(log, "train", stage.Images(stage.N_TRAIN, 0, 3)),
        "val": stage.Loader(log, "val", stage.Images(stage.N_VAL, stage.FIRST_VAL, 5)),
    }
    for name, parameter in inspect.signature(function).parameters.items():
        word, is_needed = plain(name), parameter.default is parameter.empty
        part = "val" if any(each in word for each in OTHER_PARTS) else "train"
        if any(way in word for way in WAYS) and any(each in word for each in MODELS):
            found[name] = make
        elif word in MODELS:
            found[name] = make()
        elif "loader" in word or "data" in word or "batches" in word:
            found[name] = loaders[part]
        elif "epoch" in word:
            found[name] = N_EPOCHS
        elif word in ("criterion", "loss", "lossfn"):
            found[name] = torch.nn.CrossEntropyLoss()
        elif is_needed:
            context.note(f"{function.__name__} was not checked: what should {name} receive?")
            return None
    return found


def _trainings(log: Log, networks: list[stage.Network]) -> list[Training]:
    """The first step of every optimizer, and the network whose forward pass came before."""
    found: list[Training] = []
    last: Event | None = None
    for event in log.events:
        if event.kind == "forward" and event.part == "train":
            last = event
        if event.kind == "step" and last is not None:
            optimizer = event.value[0]
            if all(each.optimizer is not optimizer for each in found):
                found.append(Training(optimizer, last, _of(optimizer, networks)))
    return found


def _of(optimizer: Any, networks: list[stage.Network]) -> stage.Network | None:
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    return next((n for n in networks if any(id(p) in held for p in n.parameters())), None)


def _is_same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def _mistake(
    trainings: list[Training], networks: list[stage.Network], value: Any
) -> tuple[str, str] | None:
    firsts = [each.first.weights for each in trainings]
    owners = [id(each.network) for each in trainings]
    kinds = [(type(t.optimizer).__name__, _settings(t.optimizer)) for t in trainings]
    if len(set(owners)) < len(trainings) and not all(_is_same(firsts[0], w) for w in firsts):
        return "same-network", ""
    for each in trainings:
        network = each.network
        if network is not None and _is_same(copied(network), each.first.weights):
            return "optimizer-of-other-network", ""
    if len(set(kinds)) == 1:
        return "same-optimizer", f"{len(kinds)} times {kinds[0][0]}"
    if not all(_is_same(firsts[0], w) for w in firsts):
        return "other-first-weights", ""
    if isinstance(value, dict | list) and len(value) < len(trainings):
        return "one-result", f"{len(value)} results of {len(trainings)} optimizers"
    return None


def _settings(optimizer: Any) -> tuple[float, float]:
    defaults = optimizer.defaults
    return float(defaults.get("lr", 0)), float(defaults.get("momentum", 0) or 0)
