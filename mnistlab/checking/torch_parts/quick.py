"""Starting fast: the first step of an optimizer would import PyTorch's compiler, for seconds."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

COMPILER = "torch._dynamo"


class _Asleep(ModuleType):
    """Has what optimizers ask the compiler for; the compiler itself for everything else."""

    def graph_break(self) -> None:
        """Nothing is compiled, so there is nothing to break."""

    def disable(self, function: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
        """A function that the compiler leaves alone: itself."""
        return function

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        sys.modules.pop(COMPILER, None)
        return getattr(importlib.import_module(COMPILER), name)


def without_compiler() -> None:
    """Only for a process of its own, and for code that compiles nothing."""
    if COMPILER in sys.modules:
        return
    asleep = _Asleep(COMPILER)
    asleep.__path__ = [str(Path(torch.__file__).parent / "_dynamo")]
    sys.modules[COMPILER] = asleep
    torch._dynamo = asleep
