"""The optimizer of a network, by the name that a phase gives it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from torch import nn
from torch.optim import Optimizer

from mnistlab.phases import OPTIMIZERS
from mnistlab.training.muon import Muon


def build_optimizer(
    name: str,
    parameters: Iterable[nn.Parameter] | list[dict[str, Any]],
    learning_rate: float,
    weight_decay: float,
) -> Optimizer:
    """The optimizer of that name in phases.OPTIMIZERS, for parameters or groups of them."""
    maker = OPTIMIZERS[name]
    module, _, class_name = maker.path.rpartition(".")
    optimizer: Optimizer = getattr(import_module(module), class_name)(
        parameters, lr=learning_rate, weight_decay=weight_decay, **maker.settings
    )
    return optimizer


def parts_of(optimizer: Optimizer) -> list[Optimizer]:
    """The optimizers that hold state: the optimizer itself, or the two that Muon is made of."""
    return optimizer.parts if isinstance(optimizer, Muon) else [optimizer]
