"""Dark on bright or bright on dark is told for a set, never for ordinary sets of one kind."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset, load
from mnistlab.data.polarity import border_of, polarity_differs
from mnistlab.errors import DataError, RunError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Run, evaluate, train

RECIPE = Recipe("small", "C19", "mlp", (Phase("adam", 0.01, 4),), precision="float32")


def strokes(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Bright bars on dark noise, at a place of three; no two images are alike."""
    random, labels = np.random.default_rng(seed), np.arange(n) % 3
    images = random.integers(0, 30, (n, 20, 20), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4:16, 5 + 4 * label : 8 + 4 * label] = 220
    return images, labels


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    images, labels = strokes(300, 0)
    data = Dataset("strokes", images, labels.astype(np.int64), ("left", "middle", "right"))
    return train(RECIPE, data, out=tmp_path_factory.mktemp("runs"))


@pytest.fixture
def black_on_white() -> Dataset:
    images, labels = strokes(90, 1)
    return Dataset("paper", 255 - images, labels.astype(np.int64), ("left", "middle", "right"))


def test_the_other_polarity_is_told_and_mended(run: Run, black_on_white: Dataset) -> None:
    said: list[str] = []
    as_they_are = evaluate(run, black_on_white, on_note=said.append)
    ((_, before),) = as_they_are.result["other_data"].items()
    assert len(said) == 1
    assert "paper: dark and bright are the other way round" in said[0]
    mended = evaluate(run, black_on_white, invert="auto", on_note=said.append)
    after = mended.result["other_data"][f"paper-{black_on_white.fingerprint[:8]}-inverted"]
    assert "its images were inverted" in said[1]
    assert before["test_accuracy"] < 0.6
    assert after["test_accuracy"] > 0.95
    upright = Dataset("u", *strokes(90, 1), ("left", "middle", "right"))
    figures = evaluate(run, upright, invert="auto", on_note=said.append).result["other_data"]
    assert len(said) == 2
    assert figures[f"u-{upright.fingerprint[:8]}"]["test_accuracy"] == after["test_accuracy"]


def test_inverting_the_data_of_training_is_refused(run: Run) -> None:
    images, labels = strokes(300, 0)
    data = Dataset("strokes", images, labels.astype(np.int64), ("left", "middle", "right"))
    with pytest.raises(RunError, match="invert is for other data"):
        evaluate(run, data, invert="yes")
    with pytest.raises(DataError, match="invert must be one of auto, yes, no"):
        evaluate(run, data, invert="maybe")


@pytest.mark.parametrize("invert", ["no", "auto", "yes"])
@pytest.mark.parametrize("is_black_on_white", [True, False])
def test_predict_by_the_command_line(
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    invert: str,
    is_black_on_white: bool,
) -> None:
    images, labels = strokes(60, 2)
    np.savez(tmp_path / "new.npz", images=255 - images if is_black_on_white else images)
    command = ["predict", str(run.path), str(tmp_path / "new.npz"), "-o", str(tmp_path / "o.csv")]
    assert run_command([*command, "--invert", invert]) == 0
    shown = capsys.readouterr()
    with (tmp_path / "o.csv").open(newline="") as file:
        found = [row[1] for row in csv.reader(file)][1:]
    right = np.mean(
        [run.data["class_names"][k] == name for k, name in zip(labels, found, strict=True)]
    )
    is_upright = is_black_on_white == (invert == "yes" or (invert == "auto" and is_black_on_white))
    assert (right > 0.95) == is_upright
    is_told = is_black_on_white and invert != "yes"
    assert ("the other way round" in shown.err) == is_told
    assert run_command([*command, "--invert", "maybe"]) == 2


def test_ordinary_sets_are_not_told_apart(run: Run) -> None:
    random = np.random.default_rng(0)
    fashion = load("fashion-mini")
    whole = border_of(fashion.images)
    for label in range(10):  # also sets of one class alone
        of_class = fashion.images[fashion.labels == label]
        assert not polarity_differs(whole, border_of(of_class)), label
    noise = random.integers(0, 256, (50, 20, 20), dtype=np.uint8)
    photos = random.integers(0, 256, (50, 1, 1)) + random.integers(-40, 40, (50, 20, 20))
    trained = border_of(strokes(300, 0)[0])
    for images in (noise, photos.clip(0, 255).astype(np.uint8), strokes(50, 5)[0] // 2):
        assert not polarity_differs(trained, border_of(images))
        assert not polarity_differs(border_of(images), trained)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (3, 3), (64, 8)])
@pytest.mark.parametrize("n", [1, 3])
def test_images_of_any_size_have_a_border(shape: tuple[int, int], n: int) -> None:
    dark, bright = (np.full((n, *shape), level, np.uint8) for level in (0, 255))
    assert polarity_differs(border_of(dark), border_of(bright))
    assert not polarity_differs(border_of(dark), border_of(dark))


def test_brighter_is_not_inverted() -> None:
    dark = np.full((5, 8, 8), 60, np.uint8)
    bright = np.full((5, 8, 8), 180, np.uint8)
    dark[:, 2:6, 2:6], bright[:, 2:6, 2:6] = 120, 250
    assert not polarity_differs(border_of(dark), border_of(bright))


def test_digits_of_mnist_on_paper(mnist: Dataset, tmp_path: Path) -> None:
    """13 % and not a word, before the polarity was looked at."""
    train_part, test = mnist.take(slice(0, 4000)), mnist.take(slice(60_000, 61_000))
    recipe = ml.set_fields(ml.get_recipe("mlp"), {"epochs": "4"})
    run = train(recipe, train_part, out=tmp_path)
    paper = Dataset("paper", 255 - test.images, test.labels, test.class_names)
    said: list[str] = []
    ((_, as_they_are),) = evaluate(run, paper, on_note=said.append).result["other_data"].items()
    mended = evaluate(run, paper, invert="auto", on_note=said.append).result["other_data"]
    assert as_they_are["test_accuracy"] < 0.5
    assert mended[f"paper-{paper.fingerprint[:8]}-inverted"]["test_accuracy"] > 0.85
    assert len(said) == 2
    evaluate(run, Dataset("t", test.images, test.labels, test.class_names), on_note=said.append)
    assert len(said) == 2
