"""What happens in a training, in order: forward passes, losses, backward passes, steps, modes."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from mnistlab.checking.torch_parts.births import line_in


@dataclass(eq=False)
class Event:
    """One thing that happened. kind: forward, loss, backward, zero, step, mode, pass, scheduler,
    optimizer, state or load. part: "train" or "val", of a forward pass or a pass over a loader.
    weights: of the network, before. values: whatever belongs to the kind.
    """

    kind: str
    line: int | None
    part: str = ""
    rows: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()
    weights: dict[str, Tensor] = field(default_factory=dict)
    is_training: bool = True
    has_gradients: bool = True
    value: Any = None


@dataclass
class Log:
    """All events of one training. file: the student's, for lines."""

    file: str
    events: list[Event] = field(default_factory=list)
    network: nn.Module | None = None
    files: dict[str, Any] = field(default_factory=dict)  # what torch.save was given, by name

    def add(self, kind: str, **values: Any) -> Event:
        """Note an event, with the line of the student's file that it comes from."""
        event = Event(kind, line_in(self.file, sys._getframe(1)), **values)
        self.events.append(event)
        return event

    def of(self, *kinds: str) -> list[Event]:
        """The events of these kinds."""
        return [event for event in self.events if event.kind in kinds]


def copied(network: nn.Module) -> dict[str, Tensor]:
    """The values of all parameters, by name."""
    return {name: p.detach().clone() for name, p in network.named_parameters()}


def gradients(network: nn.Module) -> dict[str, Tensor]:
    """The gradients of all parameters; zeros where there is none."""
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.detach().clone()
        for name, p in network.named_parameters()
    }


@contextlib.contextmanager
def noted(log: Log) -> Iterator[None]:
    """Note losses, steps and zeroed gradients, whoever makes them, and keep files in memory."""
    optimizer = torch.optim.Optimizer
    real = (nn.functional.cross_entropy, optimizer.zero_grad, optimizer.__init__)
    files = (torch.save, torch.load)

    def cross_entropy(input: Any, target: Any, *args: Any, **kwargs: Any) -> Tensor:
        event = log.add("loss", value=(input, target))
        result: Tensor = real[0](input, target, *args, **kwargs)
        if torch.is_tensor(target) and target.dtype == torch.int64:
            event.labels = tuple(int(label) for label in target.flatten())
        return result

    def zero_grad(self: Any, *args: Any, **kwargs: Any) -> None:
        log.add("zero")
        real[1](self, *args, **kwargs)

    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        log.add("optimizer", value=self)
        real[2](self, *args, **kwargs)

    def save(obj: Any, f: Any, *args: Any, **kwargs: Any) -> None:
        buffer = io.BytesIO()
        files[0](obj, buffer)
        log.files[str(f)] = buffer

    def load(f: Any, *args: Any, **kwargs: Any) -> Any:
        log.files[str(f)].seek(0)
        return files[1](log.files[str(f)], weights_only=True)

    hook = register_optimizer_step_pre_hook(lambda own, args, kwargs: _step(log, own))
    nn.functional.cross_entropy = cross_entropy
    optimizer.zero_grad, optimizer.__init__ = zero_grad, made  # type: ignore[method-assign]
    torch.save, torch.load = save, load
    try:
        yield
    finally:
        nn.functional.cross_entropy = real[0]
        optimizer.zero_grad, optimizer.__init__ = real[1:]  # type: ignore[method-assign]
        torch.save, torch.load = files
        hook.remove()


def _step(log: Log, optimizer: Any) -> None:
    if log.network is not None:
        log.add("step", value=(optimizer, gradients(log.network)), weights=copied(log.network))
