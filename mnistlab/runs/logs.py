"""log.jsonl, a line per epoch, and steps.jsonl, a line per log_steps steps within an epoch.

Both are written anew from the checkpoint that a training resumes from: no line is missing or there
twice, whenever the training was stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mnistlab import atomic
from mnistlab.errors import RunError
from mnistlab.phases import Epoch, StepLog, StepLoss
from mnistlab.runs.records import StepRecord, read_lines

EPOCHS, STEPS = "log.jsonl", "steps.jsonl"


@contextmanager
def epoch_log(folder: Path, before: Iterable[Epoch]) -> Iterator[Callable[[Epoch], None]]:
    """A function that writes the line of an epoch; those of `before` are written at once."""
    with _lines(folder / EPOCHS, before) as write:
        yield write


@contextmanager
def step_log(
    folder: Path, every: int | None, before: Iterable[StepLoss]
) -> Iterator[StepLog | None]:
    """A StepLog that writes to steps.jsonl; None, and no file, where `every` is None."""
    if every is None:
        yield None
        return
    with _lines(folder / STEPS, before) as write:
        yield StepLog(every, write)


@contextmanager
def _lines(path: Path, before: Iterable[Any]) -> Iterator[Callable[[Any], None]]:
    with atomic.named(path), path.open("w", encoding="utf-8") as file:

        def write(line: Epoch | StepLoss) -> None:
            with atomic.named(path):  # here too: the other log's block may be the inner one
                file.write(json.dumps(_finite(asdict(line))) + "\n")
                file.flush()  # a line must survive a kill of this process

        for line in before:
            write(line)
        yield write


def _finite(record: dict[str, Any]) -> dict[str, Any]:
    """NaN and infinity are not JSON; they are written as null."""
    return {
        key: None if isinstance(value, float) and not np.isfinite(value) else value
        for key, value in record.items()
    }


def step_losses(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's steps.jsonl, none where it has no such file; RunError for damage."""
    path = folder / STEPS
    if not path.exists():
        return []
    lines = read_lines(path, StepRecord)
    for number, (line, before) in enumerate(zip(lines[1:], lines, strict=False), start=2):
        if line["step"] - line["n_steps"] < before["step"] or line["epoch"] < before["epoch"]:
            raise RunError(f"{path}: line {number} does not follow on the one before")
    return lines
