"""A phase: one stretch of training under one optimizer and one schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mnistlab.bounds import MOST_EPOCHS, check_count, check_fraction, check_number
from mnistlab.errors import RecipeError
from mnistlab.phases.optimizers import OPTIMIZERS
from mnistlab.phases.schedules import SCHEDULES

MONITORS = ("accuracy", "loss", "balanced_accuracy", "macro_f1")
KEEPS = ("best", "last")
MOST_BLOCKS, MOST_VIEWS, MOST_STEPS = 10_000, 1000, 10_000_000


@dataclass(frozen=True)
class Phase:
    """Optimizer, learning rate and length of a stretch of training; a recipe has one or several.

    epochs: how many; more where they would be fewer steps than min_steps, as on a small set.
    schedule: how the learning rate changes over the phase. weight_decay: L2, added to the gradient;
    decoupled from it in adamw and muon.
    monitor: the validation metric that decides which epoch is best: "accuracy", "loss",
    "balanced_accuracy" or "macro_f1"; the last two count all classes alike. patience: the phase
    ends after so many epochs in a row without a gain of more than min_improvement; None: never
    early. keep: the weights with which the phase ends and the next one begins: "best", those of
    the best epoch so far, or "last", those of its last epoch, after which the next phase looks for
    a best epoch of its own.
    label_smoothing: the fraction of the target that is spread over all classes (Szegedy et al.
    2016). ema_decay: evaluate and keep an exponential moving average of the weights, in which each
    step counts 1 - ema_decay; 0: the weights themselves. clip_norm: the largest Euclidean norm of
    the gradient; None: unlimited.
    unfrozen: train only the new layers of a pretrained network and its last so many blocks; None
    trains everything, and any network. block_decay: the learning rate of a block, as a fraction of
    that of the block after it (Howard and Ruder 2018). kept_views: the outputs of frozen blocks are
    computed once and cached, or, with augmentation, once for each of so many views that epochs take
    in turn; 0 computes them in every step.
    snapshot_epochs: save the weights after the first epoch of the phase and after every so many
    more, for `evaluate` to measure on the test images; None: no snapshots.
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
    unfrozen: int | None = None
    block_decay: float = 1.0
    kept_views: int = 4
    min_steps: int = 0
    keep: str = "best"
    snapshot_epochs: int | None = None

    def __post_init__(self) -> None:
        for name, known in (
            ("optimizer", tuple(OPTIMIZERS)),
            ("schedule", tuple(SCHEDULES)),
            ("monitor", MONITORS),
            ("keep", KEEPS),
        ):
            if getattr(self, name) not in known:
                value, there = getattr(self, name), ", ".join(known)
                raise RecipeError(f"unknown {name} {value!r}; there are: {there}")
        check_number("learning_rate", self.learning_rate, positive=True)
        check_number("weight_decay", self.weight_decay, low=0)
        check_number("min_improvement", self.min_improvement, low=0)
        if self.clip_norm is not None:
            check_number("clip_norm", self.clip_norm, positive=True)
        check_fraction("label_smoothing", self.label_smoothing)
        check_fraction("ema_decay", self.ema_decay)
        for count, low, high in (
            ("epochs", 1, MOST_EPOCHS),
            ("patience", 1, MOST_EPOCHS),
            ("unfrozen", 0, MOST_BLOCKS),
            ("kept_views", 0, MOST_VIEWS),
            ("snapshot_epochs", 1, MOST_EPOCHS),
            ("min_steps", 0, MOST_STEPS),
        ):
            if getattr(self, count) is not None:
                check_count(count, getattr(self, count), low, high)
        check_number("block_decay", self.block_decay, high=1, positive=True)
        if self.block_decay != 1 and self.optimizer == "muon":
            raise RecipeError("muon has one learning rate for all blocks; block_decay must be 1")

    def n_epochs(self, steps_per_epoch: int) -> int:
        """How many epochs the phase has on a training set of so many steps per epoch."""
        return max(self.epochs, -(-self.min_steps // steps_per_epoch))

    def rate_at(self, fraction: float, losses: Sequence[float]) -> float:
        """The learning rate once that fraction of the phase is complete; losses: of its epochs."""
        return self.learning_rate * SCHEDULES[self.schedule](fraction, losses)

    def is_snapshot(self, epoch: int) -> bool:
        """Whether the weights after this epoch of the phase, counted from 1, are saved as well."""
        return self.snapshot_epochs is not None and (epoch - 1) % self.snapshot_epochs == 0

    @property
    def needs_blocks(self) -> bool:
        """Whether the phase is only for networks of blocks, which are the pretrained ones."""
        return self.unfrozen is not None or self.block_decay != 1
