from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import ledger, tables


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


def test_the_readmes_python_runs(tmp_path) -> None:
    text = (ledger.CHECKOUT / "README.md").read_text(encoding="utf-8")
    start, by_hand = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    accuracy, page = printed_by(start, tmp_path).split()
    assert float(accuracy) > 0.8
    assert (tmp_path / page).is_file()
    *errors, summary, accuracy = printed_by(by_hand, tmp_path).splitlines()
    assert "compared" in summary
    assert all(float(line.split()[1]) < 1e-6 for line in errors)
    assert float(accuracy) > 0.75


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
