"""`predict --prepare`, of pictures of any size, and `predict --unusual`."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data.preparing import prepare, recorded_preparation
from mnistlab.data.readers.pixels import decode
from mnistlab.errors import DataError, RunError
from mnistlab.evaluation.neighbours import distances
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs.neighbours import FILE, features_of, reference_of

Levels = NDArray[np.uint8]
RECIPE = Recipe("small", "C19", "mlp", (Phase("adam", 0.01, 2),), {"hidden_sizes": [24]})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ml.Run:
    """A run of 1,200 images of the embedded set."""
    recipe = ml.set_fields(RECIPE, {"n_train": "1200"})
    return ml.train(recipe, out=tmp_path_factory.mktemp("runs"), threads=1)


@pytest.fixture(scope="module")
def garments() -> Levels:
    """Ten images of the embedded set, (10, 28, 28)."""
    return np.asarray(ml.load("fashion-mini").images[-10:])


def pictures_of(images: Levels) -> list[Levels]:
    """Each enlarged, put somewhere on a canvas of its own size, every other one on white."""
    pictures = []
    for i, image in enumerate(images):
        large = np.pad(np.kron(image, np.ones((3 + i, 3 + i), np.uint8)), ((5 * i, 3), (9, 40)))
        pictures.append(255 - large if i % 2 else large)
    return pictures


def column(path: Path, name: str) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return [row[name] for row in csv.DictReader(file)]


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_pictures_of_any_size_are_prepared(
    run: ml.Run, garments: Levels, tmp_path: Path, kind: str
) -> None:
    pictures, folder = pictures_of(garments), tmp_path / "pictures"
    folder.mkdir()
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{i}.png")
    given = folder
    if kind == "zip":
        given = tmp_path / "pictures.zip"
        with zipfile.ZipFile(given, "w") as archive:
            for file in folder.iterdir():
                archive.write(file, file.name)
    out = tmp_path / "out.csv"
    assert ml.predict(run, given, out, prepare=True, probabilities=True) == 10
    classifier = run.classifier("cpu")
    expected = classifier.predict_proba(prepare(pictures, "garment"))
    names = run.data["class_names"]
    assert column(out, "label") == [names[code] for code in expected.argmax(1)]
    for k, name in enumerate(names):
        found = np.array(column(out, f"p_{name}"), float)
        np.testing.assert_allclose(found, expected[:, k], atol=1e-6)


def test_transparent_and_turned_pictures_are_read_as_they_are_seen(
    run: ml.Run, garments: Levels, tmp_path: Path
) -> None:
    seen = pictures_of(garments[:1])[0]
    folder = tmp_path / "pictures"
    folder.mkdir()
    alpha = np.where(seen > 0, 255, 0).astype(np.uint8)
    Image.fromarray(np.dstack([seen, alpha])).save(folder / "transparent.png")
    turned, exif = Image.fromarray(np.rot90(seen)), Image.Exif()
    exif[0x0112] = 6  # shown turned to the right by a quarter
    turned.save(folder / "turned.png", exif=exif)
    Image.fromarray(seen).save(folder / "plain.png")
    plain, transparent, right = prepared_as_seen(run, folder, tmp_path / "out.csv")
    np.testing.assert_array_equal(right, plain)
    np.testing.assert_array_equal(plain, prepare([seen], "garment")[0])
    read = decode(folder / "transparent.png", "a picture")
    np.testing.assert_array_equal(transparent, prepare([read], "garment")[0])


def prepared_as_seen(run: ml.Run, given: Path, out: Path) -> Levels:
    found: list[Levels] = []
    ml.runs.predict(
        run, given, out, prepare=True, on_predicted=lambda block: found.append(block.images)
    )
    return np.concatenate(found)


@pytest.mark.parametrize("name", ["new.npz", "new.npy", "new.csv"])
def test_arrays_and_tables_of_another_size_are_prepared(
    run: ml.Run, garments: Levels, tmp_path: Path, name: str
) -> None:
    pictures = np.kron(garments, np.ones((1, 2, 2), np.uint8))  # (10, 56, 56)
    path = tmp_path / name
    if name == "new.npz":
        np.savez(path, images=pictures)
    elif name == "new.npy":
        np.save(path, pictures)
    else:
        rows = [",".join(f"pixel{i}" for i in range(56 * 56))]
        rows += [",".join(map(str, picture.ravel())) for picture in pictures]
        path.write_text("\n".join(rows))
    found = prepared_as_seen(run, path, tmp_path / "out.csv")
    np.testing.assert_array_equal(found, prepare(list(pictures), "garment"))
    with pytest.raises(DataError):  # and not without --prepare
        ml.predict(run, path, tmp_path / "out.csv")


def test_flat_pictures_that_are_not_square_need_their_size(
    run: ml.Run, garments: Levels, tmp_path: Path
) -> None:
    pictures = np.pad(garments, ((0, 0), (0, 0), (0, 12)))  # (10, 28, 40)
    np.savez(tmp_path / "new.npz", images=pictures.reshape(10, -1))
    out = tmp_path / "out.csv"
    with pytest.raises(DataError, match="1120 pixels are not a square; give --size HxW"):
        ml.predict(run, tmp_path / "new.npz", out, prepare=True)
    assert ml.predict(run, tmp_path / "new.npz", out, prepare=True, size=(28, 40)) == 10


def test_pictures_of_another_size_are_referred_to_prepare(
    run: ml.Run, garments: Levels, stripes: ml.Dataset, tmp_path: Path
) -> None:
    """Where the images trained on were prepared; the words of other runs are tested with them."""
    (tmp_path / "photos").mkdir()
    picture = np.kron(garments[0], np.ones((3, 4), np.uint8))
    Image.fromarray(picture).save(tmp_path / "photos" / "a.jpg")
    np.save(tmp_path / "new.npy", picture[None])
    np.savez(tmp_path / "new.npz", images=picture[None])
    wanted = r"84x112.*28x28; --prepare \(from Python: prepare=True\) prepares pictures of any size"
    for name in ("photos", "photos/a.jpg", "new.npy", "new.npz"):
        with pytest.raises(DataError, match=wanted):
            ml.predict(run, tmp_path / name, tmp_path / "out.csv")
        assert ml.predict(run, tmp_path / name, tmp_path / "out.csv", prepare=True) == 1
    assert ml.predict(run, tmp_path / "photos", tmp_path / "out.csv", size=28) == 1


def test_blank_pictures_are_noted(run: ml.Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "new.npz", images=np.full((3, 50, 50), 200, np.uint8))
    notes: list[str] = []
    ml.predict(run, tmp_path / "new.npz", tmp_path / "out.csv", prepare=True, on_note=notes.append)
    assert notes == [
        "new.npz: 3 of 3 pictures show nothing that could be cut out: their predictions say nothing"
    ]


def test_a_run_of_own_images_prepares_nothing(
    stripes: ml.Dataset, run: ml.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ml.train(RECIPE, stripes, out=tmp_path / "runs", threads=1, progress=ml.Progress())
    assert own.data["preparation"] is None
    Image.fromarray(stripes.images[0]).save(tmp_path / "one.png")
    out = tmp_path / "out.csv"
    words = ["predict", str(own.path), str(tmp_path / "one.png"), "-o", str(out), "--prepare"]
    assert run_command(words) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "nothing is known of how the images of stripes were prepared" in said
    assert not out.exists()
    with pytest.raises(DataError, match="prepare finds out by itself"):
        ml.predict(run, tmp_path / "one.png", out, prepare=True, invert="yes")


def test_a_bomb_is_refused(run: ml.Run, tmp_path: Path) -> None:
    Image.new("1", (5000, 5000)).save(tmp_path / "bomb.png")
    with pytest.raises(DataError, match="5000 x 5000 pixels; refused"):
        ml.predict(run, tmp_path / "bomb.png", tmp_path / "out.csv", prepare=True)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"preparation": "digit", "name": "x"}, "digit"),
        ({"preparation": None, "name": "mnist"}, None),
        ({"name": "mnist"}, "digit"),  # of an older run
        ({"name": "mnist", "source": {"name_or_path": "/my/folders/mnist"}}, None),
        ({"name": "mnist", "source": {"name_or_path": "mnist"}}, "digit"),
        ({"name": "mnist", "image_shape": [20, 20]}, None),
    ],
)
def test_how_images_were_prepared_is_recorded(
    record: dict[str, object], expected: str | None
) -> None:
    assert recorded_preparation({"image_shape": [28, 28]} | record) == expected


def test_new_runs_say_how_their_images_were_prepared(run: ml.Run) -> None:
    assert run.data["preparation"] == "garment"
    broken = run.path.parent / "broken"
    broken.mkdir()
    for file in run.path.iterdir():
        broken.joinpath(file.name).write_bytes(file.read_bytes())
    (broken / "data.json").write_text(json.dumps(run.data | {"preparation": "sleeve"}))
    with pytest.raises(RunError, match=r"data\.json: preparation"):
        ml.open_run(broken)


def test_images_unlike_the_training_images_are_marked_counted_and_shown(
    run: ml.Run, garments: Levels, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    images = np.concatenate([garments, noise])
    np.savez(tmp_path / "new.npz", images=images)
    out = tmp_path / "out.csv"
    words = ["predict", str(run.path), str(tmp_path / "new.npz"), "-o", str(out)]
    assert run_command([*words, "--unusual", "--report", "--json"]) == 0
    reference = reference_of(run)
    assert reference is not None
    expected = distances(features_of(run.classifier("cpu"), images), reference)
    far = expected > reference.threshold
    assert far[10:].all()
    np.testing.assert_allclose(np.array(column(out, "distance"), float), expected, atol=1e-6)
    assert column(out, "unusual") == ["true" if one else "false" for one in far]
    said = capsys.readouterr().out.splitlines()
    assert f"{far.sum()} of them are unlike the training images (column unusual)" in said
    assert json.loads(said[-1])["n_unusual"] == far.sum()
    page = out.with_suffix(".html").read_text(encoding="utf-8")
    assert "Unlike the training images" in page
    assert "--unusual" in page
    assert run_command([*words, "--unusual"]) == 0  # its own table may be replaced
    plain = tmp_path / "plain.csv"
    ml.predict(run, tmp_path / "new.npz", plain)
    assert column(plain, "label") == column(out, "label")


def test_without_the_training_data_nothing_is_said_and_nothing_written(
    stripes: ml.Dataset, tmp_path: Path
) -> None:
    own = ml.train(RECIPE, stripes, out=tmp_path / "runs", threads=1)
    np.savez(tmp_path / "new.npz", images=stripes.images[:5])
    with pytest.raises(RunError, match="trained on arrays"):
        ml.predict(own, tmp_path / "new.npz", tmp_path / "out.csv", unusual=True)
    assert not (tmp_path / "out.csv").exists()
    assert not (own.path / FILE).exists()
