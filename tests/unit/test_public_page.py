"""The public page: one list of names, the same for Python, type checkers and the command line."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import mnistlab
import mnistlab as ml
from mnistlab.cli import app

CHECKOUT = Path(__file__).parents[2]

# Commands whose function has another name: modules of the command's name exist, or shell words.
FUNCTIONS = {
    "list": "available",
    "recipes": "get_recipe",
    "cv": "cross_validate",
    "study": "run_study",
    "records": "train_record",
}
WITHOUT_FUNCTION = {"bench"}  # runs `python -m benchmarks.NAME` in a checkout


def commands(group: typer.main.Typer = app) -> set[str]:
    parser = typer.main.get_command(group)
    found: set[str] = set()
    for name, command in parser.commands.items():
        found |= set(command.commands) if hasattr(command, "commands") else {name}
    return found


def test_every_public_name_can_be_had() -> None:
    assert len(set(mnistlab.__all__)) == len(mnistlab.__all__)
    for name in mnistlab.__all__:
        assert getattr(mnistlab, name) is not None
    assert dir(mnistlab) == sorted(mnistlab.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = mnistlab.nonsense


def test_every_command_has_its_function() -> None:
    assert {"train", "audit", "profile", "tune"} <= commands()
    for command in commands() - WITHOUT_FUNCTION:
        assert callable(getattr(ml, FUNCTIONS.get(command, command))), command


def test_what_is_public_is_described() -> None:
    for name in mnistlab.__all__:
        value = getattr(mnistlab, name)
        if callable(value) or inspect.ismodule(value):
            assert inspect.getdoc(value), name


def test_no_room_hides_a_function() -> None:
    """`import mnistlab.x` sets the attribute x of mnistlab, which must not be another name's."""
    package = Path(mnistlab.__file__).parent
    rooms = {path.stem for path in package.iterdir()} & {*mnistlab.__all__}
    assert all(inspect.ismodule(getattr(mnistlab, room)) for room in rooms)


@pytest.mark.timeout(3600)  # a minute without a cache, and much more on a busy machine
def test_a_type_checker_knows_every_public_function(tmp_path: Path) -> None:
    """With the cache of `make types` this takes a second."""
    functions = [name for name in mnistlab.__all__ if inspect.isfunction(getattr(mnistlab, name))]
    assert {"audit", "profile", "tune", "train", "load"} <= {*functions}
    user = tmp_path / "user.py"
    lines = [*(f"reveal_type(ml.{name})" for name in functions), "ml.tune(1)", "ml.nonsense"]
    user.write_text("\n".join(["import mnistlab as ml", *lines]), encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", str(user)], cwd=CHECKOUT, capture_output=True, text=True
    ).stdout.splitlines()
    notes = [line for line in checked if "note: Revealed type is" in line]
    for name, note in zip(functions, notes, strict=True):
        assert 'Revealed type is "def ' in note, f"{name}: {note}"
        assert 'Revealed type is "def (*Any' not in note, f"{name}: {note}"
    first, second, *_ = [line for line in checked if "error:" in line]
    assert 'Argument 1 to "tune" has incompatible type "int"' in first
    assert 'Module has no attribute "nonsense"' in second
