"""`predict` of a single image in a .npy file, and of tables whose labels lie as in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.errors import DataError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Run, open_run, predict, predicting, train

NET = Recipe("small", "C19", "scratch", (Phase("adam", 0.01, 1),), {"hidden_sizes": (16,)})
SIDE = 12


@pytest.fixture(scope="module")
def run(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(NET, stripes, out=tmp_path_factory.mktemp("runs"))


def _seen(run: Run, path: Path, tmp_path: Path) -> np.ndarray:
    """The images that the classifier was given."""
    found: list[np.ndarray] = []
    predict(run, path, tmp_path / "o.csv", on_predicted=lambda block: found.append(block.images))
    return np.concatenate(found)


def test_one_image_is_one_image(run: Run, stripes: Dataset, tmp_path: Path) -> None:
    image, path = stripes.images[7], tmp_path / "one.npy"
    grey = np.repeat(image[..., None], 3, axis=2)
    forms = [image, image[None], image[..., None], image[None, ..., None], image.ravel(), grey]
    for array in [*forms, image.ravel()[None], grey[None], grey.transpose(2, 0, 1)[None]]:
        np.save(path, array)
        assert np.array_equal(_seen(run, path, tmp_path), image[None]), array.shape
    np.save(path, stripes.images[:SIDE].reshape(SIDE, -1))
    assert np.array_equal(_seen(run, path, tmp_path), stripes.images[:SIDE])
    np.save(path, image[:, :-1])
    with pytest.raises(DataError, match=r"if it is one image, save x\[None\] instead"):
        _seen(run, path, tmp_path)


def test_one_image_is_not_called_images(
    run: Run, stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "one.npy", stripes.images[7])
    words = ["predict", str(run.path), str(tmp_path / "one.npy"), "-o", str(tmp_path / "one.csv")]
    assert run_command(words) == 0
    assert capsys.readouterr().out.startswith("1 image predicted in ")


@pytest.mark.parametrize("place", [0, SIDE * SIDE])
def test_labels_lie_where_they_lay_in_training(
    stripes: Dataset, tmp_path: Path, place: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten images of one class tell nothing of where their labels are."""
    flat = np.minimum(stripes.images.reshape(len(stripes), -1).astype(int), 3)
    rows = np.insert(flat[:200], place, stripes.labels[:200], axis=1)
    np.savetxt(tmp_path / "train.csv", rows, "%d", ",")
    np.savetxt(tmp_path / "new.csv", rows[stripes.labels[:200] == 1][:10], "%d", ",")
    np.savetxt(tmp_path / "bare.csv", flat[:10], "%d", ",")
    from mnistlab.data import load

    run = train(NET, load(tmp_path / "train.csv", label_column=str(place + 1)), out=tmp_path)
    wanted = flat[:200][stripes.labels[:200] == 1][:10].reshape(-1, SIDE, SIDE)
    assert np.array_equal(_seen(run, tmp_path / "new.csv", tmp_path), wanted)
    assert "labels are taken" not in capsys.readouterr().err
    bare = _seen(run, tmp_path / "bare.csv", tmp_path)
    assert np.array_equal(bare, flat[:10].reshape(-1, SIDE, SIDE))


def test_a_few_rows_are_read_as_the_table_of_the_training(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without header, labels last and a blank corner first: five rows alone would mislead."""
    flat = stripes.images.reshape(len(stripes), -1).astype(int)
    flat[:, 0] = 0
    rows = np.column_stack([flat, stripes.labels])
    (tmp_path / "set").mkdir()
    for path in (tmp_path / "all.csv", tmp_path / "set" / "train.csv"):
        np.savetxt(path, rows[:300], "%d", ",")
    np.savetxt(tmp_path / "set" / "test.csv", rows[300:400], "%d", ",")
    few = rows[400:][stripes.labels[400:] == 2][:5]
    np.savetxt(tmp_path / "few.csv", few, "%d", ",")
    for name in ("all.csv", "set"):
        run = train(NET, str(tmp_path / name), out=tmp_path / "runs")
        capsys.readouterr()
        seen = _seen(run, tmp_path / "few.csv", tmp_path)
        assert np.array_equal(seen.reshape(5, -1), few[:, :-1])
        assert "labels are taken" not in capsys.readouterr().err
        assert run_command(["evaluate", str(run.path), "--data", str(tmp_path / "few.csv")]) == 0
        (measured,) = open_run(run.path).result["other_data"].values()
        predicted = run.classifier().predict(seen)
        assert measured["test_accuracy"] == (predicted == 2).mean()
        assert measured["n_test"] == 5


def test_where_labels_may_be_anywhere_a_note_says_what_is_taken(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = np.random.default_rng(0).integers(0, 3, (60, SIDE * SIDE + 1))
    np.savetxt(tmp_path / "new.csv", rows, "%d", ",")
    seen = _seen(run, tmp_path / "new.csv", tmp_path)
    assert np.array_equal(seen.reshape(60, -1), rows[:, 1:])
    said = capsys.readouterr().err
    assert "both look like labels; column 1 is taken to have them" in said
    assert "--label-column" not in said


def test_an_array_of_any_shape_is_one_picture_where_it_is_prepared() -> None:
    from mnistlab.data.readers.unlabelled import Wanted, _is_single

    wanted = Wanted((28, 28), prepare=lambda image: image)
    for shape in ((300, 200), (100, 100), (64, 48, 3), (28, 28), (784,)):
        assert _is_single(shape, wanted), shape
    for shape in ((10, 784), (10, 56, 56), (1, 50, 60), (3, 28, 28), (10, 28, 28, 3)):
        assert not _is_single(shape, wanted), shape
    assert predicting.PREPARATIONS
