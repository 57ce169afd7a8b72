"""docs/extending.md carried out: its blocks go into a copy of the sources, its commands run there.

Run as a program, in such a copy, this file runs the commands: in one process, so that torch is
loaded once.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mnistlab
from mnistlab.cli import run_command

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
HEAD = re.compile(r"# (\S+\.py)(?:, (above|in) (\w+))?\n")
GOLDEN = Path("tests") / "golden"
GOLDEN_COMMAND = "make golden RECIPES="

# What the page's blocks do


def put(path: Path, where: str | None, name: str, body: str) -> None:
    """Write a block of Python into a new file, above the definition of a name or at its end."""
    if where is None:
        assert not path.exists()
        path.write_text(body, encoding="utf-8")
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    first, last = lines_of(name, path)
    if where == "above":
        lines.insert(first, body + "\n\n")
    else:
        assert lines[last].strip() in (")", "}")
        lines.insert(last, body)
    path.write_text("".join(lines), encoding="utf-8")


def lines_of(name: str, path: Path) -> tuple[int, int]:
    """The first and the last line, from 0, of the assignment to a name."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            assert node.end_lineno
            return node.lineno - 1, node.end_lineno - 1
    raise AssertionError(f"{path} does not define {name}")


def change(path: Path, body: str) -> None:
    """Replace the lines with a minus by those with a plus."""
    old, new = (
        "".join(line[1:] for line in body.splitlines(keepends=True) if line[0] == sign)
        for sign in "-+"
    )
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path} no longer has:\n{old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


# What runs in the copy


def carry_out() -> None:
    """The page's commands and what it has of Python without a file, top to bottom."""
    assert Path(mnistlab.__file__).is_relative_to(CHECKOUT)
    keep_first_losses("maxout")
    for language, block in BLOCKS:
        if language == "sh":
            for line in block.splitlines():
                assert status_of(line) == 0, line
        elif language == "python" and not HEAD.match(block):
            exec(block, {"__name__": "__main__"})


def keep_first_losses(name: str) -> None:
    """What GOLDEN_COMMAND does under ten makes of CPU, which takes long, under this one."""
    sys.path.insert(0, str(GOLDEN.resolve()))
    from first_losses import first_losses, shortened

    from mnistlab.recipes import get_recipe

    steps, epochs = first_losses(*shortened(get_recipe(name)))
    for file, numbers in {
        "losses": (f"{loss:.6f}" for loss in epochs),
        "steps": (f"{loss:.6f}" for loss in steps),
        "spread": ("0" for _ in [*steps, *epochs]),
    }.items():
        with (GOLDEN / f"{file}.txt").open("a", encoding="utf-8") as kept:
            print(name, *numbers, file=kept)


def status_of(line: str) -> int:
    """The exit status of a line of shell that calls mnistlab or pytest."""
    words = shlex.split(line)
    with pytest.MonkeyPatch.context() as patch:
        while "=" in words[0]:
            variable, _, value = words.pop(0).partition("=")
            patch.setenv(variable, value)
        if words[0] == "mnistlab":
            return run_command(words[1:])
        assert words[:3] == ["python", "-m", "pytest"], line
        return pytest.main([*words[3:], "-v"])


# The tests


def run(checkout: Path, *command: str) -> str:
    finished = subprocess.run(
        [sys.executable, *command],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources with all that the page adds, in the order of `make format`."""
    checkout = tmp_path_factory.mktemp("extended")
    for folder in ("mnistlab", "tests", "docs"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / folder, checkout / folder, ignore=ignored)
    shutil.copy(CHECKOUT / "pyproject.toml", checkout)
    touched = set()
    for language, block in BLOCKS:
        if head := HEAD.match(block):
            path, body = checkout / head[1], block[head.end() :]
            change(path, body) if language == "diff" else put(path, head[2], head[3], body)
            touched.add(head[1])
    run(checkout, "-m", "ruff", "format", *touched)
    run(checkout, "-m", "ruff", "check", "--fix", *touched)
    return checkout


@pytest.mark.slow
def test_the_page_does_what_it_says(extended: Path) -> None:
    out = run(extended, "tests/unit/test_extending.py")
    for name in re.findall(r"`(test_\w+(?:\[[^`]+\])?)`", PAGE):
        assert re.search(rf"::{re.escape(name)}.* PASSED", out), f"{name} did not run"
    recipes = [json.loads(path.read_text()) for path in extended.glob("runs/maxout-*/recipe.json")]
    assert [recipe["model"] for recipe in recipes] == ["maxout"]
    assert recipes[0]["augmentation"] == {"dimming": 0.5}
    assert recipes[0]["phases"][0]["optimizer"] == "adamax"
    assert recipes[0]["phases"][0]["schedule"] == "exponential"
    (study,) = extended.glob("runs/study-maxout-optimizers-*/result.json")
    assert [arm["arm"] for arm in json.loads(study.read_text())["arms"]] == ["adam", "adamax"]
    answer, _, page = out.splitlines()[-1].rpartition(" ")  # of the script
    assert answer.startswith("On the test part, against plain")
    assert (extended / page).is_file()


def test_the_page_names_the_command_that_keeps_first_losses() -> None:
    assert GOLDEN_COMMAND in PAGE
    golden_tests = CHECKOUT / GOLDEN / "test_losses.py"
    assert GOLDEN_COMMAND in golden_tests.read_text(encoding="utf-8")


if __name__ == "__main__":
    carry_out()
