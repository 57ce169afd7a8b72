"""Which epoch is the best so far, and when a phase has waited long enough for a better one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from mnistlab.phases.epoch import Epoch
from mnistlab.phases.phase import Phase


@dataclass
class Best:
    """Tracks the best epoch; the loop saves the weights when `see` returns True.

    Best is the highest validation accuracy, or what else the phase monitors: the highest balanced
    accuracy or macro F1, or the lowest loss; of equal epochs the earlier one. Without validation
    images it is the lowest training loss. Where a phase monitors something else than the phase
    before, its first epoch is its best so far.

    score: of the best epoch so far; larger is better, so a loss counts as its negative. bar: what
    an epoch must exceed by the phase's min_improvement. n_waited: epochs since one did.
    """

    score: float = -math.inf
    bar: float = -math.inf
    monitored: str = ""
    n_waited: int = 0

    def begin(self) -> None:
        """Start a phase: its patience is new, the best score so far stays."""
        self.n_waited = 0

    def see(self, epoch: Epoch, phase: Phase) -> bool:
        """Whether this epoch of the phase is the best so far; call it once per epoch, in order."""
        monitored, score = _score_of(epoch, phase)
        if monitored != self.monitored:
            self.monitored, self.score, self.bar = monitored, -math.inf, -math.inf
        self.n_waited += 1
        if score > self.bar + phase.min_improvement:
            self.bar, self.n_waited = score, 0
        better = score > self.score
        self.score = max(score, self.score)
        return better

    def is_out_of_patience(self, phase: Phase) -> bool:
        """Whether `patience` epochs have passed without an improvement."""
        return self.n_waited == phase.patience


def epoch_of_weights(history: Iterable[Epoch], phases: Sequence[Phase]) -> int:
    """The number of the epoch whose weights the training ended with; 0 without an epoch."""
    best, found = Best(), 0
    for number, epochs in groupby(history, key=lambda epoch: epoch.phase):
        phase = phases[number]
        best.begin()
        for epoch in epochs:
            if best.see(epoch, phase) or phase.keep == "last":
                found = epoch.epoch
        if phase.keep == "last":
            best = Best()
    return found


def _score_of(epoch: Epoch, phase: Phase) -> tuple[str, float]:
    if epoch.val_loss is None or epoch.val_accuracy is None:
        return "training loss", -epoch.train_loss
    if phase.monitor == "loss":
        return "loss", -epoch.val_loss
    score = getattr(epoch, f"val_{phase.monitor}")
    return phase.monitor, -math.inf if score is None else score
