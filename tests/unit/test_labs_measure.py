"""`python -m labs.measure`: here every row on a few images; `accuracy` means nothing then."""

from __future__ import annotations

import importlib
import json
import sys
from types import ModuleType

import numpy as np
import pytest

import mnistlab as ml
from benchmarks.ledger import CHECKOUT

FAST = ("E1", "E2", "A4", "A5", "A6", "B1", "B3", "E3")


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(CHECKOUT / "labs"))
    module = importlib.import_module("measure")
    split = ml.split(ml.load("fashion-mini"), "train-test")
    X = split.train.images[:90].reshape(-1, 784).astype(np.float32) / 255
    y = split.train.labels[:90]
    monkeypatch.setattr(module, "train_and_test", lambda name: (X[:60], y[:60], X[60:], y[60:]))
    parts = (X[:60], X[60:75], X[75:], y[:60], y[60:75], y[75:])
    monkeypatch.setattr(module, "course_data", lambda: parts)
    return module


@pytest.mark.parametrize("name", FAST)
def test_a_row_is_one_line(
    name: str, measure: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    measure.main([name])
    line = json.loads(capsys.readouterr().out)
    assert line["row"] == name
    found = line["accuracy"]
    assert all(0 <= each <= 1 for each in (found.values() if isinstance(found, dict) else [found]))
    if name != "B1":
        worst = min(found.values()) if isinstance(found, dict) else found
        assert worst > 0.1  # something was learned


def test_the_course_data_are_all_images_split_and_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(CHECKOUT / "labs"))
    module = importlib.import_module("measure")
    mini = ml.load("fashion-mini")
    monkeypatch.setattr(module.ml, "load", lambda name: mini)
    X_train, X_val, X_test, *labels = module.course_data.__wrapped__()
    assert [len(part) for part in (X_train, X_val, X_test)] == [4900, 1050, 1050]
    assert [len(part) for part in labels] == [4900, 1050, 1050]
    assert (X_train.min(), X_train.max()) == (0, 1)


def test_rows_are_listed_and_unknown_ones_refused(
    measure: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    measure.main([])
    assert len(capsys.readouterr().out.splitlines()) == len(measure.ROWS)
    with pytest.raises(ml.MnistlabError, match="neither a row nor a chapter: Z9"):
        measure.main(["Z9", "E1"])
    assert {row.chapter for row in measure.ROWS.values()} <= set(range(1, 12))


def test_a_row_can_be_recorded(
    measure: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines: list[dict] = []
    monkeypatch.setattr("benchmarks.ledger.append", lines.extend)
    measure.main(["E1", "--record"])
    (line,) = lines
    assert line["kind"] == "course"
    assert line["figures"] == json.loads(capsys.readouterr().out)
    assert "threads" in line["env"]


def test_transfer_says_that_weights_are_missing(
    measure: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["measure"].ml, "weights_at_hand", lambda name: False)
    assert measure.transferred()["accuracy"] is None
