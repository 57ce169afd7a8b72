"""Data in the folder in which the user works, with runs/ and pages of mnistlab beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mnistlab as ml
from mnistlab.cli import run_command

LABELS = np.arange(40) % 4
IMAGES = (LABELS[:, None, None] * 60 + np.arange(64).reshape(8, 8) % 30).astype(np.uint8)
IMAGES[:, 0, 0] = np.arange(40)  # no copies


def npz(folder: Path) -> None:
    np.savez(folder / "data.npz", x=IMAGES, y=LABELS)


def class_folders(folder: Path) -> None:
    for place, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        path = folder / "abcd"[label] / f"{place}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(path)


def tables(folder: Path) -> None:
    names = [f"pixel{i}" for i in range(64)]
    rows = IMAGES.reshape(40, -1)
    for file, some, labels in (("train", rows, True), ("test", rows[:8], False)):
        lines = [",".join([*(["label"] * labels), *names])]
        for row, label in zip(some, LABELS, strict=False):
            lines.append(",".join(map(str, [*([label] * labels), *row])))
        (folder / f"{file}.csv").write_text("\n".join(lines))


@pytest.mark.parametrize("make", [npz, class_folders, tables])
def test_runs_beside_the_data_are_passed_over(
    make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As often as one likes, with every page that mnistlab writes there."""
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = ml.load(".").fingerprint
    train = ["train", "softmax", "--data", ".", "--threads", "1", "--set"]
    assert run_command([*train, "epochs=1"]) == 0
    (run,) = Path("runs").iterdir()
    assert run_command(["evaluate", str(run)]) == 0
    if make is tables:
        assert run_command(["predict", str(run), "test.csv", "-o", "out.csv"]) == 0
    assert run_command(["data", "profile", "."]) == 0
    assert run_command([*train, "epochs=2"]) == 0
    after = ml.load(".")
    assert after.fingerprint == before
    assert len(after) == 40


def test_figures_of_a_run_are_not_predicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_folders(tmp_path)
    monkeypatch.chdir(tmp_path)
    recipe = ml.set_fields(ml.get_recipe("softmax"), {"epochs": 1})
    run = ml.evaluate(ml.train(recipe, ".", threads=1))
    ml.report(run)
    assert list(run.path.glob("figures/*.png"))
    assert ml.predict(run, ".", "out.csv") == 40


@pytest.mark.parametrize("name", ["runs", "recipe"])
def test_a_class_that_is_called_so_stays_one(name: str, tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "a").rename(tmp_path / name)
    (tmp_path / name / "recipe.json").write_text("{}")  # of a dish, say
    assert set(ml.load(tmp_path).class_names) == {name, "b", "c", "d"}


@pytest.mark.parametrize(
    "files",
    [
        {"profile.html": "<html>of another program</html>"},
        {"report.html": "<html></html>", "result.json": "{}"},
        {"recipe.json": "{}", "env.json": '{"python": "3.11"}'},
        {"notes/profile.html": "<html></html>"},
    ],
)
def test_a_class_with_files_called_like_ours_stays_one(
    files: dict[str, str], tmp_path: Path
) -> None:
    class_folders(tmp_path)
    for name, text in files.items():
        (tmp_path / "a" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "a" / name).write_text(text)
    assert len(ml.load(tmp_path)) == 40


def test_a_class_in_which_a_run_lies_stays_one(tmp_path: Path) -> None:
    """Who named it as --out; the figures of the run are no images of the class."""
    class_folders(tmp_path)
    recipe = ml.set_fields(ml.get_recipe("softmax"), {"epochs": 1})
    run = ml.evaluate(ml.train(recipe, tmp_path, out=tmp_path / "a", threads=1))
    ml.report(run)
    assert len(ml.load(tmp_path)) == 40


def test_everything_that_lands_in_runs_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cross-validation, search, comparison, audit; and a training that was broken off."""
    class_folders(tmp_path)
    monkeypatch.chdir(tmp_path)
    recipe = ml.set_fields(ml.get_recipe("softmax"), {"epochs": 1})
    runs = [ml.evaluate(ml.train(replace(recipe, seed=seed), ".", threads=1)) for seed in range(2)]
    assert run_command(["compare", *(str(run.path) for run in runs)]) == 0
    ml.cross_validate(recipe, ".", n_folds=2, threads=1)
    ml.tune(recipe, ".", n_trials=2, threads=1)
    ml.audit(".", recipe=recipe, n_folds=2, threads=1)

    def stop(epoch: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ml.train(replace(recipe, seed=5), ".", threads=1, progress=ml.Progress(on_epoch=stop))
    assert len(list(Path("runs").iterdir())) > 5
    data = ml.load(".")
    assert (len(data), len(data.class_names)) == (40, 4)


def test_data_beside_nothing_but_runs_are_read(tmp_path: Path) -> None:
    """As of somebody who trains with --out set."""
    folder = tmp_path / "project" / "set"
    folder.mkdir(parents=True)
    npz(folder)
    recipe = ml.set_fields(ml.get_recipe("softmax"), {"epochs": 1})
    ml.train(recipe, folder, out=folder, threads=1)
    assert len(ml.load(tmp_path / "project")) == 40
