"""Copies of training images in the other parts, and parts smaller than a recipe asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset, export
from mnistlab.errors import RunError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress, train
from mnistlab.runs.cautions import cautions
from mnistlab.runs.folder import open_run

NET = Recipe("small", "C19", "scratch", (Phase("adam", 0.01, 1),), {"hidden_sizes": (16,)})


def leaky(stripes: Dataset, n_copies: int) -> Dataset:
    """80 images train, 20 validate, the first 5 of them copies; 30 test, so many of them copies."""
    val, new = [*range(5), *range(100, 115)], range(200, 230 - n_copies)
    part = stripes.take(np.array([*range(80), *val, *new, *range(n_copies)]))
    return Dataset("leaky", part.images, part.labels, part.class_names, 80, n_official_val=20)


def notes(dataset: Dataset, recipe: Recipe, out: Path) -> list[str]:
    said = list[str]()
    train(recipe, dataset, out=out, progress=Progress(on_note=said.append))
    return said


def test_copies_are_counted_before_training(stripes: Dataset, tmp_path: Path) -> None:
    val, test = notes(leaky(stripes, 10), NET, tmp_path)
    assert val.startswith("5 of the 20 validation images of leaky are also in the training part")
    assert test.startswith("10 of the 30 test images of leaky are also in the training part")
    assert notes(leaky(stripes, 10), NET, tmp_path) == []  # found, not trained again
    clean = Dataset("clean", stripes.images, stripes.labels, stripes.class_names, 480)
    assert notes(clean, NET, tmp_path) == []
    assert notes(replace(clean, is_published=True), NET, tmp_path) == []


@pytest.mark.parametrize(
    ("height", "side", "is_said"), [(64, 128, False), (64, 192, True), (16, 192, False)]
)
def test_the_images_of_a_camera_are_said_to_be_large(height: int, side: int, is_said: bool) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, height, side), dtype=np.uint8)
    photos = Dataset("photos", images, np.arange(12) % 2, ("a", "b"))
    said = [line for line in cautions(NET, photos, ml.split(photos)) if "pixels" in line]
    assert bool(said) == is_said
    if is_said:
        assert "have 64 x 192 pixels and train about 3 times as long as with --size 64" in said[0]
    assert not any(
        "--size" in line
        for line in cautions(NET, replace(photos, is_published=True), ml.split(photos))
    )


@pytest.mark.parametrize("n_copies", [0, 10, 30])
def test_an_evaluation_says_what_the_accuracy_is_without_copies(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str], n_copies: int
) -> None:
    export(leaky(stripes, n_copies), tmp_path / "set")
    run = train(NET, str(tmp_path / "set"), out=tmp_path)
    assert run_command(["evaluate", str(run.path)]) == 0
    said, run = capsys.readouterr().out, open_run(run.path)
    right = run.predicted() == run.test_labels()
    assert run.result["test_accuracy"] == pytest.approx(right.mean())
    if n_copies == 0:
        assert "n_test_in_training" not in run.result
        assert "also in" not in said
        return
    new = None if n_copies == 30 else pytest.approx(right[:20].mean())
    assert run.result["n_test_in_training"] == n_copies
    assert run.result["test_accuracy_without_copies"] == new
    assert f"\n{n_copies} of the 30 test images are also in the training part" in said
    assert ("accuracy without them" in said) == (n_copies < 30)
    assert f"{n_copies} are also in the training part" in ml.report(run).read_text()


def test_a_part_smaller_than_asked_for_is_said_once(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asking = replace(NET, n_train=80, n_val=100_000)
    assert [line for line in notes(leaky(stripes, 0), asking, tmp_path) if "n_" in line] == [
        "n_val=100,000: the validation part of leaky has 20 images"
    ]
    export(stripes.take(np.arange(60)), tmp_path / "few")
    command = ["train", "softmax", "--data", str(tmp_path / "few"), "--out", str(tmp_path)]
    command += ["--set", "n_train=500", "--set", "epochs=1", "--seeds", "2"]
    assert run_command(command) == 0
    assert capsys.readouterr().err.count("note: n_train=500: the training part of few has ") == 1


def test_python_prints_the_notes_too(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ml.train(NET, leaky(stripes, 10), out=tmp_path)
    assert capsys.readouterr().err.count("note: ") == 2


def test_ways_out_of_a_damaged_run_and_of_data_that_have_moved(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(stripes.take(np.arange(80)), tmp_path / "set")
    run = train(NET, str(tmp_path / "set"), out=tmp_path)
    (tmp_path / "set").rename(tmp_path / "moved")
    assert run_command(["evaluate", str(run.path)]) == 2
    assert "if they are elsewhere: mnistlab evaluate" in capsys.readouterr().err
    assert run_command(["evaluate", str(run.path), "--data", str(tmp_path / "moved")]) == 0
    (tmp_path / "moved").rename(tmp_path / "set")
    for name in ("env.json", "recipe.json", "model.safetensors"):
        whole = (run.path / name).read_bytes()
        (run.path / name).write_bytes(b"{")
        with pytest.raises(RunError, match=f"{name}: .* --force"):
            train(NET, str(tmp_path / "set"), out=tmp_path)
        (run.path / name).write_bytes(whole)
    (run.path / "result.json").write_bytes(b"{")
    train(NET, str(tmp_path / "set"), out=tmp_path, force=True)
