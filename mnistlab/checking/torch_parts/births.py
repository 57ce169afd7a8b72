"""Where the layers of a network were made: each with the line of the student's file."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from torch import nn

OF_TORCH = ("torch/nn", "torch\\nn")
LIBRARIES = ("torchvision", "timm")


@dataclass
class Birth:
    """One module that was made. is_library: by torchvision or timm, not by the student's code."""

    module: nn.Module
    line: int | None
    is_library: bool


@dataclass
class Births:
    """Every module made while `watched` was active, in order."""

    file: str
    made: list[Birth] = field(default_factory=list)

    def line_of(self, module: nn.Module | None) -> int | None:
        """The line in which a module was made."""
        return next((each.line for each in self.made if each.module is module), None)

    def line_of_owner(self, network: nn.Module, parameter: Any) -> int | None:
        """The line in which the module that holds a parameter was made."""
        for module in network.modules():
            if any(own is parameter for own in module.parameters(recurse=False)):
                return self.line_of(module)
        return None

    def of_library(self) -> list[nn.Module]:
        """The modules that a library made, such as the blocks of a pretrained network."""
        return [each.module for each in self.made if each.is_library]


def line_in(file: str, frame: FrameType | None) -> int | None:
    """The innermost line of a file among the callers."""
    while frame is not None and frame.f_code.co_filename != file:
        frame = frame.f_back
    return frame.f_lineno if frame is not None else None


def _is_library(file: str, frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename != file:
        name = str(frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] in LIBRARIES:
            return True
        frame = frame.f_back
    return False


@contextlib.contextmanager
def watched(births: Births) -> Iterator[None]:
    """Note every module that is made."""
    original = nn.Module.__init__

    def noted(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        frame = sys._getframe(1)
        births.made.append(
            Birth(self, line_in(births.file, frame), _is_library(births.file, frame))
        )
        original(self, *args, **kwargs)

    nn.Module.__init__ = noted  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.__init__ = original  # type: ignore[method-assign]
