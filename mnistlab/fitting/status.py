"""What a fit reports while it runs."""

from __future__ import annotations

from typing import NamedTuple

from mnistlab.fitting.trials import Trial


class Status(NamedTuple):
    """How a fit stands. ended: a training that is over, in words; empty between two of them."""

    used_s: float
    budget_s: float
    doing: str
    best_accuracy: float | None
    n_members: int
    ended: str = ""


def ended_text(trial: Trial) -> str:
    """Such as "resnet-small, round 1: val 0.8412 in 3.1 s"."""
    accuracy = "no classifier" if trial.val_accuracy is None else f"val {trial.val_accuracy:.4f}"
    because = f" ({trial.note})" if trial.note else ""
    return f"{trial.candidate}, {trial.stage}: {accuracy} in {trial.seconds:.1f} s{because}"
