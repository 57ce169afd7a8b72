"""The command line with the SVM, networks by hand, cross-validation and the studies' kinds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from quick_figures import unpainted

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset


@pytest.fixture
def csv(stripes: Dataset, tmp_path: Path) -> Path:
    ml.export(stripes, tmp_path / "csv", format="csv")
    return tmp_path / "csv"


def last_json(captured: str) -> dict:
    return json.loads(captured.splitlines()[-1])


def test_cv_shows_its_folds_and_ends_with_json(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["cv", "svm", "--data", str(csv), "--folds", "3", "--out", str(tmp_path / "runs")]
    assert run_command([*arguments, "--set", "n_train=60", "--json"]) == 0
    shown = capsys.readouterr()
    result = last_json(shown.out)
    assert (result["n_folds"], result["n_images"], result["recipe"]) == (3, 60, "svm")
    assert result["accuracy_mean"] == pytest.approx(np.mean(result["accuracy"]))
    lines = shown.out.splitlines()
    assert lines[0].split() == ["fold", "accuracy", "seconds"]
    assert [line.split()[:2] for line in lines[2:5]] == [
        [str(number), f"{accuracy:.4f}"] for number, accuracy in enumerate(result["accuracy"], 1)
    ]
    assert f"mean {result['accuracy_mean']:.4f}, standard deviation" in lines[5]
    assert "60 training images" in lines[5]
    for number, accuracy in enumerate(result["accuracy"], 1):
        assert f"[{number}/3] svm fold {number} scored {accuracy:.4f}" in shown.err
    kept = json.loads((Path(result["path"]) / "result.json").read_text())
    assert kept == {key: value for key, value in result.items() if key != "path"}
    assert "\x1b" not in shown.err + shown.out


def test_cv_of_a_network_by_hand_and_again(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--set", "epochs=1", "--set", "model_args.hidden_sizes=[4]", "--folds", "2"]
    arguments = ["cv", "scratch-mlp", "--data", str(csv), *small, "--out", str(tmp_path), "--json"]
    assert run_command(arguments) == 0
    first = capsys.readouterr()
    assert "epoch 1, loss" in first.err
    assert run_command(arguments) == 0
    again = capsys.readouterr()
    assert "epoch 1" not in again.err
    assert last_json(again.out) == last_json(first.out)
    assert run_command([*arguments, "--force"]) == 0
    forced = capsys.readouterr()
    assert "epoch 1" in forced.err
    assert last_json(forced.out)["accuracy"] == last_json(first.out)["accuracy"]


def test_an_svm_is_trained_and_evaluated(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["--set", "model_args.C=3", "--set", "model_args.gamma=0.01", "--set", "n_train=200"]
    command = ["train", "svm", "--data", str(csv), *settings, "--out", str(tmp_path), "--json"]
    assert run_command(command) == 0
    shown = capsys.readouterr()
    trained = last_json(shown.out)
    assert (trained["epochs"], trained["test_accuracy"]) == (0, None)
    run = ml.open_run(trained["path"])
    assert run.recipe.model_args == {"C": 3.0, "gamma": 0.01}
    assert run.data["n_train"] == 200
    assert run_command(["evaluate", trained["path"], "--json"]) == 0
    evaluated = last_json(capsys.readouterr().out)
    assert evaluated["n_test"] == 120
    assert evaluated["test_accuracy"] > 0.8
    page = (Path(trained["path"]) / "report.html").read_text()
    assert "Training" in page
    assert "Before and after" not in page  # there are no epochs to come before
    assert f"{100 * evaluated['test_accuracy']:.2f} %" in page
    assert "<dt>Model</dt><dd>svm, C 3.0, gamma 0.01</dd>" in page


@unpainted()
def test_a_calibrated_svm_keeps_probabilities(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["--set", "model_args.calibrated=true", "--set", "model_args.n_calibration_folds=2"]
    settings += ["--set", "n_train=80"]
    assert run_command(["train", "svm", "--data", str(csv), *settings, "--out", str(tmp_path)]) == 0
    (path,) = tmp_path.glob("svm-*")
    capsys.readouterr()
    assert run_command(["evaluate", str(path)]) == 0
    probabilities = ml.open_run(path).probabilities()
    assert probabilities.shape == (120, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@unpainted()
def test_a_network_by_hand_is_trained_with_two_seeds(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["--set", "epochs=2", "--set", "optimizer=adam", "--set", "model_args.dropout=0.1"]
    command = ["train", "scratch-mlp", "--data", str(csv), *settings, "--seeds", "2", "--json"]
    assert run_command([*command, "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    runs = last_json(shown.out)["runs"]
    assert len({run["path"] for run in runs}) == 2
    assert [run["epochs"] for run in runs] == [2, 2]
    assert ml.open_run(runs[0]["path"]).recipe.phases[0].optimizer == "adam"
    assert "[2/2] scratch-mlp seed 1: epoch 2" in shown.err
    assert run_command(["evaluate", runs[0]["path"]]) == 0
    assert "Before and after" in (Path(runs[0]["path"]) / "report.html").read_text()


def test_recipes_by_hand_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["recipes", "--json"]) == 0
    shown = capsys.readouterr().out
    listed = {recipe["name"]: recipe for recipe in last_json(shown)}
    assert listed["scratch-mlp"]["n_parameters"] == 101_770
    assert listed["svm"]["n_parameters"] is None
    assert listed["svm"]["phases"] == []
    (line,) = (line for line in shown.splitlines() if line.startswith("svm "))
    assert "by data" in line


def test_help_of_cv_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["cv", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Example: mnistlab cv " in shown
    assert all(option in shown for option in ("--folds", "--force", "--set", "--json"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("cv", "recipe"),
        ("cv svn", "did you mean 'svm'"),
        ("cv svm --folds 1", "--folds"),
        ("cv svm --folds two", "--folds"),
        ("cv svm --folds 9 --data tiny.npz", "no more than the 4 training images"),
        ("cv svm --set model_args.C=-1", "C must be positive"),
        ("cv svm --set model_args.C=soft", "--set model_args.C=soft"),
        ("cv svm --set model_args.gama=1", "did you mean 'gamma'"),
        ("cv svm --set model_args.gamma=large", "--set model_args.gamma=large"),
        ("cv svm --set epochs=3", "svm learns without phases"),
        ("cv svm --set split=thirds", "unknown split 'thirds'"),
        ("cv svm --device cuda", "runs on the CPU alone"),
        ("cv svm --data nowhere.csv", "nowhere.csv: no such file"),
        ("train svm --set model_args.n_calibration_folds=1", "n_calibration_folds must be"),
        ("train svm --set precision=float16", "precision 'float16'"),
        ("train scratch-mlp --device mps", "runs on the CPU alone"),
        ("train scratch-mlp --set optimizer=lion", "unknown optimizer 'lion'"),
        ("train scratch-mlp --set model_args.activation=swish", "swish"),
        ("train scratch-mlp --set model_args.hidden_sizes=8", "--set model_args.hidden_sizes=8"),
        ("train scratch-mlp --set model_args.dropout=1.5", "dropout"),
        ("study svm-gird", "unknown study 'svm-gird'; there are: ladder, embedding"),
        ("study embedding --data nowhere", "nowhere"),
        ("study embedding --seeds 0", "--seeds"),
        # Options that the rest of the command leaves without a meaning.
        ("study embedding --seeds 3", "study embedding compares no arms: it has no seeds"),
        ("evaluate run --size 8 --label-column y", "--size, --label-column: say how --data is"),
        ("records --seeds 2 --json", "--seeds: is of a training; name the record"),
        ("check nowhere.py --watch --json", "--json: is of one check, and --watch never ends"),
        ("serve nowhere.onnx --anyone --token-file t", "--anyone: lets other computers in without"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if "tiny.npz" in arguments:
        images = np.zeros((24, 5, 5), np.uint8)
        np.savez("tiny.npz", images=images, labels=np.arange(24) % 4)
    there = set(tmp_path.iterdir())
    assert run_command(arguments.split()) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert shown.out == ""
    assert set(tmp_path.iterdir()) == there


def test_a_study_of_another_kind_prints_its_table_answer_and_page(
    tmp_path: Path, stripes: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "few.npz", images=stripes.images[:80], labels=stripes.labels[:80])
    data = str(tmp_path / "few.npz")
    out = tmp_path / "runs"
    assert run_command(["study", "embedding", "--data", data, "--out", str(out), "--json"]) == 0
    shown = capsys.readouterr().out
    result = last_json(shown)
    assert (result["study"], result["arms"], result["n_train"]) == ("embedding", [], 56)
    assert result["answer"] in shown
    page = Path(result["path"]) / "report.html"
    assert f"report: {page}" in shown
    assert shown.splitlines()[0].split() == ["Space", "Correct"]
    said = re.sub("<[^>]*>", "", page.read_text())
    assert f"mnistlab study embedding --data {data}" in said


def test_the_grid_from_the_command_line(
    tmp_path: Path, stripes: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "few.npz", images=stripes.images[:80], labels=stripes.labels[:80])
    arguments = ["study", "svm-grid", "--data", str(tmp_path / "few.npz"), "--out", str(tmp_path)]
    assert run_command([*arguments, "--json"]) == 0
    shown = capsys.readouterr()
    result = last_json(shown.out)
    assert len(result["arms"]) == 10
    assert shown.out.splitlines()[0].split()[:2] == ["C", "gamma"]
    assert shown.err.count(" scored ") == 27
    assert "[28/28]" in shown.err
    assert run_command(arguments) == 0
    assert "training on" not in capsys.readouterr().err
