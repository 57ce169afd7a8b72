"""PyTorch's compiler stays asleep: the first step of any optimizer would import it, for seconds."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

COMPILER = "torch._dynamo"
LEFT_ALONE = "__dynamo_disable"  # where torch keeps what `disable` gave for a function


class Asleep(ModuleType):
    """Has what optimizers ask the compiler for; the compiler itself for everything else."""

    def __init__(self) -> None:
        super().__init__(COMPILER)
        self.__path__ = [str(Path(torch.__file__).parent / "_dynamo")]
        self._left_alone: list[Callable[..., Any]] = []

    def graph_break(self) -> None:
        """Nothing is compiled, so there is nothing to break."""

    def disable(self, function: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
        """A function that the compiler leaves alone: itself."""
        self._left_alone.append(function)
        return function

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.leave()
        return getattr(importlib.import_module(COMPILER), name)

    def leave(self) -> None:
        """Take back all that this module stands for, so that the compiler finds no trace of it."""
        if sys.modules.get(COMPILER) is self:
            del sys.modules[COMPILER]
        if vars(torch).get("_dynamo") is self:
            del torch._dynamo
        while self._left_alone:
            vars(self._left_alone.pop()).pop(LEFT_ALONE, None)


def fall_asleep() -> Asleep | None:
    """For the rest of the process, or until what is returned leaves; None once it is imported."""
    if COMPILER in sys.modules:
        return None
    module = Asleep()
    sys.modules[COMPILER] = module
    torch._dynamo = module
    return module


@contextmanager
def asleep() -> Iterator[None]:
    """Within the block, optimizers work without PyTorch's compiler unless it is imported already.

    Code within it that compiles wakes the compiler by asking for any other name of its module.
    """
    module = fall_asleep()
    try:
        yield
    finally:
        if module is not None:
            module.leave()
