"""Files of the user's that a command was not told to write are never replaced."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

import mnistlab as ml
from mnistlab.auditing.finding import audit
from mnistlab.cli import run_command
from mnistlab.data import Dataset, export, load
from mnistlab.errors import DataError
from mnistlab.exporting.card import is_card, model_card
from mnistlab.exporting.onnx_file import Parity
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Run, train
from mnistlab.runs.computation import folder_name

NET = Recipe("small", "C19", "scratch", (Phase("adam", 0.01, 1),), {"hidden_sizes": (16,)})
OWN = "my own\n"


@pytest.fixture
def table(stripes: Dataset, tmp_path: Path) -> Path:
    """A set as one table, and images without labels."""
    export(stripes.take(np.arange(120)), tmp_path / "exported")
    (tmp_path / "exported" / "train.csv").rename(tmp_path / "set.csv")
    np.savez(tmp_path / "new.npz", images=stripes.images[420:440])
    return tmp_path / "set.csv"


@pytest.fixture
def run(table: Path, tmp_path: Path) -> Run:
    return train(NET, str(table), out=tmp_path / "runs")


def predicted(run: Run, table: Path, out: str, *options: str) -> int:
    new = table.with_name("new.npz")
    return run_command(
        ["predict", str(run.path), str(new), "-o", str(table.parent / out), *options]
    )


def test_a_page_beside_the_table_is_written_by_mnistlab_or_not_replaced(
    run: Run, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = table.with_name("mine.html")
    page.write_text(OWN)
    assert predicted(run, table, "mine.csv", "--report") == 2
    error = capsys.readouterr().err
    assert (error.count("\n"), "mine.html: is there already" in error) == (1, True)
    assert (page.read_text(), table.with_name("mine.csv").exists()) == (OWN, False)
    page.unlink()
    for _ in range(2):  # the second time in place of the first
        assert predicted(run, table, "mine.csv", "--report") == 0
    # A page of a version that wrote no generator.
    page.write_text(page.read_text().replace('<meta name="generator" content="mnistlab">\n', ""))
    assert predicted(run, table, "mine.csv", "--report") == 0
    assert "generator" in page.read_text()


@pytest.mark.parametrize("command", ["profile", "audit"])
def test_pages_of_a_data_set_are_refused_before_the_work(
    command: str, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnistlab.profiling.measuring.profile", None)  # is not called
    monkeypatch.setattr("mnistlab.auditing.finding._judge", None)
    dataset, out = load(str(table)), tmp_path / "out"
    own = out / "profile-set" / "profile.html"
    if command == "audit":
        own = out / f"audit-5-folds-{folder_name(NET, dataset)}" / "suspects.csv"
    own.parent.mkdir(parents=True)
    own.write_text(OWN)
    if command == "profile":
        assert run_command(["data", "profile", str(table), "--out", str(out)]) == 2
    else:
        with pytest.raises(DataError, match=r"suspects\.csv: is there already"):
            audit(dataset, recipe=NET, out=out)
    assert own.read_text() == OWN


def test_notes_on_a_model_are_no_card(run: Run) -> None:
    assert is_card(model_card(run, "m.onnx", Parity(1, 1, 0.0)), "m.onnx")
    assert not is_card("# m.onnx\n\nTo do: send to Anna.\n", "m.onnx")


def test_predictions_never_replace_what_was_learned(
    run: Run, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = table.read_bytes()
    (table.with_name("soft.csv")).symlink_to(table)
    (table.with_name("hard.csv")).hardlink_to(table)
    for name in ("set.csv", "soft.csv", "hard.csv"):
        assert predicted(run, table, name) == 2
        assert "trained on" in capsys.readouterr().err
    assert table.read_bytes() == before
    assert predicted(run, table, "results.csv") == 0


def test_marks_replace_tables_of_marks_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "of").mkdir()
    (tmp_path / "of" / "anna.py").write_text("def softmax(z):\n    return z\n")
    marks = tmp_path / "marks.csv"
    words = ["check", str(tmp_path / "of"), "-o", str(marks), "--task", "softmax"]
    for _ in range(2):
        assert run_command(words) == 0
    marks.write_text(OWN)
    capsys.readouterr()
    assert run_command(words) == 2
    shown = capsys.readouterr().err
    assert "marks.csv: is there already and is no table of marks" in shown
    assert ("checked:" in shown, marks.read_text()) == (False, OWN)


def test_nor_a_file_in_a_folder_that_was_learned(table: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    table.rename(folder / "train.csv")
    (folder / "notes.csv").write_text("a,b\n")
    run = train(NET, str(folder), out=tmp_path / "runs")
    before = (folder / "train.csv").read_bytes()
    (tmp_path / "hard.csv").hardlink_to(folder / "train.csv")
    for name in ("folder/train.csv", "folder/notes.csv", "hard.csv"):
        assert predicted(run, table, name) == 2
    os.utime(folder / "train.csv")  # younger than the run, and all the same no predictions
    assert predicted(run, table, "folder/train.csv") == 2
    assert (folder / "train.csv").read_bytes() == before
    for _ in range(2):  # an earlier table of predictions may be replaced
        assert predicted(run, table, "folder/results.csv", "--probabilities") == 0


def test_an_export_never_replaces_what_it_exports(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "e"
    export(stripes, folder)
    before = (folder / "train.csv").read_bytes()
    (tmp_path / "link").symlink_to(folder)
    for source, out in ((folder, folder), (folder, tmp_path / "link"), (tmp_path / "link", folder)):
        command = ["data", "export", str(source), "-o", str(out), "--size", "16"]
        assert run_command(command) == 2
        error = capsys.readouterr().err
        assert (error.count("\n"), "is what is exported" in error) == (1, True)
    assert (folder / "train.csv").read_bytes() == before


def test_the_name_of_a_table_says_what_is_in_it(
    run: Run, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predicted(run, table, "r.csv") == 0
    plain = table.with_name("r.csv").read_bytes()
    for name in ("r.csv.gz", "R.CSV.GZ"):
        assert predicted(run, table, name) == 0
        assert gzip.decompress(table.with_name(name).read_bytes()) == plain
    assert predicted(run, table, "r.tsv") == 0
    assert table.with_name("r.tsv").read_bytes() == plain.replace(b",", b"\t")
    capsys.readouterr()
    for name in ("r.xlsx", "r.npz", "r.parquet", "r.json", "r.json.gz", "r.html"):
        assert predicted(run, table, name) == 2
        error = capsys.readouterr().err
        assert (error.count("\n"), f"{name}: predictions are" in error) == (1, True)
        assert not table.with_name(name).exists()
    with pytest.raises(DataError, match="xlsx"):
        ml.predict(run, table.with_name("new.npz"), table.with_name("r.xlsx"))


@pytest.mark.parametrize("kind", ["text", "of another program", "folder"])
def test_an_export_replaces_exports_alone(
    kind: str, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra 'export' is not installed")
    path, words = (
        tmp_path / "mine.onnx",
        ["export", str(run.path), "-o", str(tmp_path / "mine.onnx")],
    )
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text(OWN)
    else:
        graph = onnx.helper.make_graph([], "theirs", [], [])
        onnx.save(onnx.helper.make_model(graph, producer_name="pytorch"), path)
    before = None if path.is_dir() else path.read_bytes()
    assert run_command(words) == 2
    assert "mine.onnx: " in capsys.readouterr().err
    assert before is None or path.read_bytes() == before
    assert not path.with_name("mine.onnx.md").exists()
    if kind == "text":
        path.unlink()
        for _ in range(2):  # the second time in place of the first
            assert run_command(words) == 0
