"""What values show of themselves in a notebook, and the line of progress in a real kernel."""

from __future__ import annotations

import re
import sys
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mnistlab as ml
from mnistlab.cards import MOST_ROWS, PageFile, card, html_table
from mnistlab.runs.shown_progress import default_progress, in_notebook, notebook_line


class Text(HTMLParser):
    """The visible text of a card, and the tags that are open at its end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def text_of(value: object) -> str:
    """What a reader sees; every tag must be closed."""
    text = Text(value._repr_html_())  # type: ignore[attr-defined]
    assert not text.open
    return " ".join(text.words)


@pytest.fixture(scope="module")
def data() -> ml.Dataset:
    return ml.load("fashion-mini")


@pytest.fixture(scope="module")
def recipe() -> ml.Recipe:
    return ml.set_fields(ml.get_recipe("softmax-tuned"), {"epochs": "1", "n_train": "200"})


@pytest.fixture(scope="module")
def run(data, recipe, tmp_path_factory) -> ml.Run:
    run = ml.train(recipe, data, out=tmp_path_factory.mktemp("runs"), threads=1)
    return ml.evaluate(run, data=data)


def test_a_data_set_shows_an_image_of_every_class(data: ml.Dataset):
    assert "7,000 of 28 x 28 pixels" in text_of(data)
    picture = re.search(r"base64,([^\"]+)", data._repr_html_())
    assert picture
    shown = np.asarray(Image.open(BytesIO(b64decode(picture[1]))))
    first = [np.flatnonzero(data.labels == label)[0] for label in range(10)]
    for place, index in enumerate(first):
        np.testing.assert_array_equal(shown[:, place * 30 :][:, :28], data.images[index])


def test_split_recipe_run_and_evaluation_show_their_figures(data, recipe, run):
    assert "train 5,500" in text_of(ml.split(data))
    assert "n_train 200" in text_of(recipe)
    assert "not measured yet" in text_of(
        ml.Run(run.path, run.recipe, run.data, run.env, run.result | {"test_accuracy": None})
    )
    accuracy = f"{100 * run.result['test_accuracy']:.2f} %"
    assert accuracy in text_of(run)


def test_comparisons_and_studies_show_their_answer(data, recipe, run, tmp_path: Path):
    other = ml.set_fields(recipe, {"seed": "1"})
    second = ml.evaluate(ml.train(other, data, out=run.path.parent, threads=1), data=data)
    comparison = ml.compare([run, second], out=tmp_path)
    assert comparison.answer in text_of(comparison)
    folds = ml.cross_validate(recipe, data, n_folds=2, out=tmp_path, threads=1)
    assert f"{100 * folds.mean:.2f} %" in text_of(folds)
    arm = ml.Arm(recipe)
    study = ml.Study("tiny", "E1", "Is it quick?", (arm,), lambda arms: "It is.")
    result = ml.run_study(study, data, n_seeds=1, out=tmp_path, threads=1)
    assert "It is." in text_of(result)
    assert "Is it quick?" in text_of(result)


def test_names_are_escaped_and_long_tables_cut():
    assert "&lt;b&gt;" in card("<b>", {"<i>": "&"})
    rows = [(number,) for number in range(MOST_ROWS + 5)]
    assert "and 5 more" in html_table(["n"], rows)
    assert "<td" in html_table(["n"], [(None,)])


def test_the_path_of_a_page_is_a_path_and_shows_the_page(tmp_path: Path):
    path = PageFile(tmp_path / "page.html")
    assert "No such file" in path._repr_html_()
    path.write_text('<p title="x">seen</p>')
    assert path == tmp_path / "page.html"
    assert path.parent == tmp_path
    assert 'srcdoc="&lt;p title=&quot;x&quot;&gt;seen' in path._repr_html_()


def test_python_shows_progress_unless_it_is_given_another(data, recipe, tmp_path, capsys):
    quiet = ml.set_fields(recipe, {"seed": "2"})
    ml.train(quiet, data, out=tmp_path, threads=1, progress=ml.Progress())
    assert capsys.readouterr().err == ""
    ml.train(quiet, data, out=tmp_path, threads=1)
    said = capsys.readouterr().err
    assert "complete (found, not trained again; force=True trains again)" in said
    assert not in_notebook()


def test_of_several_processes_only_the_first_shows_progress(data, recipe, capsys, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    shown = default_progress()
    shown.on_start(recipe, data, 10)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("RANK", "0")
    default_progress().on_start(recipe, data, 10)
    assert "training on fashion-mini" in capsys.readouterr().err


def test_the_line_counts_runs_and_time_left(monkeypatch, data, recipe, run):
    seen: list[str] = []

    class Shown:
        def update(self, shown: dict[str, str], *, raw: bool) -> None:
            seen.append(shown["text/plain"])

    def display(shown: dict[str, str], *, raw: bool, display_id: bool) -> Shown:
        seen.append(shown["text/plain"])
        return Shown()

    module = type(sys)("IPython.display")
    module.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    clock = iter(range(1000))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    progress = notebook_line()
    progress.on_plan(2)
    progress.on_start(recipe, data, 10)
    progress.on_step()
    progress.on_step()
    progress.on_end(run)
    assert seen[0] == "[1/2] softmax-tuned on fashion-mini, seed 0: begins"
    assert re.fullmatch(r"\[1/2\] softmax-tuned on .*: 20 %, \d+ s left", seen[2])
    assert seen[-1].startswith(f"[1/2] {run.path.name}: complete, validation accuracy")


@pytest.mark.slow
def test_in_a_real_kernel_one_line_is_kept(recipe, tmp_path: Path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(Path(ml.__file__).parents[1]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    cells = [
        "import mnistlab as ml",
        "recipe = ml.set_fields(ml.get_recipe('softmax-tuned'), {'epochs': '2', 'n_train': '200'})",
        "run = ml.train(recipe, ml.load('fashion-mini'), threads=1)\nrun",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("\n".join(cells))])
    resources = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(notebook, timeout=300, resources=resources).execute()
    line, value = notebook.cells[0].outputs
    assert line.output_type == "display_data"  # the last state of the line, and no stream beside
    assert re.fullmatch(
        r"softmax-tuned-fashion-mini-\S+: complete, validation accuracy 0\.\d{4}",
        line.data["text/plain"],
    )
    assert "run of softmax-tuned, seed 0" in value.data["text/html"]
