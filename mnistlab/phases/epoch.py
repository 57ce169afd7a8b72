"""What one epoch did, whichever loop ran it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Validated(NamedTuple):
    """What a network does on the validation part after an epoch.

    Balanced accuracy and macro F1 are means over the classes that occur in it.
    """

    loss: float
    accuracy: float
    balanced_accuracy: float
    macro_f1: float


@dataclass(frozen=True)
class Epoch:
    """A line of log.jsonl: mean losses in nats, the last learning rate used, seconds.

    Lines of older runs have no balanced accuracy and no macro F1.
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
