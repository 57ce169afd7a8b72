from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from quick_figures import unpainted

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.errors import RunError
from mnistlab.evaluation.corruptions import CORRUPTIONS, corrupted
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Run, evaluate, measure_robustness, train

NET = Recipe("net", "A4", "scratch", (Phase("momentum", 0.02, 3),), scaling="min-max")


@pytest.fixture
def run(stripes: Dataset, tmp_path: Path) -> Run:
    return evaluate(train(NET, stripes, out=tmp_path), stripes)


def test_errors_are_those_on_corrupted_test_images(run: Run, stripes: Dataset) -> None:
    seen: list[str] = []
    measured = measure_robustness(
        run, stripes, on_corruption=lambda name, errors: seen.append(name)
    )
    assert seen == list(CORRUPTIONS)
    errors = measured.result["corruptions"]
    assert {len(by_severity) for by_severity in errors.values()} == {5}
    images, labels = stripes.images[480:], stripes.labels[480:]
    for name, severity in (("fog", 5), ("shear", 1)):
        wrong = run.classifier().predict(corrupted(images, name, severity, 0)) != labels
        assert errors[name][severity - 1] == pytest.approx(wrong.mean())
    mean = np.mean([np.mean(by_severity) for by_severity in errors.values()])
    assert measured.result["mean_corruption_error"] == pytest.approx(mean)
    assert measured.result["test_accuracy"] == run.result["test_accuracy"]


def test_what_cannot_be_measured_is_refused(run: Run, stripes: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="data of its training alone"):
        measure_robustness(run, stripes.take(slice(0, 50)))
    fresh = train(replace(NET, seed=1), stripes, out=tmp_path)
    with pytest.raises(RunError, match="is not evaluated yet"):
        measure_robustness(fresh, stripes)


@unpainted()
def test_the_command_prints_every_corruption(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ml.export(stripes, tmp_path / "csv", format="csv")
    dataset = ml.load(str(tmp_path / "csv"))
    folder = str(train(NET, dataset, out=tmp_path / "runs").path)
    assert run_command(["evaluate", folder, "--corruptions", "--json"]) == 0
    shown = capsys.readouterr()
    told = json.loads(shown.out.splitlines()[-1])
    assert told["corruptions"].keys() == CORRUPTIONS.keys()
    for name in CORRUPTIONS:
        assert f"\n{name} " in shown.out
        assert f"] {name}\n" in shown.err
    assert f"mean corruption error {100 * told['mean_corruption_error']:.2f} %" in shown.out
