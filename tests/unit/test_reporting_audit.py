from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset


@pytest.fixture
def flawed(stripes: Dataset, tmp_path: Path) -> Path:
    """600 images, of which one has another label, one is a copy of another, and one is black."""
    images, labels = stripes.images.copy(), stripes.labels.copy()
    labels[7] = (labels[7] + 1) % 4
    images[500] = images[20]
    labels[500] = labels[20]
    images[300] = 0
    np.savez(tmp_path / "flawed.npz", images=images, labels=labels)
    return tmp_path / "flawed.npz"


def test_the_command_finds_all_and_writes_a_page(
    flawed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Of two folds, one is left half-trained under AVX2, by rounding alone: 300 images are too few.
    command = ["data", "audit", str(flawed), "--folds", "3", "--out", str(tmp_path / "runs")]
    assert run_command([*command, "--json"]) == 0
    shown = capsys.readouterr()
    told = json.loads(shown.out.splitlines()[-1])
    assert "Exact copies" in shown.out
    with (Path(told["path"]) / "suspects.csv").open() as file:
        reasons = {(row["index"], row["reason"]) for row in csv.DictReader(file)}
    assert {("7", "label"), ("500", "duplicate"), ("300", "blank")} <= reasons
    page = (Path(told["path"]) / "report.html").read_text()
    for words in ("Labels likely wrong", "Exact copies", "Blank images", "suspects.csv"):
        assert words in page
    assert run_command(command) == 0  # what was judged is used again
    assert "epoch" not in capsys.readouterr().err


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["data", "audit", str(tmp_path / "nothing.npz")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_of_a_clean_set_the_page_says_so(stripes: Dataset, tmp_path: Path) -> None:
    from mnistlab.auditing.finding import audit
    from mnistlab.auditing.page import audit_report

    clean = replace(stripes, name="clean")
    recipe = replace(ml.get_recipe("scratch-mlp-tuned"), phases=(ml.Phase("momentum", 0.02, 3),))
    found = audit(clean, recipe=recipe, n_folds=2, out=tmp_path)
    page = audit_report(found).read_text()
    assert {suspect.reason for suspect in found.suspects} <= {"doubtful-label"}
    assert "Of 600 images 0 have a label that is likely wrong" in page


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 3), (4, 4)])
def test_images_that_are_too_small_for_convolutions_are_audited_all_the_same(
    shape: tuple[int, int], tmp_path: Path
) -> None:
    labels = np.arange(60) % 3
    noise = np.random.default_rng(0).integers(0, 20, (60, *shape))
    images = (noise + 80 * labels[:, None, None]).astype(np.uint8)
    np.savez(tmp_path / "tiny.npz", images=images, labels=labels)
    words = ["data", "audit", str(tmp_path / "tiny.npz"), "--folds", "2", "--out", str(tmp_path)]
    assert run_command(words) == 0
    (folder,) = tmp_path.glob("audit-*")
    used = json.loads((folder / "recipe.json").read_text())["model"]
    assert used == ("cnn" if min(shape) >= 4 else "mlp")
