"""`predict --report`: the same table, and a page of what was predicted beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.data.readers import unlabelled
from mnistlab.errors import DataError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.reporting.prediction_sample import EvenSample
from mnistlab.runs import Run, train
from mnistlab.runs.predicting import Predicted

NET = Recipe("small", "C19", "scratch", (Phase("adam", 0.01, 2),), {"hidden_sizes": (16,)})


@pytest.fixture(scope="module")
def run(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(NET, stripes, out=tmp_path_factory.mktemp("runs"))


@pytest.fixture
def unseen(stripes: Dataset, tmp_path: Path) -> Path:
    np.savez(tmp_path / "new.npz", images=stripes.images[420:])
    return tmp_path / "new.npz"


def cells(page: str, title: str) -> list[list[str]]:
    """The rows of a table as text."""
    (table,) = (t for t in re.findall("<table>.*?</table>", page, re.S) if f"</span> {title}<" in t)
    rows = re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], re.S)
    return [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in rows]


def test_the_page_says_what_the_classifier_says(
    run: Run, stripes: Dataset, unseen: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, out = unseen.with_name("plain.csv"), unseen.with_name("results.csv")
    ml.predict(run, unseen, plain)
    assert not plain.with_suffix(".html").exists()
    command = ["predict", str(run.path), str(unseen), "-o", str(out)]
    assert run_command([*command, "--report", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["report"] == str(out.with_suffix(".html"))
    assert out.read_bytes() == plain.read_bytes()
    page = out.with_suffix(".html").read_text()
    p = run.classifier().predict_proba(stripes.images[420:])
    chosen, codes = p.max(1), p.argmax(1)
    for row, k in zip(cells(page, "Predicted classes"), range(4), strict=True):
        assert row[:2] == [stripes.class_names[k], str((codes == k).sum())]
        assert float(row[3]) == pytest.approx(chosen[codes == k].mean(), abs=1e-4)
    least = cells(page, "The least sure predictions")
    order = np.argsort(chosen, kind="stable")[:24]
    assert [row[0] for row in least] == [str(k) for k in order]
    second = np.argsort(p, axis=1)[:, -2]
    assert [row[3] for row in least] == [stripes.class_names[second[k]] for k in order]
    assert f"{(chosen < 0.5).sum():,} have a probability below 50 %" in page
    assert {path.name for path in unseen.parent.iterdir()} == {
        "new.npz",
        "plain.csv",
        "results.csv",
        "results.html",
    }


def test_what_was_noticed_stands_on_the_page(run: Run, tmp_path: Path) -> None:
    bright, said = tmp_path / "bright.npz", list[str]()
    polar = run.data["border"] | {"low": 0.0, "median": 0.0, "high": 10.0, "centre": 50.0}
    dark = Run(run.path, run.recipe, run.data | {"border": polar}, run.env, run.result)
    images = np.zeros((30, 12, 12), np.uint8)
    images[:, 4:8, 4:8] = 200
    np.savez(bright, images=255 - images)
    ml.predict(dark, bright, tmp_path / "a.csv", report=True, invert="auto", on_note=said.append)
    (line,) = said
    page = (tmp_path / "a.html").read_text()
    assert "What was noticed" in page
    assert line in page
    assert "--invert auto" in page.replace("</span> <span>", " ")


@pytest.mark.parametrize("out", ["page.html", "/dev/null", "/dev/stdout", "/dev/fd/1", "folder"])
def test_a_table_beside_which_no_page_can_lie(
    run: Run, unseen: Path, tmp_path: Path, out: str
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError) as caught:
        ml.predict(run, unseen, tmp_path / out, report=True)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "page.html").exists()
    assert not (tmp_path / "folder.html").exists()


def test_the_page_keeps_the_rules_of_the_table(run: Run, unseen: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "results.csv", tmp_path / "results.html"
    (run.path / "figures.html").write_text("of the run")
    page.symlink_to(run.path / "figures.html")
    with pytest.raises(DataError, match="lies in the run's own folder"):
        ml.predict(run, unseen, out, report=True)
    assert (run.path / "figures.html").read_text() == "of the run"
    (run.path / "figures.html").unlink()
    page.unlink()
    page.hardlink_to(unseen)
    with pytest.raises(DataError, match="is the input"):
        ml.predict(run, unseen, out, report=True)
    assert not out.exists()
    page.unlink()
    ml.predict(run, unseen, out, report=True)
    page.write_text(as_it_was := page.read_text() + "<!-- as it was -->")
    np.savez(tmp_path / "other.npz", images=np.zeros((3, 5, 5), np.uint8))
    with pytest.raises(DataError, match="5x5"):
        ml.predict(run, tmp_path / "other.npz", out, report=True)
    assert page.read_text() == as_it_was


def test_blocks_give_the_page_of_the_whole(
    run: Run, unseen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ml.predict(run, unseen, tmp_path / "r.csv", report=True)
    exact = re.compile(' data-value="[^"]*"')  # to the last bit it depends on the block
    whole = exact.sub("", (tmp_path / "r.html").read_text())
    monkeypatch.setattr(unlabelled, "BLOCK_PIXELS", 7 * 144)
    ml.predict(run, unseen, tmp_path / "r.csv", report=True)
    assert exact.sub("", (tmp_path / "r.html").read_text()) == whole


def test_without_probabilities_nothing_is_least_sure(stripes: Dataset, tmp_path: Path) -> None:
    machine = train(Recipe("machine", "A6", "svm", (), {"C": 10.0}), stripes, out=tmp_path / "runs")
    np.savez(tmp_path / "one.npz", images=stripes.images[:1])
    assert ml.predict(machine, tmp_path / "one.npz", tmp_path / "r.csv", report=True) == 1
    page = (tmp_path / "r.html").read_text()
    assert "least sure" not in page
    assert "probability" not in page
    (predicted,) = (row[0] for row in cells(page, "Predicted classes") if row[1] == "1")
    assert f"Never predicted: {', '.join(name for name in 'abcd' if name != predicted)}." in page


@pytest.mark.parametrize("n", [1, 47, 48, 49, 96, 97, 1000])
def test_a_sample_is_even_however_many_come(n: int) -> None:
    sample = EvenSample(48, side=2)
    block = Predicted(
        [*map(str, range(n))], np.zeros((n, 2, 2), np.uint8), np.zeros(n, np.int64), None
    )
    for index in range(n):
        sample.offer(block, index)
    places = [int(example.id) for example in sample.examples]
    assert len(places) == min(n, 48)
    gaps = np.diff(places)
    assert n == 1 or (gaps.min() > 0 and gaps.max() <= 2 * gaps.min() and places[0] == 0)
    assert places[-1] >= n - 1 - 2 * max(1, n // 48)
