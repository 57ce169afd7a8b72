"""Which epoch is the best so far, and when enough have passed without a gain."""

from __future__ import annotations

import math

from mnistlab.phases.epoch import Epoch
from mnistlab.phases.phase import Phase


class Best:
    """Follows the epochs of a training; its weights are kept whenever `see` says so.

    Best is the highest validation accuracy or, where the phase monitors it, the lowest
    validation loss; the earlier epoch where two are equal. Without a validation part it is the
    lowest training loss. When two phases in a row monitor different things, the first epoch of
    the second is its best.
    """

    def __init__(self) -> None:
        self._score, self._bar = -math.inf, -math.inf
        self._monitored, self._n_waited = "", 0

    def begin(self, phase: Phase) -> None:
        """Start a phase: its patience is fresh, what was reached before stands."""
        self._phase, self._n_waited = phase, 0

    def see(self, epoch: Epoch) -> bool:
        """Whether this epoch is the best so far."""
        monitored, score = self._score_of(epoch)
        if monitored != self._monitored:
            self._monitored, self._score, self._bar = monitored, -math.inf, -math.inf
        self._n_waited += 1
        if score > self._bar + self._phase.min_improvement:
            self._bar, self._n_waited = score, 0
        better = score > self._score
        self._score = max(score, self._score)
        return better

    @property
    def is_out_of_patience(self) -> bool:
        """Whether the phase has waited for a gain as long as it may."""
        return self._n_waited == self._phase.patience

    def _score_of(self, epoch: Epoch) -> tuple[str, float]:
        if epoch.val_loss is None or epoch.val_accuracy is None:
            return "training loss", -epoch.train_loss
        if self._phase.monitor == "loss":
            return "loss", -epoch.val_loss
        return "accuracy", epoch.val_accuracy
