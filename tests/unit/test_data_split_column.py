"""A column or array that tells the split of each image, under any usual name, in every format."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest
from PIL import Image

from mnistlab.data import Dataset, load
from mnistlab.errors import DataError

N = 12
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 4, 4), dtype=np.uint8)
LABELS = np.arange(N) % 2
IS_TEST = np.arange(N) % 3 == 0  # of four images


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def labels_csv(root: Path, name: str, values: list[object]) -> Path:
    (root / "images").mkdir()
    rows = [f"filename,label,{name}"]
    for i in range(N):
        (root / "images" / f"{i}.png").write_bytes(png(IMAGES[i]))
        rows.append(f"{i}.png,{LABELS[i]},{values[i]}")
    (root / "labels.csv").write_text("\n".join(rows))
    return root


def parquet_images(root: Path, name: str, values: list[object]) -> Path:
    images = [{"bytes": png(image), "path": None} for image in IMAGES]
    pl.DataFrame({"image": images, "label": LABELS, name: values}).write_parquet(root / "x.parquet")
    return root / "x.parquet"


def parquet_pixels(root: Path, name: str, values: list[object]) -> Path:
    pixels = {f"pixel{i}": IMAGES.reshape(N, -1)[:, i] for i in range(16)}
    pl.DataFrame({"label": LABELS, name: values, **pixels}).write_parquet(root / "x.parquet")
    return root / "x.parquet"


def npz(root: Path, name: str, values: list[object]) -> Path:
    np.savez(root / "x.npz", images=IMAGES, labels=LABELS, **{name: np.array(values)})
    return root / "x.npz"


def hdf5(root: Path, name: str, values: list[object]) -> Path:
    with h5py.File(root / "x.h5", "w") as file:
        file["images"], file["labels"], file[name] = IMAGES, LABELS, values
    return root / "x.h5"


FORMATS = [labels_csv, parquet_images, parquet_pixels, npz, hdf5]
Write = Callable[[Path, str, list[object]], Path]


def is_cut(dataset: Dataset, split: str = "test") -> None:
    """The images of the split are those of IS_TEST, and all others train."""
    parts = dataset.official_splits
    assert parts.keys() == {"train", split}
    assert np.array_equal(dataset.images[parts["train"]], IMAGES[~IS_TEST])
    assert np.array_equal(dataset.images[parts[split]], IMAGES[IS_TEST])
    assert [dataset.class_names[k] for k in dataset.labels] == [
        str(k) for k in (*LABELS[~IS_TEST], *LABELS[IS_TEST])
    ]


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        ("split", "train", "test"),
        ("Usage", "Training", "PrivateTest"),
        ("phase", "TRAIN", "testing"),
        ("dataset", "train", "test"),
        ("Data Split", "train", "test"),
        ("is_train", 1, 0),
        ("is_test", False, True),
        ("isTraining", "yes", "no"),
        ("is_training_image", 1, 0),
    ],
)
def test_is_read_as_splits(
    tmp_path: Path, write: Write, name: str, train: object, test: object
) -> None:
    is_cut(load(write(tmp_path, name, [test if of_test else train for of_test in IS_TEST])))


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize(
    ("name", "train", "val"),
    [("is_val", 0, 1), ("Usage", "Training", "PublicTest"), ("subset", "train", "valid")],
)
def test_validation_images_as_well(
    tmp_path: Path, write: Write, name: str, train: object, val: object
) -> None:
    path = write(tmp_path, name, [val if of_val else train for of_val in IS_TEST])
    is_cut(load(path), "val")


@pytest.mark.parametrize("write", [*FORMATS])
@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("split", [0, 1], r"column 'split' seems to tell the splits \('0', '1'\); write train"),
        ("Usage", ["Public", "Private"], r"column 'Usage' .*'Public', 'Private'.* rename or drop"),
        ("is_train", [0, 2], r"row 2: '2' is not train, val or test"),
        ("phase", ["train", "dev"], r"row [23]: 'dev' is not train, val or test"),
    ],
)
def test_values_that_are_not_clear_are_refused(
    tmp_path: Path, write: Write, name: str, values: list[object], said: str
) -> None:
    said = said.replace("row 2: '2'", "row [23]: '2'")
    with pytest.raises(DataError, match=said):
        load(write(tmp_path, name, [values[i % 2] for i in range(N)]))


@pytest.mark.parametrize("write", FORMATS)
def test_a_column_about_something_else_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], write: Write
) -> None:
    dataset = load(write(tmp_path, "set", [i % 2 for i in range(N)]))
    assert (len(dataset), dataset.n_official_train) == (N, None)
    assert "column 'set' does not say train, val or test and is not used" in capsys.readouterr().err


def test_a_note_counts_the_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load(npz(tmp_path, "is_train", [*(~IS_TEST)]))
    said = "column 'is_train' tells the splits: 8 train, 4 test"
    assert said in capsys.readouterr().err


def test_any_column_of_the_names_of_splits_counts(tmp_path: Path) -> None:
    is_cut(load(labels_csv(tmp_path, "fold", ["test" if t else "train" for t in IS_TEST])))


def test_columns_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    labels_csv(tmp_path, "split,is_train", ["train,0", *["test,0"] * (N - 1)])
    with pytest.raises(DataError, match="'split' and 'is_train' tell different splits; drop one"):
        load(tmp_path)


def test_the_column_and_the_name_of_the_file_may_both_tell_it(tmp_path: Path) -> None:
    split = ["train", "test"] * (N // 2)
    parquet_images(tmp_path, "split", split).rename(tmp_path / "train.parquet")  # type: ignore[arg-type]
    parquet_images(tmp_path, "split", ["test"] * N).rename(tmp_path / "test.parquet")
    with pytest.raises(DataError, match=r"train\.parquet: a column tells .* drop the column"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["split", "Usage", "is_train", "set"])
def test_in_a_table_of_pixels_it_is_followed(tmp_path: Path, name: str) -> None:
    names = ",".join(["label", name, *(f"pixel{i}" for i in range(16))])
    told = ["train" if i < N - 3 else "test" for i in range(N)]
    if name == "is_train":
        told = [str(one == "train") for one in told]
    rows = [f"{LABELS[i]},{told[i]},{','.join(map(str, IMAGES[i].ravel()))}" for i in range(N)]
    (tmp_path / "x.csv").write_text("\n".join([names, *rows]))
    dataset = load(tmp_path / "x.csv")
    assert dataset.official_splits == {"train": slice(0, N - 3), "test": slice(N - 3, N)}
    assert np.array_equal(dataset.images.reshape(N, -1), IMAGES.reshape(N, -1))


def test_in_a_table_of_pixels_two_of_them_are_refused(tmp_path: Path) -> None:
    names = ",".join(["label", "split", "Usage", *(f"pixel{i}" for i in range(16))])
    rows = [f"{LABELS[i]},train,test,{','.join(map(str, IMAGES[i].ravel()))}" for i in range(N)]
    (tmp_path / "x.csv").write_text("\n".join([names, *rows]))
    with pytest.raises(DataError, match=r"column 'split' .*'train'.*save one table per split"):
        load(tmp_path / "x.csv")


@pytest.mark.parametrize("beside", ["test.csv", None])
def test_a_table_without_rows_is_refused(tmp_path: Path, beside: str | None) -> None:
    labels_csv(tmp_path, "x", [0] * N)
    (tmp_path / "labels.csv").rename(tmp_path / (beside or "labels.csv"))
    empty = "train.csv" if beside else "labels.csv"
    (tmp_path / empty).write_text("filename,label\n")
    if beside:  # its images are in the other one
        with pytest.raises(DataError, match="no training set beside it"):
            load(tmp_path)
    else:
        with pytest.raises(DataError, match=r"labels\.csv: has no rows below its header"):
            load(tmp_path)
