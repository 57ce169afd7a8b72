"""What the Tab key offers in a shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mnistlab.cli import completing, run_command
from mnistlab.data.published.sources import SOURCES
from mnistlab.recipes import RECIPES
from mnistlab.studies import STUDIES

# How typer's scripts for each shell hand over the words: variables of the environment.
ASKED = {
    "bash": lambda line: {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)},
    "zsh": lambda line: {"_TYPER_COMPLETE_ARGS": line},
    "fish": lambda line: {
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": line.split()[-1],
    },
}


@pytest.mark.parametrize(
    ("names", "registry"),
    [
        (completing.RECIPES, RECIPES),
        (completing.STUDIES, STUDIES),
        (completing.DATASETS, SOURCES),
    ],
)
def test_the_names_offered_are_those_of_the_registry(names: str, registry: dict[str, object]):
    assert names.split() == list(registry)


@pytest.fixture
def offered(monkeypatch, capsys):
    """What a shell shows for a line that ends in the word to be completed."""

    def ask(line: str, shell: str = "bash") -> list[str]:
        monkeypatch.setenv("_MNISTLAB_COMPLETE", f"complete_{shell}")
        for name, value in ASKED[shell](line).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            run_command([])
        assert ended.value.code == 0
        return capsys.readouterr().out.split()

    return ask


@pytest.mark.parametrize("shell", list(ASKED))
def test_commands_and_recipes_are_offered_in_every_shell(shell: str, offered):
    assert "train" in " ".join(offered("mnistlab tr", shell))
    assert "scratch-mlp-tuned" in " ".join(offered("mnistlab train scratch", shell))


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("mnistlab study ear", ["early-stopping"]),
        ("mnistlab data fetch fashion", ["fashion-mnist", "fashion-mini"]),
        ("mnistlab train mlp --data usp", ["usps"]),
        ("mnistlab cv svm", ["svm"]),
        ("mnistlab train no-such", []),
    ],
)
def test_names_that_begin_so_are_offered(line: str, names: list[str], offered):
    assert offered(line) == names


@pytest.fixture
def folder_of_runs(tmp_path: Path, monkeypatch) -> Path:
    """runs/ with two runs, the second newer, and a folder that is none."""
    for age_s, name in ((100, "runs/mlp-seed0"), (50, "runs/mlp-seed1"), (0, "runs/mlp-notes")):
        (tmp_path / name).mkdir(parents=True)
        if "seed" in name:
            (tmp_path / name / "recipe.json").write_text("{}")
        when = (tmp_path / "runs").stat().st_mtime - age_s
        os.utime(tmp_path / name, (when, when))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", ["evaluate", "compare", "predict", "explain", "export"])
def test_runs_are_offered_newest_first(command: str, folder_of_runs: Path, offered):
    assert offered(f"mnistlab {command} run") == ["runs/mlp-seed1", "runs/mlp-seed0"]


def test_runs_of_any_folder_are_offered(folder_of_runs: Path, offered):
    begun = f"{folder_of_runs}/runs/mlp-seed0"
    assert offered(f"mnistlab evaluate {begun[:-1]}") == [
        f"{folder_of_runs}/runs/mlp-seed1",
        begun,
    ]
    assert offered("mnistlab evaluate no/such/folder") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_with_the_script_it_is_given():
    lines = [
        'eval "$(mnistlab --show-completion)"',
        "COMP_WORDS=(mnistlab train scratch-c) COMP_CWORD=2",
        "_mnistlab_completion mnistlab",
        'echo "${COMPREPLY[@]}"',
    ]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ended = subprocess.run(
        ["bash", "-c", "\n".join(lines)], env=environment, capture_output=True, text=True
    )
    assert ended.stdout.split() == ["scratch-cnn"], ended.stderr
