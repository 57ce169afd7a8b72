"""A network of the student's class, made with known sizes, and its first forward passes."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mnistlab.checking.attempts import attempt
from mnistlab.checking.context import Context
from mnistlab.checking.naming import UnboundError, plain
from mnistlab.checking.torch_parts.births import Births, watched
from mnistlab.checking.torch_parts.tape import Tape, run

N_IMAGES, SIDE, N_CLASSES, OTHER_CLASSES = 6, 28, 10, 7
OUT_WORDS = ("outputsize", "nout", "noutputs", "outputdim", "outfeatures", "outdim", "output")


@dataclass
class Made:
    """A network with the lines of its layers. images: (N, 1, 28, 28), or rows if it takes rows."""

    context: Context
    network: nn.Module
    births: Births
    images: Tensor
    n_classes: int

    def forward(self, images: Tensor | None = None, is_training: bool = False) -> Tape:
        """A recorded forward pass, with the same random numbers every time."""
        self.network.train(is_training)
        torch.manual_seed(1)
        given = self.images if images is None else images
        return run(lambda: self.network(given), self.births)


def arguments(kind: type, n_classes: int, channels: int = 1) -> dict[str, Any]:
    """Arguments for the constructor; UnboundError where one without a default is unknown."""
    found: dict[str, Any] = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        word, is_needed = plain(name), parameter.default is parameter.empty
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if is_class_count(name):
            found[name] = n_classes
        elif not is_needed:
            continue
        elif "channel" in word:
            found[name] = channels
        elif "drop" in word or word == "p":
            found[name] = 0.5
        elif "hidden" in word or "width" in word or "filters" in word:
            found[name] = 16
        elif "input" in word or word in ("nin", "infeatures", "indim"):
            found[name] = SIDE * SIDE
        else:
            raise UnboundError(f"it is not clear what {name} of {kind.__name__} should receive")
    return found


def is_class_count(name: str) -> bool:
    """Whether a parameter is the number of classes."""
    word = plain(name)
    return "class" in word or word in OUT_WORDS


def takes_class_count(kind: type) -> bool:
    """Whether a class can be made for any number of classes."""
    return any(is_class_count(name) for name in inspect.signature(kind).parameters)


def made_network(
    context: Context, kind: type, what: str, n_classes: int = N_CLASSES
) -> Made | None:
    """Make the network; None where that fails, which is then a finding or a note."""
    births = Births(context.source.name)
    try:
        given = arguments(kind, n_classes)
    except UnboundError as error:
        context.note(f"{kind.__name__} was not checked: {error}")
        return None
    torch.manual_seed(0)
    with watched(births):
        outcome = attempt(lambda: kind(**given))
    if outcome.error is not None:
        context.begin(what)
        text = str(outcome.error)
        if "before Module.__init__() call" in text:
            line = context.line_of_method(kind.__name__, "__init__")
            context.found(what, "super-init-missing", line)
        else:
            context.failed(what, outcome.error)
        return None
    torch.manual_seed(2)
    images = torch.rand(N_IMAGES, 1, SIDE, SIDE)
    return Made(context, outcome.value, births, images, n_classes)
