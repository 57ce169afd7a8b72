from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import mnistlab as ml
from benchmarks import ledger, tables
from mnistlab.recipes import get_recipe


def test_tables_are_those_of_the_ledger() -> None:
    assert tables.drifted() == []


def test_every_table_is_used_and_a_changed_figure_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in tables.PAGES)
    assert {match[2] for match in tables.MARKED.finditer(text)} == tables.TABLES.keys()
    changed = re.sub(r"\| 0\.9\d\d\d \|", "| 0.1234 |", text, count=1)
    assert changed != text
    assert tables.rendered(changed) == text
    with pytest.raises(KeyError):
        tables.rendered("<!-- table: nonsense -->\n<!-- end -->")


def test_ci_runs_the_readmes_test_command() -> None:
    text = (ledger.CHECKOUT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert commands[1].strip() in (ledger.CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")


def readmes_python() -> list[str]:
    text = (ledger.CHECKOUT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_readmes_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here with two epochs of the recipe it names."""
    start, by_hand = readmes_python()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ml, "get_recipe", shortened)
    accuracy, page = printed_here(start, capsys).split()
    assert float(accuracy) > 0.7
    assert (tmp_path / page).is_file()
    check_by_hand(printed_here(by_hand, capsys))


@pytest.mark.slow
def test_the_readmes_python_runs_as_it_stands(tmp_path: Path) -> None:
    start, by_hand = readmes_python()
    accuracy, page = printed_by(start, tmp_path).split()
    assert float(accuracy) > 0.8
    assert (tmp_path / page).is_file()
    check_by_hand(printed_by(by_hand, tmp_path))


def check_by_hand(printed: str) -> None:
    *errors, summary, accuracy = printed.splitlines()
    assert "compared" in summary
    assert all(float(line.split()[1]) < 1e-6 for line in errors)
    assert float(accuracy) > 0.75


def shortened(name: str) -> ml.Recipe:
    recipe = get_recipe(name)
    return replace(recipe, phases=tuple(replace(phase, epochs=2) for phase in recipe.phases))


def printed_here(example: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    exec(example, {"__name__": "__main__"})
    return capsys.readouterr().out


def printed_by(example: str, folder: Path) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", example], cwd=folder, capture_output=True, text=True, check=True
    )
    return finished.stdout


def test_ledger_lines_are_complete() -> None:
    for line in ledger.read():
        assert {"kind", "name", "commit", "date", "env"} <= line.keys()
        assert "dirty" not in line["commit"]
        if line["kind"] == "study":
            check_study_line(line)


def check_study_line(line: dict) -> None:
    if "n_folds" in line:  # a point of a grid, which sees no test part
        assert line["test_accuracy"] == []
        assert len(line["val_accuracy"]) == line["n_folds"]
    elif "seeds" in line:  # a study of images has no arms and no seeds
        n = len(line["seeds"])
        assert n == len(line["test_accuracy"]) == len(line["val_accuracy"])
        if "test_accuracy_mean" in line:
            mean = sum(line["test_accuracy"]) / n
            assert line["test_accuracy_mean"] == pytest.approx(mean)


def test_ledger_appends(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(ledger, "LEDGER", tmp_path / "ledger.jsonl")
    ledger.append([{"kind": "benchmark", "name": "a", "figures": {"x": 1}}])
    ledger.append([{"kind": "benchmark", "name": "a", "figures": {"x": 2}}])
    assert [line["figures"]["x"] for line in ledger.read()] == [1, 2]
    newest = ledger.latest("benchmark", "a")
    assert newest is not None
    assert newest["figures"] == {"x": 2}
    assert ledger.latest("study", "a") is None
    assert json.loads((tmp_path / "ledger.jsonl").read_text().splitlines()[0])["commit"]
