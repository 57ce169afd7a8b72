"""The optimizers that a phase can name, sorted by growing complexity.

Most are also written by hand, in scratch.optimizers. To add one, name its class here;
training.optimizers imports the class when a network is trained, so this file needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Maker(NamedTuple):
    """A class (parameters, lr, weight_decay, **settings), as "module.Class", and its settings."""

    path: str
    settings: Mapping[str, Any] = {}


# fused: one kernel updates all parameters instead of several kernels for each.
OPTIMIZERS: dict[str, Maker] = {
    "sgd": Maker("torch.optim.SGD", {"fused": True}),
    "momentum": Maker("torch.optim.SGD", {"momentum": 0.9, "fused": True}),
    "nesterov": Maker("torch.optim.SGD", {"momentum": 0.9, "nesterov": True, "fused": True}),
    "adagrad": Maker("torch.optim.Adagrad", {"fused": True}),
    "rmsprop": Maker("torch.optim.RMSprop"),  # torch has no fused one
    "adam": Maker("torch.optim.Adam", {"fused": True}),
    "adamw": Maker("torch.optim.AdamW", {"fused": True}),
    "muon": Maker("mnistlab.training.muon.Muon"),
}
