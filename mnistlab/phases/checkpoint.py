"""What a training must remember to go on where it stopped, whichever loop runs it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Protocol, Self

from numpy.typing import NDArray

from mnistlab.errors import TrainingError
from mnistlab.phases.best import Best
from mnistlab.phases.epoch import Epoch, Validated
from mnistlab.phases.phase import Phase
from mnistlab.phases.step_log import StepLoss

SNAPSHOT = "snapshot-"  # and the number of its epoch: a part of a checkpoint's arrays


@dataclass
class Position:
    """Where a training stands: how far it is, and what is known of its epochs.

    phase: the running one. epoch, step: how many of its epochs and steps are over. batch: how
    many batches of the running epoch. loss_sum, n_correct, seconds: of these batches.
    learning_rate: of the last step. losses: of the phase's epochs, for its schedule. step_losses:
    what a StepLog has reported; step_loss_sum, n_summed: of the steps since.
    """

    phase: int = 0
    epoch: int = 0
    step: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    n_correct: int = 0
    seconds: float = 0.0
    learning_rate: float = 0.0
    losses: list[float] = field(default_factory=list)
    history: list[Epoch] = field(default_factory=list)
    best: Best = field(default_factory=Best)
    step_losses: list[StepLoss] = field(default_factory=list)
    step_loss_sum: float = 0.0
    n_summed: int = 0

    def end_epoch(
        self,
        train_loss: float,
        train_accuracy: float,
        validated: Validated | None,
        time_s: float,
    ) -> Epoch:
        """The running epoch is over and did this; validated: None without a validation part."""
        loss, accuracy, balanced_accuracy, macro_f1 = validated or (None,) * 4
        epoch = Epoch(
            self.phase,
            len(self.history) + 1,
            self.learning_rate,
            train_loss,
            train_accuracy,
            loss,
            accuracy,
            time_s,
            balanced_accuracy,
            macro_f1,
        )
        self.history.append(epoch)
        self.losses.append(epoch.train_loss if epoch.val_loss is None else epoch.val_loss)
        self.epoch += 1
        self.batch, self.loss_sum, self.n_correct, self.seconds = 0, 0.0, 0, 0.0
        return epoch

    def check_finite(self) -> None:
        """TrainingError where a loss of the last epoch is no longer a finite number."""
        last = self.history[-1]
        if not (math.isfinite(last.train_loss) and math.isfinite(self.losses[-1])):
            raise TrainingError(
                f"the loss is no longer finite in epoch {last.epoch} "
                f"(learning rate {last.learning_rate:g}); try a smaller learning_rate"
            )

    def end_phase(self, phase: Phase) -> None:
        """The running phase is over; the next begins."""
        if phase.keep == "last":  # the next one does not begin with the best weights so far
            self.best = Best()
        self.phase += 1
        self.epoch, self.step, self.losses = 0, 0, []

    def to_plain(self) -> dict[str, Any]:
        """Plain values, ready for JSON; infinity among them."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The position `to_plain` gave; TypeError or KeyError for anything else."""
        history = [Epoch(**epoch) for epoch in plain["history"]]
        steps = [StepLoss(**line) for line in plain.get("step_losses", ())]
        parsed = {"history": history, "best": Best(**plain["best"]), "step_losses": steps}
        return cls(**{**plain, **parsed})


class Checkpoint(NamedTuple):
    """A training after one of its steps: where it stood, and all numbers it had changed."""

    position: Position
    arrays: dict[str, NDArray[Any]]
    random: dict[str, Any]  # states of NumPy's generators, plain values


def snapshots_in(checkpoint: Checkpoint) -> list[int]:
    """The epochs whose weights it holds besides, under the names that begin with SNAPSHOT."""
    parts = {name.partition("/")[0] for name in checkpoint.arrays}
    return sorted(int(name.removeprefix(SNAPSHOT)) for name in parts if name.startswith(SNAPSHOT))


class Keeper(Protocol):
    """Where a loop leaves its checkpoints, and finds the last one."""

    def last(self) -> Checkpoint | None:
        """What to go on from; None begins at the beginning."""

    def is_due(self) -> bool:
        """Asked once a step: whether a checkpoint is wanted now."""

    def keep(self, checkpoint: Checkpoint) -> None:
        """Keep it; may end the training by raising KeyboardInterrupt."""


class _NoKeeper:
    """Keeps nothing."""

    def last(self) -> None:
        """Nothing."""

    def is_due(self) -> bool:
        """Never."""
        return False

    def keep(self, checkpoint: Checkpoint) -> None:
        """Not called."""


KEEPS_NOTHING: Keeper = _NoKeeper()
