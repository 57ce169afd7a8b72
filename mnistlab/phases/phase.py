"""A phase: one stretch of training under one optimizer and one schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mnistlab.errors import RecipeError
from mnistlab.phases.schedules import SCHEDULES

# Sorted by growing complexity; each is written by hand in scratch.optimizers and taken from
# torch in training.optimizers.
OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")


@dataclass(frozen=True)
class Phase:
    """Optimizer, rate and length of a stretch of training; several in a row make a recipe.

    Each phase starts from the best weights so far. weight_decay is L2, added to the
    gradient, except in adamw, where it is decoupled. patience: how many epochs in a row
    may pass without a new best before the phase ends; None trains all of them.
    Raises RecipeError for unknown names and impossible numbers.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
    epochs: int = 10
    schedule: str = "constant"
    weight_decay: float = 0.0
    patience: int | None = None

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise RecipeError(
                f"unknown optimizer {self.optimizer!r}; there are: {', '.join(OPTIMIZERS)}"
            )
        if self.schedule not in SCHEDULES:
            raise RecipeError(
                f"unknown schedule {self.schedule!r}; there are: {', '.join(SCHEDULES)}"
            )
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise RecipeError(f"learning_rate must be positive, got {self.learning_rate}")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise RecipeError(f"weight_decay must not be negative, got {self.weight_decay}")
        if self.epochs < 1:
            raise RecipeError(f"epochs must be at least 1, got {self.epochs}")
        if self.patience is not None and self.patience < 1:
            raise RecipeError(f"patience must be at least 1, got {self.patience}")
