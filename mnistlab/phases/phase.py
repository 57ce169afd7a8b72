"""A phase: one stretch of training under one optimizer and one schedule."""

from __future__ import annotations

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
    """Optimizer, rate and length of a stretch of training; several in a row make a recipe.

    min_steps: where so many epochs are fewer steps than this, as of a small set, the phase has as
    many epochs as it takes. keep: the weights that the phase ends with, and the next begins with:
    "best", those of the best epoch so far, or "last", those of its last epoch, after which the
    next phase looks for a best of its own. snapshot_epochs: the weights after the phase's first
    epoch and after every so many more are saved beside them, for `evaluate` to measure on the test
    part; None saves none. weight_decay is L2, added to the gradient, except in
    adamw and muon, where it is decoupled. patience: how many epochs in a row may pass without a
    new best, by more than min_improvement, before the phase ends; None trains all of them.
    monitor: what of the validation part decides that: "accuracy", "loss", "balanced_accuracy" or
    "macro_f1", both of which count all classes alike.
    label_smoothing: share of the target spread over all classes (Szegedy et al. 2016).
    ema_decay: judge and keep an exponential moving average of the weights, each step's weight
    in it 1 - ema_decay; 0 keeps the weights themselves. clip_norm: the largest Euclidean norm
    a gradient may have; None leaves it.
    unfrozen: train only what is new in a pretrained network and its last so many blocks, 0 being
    none of them; None trains all of any network. block_decay: each block's learning rate as a
    share of that of the block after it (Howard and Ruder 2018). kept_views: what frozen blocks
    make of the training images is computed once and kept, or, with augmentation, once for each
    of so many views that epochs take in turn; 0 computes it anew at every step.
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
        check_count("epochs", self.epochs, 1, MOST_EPOCHS)
        if self.patience is not None:
            check_count("patience", self.patience, 1, MOST_EPOCHS)
        if self.unfrozen is not None:
            check_count("unfrozen", self.unfrozen, 0, MOST_BLOCKS)
        check_count("kept_views", self.kept_views, 0, MOST_VIEWS)
        if self.snapshot_epochs is not None:
            check_count("snapshot_epochs", self.snapshot_epochs, 1, MOST_EPOCHS)
        check_count("min_steps", self.min_steps, 0, MOST_STEPS)
        check_number("block_decay", self.block_decay, high=1, positive=True)
        if self.block_decay != 1 and self.optimizer == "muon":
            raise RecipeError("muon has one learning rate for all blocks; block_decay must be 1")

    def n_epochs(self, steps_per_epoch: int) -> int:
        """How many epochs the phase has, of a set that takes so many steps per epoch."""
        return max(self.epochs, -(-self.min_steps // steps_per_epoch))

    def is_snapshot(self, epoch: int) -> bool:
        """Whether the weights after this epoch of the phase, from 1 on, are saved as well."""
        return self.snapshot_epochs is not None and (epoch - 1) % self.snapshot_epochs == 0

    @property
    def needs_blocks(self) -> bool:
        """Whether only a network made of blocks, a pretrained one, can be trained so."""
        return self.unfrozen is not None or self.block_decay != 1
