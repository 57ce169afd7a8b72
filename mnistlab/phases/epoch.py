"""What one epoch did, whichever loop ran it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """A line of log.jsonl: mean losses in nats, the last learning rate used, seconds."""

    phase: int
    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    time_s: float
