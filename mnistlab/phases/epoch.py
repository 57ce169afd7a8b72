"""What one epoch gave, whichever loop ran it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Validated(NamedTuple):
    """Metrics on the validation images after an epoch; the loss is a mean in nats.

    Balanced accuracy and macro F1 are means over the classes that occur in them.
    """

    loss: float
    accuracy: float
    balanced_accuracy: float
    macro_f1: float


@dataclass(frozen=True)
class Epoch:
    """A line of log.jsonl: mean losses in nats, the learning rate of the last step, seconds.

    epoch: counted from 1 over all phases; phase: from 0. The last two are missing in older runs.
    """

    phase: int
    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    time_s: float
    val_balanced_accuracy: float | None = None
    val_macro_f1: float | None = None
