"""The loss within an epoch: its mean over every few steps, whichever loop runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnistlab.phases.checkpoint import TrainState


@dataclass(frozen=True)
class StepLoss:
    """A line of steps.jsonl.

    step: the number of the last step in the mean, counted from 1 over the whole training. n_steps:
    how many steps the mean is over; fewer at the end of an epoch. loss: mean batch loss in nats.
    """

    phase: int
    epoch: int
    step: int
    n_steps: int
    loss: float


@dataclass(frozen=True)
class StepLog:
    """Calls `on_line` with the mean loss of every `every` steps; no mean spans two epochs.

    The running sum is part of the TrainState, so that a resumed training continues it.
    """

    every: int
    on_line: Callable[[StepLoss], None]

    def add(self, state: TrainState, loss: Any, n_batches: int) -> None:
        """Add the loss of the step just made, the last of `state.batch` in an epoch of n_batches.

        loss: a float, or a tensor of one number.
        """
        # Not float(loss): reading a tensor waits for its device, and no step should wait.
        state.step_loss_sum = state.step_loss_sum + loss
        state.n_summed += 1
        if state.n_summed < self.every and state.batch < n_batches:
            return
        n_epochs = len(state.history)
        step, mean = n_epochs * n_batches + state.batch, float(state.step_loss_sum) / state.n_summed
        line = StepLoss(state.phase, n_epochs + 1, step, state.n_summed, mean)
        state.step_loss_sum, state.n_summed = 0.0, 0
        state.step_losses.append(line)
        self.on_line(line)
