"""Torch's optimizers under the names a phase gives them, sorted by growing complexity.

torch is imported when one is built, not when its name is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    # of a network, a learning rate and a weight decay
    Builder = Callable[[nn.Module, float, float], Optimizer]


def _from_torch(name: str, **fixed: Any) -> Builder:
    def build(network: nn.Module, learning_rate: float, weight_decay: float) -> Optimizer:
        import torch.optim

        optimizer: Optimizer = getattr(torch.optim, name)(
            network.parameters(), lr=learning_rate, weight_decay=weight_decay, **fixed
        )
        return optimizer

    return build


def _muon(network: nn.Module, learning_rate: float, weight_decay: float) -> Optimizer:
    from mnistlab.training.muon import Muon

    return Muon(network, learning_rate, weight_decay)


# fused: one kernel updates all parameters instead of several kernels for each.
OPTIMIZERS: dict[str, Builder] = {
    "sgd": _from_torch("SGD", fused=True),
    "momentum": _from_torch("SGD", momentum=0.9, fused=True),
    "nesterov": _from_torch("SGD", momentum=0.9, nesterov=True, fused=True),
    "adagrad": _from_torch("Adagrad", fused=True),
    "rmsprop": _from_torch("RMSprop"),  # torch has no fused one
    "adam": _from_torch("Adam", fused=True),
    "adamw": _from_torch("AdamW", fused=True),
    "muon": _muon,
}
