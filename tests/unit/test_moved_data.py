"""A run whose data have been moved away or deleted since its training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset, export


@pytest.fixture
def run(stripes: Dataset, tmp_path: Path) -> ml.Run:
    """Trained on a folder that then moves from set to moved/set."""
    export(stripes.take(np.arange(200)), tmp_path / "set", format="npz")
    recipe = ml.set_fields(ml.get_recipe("softmax"), {"epochs": 1})
    run = ml.train(recipe, tmp_path / "set", out=tmp_path / "runs", threads=1)
    (tmp_path / "moved").mkdir()
    (tmp_path / "set").rename(tmp_path / "moved" / "set")
    export(stripes.take(np.arange(200, 240)), tmp_path / "sets")  # a name that is nearly the same
    return run


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run_command(words) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ")
    return line


def test_what_needs_the_data_says_how_the_run_finds_them_again(
    run: ml.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (table,) = (tmp_path / "sets").glob("*.csv")
    path, out, images = str(run.path), str(tmp_path / "out"), str(table)
    for words in (
        ["evaluate", path],
        ["predict", path, images, "-o", f"{out}.csv", "--unusual"],
    ):
        line = refusal(words, capsys)
        assert f"the data that {path} was trained on are no longer there" in line
        assert f"mnistlab evaluate {path} --data PATH" in line
        assert "did you mean" not in line
    assert not list(tmp_path.glob("out*"))
    assert run_command(["evaluate", path, "--data", str(tmp_path / "moved" / "set")]) == 0
    assert run_command(["evaluate", path]) == 0
    assert run_command(["predict", path, images, "-o", f"{out}.csv", "--unusual"]) == 0


def test_other_data_are_not_remembered(run: ml.Run, tmp_path: Path) -> None:
    before = (run.path / "data.json").read_bytes()
    assert ml.evaluate(run, tmp_path / "sets").result["other_data"]
    assert (run.path / "data.json").read_bytes() == before


def test_data_that_are_where_they_were_stay_the_runs(run: ml.Run, tmp_path: Path) -> None:
    (tmp_path / "moved" / "set").rename(tmp_path / "set")
    export(ml.load(tmp_path / "set"), tmp_path / "copy", format="npz")
    before = (run.path / "data.json").read_bytes()
    ml.evaluate(run, tmp_path / "copy")
    assert (run.path / "data.json").read_bytes() == before


@pytest.mark.parametrize("is_known", [False, True], ids=["no distance", "with distance"])
def test_without_its_data_a_run_is_exported_and_it_is_said(
    is_known: bool, run: ml.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra 'export' is not installed")
    if is_known:
        there, away = tmp_path / "set", tmp_path / "moved" / "set"
        away.rename(there)
        (images_path,) = there.glob("*.npz")
        ml.predict(run, images_path, tmp_path / "table.csv", unusual=True)
        there.rename(away)
    path = tmp_path / "model.onnx"
    capsys.readouterr()
    assert run_command(["export", str(run.path), "-o", str(path), "--json"]) == 0
    said = capsys.readouterr()
    assert "compared with the run on random images: " in said.err
    assert ("cannot be told" in said.err) is not is_known
    written = json.loads(said.out.splitlines()[-1])
    assert written["are_random"]
    assert written["n_equal"] == 1000
    assert "on 1,000 random images" in said.out
    assert "on 1,000 random images the file" in Path(f"{path}.md").read_text()
    session = onnxruntime.InferenceSession(path)
    assert [each.name for each in session.get_outputs()] == ["probabilities", "distance"][
        : 1 + is_known
    ]
    images = ml.load(tmp_path / "moved" / "set").images[:50]
    (found,) = session.run(["probabilities"], {"images": images})
    np.testing.assert_allclose(found, run.classifier("cpu").predict_proba(images), atol=1e-4)
