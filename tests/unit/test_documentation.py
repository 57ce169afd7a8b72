from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from benchmarks import ledger, tables


def test_tables_are_those_of_the_ledger() -> None:
    assert tables.drifted() == []


def test_every_table_is_used_and_a_changed_figure_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    text = (ledger.CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert {match[2] for match in tables.MARKED.finditer(text)} == tables.TABLES.keys()
    changed = re.sub(r"0\.9\d\d\d ±", "0.1234 ±", text, count=1)
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
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    shown = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    accuracy, page = shown.stdout.split()
    assert float(accuracy) > 0.8
    assert (tmp_path / page).is_file()


def test_ledger_lines_are_complete() -> None:
    for line in ledger.read():
        assert {"kind", "name", "commit", "date", "env"} <= line.keys()
        assert "dirty" not in line["commit"]
        if line["kind"] == "study":
            n = len(line["seeds"])
            assert n == len(line["test_accuracy"]) == len(line["val_accuracy"])
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
