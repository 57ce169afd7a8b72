"""Solution of chapter 6: the training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

Batches = Iterable[tuple[Tensor, Tensor]]
Loss = Callable[[Tensor, Tensor], Tensor]


def train_model(
    model: nn.Module,
    train_loader: Batches,
    val_loader: Batches,
    criterion: Loss,
    optimizer: torch.optim.Optimizer,
    num_epochs: int = 10,
    scheduler: Any = None,
) -> dict[str, list[float]]:
    """Train, and return loss and accuracy of both parts and the learning rate of every epoch."""
    names = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate")
    history: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(num_epochs):
        learning_rate = optimizer.param_groups[0]["lr"]
        trained = _train_epoch(model, train_loader, criterion, optimizer)
        validated = evaluate_model(model, val_loader, criterion)
        if scheduler is not None:
            scheduler.step(validated[0])
        for name, value in zip(names, (*trained, *validated, learning_rate), strict=True):
            history[name].append(value)
    return history


def _train_epoch(
    model: nn.Module, loader: Batches, criterion: Loss, optimizer: torch.optim.Optimizer
) -> tuple[float, float]:
    model.train()
    total_loss, n_correct, n = 0.0, 0, 0
    for images, labels in loader:
        optimizer.zero_grad()
        scores = model(images)
        loss = criterion(scores, labels)
        loss.backward()
        optimizer.step()
        total_loss += loss.item() * len(labels)
        n_correct += int((scores.argmax(1) == labels).sum())
        n += len(labels)
    return total_loss / n, n_correct / n


@torch.no_grad()
def evaluate_model(model: nn.Module, loader: Batches, criterion: Loss) -> tuple[float, float]:
    """Mean loss and accuracy, in evaluation mode."""
    model.eval()
    total_loss, n_correct, n = 0.0, 0, 0
    for images, labels in loader:
        scores = model(images)
        total_loss += criterion(scores, labels).item() * len(labels)
        n_correct += int((scores.argmax(1) == labels).sum())
        n += len(labels)
    return total_loss / n, n_correct / n
