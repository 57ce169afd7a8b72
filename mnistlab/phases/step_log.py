"""The loss within an epoch: its mean over every so many steps, whichever loop runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnistlab.phases.checkpoint import Position


@dataclass(frozen=True)
class StepLoss:
    """A line of steps.jsonl.

    step: how many steps of the whole training are over, from 1 on. n_steps: over how many of them
    the mean is taken; fewer at the end of an epoch. loss: the mean of their batches' losses, nats.
    """

    phase: int
    epoch: int
    step: int
    n_steps: int
    loss: float


class StepLog:
    """Sums the losses of steps and reports their mean after every `every` of them.

    Means do not reach over the end of an epoch. A loss may stay on its device: a sum is read only
    when it is reported, so that no step waits for it.
    """

    def __init__(self, every: int, on_line: Callable[[StepLoss], None]) -> None:
        self.every, self.on_line = every, on_line
        self._sum: Any = 0.0  # a float, or a tensor of no dimension

    def begin(self, at: Position) -> None:
        """Go on with what a training had summed up to that position."""
        self._sum = at.step_loss_sum

    def add(self, at: Position, loss: Any, n_batches: int) -> None:
        """A step is over, the last of `at.batch` in an epoch of so many."""
        self._sum = self._sum + loss
        at.n_summed += 1
        if at.n_summed < self.every and at.batch < n_batches:
            return
        step = len(at.history) * n_batches + at.batch
        mean = float(self._sum) / at.n_summed
        line = StepLoss(at.phase, len(at.history) + 1, step, at.n_summed, mean)
        self._sum, at.n_summed = 0.0, 0
        at.step_losses.append(line)
        self.on_line(line)

    def settle(self, at: Position) -> None:
        """Write the running sum into a position that is about to be kept."""
        at.step_loss_sum = float(self._sum)
