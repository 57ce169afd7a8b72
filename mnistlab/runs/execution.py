"""How to run what a recipe describes: on which device, with how many threads, into which folder.

Nothing here is part of a recipe, and nothing here but the device and the threads changes a number,
those only in its last digits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from mnistlab.runs.progress import Progress

DEFAULT_FOLDER = Path("runs")


@dataclass(frozen=True)
class Execution:
    """How to run; made once, by the command line or by Python, and passed on.

    out: the folder in which run folders are made. device: "auto", "cpu", "cuda" or "mps".
    threads: of torch and of NumPy's products; None for as many as the libraries choose.
    force: train again what is complete already. progress: the callbacks that are told.
    """

    out: Path = DEFAULT_FOLDER
    device: str = "auto"
    threads: int | None = None
    force: bool = False
    progress: Progress = field(default_factory=Progress)


class ExecutionOptions(TypedDict, total=False):
    """The fields of Execution as keyword arguments: `**options: Unpack[ExecutionOptions]`."""

    out: Path | str
    device: str
    threads: int | None
    force: bool
    progress: Progress | None


def execution_of(options: ExecutionOptions) -> Execution:
    """The Execution that the keyword arguments of a public function describe."""
    given = {name: value for name, value in options.items() if value is not None}
    return Execution(**{**given, "out": Path(options.get("out", DEFAULT_FOLDER))})  # type: ignore[arg-type]
