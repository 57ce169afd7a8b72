"""How to run what a recipe describes: on which device, with how many threads, into which folder.

Nothing here is part of a recipe. The device and the number of threads change a result in its last
digits only; nothing else here changes it at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from mnistlab.runs.progress import Progress
from mnistlab.runs.shown_progress import default_progress

DEFAULT_FOLDER = Path("runs")


@dataclass(frozen=True)
class Execution:
    """How to run; made once, by the command line or by Python, and passed on.

    out: the folder in which run folders are made. device: "auto", "cpu", "cuda" or "mps".
    threads: of torch and of NumPy's products; None for as many as the libraries choose.
    force: train again what is complete already. progress: callbacks.
    """

    out: Path = DEFAULT_FOLDER
    device: str = "auto"
    threads: int | None = None
    force: bool = False
    progress: Progress = field(default_factory=Progress)


class ComputeOptions(TypedDict, total=False):
    """Keyword arguments of a function that computes in a folder that is there already."""

    device: str
    threads: int | None
    progress: Progress | None


class FolderOptions(ComputeOptions, total=False):
    """Keyword arguments of a function that makes folders and always reuses what is complete."""

    out: Path | str


class ExecutionOptions(FolderOptions, total=False):
    """The fields of Execution as keyword arguments: `**options: Unpack[ExecutionOptions]`."""

    force: bool


def execution_of(
    options: ComputeOptions | FolderOptions | ExecutionOptions,
    allowed: type[ComputeOptions] | type[FolderOptions] | type[ExecutionOptions] = ExecutionOptions,
) -> Execution:
    """The Execution that the keyword arguments of a public function describe.

    None stands for the default; the progress of a call from Python is shown, see
    `shown_progress`. Raises TypeError for an argument that is not in `allowed`: a
    TypedDict is not checked when the program runs, and a misspelt `threads` must not be ignored.
    """
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    if unknown := options.keys() - allowed.__annotations__.keys():
        raise TypeError(
            f"unexpected keyword argument {min(unknown)!r}; there are: "
            f"{', '.join(sorted(allowed.__annotations__))}"
        )
    if "out" in given:
        given["out"] = Path(given["out"])
    given.setdefault("progress", default_progress())
    return Execution(**given)
