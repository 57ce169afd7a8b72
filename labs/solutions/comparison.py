"""Solution of chapter 7: the same network trained by several optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from solutions.loop import Batches, train_model

OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.05),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.01, momentum=0.9),
    "RMSprop": lambda parameters: torch.optim.RMSprop(parameters, lr=0.001),
    "Adam": lambda parameters: torch.optim.Adam(parameters, lr=0.001),
    "AdamW": lambda parameters: torch.optim.AdamW(parameters, lr=0.001),
}


def compare_optimizers(
    make_model: Callable[[], nn.Module],
    train_loader: Batches,
    val_loader: Batches,
    num_epochs: int = 5,
    seed: int = 0,
) -> dict[str, dict[str, list[float]]]:
    """The history of each optimizer, from the same first weights and the same order of images."""
    histories = {}
    for name, make_optimizer in OPTIMIZERS.items():
        torch.manual_seed(seed)
        model = make_model()
        histories[name] = train_model(
            model,
            train_loader,
            val_loader,
            nn.CrossEntropyLoss(),
            make_optimizer(model.parameters()),
            num_epochs,
        )
    return histories
