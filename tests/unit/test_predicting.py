"""Rows without labels in, labels out: whole or not at all."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.data.readers.binary import idx
from mnistlab.data.readers.tables import csv_blocks
from mnistlab.errors import DataError, RunError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Run, predict, train

RECIPE = Recipe("small", "C19", "mlp", (Phase("adam", 0.01, 3),))
SVM = Recipe("machine", "A6", "svm", (), {"C": 10.0})


@pytest.fixture(scope="module")
def run(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(RECIPE, stripes, out=tmp_path_factory.mktemp("runs"))


def write_table(
    path: Path, images: np.ndarray, ids: list[object], header: str = "ID", end: Sequence = ()
) -> Path:
    flat = images.reshape(len(images), images.shape[1] * images.shape[2])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([header, *(f"pix{i}" for i in range(1, flat.shape[1] + 1))])
        writer.writerows([name, *row] for name, row in zip(ids, flat.tolist(), strict=True))
        writer.writerows(end)
    return path


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("header", ["ID", "id", "Id"])
def test_every_row_is_named_and_keeps_its_id(
    run: Run, stripes: Dataset, tmp_path: Path, header: str
) -> None:
    images = stripes.images[480:]
    ids = [f"no {i}, twice" if i % 2 else 10_000 + i for i in range(len(images))]
    table = write_table(tmp_path / "evaluate.csv", images, ids, header)
    counted: list[int] = []
    assert predict(run, table, tmp_path / "results.csv", on_rows=counted.append) == 120
    first, *rows = rows_of(tmp_path / "results.csv")
    assert first == [header, "label"]
    assert [name for name, _ in rows] == [str(name) for name in ids]
    expected = run.classifier().predict(images)
    assert [label for _, label in rows] == [stripes.class_names[code] for code in expected]
    assert sum(counted) == 120


def test_probabilities_are_those_of_the_classifier(
    run: Run, stripes: Dataset, tmp_path: Path
) -> None:
    images = stripes.images[480:500]
    table = write_table(tmp_path / "evaluate.csv", images, list(range(20)))
    predict(run, table, tmp_path / "results.csv", probabilities=True)
    first, *rows = rows_of(tmp_path / "results.csv")
    assert first == ["ID", "label", "p_a", "p_b", "p_c", "p_d"]
    p = np.array([row[2:] for row in rows], dtype=float)
    np.testing.assert_allclose(p, run.classifier().predict_proba(images), atol=1e-6)
    assert [row[1] for row in rows] == [stripes.class_names[code] for code in p.argmax(1)]


def test_blocks_give_what_the_whole_gives(
    run: Run, stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = write_table(tmp_path / "evaluate.csv", stripes.images[:90], list(range(90)))
    predict(run, table, tmp_path / "whole.csv")
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 2000)
    counted: list[int] = []
    predict(run, table, tmp_path / "blocks.csv", on_rows=counted.append)
    assert len(counted) > 5
    assert (tmp_path / "blocks.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.mark.parametrize("fault", ["width", "cell", "empty", "short row"])
def test_a_table_that_does_not_fit_leaves_what_was_there(
    run: Run, stripes: Dataset, tmp_path: Path, fault: str
) -> None:
    images, path = stripes.images[:5], tmp_path / "evaluate.csv"
    if fault == "width":
        write_table(path, images[:, :, 1:], list(range(5)))
    elif fault == "cell":
        write_table(path, images, list(range(5)), end=[[5, *["x"] * 144]])
    elif fault == "empty":
        write_table(path, images[:0], [])
    else:
        write_table(path, images, list(range(5)), end=[[5, 1, 2]])
    out = tmp_path / "results.csv"
    out.write_text("as it was")
    with pytest.raises(DataError, match=r"evaluate\.csv: ") as caught:
        predict(run, path, out)
    assert "\n" not in str(caught.value)
    assert out.read_text() == "as it was"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evaluate.csv", "results.csv"]


@pytest.mark.parametrize("name", ["model.safetensors", "result.json", "log.jsonl", "new.csv"])
def test_nothing_in_the_folder_of_the_run_is_written(
    stripes: Dataset, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = train(RECIPE, stripes, out=tmp_path / "runs")
    table = write_table(tmp_path / "evaluate.csv", stripes.images[:4], list(range(4)))
    (tmp_path / "folder").symlink_to(mine.path)
    (tmp_path / "soft.csv").symlink_to(mine.path / name)
    outs = [mine.path / name, mine.path / ".." / mine.path.name / name]
    outs += [tmp_path / "folder" / name, tmp_path / "soft.csv"]
    if name != "new.csv":
        os.link(mine.path / name, tmp_path / "hard.csv")
        outs.append(tmp_path / "hard.csv")
    before = {file.name: file.read_bytes() for file in mine.path.iterdir()}
    capsys.readouterr()  # the progress of the training
    for out in outs:
        assert run_command(["predict", str(mine.path), str(table), "-o", str(out)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert str(out) in line
    assert {file.name: file.read_bytes() for file in mine.path.iterdir()} == before


@pytest.mark.parametrize("stem", ["q-{}-idx{}-ubyte", "q-{}.idx{}-ubyte", "Q-{}-IDX{}-ubyte"])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_the_labels_beside_an_input_are_never_written(
    run: Run, stripes: Dataset, tmp_path: Path, stem: str, packed: str
) -> None:
    images, labels = stem.format("images", 3), stem.format("labels", 1) + packed
    (tmp_path / images).write_bytes(idx.to_bytes(stripes.images[:4]))
    raw = idx.to_bytes(stripes.labels[:4].astype(np.uint8))
    (tmp_path / labels).write_bytes(gzip.compress(raw) if packed else raw)
    (tmp_path / "soft").symlink_to(labels)
    before = (tmp_path / labels).read_bytes()
    for name in (labels, "soft"):
        with pytest.raises(DataError, match=r"is the input \S+labels") as caught:
            predict(run, tmp_path / images, tmp_path / name)
        assert "\n" not in str(caught.value)
        assert (tmp_path / labels).read_bytes() == before
    for _ in range(2):  # what it wrote itself it may write again
        assert predict(run, tmp_path / images, tmp_path / "q-labels-idx1-ubyte.csv") == 4


def test_a_classifier_without_probabilities(stripes: Dataset, tmp_path: Path) -> None:
    machine = train(SVM, stripes, out=tmp_path / "runs")
    table = write_table(tmp_path / "evaluate.csv", stripes.images[:4], list(range(4)))
    assert predict(machine, table, tmp_path / "results.csv") == 4
    with pytest.raises(RunError, match="gives no probabilities"):
        predict(machine, table, tmp_path / "other.csv", probabilities=True)
    assert not (tmp_path / "other.csv").exists()


def test_from_exported_files_by_the_command_line(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ml.export(stripes, tmp_path / "data", size=16)
    train_csv, evaluate_csv = (tmp_path / "data" / f"{n}.csv" for n in ("train", "evaluate"))
    out, results = str(tmp_path / "runs"), str(tmp_path / "results.csv")
    short = ["--set", "phases.0.epochs=1", "--set", "batch_size=64"]
    assert run_command(["train", "dense-base", "--data", str(train_csv), "--out", out, *short]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    capsys.readouterr()
    assert run_command(["predict", str(folder), str(evaluate_csv), "-o", results]) == 0
    assert capsys.readouterr().out == f"120 images predicted in {results}\n"
    assert [row[0] for row in rows_of(tmp_path / "results.csv")] == ["ID", *map(str, range(120))]
