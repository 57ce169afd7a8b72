"""Spellings of one class: the Unicode forms of a name, and numbers with and without zeros."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mnistlab as ml
from mnistlab.data import Dataset, export, load
from mnistlab.errors import DataError, RunError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Run, evaluate, train

RECIPE = Recipe("small", "E2", "mlp", (Phase("adam", 0.01, 1),), precision="float32")
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (40, 4, 4)).astype(np.uint8)
NEW = RANDOM.integers(0, 256, (16, 4, 4)).astype(np.uint8)
COMPOSED = ["Ant", "Bee", "Cat", "Käse"]
DECOMPOSED = [unicodedata.normalize("NFD", name) for name in COMPOSED]
PADDED, BARE = ["00", "01", "02", "10"], ["0", "1", "2", "10"]


def _labels(names: list[str], images: np.ndarray = IMAGES) -> list[str]:
    return [names[i % 4] for i in range(len(images))]


BOTH = [*_labels(COMPOSED)[:20], *_labels(DECOMPOSED)[20:]]


def _csv(path: Path, images: np.ndarray, labels: list[str]) -> Path:
    header = ["label", *(f"pixel{i}" for i in range(16))]
    rows = [[name, *image.ravel()] for name, image in zip(labels, images, strict=True)]
    path.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]) + "\n")
    return path


def _npz(path: Path, images: np.ndarray, labels: list[str]) -> Path:
    np.savez(path, images=images, labels=np.array(labels))
    return path


def _hdf5(path: Path, images: np.ndarray, labels: list[str]) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file["images"] = images
        file["labels"] = np.array([name.encode() for name in labels])
    return path


def _parquet(path: Path, images: np.ndarray, labels: list[str]) -> Path:
    pl = pytest.importorskip("polars")
    columns = {f"pixel{i}": images.reshape(len(images), -1)[:, i] for i in range(16)}
    pl.DataFrame({"label": labels, **columns}).write_parquet(path)
    return path


def _folders(path: Path, images: np.ndarray, labels: list[str]) -> Path:
    for i, (image, name) in enumerate(zip(images, labels, strict=True)):
        (path / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path / name / f"{i}.png")
    return path


def _listed(path: Path, images: np.ndarray, labels: list[str]) -> Path:
    _folders(path, images, ["images"] * len(images))
    rows = [f"{i}.png,{name}\n" for i, name in enumerate(labels)]
    (path / "labels.csv").write_text("filename,label\n" + "".join(rows))
    return path


WRITERS = {
    "set.csv": _csv,
    "set.npz": _npz,
    "set.h5": _hdf5,
    "set.parquet": _parquet,
    "folders": _folders,
    "listed": _listed,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_two_unicode_forms_of_one_name_are_one_class(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = load(WRITERS[kind](tmp_path / kind, IMAGES, BOTH))
    assert dataset.class_names == tuple(COMPOSED)
    assert capsys.readouterr().err.count("Käse: one name in two forms of Unicode, one class") == 1


def test_the_splits_of_a_set_may_differ_in_the_unicode_form(tmp_path: Path) -> None:
    _csv(tmp_path / "train.csv", IMAGES, _labels(COMPOSED))
    _csv(tmp_path / "test.csv", NEW, _labels(DECOMPOSED, NEW))
    assert load(tmp_path).class_names == tuple(COMPOSED)


@pytest.mark.parametrize("file", ["set.npz", "set.h5"])
def test_lists_of_class_names_are_in_one_unicode_form(file: str, tmp_path: Path) -> None:
    arrays = {"images": IMAGES, "labels": np.arange(40) % 4}
    if file.endswith("npz"):
        np.savez(tmp_path / file, class_names=np.array(DECOMPOSED), **arrays)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(tmp_path / file, "w") as h5:
            h5["class_names"] = np.array([name.encode() for name in DECOMPOSED])
            h5["images"], h5["labels"] = arrays["images"], arrays["labels"]
    assert load(tmp_path / file).class_names == tuple(COMPOSED)


def test_a_list_of_class_names_with_both_forms_of_one_is_refused(tmp_path: Path) -> None:
    names = np.array(["Ant", "Bee", COMPOSED[3], DECOMPOSED[3]])
    np.savez(tmp_path / "set.npz", images=IMAGES, labels=np.arange(40) % 4, class_names=names)
    with pytest.raises(DataError, match="class names must be different"):
        load(tmp_path / "set.npz")


def _run(names: list[str], out: Path) -> Run:
    codes = np.arange(len(IMAGES)) % len(names)
    return train(RECIPE, Dataset("known", IMAGES, codes, tuple(names)), out=out)


def _n_tested(run: Run, path: Path) -> int:
    (figures,) = evaluate(run, str(path)).result["other_data"].values()
    assert all(value is not None for value in figures["per_class_accuracy"])
    return int(figures["n_test"])


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(
    ("trained", "new"),
    [
        (COMPOSED, DECOMPOSED),
        (DECOMPOSED, COMPOSED),
        (PADDED, BARE),
        (PADDED, PADDED),
        (BARE, PADDED),
    ],
    ids=["nfc-nfd", "nfd-nfc", "padded-bare", "padded", "bare-padded"],
)
def test_a_run_knows_its_classes_in_another_spelling(
    kind: str, trained: list[str], new: list[str], tmp_path: Path
) -> None:
    path = WRITERS[kind](tmp_path / kind, NEW, _labels(new, NEW))
    assert _n_tested(_run(trained, tmp_path / "runs"), path) == len(NEW)


@pytest.mark.parametrize(("train", "test"), [(PADDED, BARE), (BARE, PADDED)])
def test_folders_of_other_splits_may_write_numbers_in_another_way(
    train: list[str], test: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _folders(tmp_path / "train", IMAGES, _labels(train))
    _folders(tmp_path / "test", NEW, _labels(test, NEW))
    dataset = load(tmp_path)
    assert dataset.class_names == tuple(train)
    assert [dataset.class_names[k] for k in dataset.labels[40:]].count(train[1]) == 4
    assert f"{test[0]} is {train[0]}" in capsys.readouterr().err


def test_folders_of_both_spellings_are_two_classes(tmp_path: Path) -> None:
    _folders(tmp_path / "train", IMAGES, _labels(["1", "01", "2", "3"]))
    _folders(tmp_path / "test", NEW, _labels(["001", "1", "2", "3"], NEW))
    assert load(tmp_path).class_names == ("001", "01", "1", "2", "3")


def test_each_image_counts_under_the_class_of_its_number(tmp_path: Path) -> None:
    run = _run(PADDED, tmp_path / "runs")
    path = _csv(tmp_path / "new.csv", NEW, _labels(["10", "2", "1", "0"], NEW))
    (figures,) = evaluate(run, str(path)).result["other_data"].values()
    codes = np.array([[3, 2, 1, 0][i % 4] for i in range(len(NEW))])
    assert figures["test_accuracy"] == np.mean(run.classifier().predict(NEW) == codes)


@pytest.mark.parametrize(
    ("trained", "new"),
    [(["1", "01", "2"], ["001", "2"]), (["1", "2"], ["1", "01"]), (["01", "a"], ["1", "a"])],
)
def test_numbers_that_could_be_two_classes_stay_apart(
    trained: list[str], new: list[str], tmp_path: Path
) -> None:
    run = _run(trained, tmp_path / "runs")
    data = Dataset("new", NEW, np.arange(16) % 2, tuple(new))
    with pytest.raises(RunError, match="which the run was not trained on"):
        evaluate(run, data)


@pytest.mark.parametrize("names", [PADDED, DECOMPOSED, ["01", "2", "3", "4"]])
@pytest.mark.parametrize("format", ["csv", "npz", "idx"])
def test_an_export_has_the_class_names_of_the_folders(
    names: list[str], format: str, tmp_path: Path
) -> None:
    dataset = load(_folders(tmp_path / "set", IMAGES, _labels(names)))
    assert dataset.class_names == tuple(unicodedata.normalize("NFC", name) for name in names)
    export(dataset, tmp_path / "out", format)
    assert load(tmp_path / "out").class_names == dataset.class_names


@pytest.mark.parametrize("names", [("1", "01"), ("1.0", "1"), (COMPOSED[3], DECOMPOSED[3])])
def test_two_spellings_of_one_class_are_not_exported_as_a_table(
    names: tuple[str, str], tmp_path: Path
) -> None:
    dataset = Dataset("few", IMAGES, np.arange(40) % 2, names)
    with pytest.raises(DataError, match="cannot hold the class name"):
        ml.data.export(dataset, tmp_path / "out")
