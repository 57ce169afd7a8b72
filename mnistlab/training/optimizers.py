"""From the name a phase gives its optimizer to the optimizer of a network."""

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
    """The optimizer of that name in phases.OPTIMIZERS, over parameters or groups of them."""
    maker = OPTIMIZERS[name]
    module, _, class_name = maker.path.rpartition(".")
    optimizer: Optimizer = getattr(import_module(module), class_name)(
        parameters, lr=learning_rate, weight_decay=weight_decay, **maker.settings
    )
    return optimizer


def parts_of(optimizer: Optimizer) -> list[Optimizer]:
    """Those that remember something: an optimizer itself, or the two that Muon is made of."""
    return optimizer.parts if isinstance(optimizer, Muon) else [optimizer]
