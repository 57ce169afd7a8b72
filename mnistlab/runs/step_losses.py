"""steps.jsonl: the loss within epochs, a line for every so many steps, where the recipe wants it.

It is written anew from the checkpoint that a training goes on from, as log.jsonl is: no line is
missing or there twice, whenever it was stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mnistlab import atomic
from mnistlab.errors import RunError
from mnistlab.phases import StepLog, StepLoss
from mnistlab.phases.checkpoint import Checkpoint
from mnistlab.runs.describing import finite
from mnistlab.runs.records import StepRecord, read_lines

FILE = "steps.jsonl"


@contextmanager
def step_log(folder: Path, every: int | None, saved: Checkpoint | None) -> Iterator[StepLog | None]:
    """What writes the lines while the block runs; None where none are wanted."""
    if every is None:
        yield None
        return
    path = folder / FILE
    with path.open("w", encoding="utf-8") as file:

        def write(line: StepLoss) -> None:
            with atomic.named(path):
                file.write(json.dumps(finite(asdict(line))) + "\n")
                file.flush()

        for line in saved.state.step_losses if saved else ():
            write(line)
        yield StepLog(every, write)


def step_losses(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's folder, none where it has no such file; RunError for damage."""
    path = folder / FILE
    if not path.exists():
        return []
    lines = read_lines(path, StepRecord)
    for number, (line, before) in enumerate(zip(lines[1:], lines, strict=False), start=2):
        if line["step"] - line["n_steps"] < before["step"] or line["epoch"] < before["epoch"]:
            raise RunError(f"{path}: line {number} does not follow on the one before")
    return lines
