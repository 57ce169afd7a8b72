"""How to run: keyword arguments of public functions, and options of commands, become one value."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from mnistlab.cli.options import grouped
from mnistlab.runs import Execution, Progress, execution_of, resume
from mnistlab.runs.execution import ComputeOptions
from mnistlab.tuning import tune


def test_keyword_arguments_become_an_execution() -> None:
    progress = Progress()
    found = execution_of({"out": "here", "threads": 2, "progress": progress})
    assert found == Execution(Path("here"), threads=2, progress=progress)
    nothing = execution_of({"threads": None, "progress": None})
    assert (nothing.out, nothing.device, nothing.threads, nothing.force) == (
        Path("runs"),
        "auto",
        None,
        False,
    )


@pytest.mark.parametrize("call", [resume, tune])
def test_an_argument_that_a_function_would_ignore_is_refused(call: object) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'force'"):
        call("nowhere", force=True)  # type: ignore[operator]
    with pytest.raises(TypeError, match="'treads'; there are: device, progress, threads"):
        execution_of({"treads": 2}, ComputeOptions)  # type: ignore[typeddict-unknown-key]


def test_a_silent_execution_can_be_sent_to_a_process() -> None:
    assert pickle.loads(pickle.dumps(Execution(threads=3))) == Execution(threads=3)


def test_the_fields_of_a_dataclass_are_options_of_a_command() -> None:
    @dataclass(frozen=True)
    class Size:
        """Two options that belong together."""

        width: Annotated[int, typer.Option("--width", min=1)] = 3
        height: Annotated[int, typer.Option("--height")] = 4

    seen: list[tuple[str, Size]] = []

    def draw(name: Annotated[str, typer.Argument()], size: Size) -> None:
        """Draw it."""
        seen.append((name, size))

    draw.__annotations__["size"] = Size  # the class is known here alone
    app = typer.Typer()
    app.command()(grouped(draw))
    assert CliRunner().invoke(app, ["box", "--height", "9"]).exit_code == 0
    assert CliRunner().invoke(app, ["box", "--width", "0"]).exit_code == 2
    assert seen == [("box", Size(3, 9))]
