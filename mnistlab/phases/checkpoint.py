"""What a training must remember to continue where it stopped, whichever loop runs it."""

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

SNAPSHOT = "snapshot-"  # with the number of an epoch: a part of a checkpoint's arrays


@dataclass
class TrainState:
    """How far a training has come, and what its epochs have given so far.

    phase: the number of the running phase. epoch, step: how many epochs and steps of that phase are
    complete. batch: how many batches of the running epoch. loss_sum, n_correct, seconds: over these
    batches. learning_rate: of the last step. losses: one per epoch of the phase, for its schedule.
    step_losses: the lines that a StepLog has written. step_loss_sum, n_summed: sum and number of
    the step losses since the last of these lines.
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
    step_loss_sum: float = 0.0  # between checkpoints a tensor in the torch loop: see StepLog
    n_summed: int = 0

    def end_epoch(
        self, train_loss: float, train_accuracy: float, validated: Validated | None, time_s: float
    ) -> Epoch:
        """Complete the running epoch; validated: None without validation images."""
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
        """Complete the running phase; the next one starts at epoch 0."""
        if phase.keep == "last":  # the next one does not begin with the best weights so far
            self.best = Best()
        self.phase += 1
        self.epoch, self.step, self.losses = 0, 0, []

    def to_plain(self) -> dict[str, Any]:
        """Plain values for JSON; infinity may be among them."""
        return asdict(self) | {"step_loss_sum": float(self.step_loss_sum)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The state that `to_plain` gave; TypeError or KeyError for anything else."""
        history = [Epoch(**epoch) for epoch in plain["history"]]
        steps = [StepLoss(**line) for line in plain.get("step_losses", ())]
        parsed = {"history": history, "best": Best(**plain["best"]), "step_losses": steps}
        return cls(**{**plain, **parsed})


class Checkpoint(NamedTuple):
    """A training after one of its steps: its state, and all arrays that it has changed.

    arrays: by part and name, such as "network/1.weight". random: states of NumPy's generators, as
    plain values.
    """

    state: TrainState
    arrays: dict[str, NDArray[Any]]
    random: dict[str, Any]

    def part(self, part: str) -> dict[str, NDArray[Any]]:
        """The arrays of one part, by their own names."""
        prefix = f"{part}/"
        return {
            name.removeprefix(prefix): array
            for name, array in self.arrays.items()
            if name.startswith(prefix)
        }

    def snapshot_epochs(self) -> list[int]:
        """The epochs whose snapshots it holds."""
        parts = {name.partition("/")[0] for name in self.arrays}
        return sorted(
            int(part.removeprefix(SNAPSHOT)) for part in parts if part.startswith(SNAPSHOT)
        )


class Checkpointer(Protocol):
    """Saves the checkpoints of a training, and finds the last one."""

    def last(self) -> Checkpoint | None:
        """The checkpoint to resume from; None where the training begins."""

    def is_due(self) -> bool:
        """Whether a checkpoint is wanted now; the loop asks once after every step."""

    def save(self, checkpoint: Checkpoint) -> None:
        """Save it; may end the training by raising KeyboardInterrupt."""


class _NoCheckpoints:
    """Saves nothing."""

    def last(self) -> None:
        """None."""

    def is_due(self) -> bool:
        """False."""
        return False

    def save(self, checkpoint: Checkpoint) -> None:
        """Not called."""


NO_CHECKPOINTS: Checkpointer = _NoCheckpoints()
