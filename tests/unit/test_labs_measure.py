"""`python -m labs.measure`: here every row on a few images; `accuracy` means nothing then."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

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


@pytest.fixture
def few_epochs(measure: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = sys.modules["measure_final"]
    for name, value in {"BATCH_SIZE": 16, "PATIENCE": 1, "MOST_EPOCHS": 2}.items():
        monkeypatch.setattr(module, name, value)
    return module


def test_the_final_network_is_kept_after_each_epoch_and_goes_on(
    measure: ModuleType, few_epochs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y, X_test, y_test = measure.train_and_test("")
    parts = ((X, y), (X_test, y_test))
    whole = few_epochs.final_model(*parts, 0, tmp_path / "whole.pt")
    keep = few_epochs.Training._keep
    for _ in range(sum(whole["epochs"]) - 1):  # each process ends right after its first epoch

        def keep_and_end(training: Any) -> None:
            keep(training)
            raise KeyboardInterrupt

        monkeypatch.setattr(few_epochs.Training, "_keep", keep_and_end)
        with pytest.raises(KeyboardInterrupt):
            few_epochs.final_model(*parts, 0, tmp_path / "stopped.pt")
    monkeypatch.setattr(few_epochs.Training, "_keep", keep)
    resumed = few_epochs.final_model(*parts, 0, tmp_path / "stopped.pt")
    assert resumed | {"time_s": 0} == whole | {"time_s": 0}
    states = [
        torch.load(tmp_path / f"{name}.pt", weights_only=True)["model"]
        for name in ("whole", "stopped")
    ]
    assert all(torch.equal(a, b) for a, b in zip(*map(dict.values, states), strict=True))


def test_each_phase_stops_by_itself_and_the_third_gives_its_best(
    few_epochs: ModuleType, measure: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(few_epochs, "PATIENCE", 2)
    monkeypatch.setattr(few_epochs, "MOST_EPOCHS", 5)
    validated = iter([0.5, 0.4, 0.3, 0.2, 0.3, 0.1, 0.2, 0.7, 0.8, 0.7, 0.1])
    trained: list[tuple[str, float, float]] = []

    def train_model(model: nn.Module, *others: Any) -> dict[str, list[float]]:
        group = others[3].param_groups[0]
        trained.append((type(others[3]).__name__, group["lr"], group["weight_decay"]))
        with torch.no_grad():
            next(model.parameters()).fill_(len(trained))
        return {"val_accuracy": [next(validated)]}

    monkeypatch.setattr(few_epochs.loop, "train_model", train_model)
    model = few_epochs.FinalModel()
    epochs, _ = few_epochs.Training(model, None, None, tmp_path / "kept.pt").run()
    assert epochs == [3, 4, 4]
    phases = [("Adam", 1e-3, 1e-3), ("SGD", 1e-3, 1e-3), ("SGD", 1e-3, 0.0)]
    assert trained == [phase for phase, n in zip(phases, epochs, strict=True) for _ in range(n)]
    assert next(model.parameters()).flatten()[0] == 9  # the second epoch of the third phase


def test_transfer_says_that_weights_are_missing(
    measure: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["measure"].ml, "weights_at_hand", lambda name: False)
    assert measure.transferred()["accuracy"] is None
