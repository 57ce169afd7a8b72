"""A trial: one point of a space, and how far a training there got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

COMPLETE, PRUNED, RUNNING, FAILED = "complete", "pruned", "running", "failed"


@dataclass(frozen=True)
class Trial:
    """number: from 0, in the order of beginning. point: a value for each dimension of the space.

    state: "complete", "pruned", "running" or "failed". accuracy: on validation; the last one of a
    pruned trial, None where there is none. curve: accuracy after each epoch. time_s: seconds of
    training. why: the reason for an early end.
    """

    number: int
    state: str
    point: dict[str, Any]
    accuracy: float | None
    curve: tuple[float, ...]
    time_s: float | None
    why: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether it was trained to its end."""
        return self.state == COMPLETE

    def to_json(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {**asdict(self), "curve": list(self.curve)}


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The complete trial with the highest accuracy, the first of equal ones."""
    complete = [trial for trial in trials if trial.is_complete]
    return max(complete, key=lambda trial: (trial.accuracy or 0.0, -trial.number), default=None)
