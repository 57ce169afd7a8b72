"""A phase: one stretch of training under one optimizer and one schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mnistlab.errors import RecipeError
from mnistlab.training.optimizers import OPTIMIZERS
from mnistlab.training.schedules import SCHEDULES


@dataclass(frozen=True)
class Phase:
    """Optimizer, rate and length of a stretch of training; several in a row make a recipe.

    Each phase starts from the best weights so far. weight_decay is
    what torch's optimizer of that name makes of it (L2 in sgd and adam,
    decoupled in adamw). Raises RecipeError for unknown names and impossible numbers.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
    epochs: int = 10
    schedule: str = "constant"
    weight_decay: float = 0.0

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
