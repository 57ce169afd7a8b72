"""Every function of torch that a forward pass calls, in order, with its line.

Whether a student writes `self.relu(x)`, `F.relu(x)`, `x.relu()` or `nn.Sequential`, the tape is
the same.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.overrides import TorchFunctionMode

from mnistlab.checking.torch_parts.births import Births, line_in, watched

WEIGHTED = ("linear", "conv2d", "conv1d", "matmul", "mm", "addmm", "bmm")
DROPOUTS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout")


@dataclass
class Op:
    """One call. inputs: its tensors, in order. settings: all arguments by name where known."""

    name: str
    line: int | None
    inputs: list[Tensor]
    output: Any
    settings: dict[str, Any]
    owner: nn.Module | None = None

    @property
    def weight(self) -> Tensor | None:
        """The weights of a convolution or a linear layer."""
        if self.name in ("linear", "conv2d", "conv1d") and len(self.inputs) > 1:
            return self.inputs[1]
        return None


@dataclass
class Tape:
    """What one forward pass did. failed: the call that raised, if one did."""

    ops: list[Op] = field(default_factory=list)
    failed: Op | None = None
    value: Any = None
    error: BaseException | None = None
    made: Births = field(default_factory=lambda: Births(""))

    def named(self, *names: str) -> list[Op]:
        """The calls of these functions."""
        return [op for op in self.ops if op.name in names]

    @property
    def layers(self) -> list[Op]:
        """The calls that have weights: convolutions and linear layers."""
        return [op for op in self.ops if op.weight is not None]


class _Mode(TorchFunctionMode):
    def __init__(self, tape: Tape, births: Births) -> None:
        super().__init__()
        self.tape, self.births = tape, births
        self.stack: list[nn.Module] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        op = Op(_name(func), self._line(), [*_tensors(args), *_tensors(kwargs.values())], None, {})
        op.settings, op.owner = (
            _settings(func, args, kwargs),
            self.stack[-1] if self.stack else None,
        )
        try:
            op.output = func(*args, **kwargs)
        except Exception:
            self.tape.failed = op
            raise
        if isinstance(op.output, Tensor | tuple | list) or op.name in ("tolist", "item"):
            self.tape.ops.append(op)
        return op.output

    def _line(self) -> int | None:
        """The line of the call; of a layer within nn.Sequential, the line that made the layer."""
        within = [type(module).__module__.startswith("torch.nn") for module in self.stack]
        if len(within) > 1 and within[-1] and within[-2]:
            made = self.births.line_of(self.stack[-1])
            if made is not None:
                return made
        return line_in(self.births.file, sys._getframe(2))


def _name(func: Callable[..., Any]) -> str:
    name = getattr(func, "__name__", "")
    if name == "__get__":
        name = "." + getattr(getattr(func, "__self__", None), "__name__", "")
    return name.strip("_") if name.startswith("__") else name.removesuffix("_")


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from (each for each in value if isinstance(each, Tensor))


def _settings(func: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    try:
        bound = inspect.signature(func).bind(*args, **kwargs)
        bound.apply_defaults()
        found: dict[Any, Any] = dict(bound.arguments)
    except (TypeError, ValueError):  # functions written in C have no signature
        found = {**dict(enumerate(args)), **kwargs}
    return {str(key): value for key, value in found.items() if not isinstance(value, Tensor)}


def run(call: Callable[[], Any], births: Births) -> Tape:
    """Run a forward pass and record it. An exception is recorded, not raised.

    births: lines in which the network's layers were made.
    """
    tape = Tape(made=Births(births.file))
    mode = _Mode(tape, births)

    def enter(module: nn.Module, _: Any) -> None:
        mode.stack.append(module)

    def leave(module: nn.Module, _: Any, __: Any) -> None:
        mode.stack.pop()

    hooks = [
        register_module_forward_pre_hook(enter),
        register_module_forward_hook(leave, always_call=True),
    ]
    try:
        with watched(tape.made), mode:
            tape.value = call()
    except (Exception, SystemExit) as error:  # whatever a student's code raises
        tape.error = error
    finally:
        for hook in hooks:
            hook.remove()
    return tape


def gradients_of(tape: Tape, network: nn.Module, labels: Tensor) -> BaseException | None:
    """Fill the gradients of cross-entropy; the exception where there is no way back."""
    network.zero_grad(set_to_none=True)
    try:
        nn.functional.cross_entropy(tape.value, labels).backward()
    except RuntimeError as error:
        return error
    return None


def seeded(seed: int = 0) -> torch.Generator:
    """A generator for the checks' own images."""
    return torch.Generator().manual_seed(seed)
