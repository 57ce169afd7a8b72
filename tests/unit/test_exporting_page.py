"""The parts of a page to draw on before a browser sees them: packing, content, what is refused."""

from __future__ import annotations

import gzip
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from numpy.typing import NDArray

import mnistlab as ml
from benchmarks.ledger import CHECKOUT
from mnistlab.cli import app, run_command
from mnistlab.errors import RunError
from mnistlab.evaluation.neighbours import Reference, distances
from mnistlab.exporting import drawing_page
from mnistlab.exporting.modules import module_of
from mnistlab.exporting.packing import UNSAFE, Packing, as_text
from mnistlab.exporting.page_content import answered_images, mistakes_of, names_of, sample_of
from mnistlab.exporting.references import LEAST_REFERENCES, evenly, in_all, references_of
from mnistlab.runs.neighbours import features_of
from mnistlab.runs.run_data import recorded_parts


def content_of(text: str) -> bytes:
    """What `as_text` was given, read as unpack.js reads it."""
    bits = []
    for letter in map(ord, text):
        numbers = [letter] if letter < 128 else [UNSAFE[letter // 128 - 1], letter % 128]
        bits += [f"{number:07b}" for number in numbers]
    joined = "".join(bits)
    whole = bytes(int(joined[i : i + 8], 2) for i in range(0, len(joined) - 7, 8))
    return whole[4 : 4 + int.from_bytes(whole[:4], "little")]


def array_of(content: bytes, place: dict[str, Any]) -> NDArray[Any]:
    """The array that `Packing.add` was given, flat, as unpack.js computes it."""
    kind, start, n = place["kind"], place["start"], place["n"]
    if kind == "bytes":
        return np.frombuffer(content, np.uint8, n, start)
    if kind == "floats":
        return np.frombuffer(content, "<f4", n, start)
    low = np.frombuffer(content, np.uint8, n, start).astype(int)
    high = np.frombuffer(content, np.int8, n, start + n).astype(int)
    factors = array_of(content, place["factors"])
    return ((256 * high + low).reshape(len(factors), -1) * factors[:, None]).ravel()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ml.Run:
    """An evaluated run of the embedded set."""
    recipe = ml.set_fields(ml.get_recipe("softmax-tuned"), {"epochs": "1", "n_train": "500"})
    return ml.evaluate(ml.train(recipe, out=tmp_path_factory.mktemp("runs"), threads=1))


@pytest.fixture(scope="module")
def sister(run: ml.Run, tmp_path_factory: pytest.TempPathFactory) -> ml.Run:
    """The same recipe with another seed, not evaluated."""
    fields = {"epochs": "1", "n_train": "300", "seed": "1"}
    recipe = ml.set_fields(ml.get_recipe("softmax-tuned"), fields)
    return ml.train(recipe, out=tmp_path_factory.mktemp("sister"), threads=1)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 6, 7, 8, 1000])
def test_bytes_become_text_that_html_keeps(n: int) -> None:
    random = np.random.default_rng(n)
    for content in (random.bytes(n), bytes(n), b"\r\n<\x00" * n, b"\xff" * n):
        text = as_text(content)
        assert content_of(text) == content
        assert not set(text) & set(map(chr, UNSAFE))
        # UTF-8 has a byte per letter below 128 and two up to 2,047.
        assert len(text.encode()) <= len(content) * 8 / 7 + 8 < 4 / 3 * len(content) + 9


def test_arrays_come_out_of_a_packing_as_they_went_in() -> None:
    random = np.random.default_rng(0)
    given: list[NDArray[Any]] = [
        random.integers(0, 256, (7, 5), np.uint8),
        random.normal(size=12).astype(np.float32),
        random.normal(size=(40, 50)).astype(np.float64),
        (1e-6 * random.normal(size=(40, 5, 3, 3))).astype(np.float32),
        np.zeros((20, 60), np.float32),
    ]
    packing = Packing()
    places = [packing.add(array) for array in given]
    assert [place["kind"] for place in places] == ["bytes", "floats", "floats", "shorts", "shorts"]
    content = gzip.decompress(content_of(packing.text()))
    assert len(content) == packing.n_bytes
    for array, place in zip(given, places, strict=True):
        found = array_of(content, place)
        if place["kind"] == "shorts":  # half a level of 32,767 of the row's largest number
            rows = array.reshape(len(array), -1)
            step = np.abs(rows).max(axis=1, keepdims=True) / 32767
            assert (np.abs(found.reshape(rows.shape) - rows) <= 0.51 * step).all()
        else:
            np.testing.assert_array_equal(found, array.ravel().astype(found.dtype))
    assert packing.size(0, packing.n_bytes) == len(packing.text().encode())


def test_a_page_holds_what_is_known_of_each_run(run: ml.Run, sister: ml.Run) -> None:
    packing = Packing()
    facts = drawing_page.page_facts([run, sister], packing)
    assert facts["preparation"] == "garment"
    assert [network["name"] for network in facts["networks"]] == [
        "softmax-tuned, seed 0",
        "softmax-tuned, seed 1",
    ]
    measured, unmeasured = facts["networks"]
    assert measured["accuracy"] == run.result["test_accuracy"]
    assert unmeasured["accuracy"] is None
    assert facts["mistakes"]["confusion"][1] is None
    content = gzip.decompress(content_of(packing.text()))
    for network, of in zip(facts["networks"], (run, sister), strict=True):
        (member,) = network["members"]
        step = next(step for step in member["steps"] if step["op"] == "linear")
        weight = array_of(content, member["arrays"][step["weight"]])
        expected = module_of(of.classifier("cpu"), None).network[-1].weight.detach().numpy()
        np.testing.assert_allclose(
            weight, expected.ravel(), rtol=0, atol=np.abs(expected).max() / 60_000
        )
    written = json.loads(json.dumps(facts))  # plain values, without NaN
    assert written["networks"][0]["interval"] == list(run.result["test_accuracy_ci"])


def test_a_page_without_the_training_data_has_networks_alone_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ml.load("fashion-mini").take(np.arange(600))
    np.savez(tmp_path / "set.npz", images=data.images, labels=data.labels)
    recipe = ml.set_fields(ml.get_recipe("softmax-tuned"), {"epochs": "1"})
    trained = ml.train(recipe, str(tmp_path / "set.npz"), out=tmp_path / "runs", threads=1)
    run = ml.evaluate(trained)
    (tmp_path / "set.npz").rename(tmp_path / "moved.npz")
    words = ["export", str(run.path), "-o", str(tmp_path / "page.html")]
    capsys.readouterr()
    assert run_command(words) == 0
    said = capsys.readouterr().err
    assert f"{tmp_path / 'set.npz'}: the data that {run.path} was trained on are no longer" in said
    assert "the page has no test images" in said
    assert said.count("\n") == 1
    facts = drawing_page.page_facts([run], Packing())
    assert facts["references"] is None
    assert (facts["images"]["labels"], facts["mistakes"]["confusion"]) == ([], [None])
    assert facts["networks"][0]["accuracy"] == run.result["test_accuracy"]
    capsys.readouterr()
    found = ml.evaluate(run, tmp_path / "moved.npz")
    capsys.readouterr()
    assert run_command(words) == 0
    assert "note: " not in capsys.readouterr().err
    assert drawing_page.page_facts([found], Packing())["references"]


def test_test_images_are_those_of_all_runs(run: ml.Run) -> None:
    data = ml.load("fashion-mini")
    part = answered_images(run, recorded_parts(run.path, run.recipe, run.data, data))
    fewer = part._replace(test=part.test.take(np.arange(500, 540)))
    packing = Packing()
    sample = sample_of([part, fewer], packing)
    content = gzip.decompress(content_of(packing.text()))
    pixels = array_of(content, sample["pixels"]).reshape(-1, 28, 28)
    np.testing.assert_array_equal(pixels, part.test.images[500:540])
    assert sample["labels"] == part.test.labels[500:540].tolist()


def test_mistakes_are_counted_whole_and_shown_in_part(run: ml.Run) -> None:
    data = ml.load("fashion-mini")
    part = answered_images(run, recorded_parts(run.path, run.recipe, run.data, data))
    packing = Packing()
    found = mistakes_of([part, part], packing)
    wrong = part.predicted != part.test.labels
    assert found["nFound"] == len(np.unique(part.test.images[wrong], axis=0))
    (counts, again) = found["confusion"]
    assert counts == again
    assert sum(n for _, _, n in counts) == wrong.sum()
    content = gzip.decompress(content_of(packing.text()))
    shown = array_of(content, found["pixels"]).reshape(-1, 28, 28)
    assert len(shown) == len(found["labels"]) == 60  # half of what there is room for
    assert part.probabilities is not None
    assert part.predicted is not None
    for number, image, predicted, p in found["wrong"]:
        assert number in (0, 1)
        (places,) = np.nonzero((part.test.images == shown[image]).all(axis=(1, 2)) & wrong)
        assert predicted in part.predicted[places]
        assert p == pytest.approx(part.probabilities[places, predicted].max(), abs=1e-4)


def test_references_are_training_images_of_all_runs_with_a_threshold_each(
    run: ml.Run, sister: ml.Run
) -> None:
    data = ml.load("fashion-mini")
    splits = [recorded_parts(of.path, of.recipe, of.data, data) for of in (run, sister)]
    classifiers = [of.classifier("cpu") for of in (run, sister)]
    packing = Packing()
    found = references_of(splits, classifiers, packing)
    assert found is not None
    content = gzip.decompress(content_of(packing.text()))
    pixels = array_of(content, found["pixels"]).reshape(-1, 28, 28)
    trained_on = {image.tobytes() for image in splits[1].train.images}
    assert {image.tobytes() for image in pixels} <= trained_on
    # The threshold by its definition: at most 1 % of the validation images lie above it.
    reference = Reference(features_of(classifiers[0], pixels), np.arange(len(pixels)), 0.0)
    known = distances(features_of(classifiers[0], splits[0].val.images), reference)
    assert (known > found["thresholds"][0]).mean() <= 0.01
    assert (known >= found["thresholds"][0]).mean() > 0.005
    few = [replace(split, train=split.train.take(np.arange(5))) for split in splits]
    assert LEAST_REFERENCES > 5
    assert references_of(few, classifiers, packing) is None


def test_images_of_all_parts_are_found_wherever_they_stand() -> None:
    data = ml.load("fashion-mini")
    parts = [data.take(np.array(places)) for places in ([5, 6, 7, 8], [9, 8, 5], [5, 8, 7])]
    assert in_all(parts).tolist() == [0, 3]
    assert in_all(parts[:1]).tolist() == [0, 1, 2, 3]
    assert evenly(4, 9).tolist() == [0, 1, 2, 3]
    assert evenly(100, 3).tolist() == [0, 49, 99]


def test_runs_have_the_shortest_names_that_tell_them_apart(run: ml.Run, sister: ml.Run) -> None:
    assert names_of([run]) == ["softmax-tuned"]
    assert names_of([run, sister]) == ["softmax-tuned, seed 0", "softmax-tuned, seed 1"]
    with pytest.raises(RunError, match="the same run is named twice"):
        names_of([run, run])


def test_the_page_is_one_file_that_asks_for_nothing(run: ml.Run, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    written = ml.export_page([run], path)
    text = path.read_text(encoding="utf-8")
    assert written.n_bytes == path.stat().st_size
    assert written.of_runs["softmax-tuned"] < written.n_bytes
    assert "@" not in re.sub(r"@media", "", text.split('<script type="application/json"')[0])
    assert not re.search(r"""(?:src|href)=|url\(|import\(""", text.split("<script")[0])
    assert str(tmp_path) not in text  # nothing of the folders of whoever exports
    ml.export_page([run], tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == path.read_bytes()


def test_a_page_of_more_than_two_megabytes_is_refused(
    run: ml.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert drawing_page.MAX_BYTES == 2_000_000
    monkeypatch.setattr(drawing_page, "MAX_BYTES", 100_000)
    with pytest.raises(
        RunError, match=r"it would have 0\.\d MB .* largest network is that of softm"
    ):
        ml.export_page([run], tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_runs_that_see_other_images_are_refused(run: ml.Run, tmp_path: Path) -> None:
    recipe = ml.set_fields(ml.get_recipe("softmax-tuned"), {"epochs": "1", "n_train": "100"})
    other = ml.train(recipe, ml.load("digits"), out=tmp_path / "runs", threads=1)
    with pytest.raises(RunError, match=r"is another than that of .* see the same images"):
        ml.export_page([run, other], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_text_of_the_users_cannot_end_an_element(run: ml.Run) -> None:
    facts = drawing_page.page_facts([run], packing := Packing())
    hostile = "</script><script>alert(1)</script>"
    text = drawing_page.page_html(facts | {"data": hostile, "classes": [hostile]}, packing.text())
    assert text.count("</script>") == drawing_page.page_html(facts, packing.text()).count(
        "</script>"
    )


DOCUMENT = (CHECKOUT / "docs" / "drawing-page.md").read_text(encoding="utf-8")
DIGITS, CLOTHES = (
    [line for line in block.splitlines() if line.startswith("mnistlab ")]
    for block in re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
)


def test_the_documented_commands_for_digits_are_understood() -> None:
    for line in DIGITS:
        command, rest = typer.main.get_command(app), shlex.split(line)[1:]
        while commands := getattr(command, "commands", {}):
            name, *rest = rest
            command = commands[name]
        command.make_context(name, rest)


def test_the_documented_commands_make_a_page_of_clothes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    less = ["--set", "epochs=1", "--set", "n_train=200", "--threads", "1"]
    for line in CLOTHES:
        _, kind, *words = shlex.split(line)
        found = [str(path) for word in words for path in (sorted(Path().glob(word)) or [word])]
        assert run_command([kind, *found, *(less if kind == "train" else [])]) == 0
    facts = re.search(r'id="facts">(.*?)</script>', Path("clothes.html").read_text(), re.DOTALL)
    assert facts is not None
    networks = json.loads(facts[1])["networks"]
    assert [network["name"] for network in networks] == ["softmax-tuned", "simple-cnn"]
