"""Several runs evaluated at once, from training to comparison; and cautions of every evaluation."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset, export
from mnistlab.errors import RunError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress, Run, compare, evaluate, open_run, train

NET = Recipe("small", "C19", "scratch", (Phase("adam", 0.01, 1),), {"hidden_sizes": (16,)})
SETTINGS = ["--set", "epochs=1"]


def _next(out: str) -> list[str]:
    (line,) = (line for line in out.splitlines() if line.startswith("next: mnistlab "))
    return shlex.split(line.removeprefix("next: mnistlab "))


def test_seeds_are_trained_evaluated_and_compared_as_the_commands_say(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(stripes.take(np.arange(200)), tmp_path / "my set")
    words = ["--data", str(tmp_path / "my set"), "--out", str(tmp_path / "my runs"), *SETTINGS]
    assert run_command(["train", "scratch-mlp", *words, "--seeds", "3"]) == 0
    command = _next(capsys.readouterr().out)
    assert command[0] == "evaluate"
    assert len(command) == 4
    folders = command[1:]
    out = ["--out", str(tmp_path)]
    assert run_command(["compare", *folders, *out]) == 2
    said = capsys.readouterr().err
    assert f"{folders[0]}: is not evaluated yet, nor are 2 others; run: mnistlab evaluate" in said
    assert shlex.split(said.partition("run: mnistlab ")[2]) == command
    assert run_command([*command, "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("note: ") <= 1  # the data are read once
    results = json.loads(shown.out.splitlines()[-1])["runs"]
    assert [result["path"] for result in results] == folders
    for folder, result in zip(folders, results, strict=True):
        assert open_run(folder).result["test_accuracy"] == result["test_accuracy"]
        assert Path(folder, "report.html").is_file()
        assert f"{folder}:\naccuracy {result['test_accuracy']:.4f} on" in shown.out
    assert run_command([*_next(shown.out), *out]) == 0


def test_one_of_several_that_is_no_run_is_found_before_any_is_evaluated(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(stripes.take(np.arange(200)), tmp_path / "set")
    run = train(NET, str(tmp_path / "set"), out=tmp_path)
    assert run_command(["evaluate", str(run.path), str(tmp_path / "none")]) == 2
    assert "none: no such run folder" in capsys.readouterr().err
    assert open_run(run.path).result["test_accuracy"] is None
    with pytest.raises(RunError, match=r"is not evaluated yet, nor is 1 other; run: mnistlab eval"):
        compare([run, train(replace(NET, seed=1), str(tmp_path / "set"), out=tmp_path)])
    named = ["evaluate", str(run.path), "--data", str(tmp_path / "set"), "--json"]
    assert run_command(named) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["path"] == str(run.path)


# --- polarity --------------------------------------------------------------------------------


def _on_ground(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Bright bars, upright or level, on a dark ground."""
    labels = np.arange(n) % 2
    images = np.random.default_rng(seed).integers(0, 30, (n, 12, 12), dtype=np.uint8)
    images[labels == 0, 5:7, 2:10] = 230
    images[labels == 1, 2:10, 5:7] = 230
    return images, labels


@pytest.fixture
def swapped() -> Dataset:
    """60 images train, 20 validate; the 20 test images are inverted."""
    images, labels = _on_ground(100, 0)
    images[80:] = 255 - images[80:]
    return Dataset("swapped", images, labels, ("level", "upright"), 60, n_official_val=20)


def _trained(data: Dataset, out: Path) -> tuple[Run, list[str]]:
    said = list[str]()
    run = train(NET, data, out=out, progress=Progress(on_note=said.append))
    return run, said


def test_a_test_part_of_the_other_polarity_is_said(
    swapped: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, said = _trained(swapped, tmp_path)
    (line,) = said
    assert line.startswith("in the test images of swapped dark and bright are the other way round")
    own = list[str]()
    evaluated = evaluate(run, swapped, invert="auto", on_note=own.append)
    assert own == [
        "the test images of swapped: dark and bright are the other way round than in training; "
        "they are measured as they are"
    ]
    right = run.classifier().predict(swapped.images[80:]) == swapped.labels[80:]
    assert evaluated.result["test_accuracy"] == right.mean()
    export(swapped, tmp_path / "swapped")
    named = train(NET, str(tmp_path / "swapped"), out=tmp_path / "runs")
    capsys.readouterr()
    assert run_command(["evaluate", str(named.path)]) == 0
    assert "the other way round than in training" in capsys.readouterr().err


def test_validation_images_of_the_other_polarity_are_said_before_training(
    swapped: Dataset, tmp_path: Path
) -> None:
    images = swapped.images.copy()
    images[60:] = 255 - images[60:]
    (line,) = _trained(replace(swapped, images=images), tmp_path)[1]
    assert line.startswith("in the validation images of swapped dark and bright are the other way")
    images[:60] = 255 - images[:60]
    said = _trained(replace(swapped, images=images), tmp_path)[1]
    assert [line for line in said if "validation" in line] == []


# --- copies of validation images -------------------------------------------------------------


@pytest.mark.parametrize("n_of_train", [0, 4])
def test_copies_of_validation_images_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], n_of_train: int
) -> None:
    images, labels = _on_ground(100, 1)
    places = [*range(80), *range(60, 66), *range(n_of_train), *range(86 + n_of_train, 100)]
    data = Dataset(
        "copied", images[places], labels[places], ("level", "upright"), 60, n_official_val=20
    )
    export(data, tmp_path / "copied")
    command = ["train", "scratch-mlp", "--data", str(tmp_path / "copied"), *SETTINGS, "--json"]
    assert run_command([*command, "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "6 of the 20 test images of copied are also in the validation part; the te" in shown.err
    assert shown.err.count("also in the training part") == (n_of_train > 0)
    path = json.loads(shown.out.splitlines()[-1])["path"]
    assert run_command(["evaluate", path]) == 0
    said, run = capsys.readouterr().out, open_run(path)
    assert "6 of the 20 test images are also in the validation part; accuracy without them" in said
    right = run.predicted() == run.test_labels()
    assert run.result["n_test_in_training"] == n_of_train
    assert run.result["n_test_in_validation"] == 6
    assert run.result["test_accuracy_without_copies"] == right[6 + n_of_train :].mean()
    assert "6 are also in the validation part" in ml.report(run).read_text()


def test_a_run_named_twice_is_refused(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(stripes.take(np.arange(200)), tmp_path / "set")
    run = train(NET, str(tmp_path / "set"), out=tmp_path)
    other = os.path.relpath(run.path)
    capsys.readouterr()
    assert run_command(["evaluate", str(run.path), other]) == 2
    assert "is there twice" in capsys.readouterr().err
    assert open_run(run.path).result["test_accuracy"] is None


def pictures(images: np.ndarray, labels: np.ndarray, folder: Path, size: tuple[int, int]) -> Path:
    """A folder of image files of other sizes than the arrays have."""
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).resize(size).save(path)
    return folder


def test_images_are_resized_to_what_those_of_the_training_were(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = pictures(stripes.images[:120], stripes.labels[:120], tmp_path / "own", (20, 24))
    new = pictures(stripes.images[200:260], stripes.labels[200:260], tmp_path / "new", (30, 22))
    run = train(NET, ml.load(own, size=10), out=tmp_path)
    capsys.readouterr()
    assert run_command(["evaluate", str(run.path), "--data", str(new)]) == 0
    (by_command,) = open_run(run.path).result["other_data"].values()
    assert by_command["n_test"] == 60
    (by_python,) = evaluate(run, new).result["other_data"].values()
    assert by_python["test_accuracy"] == by_command["test_accuracy"]
    ml.predict(run, new, tmp_path / "predicted.csv")
    predicted = [line.split(",") for line in (tmp_path / "predicted.csv").read_text().split()[1:]]
    hits = [name.split("/")[0] == label for name, label in predicted]
    assert np.mean(hits) == by_command["test_accuracy"]
    assert run_command(["evaluate", str(run.path), "--data", str(new), "--size", "9"]) == 2
    assert "images are 9x9, but the run was trained on 10x10" in capsys.readouterr().err


def test_of_other_data_in_parts_the_test_part_is_measured_and_it_is_said(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(stripes.take(np.arange(200)), tmp_path / "set")
    run = train(NET, str(tmp_path / "set"), out=tmp_path)
    others = replace(stripes.take(np.arange(200, 300)), n_official_train=70)
    said: list[str] = []
    measured = evaluate(run, others, on_note=said.append)
    (entry,) = measured.result["other_data"].values()
    assert entry["n_test"] == 30
    assert "measured on its test part of 30 images, not on the other 70" in "".join(said)
