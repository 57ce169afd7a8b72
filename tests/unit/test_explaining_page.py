"""`explain`: the page, what it says, and what it refuses before anything is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.errors import DataError, RecipeError, RunError
from mnistlab.explaining import words
from mnistlab.explaining.confusions import Mistaken
from mnistlab.explaining.figures import coloured

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ml.Run:
    """An evaluated run of a network with two layers on the embedded set."""
    recipe = ml.set_fields(ml.get_recipe("mlp-tuned"), {"epochs": "2", "n_train": "500"})
    data = ml.load("fashion-mini")
    return ml.evaluate(ml.train(recipe, data, out=tmp_path_factory.mktemp("runs"), threads=1))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five test images, and noise, which is unlike clothes."""
    folder = tmp_path_factory.mktemp("photos")
    data = ml.load("fashion-mini")
    test = data.take(data.official_splits["test"])
    for place in range(5):
        Image.fromarray(np.asarray(test.images[place])).save(folder / f"{place}.png")
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    return folder


def command(*words: object) -> int:
    return run_command(["explain", *map(str, words)])


def test_the_page_says_what_was_found(
    run: ml.Run, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "why.html"
    before = set(run.path.iterdir())
    assert command(run.path, photos, "-o", page, "--json", "--device", "cpu") == 0
    said = capsys.readouterr().out.splitlines()
    found = json.loads(said[-1])
    assert said[0] == "explained: all 6 images"
    assert found["path"] == str(page)
    assert {file.name for file in set(run.path.iterdir()) - before} <= {"neighbours.npz"}
    html = page.read_text(encoding="utf-8")
    by_id = {image["id"]: image for image in found["images"]}
    assert list(by_id) == ["0.png", "1.png", "2.png", "3.png", "4.png", "noise.png"]
    assert by_id["noise.png"]["unusual"]
    assert "noise.png" in html
    assert "unlike the training data" in html
    for image in found["images"]:
        assert len(image["nearest"]) == 5
        assert f"{image['id']}: {image['label']}" in html
    labels = ml.load("fashion-mini").labels
    for neighbour in by_id["0.png"]["nearest"]:
        assert run.data["class_names"][labels[neighbour["place"]]] == neighbour["label"]
    assert {check["shuffled"] for check in found["sanity"]} == {"last layer", "all layers"}
    assert html.count("<figure") == 6
    assert "https://" not in html.replace("http://www.w3.org", "")


def test_predictions_are_those_of_predict(run: ml.Run, photos: Path, tmp_path: Path) -> None:
    ml.predict(run, photos, tmp_path / "results.csv", probabilities=True, device="cpu")
    lines = (tmp_path / "results.csv").read_text().splitlines()[1:]
    found = ml.explain(run, photos, device="cpu")
    for line, image in zip(lines, found.images, strict=True):
        ident, label, *p = line.split(",")
        assert (ident, label) == (image.id, found.class_names[image.predicted])
        np.testing.assert_allclose(image.probabilities, np.array(p, float), atol=1e-6)
    strongest = found.images[0].strongest
    covered = found.images[0].image.copy()
    covered[strongest.window] = found.ground
    np.testing.assert_array_equal(strongest.covered, covered)


def test_another_class_than_the_predicted_one(run: ml.Run, photos: Path, tmp_path: Path) -> None:
    page = tmp_path / "why not.html"
    found = ml.explain(run, photos / "0.png", page, class_name="Bag", device="cpu")
    (image,) = found.images
    assert found.chosen == "the image"
    assert found.class_names[image.about] == "Bag"
    if image.about != image.predicted:  # what speaks against it, covered, makes it more probable
        assert image.strongest.after >= image.strongest.before
    html = page.read_text(encoding="utf-8")
    assert "What speaks for Bag" in html
    assert "of class Bag" in html
    assert "--class" in html
    ml.explain(run, photos / "0.png", page, class_name="Bag", device="cpu")
    assert page.read_text(encoding="utf-8") == html  # the same page each time


def test_nothing_of_the_users_is_overwritten(
    run: ml.Run, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.html"
    own.write_text("<p>mine</p>")
    (tmp_path / "empty").mkdir()
    for path, out, text in (
        (photos, own, "is there already and is no page of mnistlab"),
        (photos, tmp_path / "page.csv", "the name of the page must end in .html"),
        (photos, "/dev/stdout", "the name of the page must end in .html"),
        (photos, run.path / "page.html", "lies in the run's own folder"),
        (photos, run.path / "figures" / "page.html", "lies in the run's own folder"),
        (tmp_path / "missing", tmp_path / "page.html", "missing"),
        (tmp_path / "empty", tmp_path / "page.html", "empty"),
        (photos, tmp_path / "empty.html", "limit"),
    ):
        limit = ["--limit", "0"] if text == "limit" else []
        assert command(run.path, path, "-o", out, *limit) == 2
        said = capsys.readouterr().err.strip().splitlines()
        assert text in said[-1], said
        assert len([line for line in said if line.startswith("error")]) <= 1
    assert command(run.path, photos, "-o", tmp_path / "page.html", "--class", "Sofa") == 2
    assert "knows no class 'Sofa'; there are: T-shirt/top, " in capsys.readouterr().err
    assert own.read_text() == "<p>mine</p>"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["empty", "own.html"]
    with pytest.raises(RecipeError, match="limit must be at most 100"):
        ml.explain(run, photos, limit=1000)
    with pytest.raises(RunError, match="knows no class ''"):
        ml.explain(run, photos, class_name="")
    with pytest.raises(DataError, match="invert"):
        ml.explain(run, photos, invert="perhaps")


def test_odd_images(run: ml.Run, tmp_path: Path) -> None:
    """Blank, white and tiny pictures, and a name that is markup."""
    folder = tmp_path / "odd"
    folder.mkdir()
    name = "<b onload=alert(1)>&amp;.png"
    for file, image in {
        "blank.png": np.zeros((28, 28), np.uint8),
        "white.png": np.full((28, 28), 255, np.uint8),
        "tiny.png": np.full((1, 1), 200, np.uint8),
        name: np.eye(28, dtype=np.uint8) * 255,
    }.items():
        Image.fromarray(image).save(folder / file)
    page = tmp_path / "page.html"
    found = ml.explain(run, folder, page, size=28, device="cpu")
    assert len(found.images) == 4
    assert all(np.isfinite(image.occlusion).all() for image in found.images)
    assert not next(i for i in found.images if i.id == "blank.png").gradient.any()
    html = page.read_text(encoding="utf-8")
    assert "<b onload" not in html
    assert "&lt;b onload=alert(1)&gt;&amp;amp;.png" in html
    json.dumps(found.to_json(), allow_nan=False)
    (alone,) = ml.explain(run, folder / "blank.png", page, device="cpu").images
    assert alone.id == "blank.png"


def test_a_machine_without_probabilities_and_a_run_that_is_not_evaluated(tmp_path: Path) -> None:
    data = ml.load("fashion-mini")
    recipe = ml.set_fields(ml.get_recipe("svm"), {"n_train": "300"})
    run = ml.train(recipe, data, out=tmp_path / "runs", threads=1)
    np.savez(tmp_path / "x.npz", data.images[-9:])
    page = tmp_path / "page.html"
    found = ml.explain(run, tmp_path / "x.npz", page, limit=2)
    assert found.chosen == "2 of 9 images, evenly spaced"
    assert all(image.probabilities is None for image in found.images)
    assert all(image.occlusion.any() and image.gradient.any() for image in found.images)
    assert [check.shuffled for check in found.sanity] == ["all layers"]
    html = page.read_text(encoding="utf-8")
    assert "The run is not evaluated: mnistlab evaluate" in html
    assert "the mean value of the class&#39;s decisions" in html
    assert "Probabilities" not in html


def test_data_that_are_gone_take_the_neighbours_with_them(
    run: ml.Run, photos: Path, tmp_path: Path
) -> None:
    source = run.data["source"] | {"name_or_path": str(tmp_path / "gone.csv")}
    elsewhere = replace(run, data=run.data | {"source": source, "fingerprint": "0" * 64})
    notes: list[str] = []
    page = tmp_path / "page.html"
    found = ml.explain(elsewhere, photos, page, on_note=notes.append, device="cpu")
    assert all(image.similar is None for image in found.images)
    assert len(notes) == 1
    assert "gone.csv" in notes[0]
    assert "gone.csv" in page.read_text(encoding="utf-8")


def test_pictures_of_any_size_are_prepared(run: ml.Run, photos: Path, tmp_path: Path) -> None:
    """A test image enlarged, dark on white, is prepared to what the network was trained on."""
    picture = Image.open(photos / "1.png").resize((112, 112), Image.Resampling.NEAREST)
    Image.fromarray(255 - np.asarray(picture)).save(tmp_path / "photo.png")
    page = tmp_path / "page.html"
    found = ml.explain(run, tmp_path / "photo.png", page, prepare=True, device="cpu")
    (same,) = ml.explain(run, photos / "1.png", prepare=True, device="cpu").images
    assert np.abs(found.images[0].image.astype(int) - same.image.astype(int)).max() <= 1
    assert found.images[0].predicted == same.predicted
    assert "--prepare" in page.read_text(encoding="utf-8")
    with pytest.raises(DataError, match=r"photo\.png"):
        ml.explain(run, tmp_path / "photo.png", device="cpu")


def test_many_classes_with_long_names(run: ml.Run, photos: Path, tmp_path: Path) -> None:
    """The page of a run whose classes have names of any length and script."""
    names = [f"{letter * 60} 服装 $x_{letter}$" for letter in "abcdefghij"]
    renamed = replace(run, data=run.data | {"class_names": names})
    found = ml.explain(renamed, photos, tmp_path / "page.html", limit=1, device="cpu")
    assert found.class_names == names
    assert "服装" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_colours_show_the_sign_and_blend_with_the_paper() -> None:
    values = np.array([[1.0, -1.0, 0.0, 0.25]])
    pixels = coloured(values, np.zeros((1, 4), np.uint8), 0)
    assert pixels[0, 0, 2] > pixels[0, 0, 0]  # blue, as on the page to draw on
    assert pixels[0, 1, 0] > pixels[0, 1, 2]  # orange
    assert pixels[0, :, 3].tolist()[:3] == [255, 255, 0]
    assert 0 < pixels[0, 3, 3] < 255
    over_ink = coloured(np.zeros((1, 2)), np.array([[0, 255]], np.uint8), 0)
    assert over_ink[0, 0, 3] == 0 < over_ink[0, 1, 3]


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ((), "–"),
        (((1, 5),), "b (5)"),
        (((1, 5), (2, 1)), "b (5) and c (1)"),
        (((1, 5), (2, 1), (3, 1), (4, 1)), "b (5), c (1), d (1) and 1 more class"),
    ],
)
def test_others_in_words(others: tuple[tuple[int, int], ...], said: str) -> None:
    assert words.others(Mistaken(9, 0, others), "abcdef") == said
    assert words.percent(0.0001) == "< 0.1 %"
    assert words.correlation_text(-0.123) == "\N{MINUS SIGN}0.12"
    assert words.correlation_text(float("nan")) == "–"


def test_a_pipe_that_nobody_reads_and_an_ascii_terminal(
    run: ml.Run, photos: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    (tmp_path / "é.png").write_bytes((photos / "0.png").read_bytes())
    reader, writer = os.pipe()
    os.close(reader)
    arguments = ["explain", str(run.path), str(tmp_path / "é.png"), "-o", str(page)]
    finished = subprocess.run(
        [sys.executable, "-m", "mnistlab", *arguments],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert "Traceback" not in finished.stderr
    assert "[1/1] \\xe9.png" in finished.stderr
    assert "é.png: " in page.read_text(encoding="utf-8")
