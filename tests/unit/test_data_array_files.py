"""Arrays of one set in files of their own, and what is said of arrays that make no set."""

from __future__ import annotations

import pathlib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mnistlab.data import Dataset, load
from mnistlab.errors import DataError

X = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)
Y = np.array([3, 5, 3, 5, 3, 5])
NEW = np.random.default_rng(1).integers(0, 256, (3, 4, 4), dtype=np.uint8)
NEW_Y = np.array([5, 3, 5])


def saved(folder: Path, **arrays: np.ndarray) -> Path:
    """One file per array; the last word of a keyword is its ending, _in_ a folder."""
    for called, array in arrays.items():
        name, _, ending = called.replace("_in_", "/").replace("__", "-").rpartition("_")
        path = folder / f"{name}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if ending == "npy":
            np.save(path, array)
        else:
            np.savez_compressed(path, array)
    return folder


def is_the_set(dataset: Dataset, images: np.ndarray, labels: np.ndarray) -> None:
    np.testing.assert_array_equal(dataset.images, images)
    assert [dataset.class_names[k] for k in dataset.labels] == [str(label) for label in labels]


@pytest.mark.parametrize(
    "names",
    [
        ("X_npy", "y_npy"),
        ("images_npy", "labels_npy"),
        ("imgs_npz", "label_npz"),
        ("faces_data_npy", "faces_target_npy"),
        ("letters__images_npy", "class_npy"),
        ("xtrain_npy", "ytrain_npy"),
        ("image_npy", "image_labels_npy"),
        ("train_in_images_npy", "train_in_labels_npy"),
        ("raw_in_X_npy", "raw_in_y_npy"),
    ],
)
def test_a_pair(tmp_path: Path, names: tuple[str, str]) -> None:
    dataset = load(saved(tmp_path / "set", **dict(zip(names, (X, Y), strict=True))))
    is_the_set(dataset, X, Y)
    assert dataset.n_official_train is None
    assert dataset.name == "set"


@pytest.mark.parametrize(
    "names",
    [
        ("X_train_npy", "y_train_npy", "X_test_npy", "y_test_npy"),
        ("train__imgs_npz", "train__labels_npz", "test__imgs_npz", "test__labels_npz"),
        tuple(f"km__{s}__{w}_npz" for s in ("train", "test") for w in ("imgs", "labels")),
        ("TrainImages_npy", "TrainLabels_npy", "TestImages_npy", "TestLabels_npy"),
        ("images_training_npy", "labels_training_npy", "testing_images_npy", "testing_y_npy"),
        ("train_in_x_npy", "train_in_y_npy", "test_in_x_npy", "test_in_y_npy"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_splits(tmp_path: Path, names: tuple[str, ...], packed: bool) -> None:
    folder = saved(tmp_path / "set", **dict(zip(names, (X, Y, NEW, NEW_Y), strict=True)))
    (folder / "kmnist_classmap.csv").write_text("index,char\n0,a\n1,b\n")
    (folder / "README.md").write_text("hello")
    given = folder
    if packed:
        given = tmp_path / "set.zip"
        with zipfile.ZipFile(given, "w") as archive:
            for path in filter(Path.is_file, folder.rglob("*")):
                archive.write(path, path.relative_to(tmp_path))
    dataset = load(given)
    is_the_set(dataset, np.concatenate([X, NEW]), np.concatenate([Y, NEW_Y]))
    assert dataset.n_official_train == 6


def test_what_else_the_arrays_tell(tmp_path: Path) -> None:
    told = np.array(["train", "test"] * 3)
    saved(tmp_path / "a", X_npy=X, y_npy=Y, split_npy=told, scores_npy=np.zeros(6))
    dataset = load(tmp_path / "a")
    is_the_set(dataset, np.concatenate([X[::2], X[1::2]]), np.concatenate([Y[::2], Y[1::2]]))
    assert dataset.n_official_train == 3
    assert any("left out: 1 file of arrays (scores.npy)" in line for line in dataset.notes)
    names = np.array(["cat", "dog"])
    saved(tmp_path / "b", X_npy=X, y_npy=Y == 5, class_names_npy=names)
    saved(tmp_path / "c", X_npy=X, y_npy=(Y == 5).astype(int), class_names_npy=names)
    with pytest.raises(DataError, match="with class names labels must be integers"):
        load(tmp_path / "b")
    assert load(tmp_path / "c").class_names == ("cat", "dog")


def test_a_test_set_without_labels_is_left_out(tmp_path: Path) -> None:
    dataset = load(saved(tmp_path, X_train_npy=X, y_train_npy=Y, X_test_npy=NEW))
    is_the_set(dataset, X, Y)
    assert dataset.notes[-1] == f"{tmp_path}: X_test has no labels and is left out"


REFUSED = {
    "two sets": (
        dict.fromkeys(["k49__train__imgs_npz", "kmnist__train__imgs_npz"], X)
        | dict.fromkeys(["k49__train__labels_npz", "kmnist__train__labels_npz"], Y),
        r"holds 4 files of arrays \(k49-.*of which several may be meant; put",
    ),
    "two labels": ({"X_npy": X, "y_npy": Y, "labels_npy": Y}, r"\(X\.npy, labels\.npy, y\.npy\)"),
    "other lengths": ({"X_npy": X, "y_npy": Y[:5]}, r"y: 5 labels for 6 images in X \(6, 4, 4\)"),
    "last axis": ({"X_npy": np.moveaxis(X, 0, 2), "y_npy": Y}, r"save np\.moveaxis\(x, 2, 0\)"),
    "images alone": (
        {"X_npy": X},
        r"holds 1 file of arrays \(X\.npy\).* images=np\.load\('X\.npy'\), labels=y\)$",
    ),
    "of each class": ({"cat_npy": X, "dog_npy": X}, r"if each has the images of one class, join"),
    "one image each": ({"cat_in_1_npy": X[0], "dog_in_2_npy": X[1]}, r"if each is one image, join"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    arrays, said = REFUSED[name]
    saved(tmp_path, **arrays)
    with pytest.raises(DataError, match=said) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_lines_join_the_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import glob

    known = {"np": np, "glob": glob, "pathlib": pathlib}
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "a", cat_npy=X[:2], dog_npy=X[2:])
    saved(tmp_path / "b", cat_in_1_npy=X[0], dog_in_2_npy=X[1])
    for folder, images, labels in (("a", X, ["cat"] * 2 + ["dog"] * 4), ("b", X[:2], "cat dog")):
        with pytest.raises(DataError) as caught:
            load(folder)
        monkeypatch.chdir(tmp_path / folder)
        exec(str(caught.value).split("join", 1)[1].split(": ", 1)[1], dict(known))
        is_the_set(load("set.npz"), images, np.array(labels if folder == "a" else labels.split()))
        monkeypatch.chdir(tmp_path)


def test_one_file_of_a_set_names_the_folder(tmp_path: Path) -> None:
    saved(tmp_path / "a", X_npy=X, y_npy=Y)
    saved(tmp_path / "b", train__imgs_npz=X, train__labels_npz=Y)
    for path in (tmp_path / "a" / "X.npy", tmp_path / "b" / "train-labels.npz"):
        with pytest.raises(DataError, match=rf"give the folder: {path.parent}$"):
            load(path)


def test_class_folders_and_tables_come_first(tmp_path: Path) -> None:
    saved(tmp_path, X_train_npy=X, y_train_npy=Y)
    header = ",".join(["label", *(f"pixel{i}" for i in range(16))])
    line = ",".join(["7", *(["255"] * 16)])
    (tmp_path / "train.csv").write_text(f"{header}\n{line}\n{line}\n")
    assert load(tmp_path).class_names == ("7",)
