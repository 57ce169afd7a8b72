"""A phase: one stretch of training under one optimizer and one schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mnistlab.errors import RecipeError
from mnistlab.phases.optimizers import OPTIMIZERS
from mnistlab.phases.schedules import SCHEDULES

MONITORS = ("accuracy", "loss")


@dataclass(frozen=True)
class Phase:
    """Optimizer, rate and length of a stretch of training; several in a row make a recipe.

    Each phase starts from the best weights so far. weight_decay is L2, added to the gradient,
    except in adamw and muon, where it is decoupled. patience: how many epochs in a row may pass
    without a new best, by more than min_improvement, before the phase ends; None trains all of
    them. monitor: what of the validation part decides that, "accuracy" or "loss".
    label_smoothing: share of the target spread over all classes (Szegedy et al. 2016).
    ema_decay: judge and keep an exponential moving average of the weights, each step's weight
    in it 1 - ema_decay; 0 keeps the weights themselves. clip_norm: the largest Euclidean norm
    a gradient may have; None leaves it.
    Raises RecipeError for unknown names and impossible numbers.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
    epochs: int = 10
    schedule: str = "constant"
    weight_decay: float = 0.0
    patience: int | None = None
    monitor: str = "accuracy"
    min_improvement: float = 0.0
    label_smoothing: float = 0.0
    ema_decay: float = 0.0
    clip_norm: float | None = None

    def __post_init__(self) -> None:
        for name, known in (
            ("optimizer", tuple(OPTIMIZERS)),
            ("schedule", tuple(SCHEDULES)),
            ("monitor", MONITORS),
        ):
            if getattr(self, name) not in known:
                value, there = getattr(self, name), ", ".join(known)
                raise RecipeError(f"unknown {name} {value!r}; there are: {there}")
        for name in ("weight_decay", "min_improvement"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise RecipeError(f"{name} must not be negative, got {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise RecipeError(f"{name} must be positive, got {value}")
        for name in ("label_smoothing", "ema_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise RecipeError(f"{name} must be in 0 <= {name} < 1, got {getattr(self, name)}")
        for name in ("epochs", "patience"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise RecipeError(f"{name} must be at least 1, got {value}")
