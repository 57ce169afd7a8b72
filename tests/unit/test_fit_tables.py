"""The tables of the fit benchmark say what a line of the ledger says."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import fit_tables

ENV = {"cpu": "CPU", "threads": 2, "precision": "bfloat16", "torch": "2.14.1", "numpy": "2.4"}


def line(data: str, minutes: float, **methods: dict[str, Any]) -> dict[str, Any]:
    figures = {"figure": "accuracy", "seeds": [0, 1, 2], "methods": methods}
    stamp = {"commit": "0abc", "date": "2026-11-30", "env": ENV}
    head = {"kind": "benchmark", "name": "fit", "data": data, "minutes": minutes}
    return {**head, "figures": figures, **stamp}


def values(accuracy: list[float], overrun: list[float], **more: Any) -> dict[str, Any]:
    return {"accuracy": accuracy, "overrun": overrun, **more}


FIT = values([0.91, 0.92, 0.93], [-0.01, 0.0, 0.03], is_killed=[True, False, False])
PEER = values([0.81, 0.821, 0.829], [0.5, -0.1, 0.0])
LINES = [line("mnist", 1.0, fit=FIT, FLAML=PEER), line("digits", 1.0, fit=FIT)]


def rows(table: str) -> list[list[str]]:
    lines = [each for each in table.splitlines() if each.startswith("|")]
    return [[cell.strip() for cell in each.strip("|").split("|")] for each in lines[2:]]


def test_each_method_stands_beside_each_set() -> None:
    of_mnist, of_digits = rows(fit_tables.accuracies_of(LINES))
    assert of_mnist[:3] == ["mnist", "1", "accuracy"]
    assert of_mnist[3].startswith("0.9200 (")
    assert of_mnist[4].startswith("0.8200 (")
    assert of_digits[4] == "–"


def test_gains_are_paired_by_seed() -> None:
    (row,) = rows(fit_tables.differences_of(LINES))
    assert row[:3] == ["mnist", "1", "FLAML"]
    assert row[3].startswith("+10.0 (")
    assert row[5] == "yes"
    (other,) = rows(fit_tables.differences_of([line("mnist", 1.0, fit=PEER, FLAML=FIT)]))
    assert other[5] == "no"


def test_fits_that_end_late_are_counted() -> None:
    ours, flaml = rows(fit_tables.overruns_of(LINES))
    assert ours == ["**fit**", "1", "6", "2", "101 %", "103 %", "2"]
    assert flaml == ["FLAML", "1", "3", "–", "113 %", "150 %", "1"]


def test_the_newest_line_of_a_set_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        line("digits", 1.0, fit=PEER),
        line("digits", 5.0, fit=FIT),
        line("mnist", 1.0, fit=FIT),
        line("digits", 1.0, fit=FIT),
    ]
    monkeypatch.setattr(fit_tables.ledger, "read", lambda: found)
    assert fit_tables.lines() == [found[2], found[3], found[1]]
    monkeypatch.setattr(fit_tables.ledger, "read", list)
    assert fit_tables.overrun_table() == fit_tables.NOT_YET
