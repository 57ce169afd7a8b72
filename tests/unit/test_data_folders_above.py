"""Tables, arrays and IDX files some folders below the one that is given."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistlab.data import load
from mnistlab.data.readers.binary import idx
from mnistlab.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 3), dtype=np.uint8)
LABELS = np.arange(6, dtype=np.uint8) % 2


def write(path: Path, split: str = "train") -> None:
    """A table, an NPZ or a file of IDX, by the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        names = ",".join(["label", *(f"pixel{i}" for i in range(9))])
        rows = [",".join(map(str, [LABELS[i], *IMAGES[i].ravel()])) for i in range(6)]
        path.write_text("\n".join([names, *rows]))
    elif path.suffix == ".npz":
        np.savez(path, images=IMAGES, labels=LABELS)
    else:
        path.write_bytes(idx.to_bytes(IMAGES if "images" in path.name else LABELS))


WRAPPED = (
    "{0}-images-idx3-ubyte/{0}-images-idx3-ubyte",
    "{0}-labels-idx1-ubyte/{0}-labels-idx1-ubyte",
)
RAW = "raw/{0}-images-idx3-ubyte", "raw/{0}-labels-idx1-ubyte"
LAYOUTS: dict[str, tuple[list[str], int | None]] = {
    "tables": (["d/train.csv", "d/test.csv"], 6),
    "one table": (["d/all.csv"], None),
    "NPZ, deeper": (["a/b/set.npz"], None),
    "torchvision": ([name.format(split) for name in RAW for split in ("train", "t10k")], 6),
    "above torchvision": (
        [f"MNIST/{name}".format(split) for name in RAW for split in ("train", "t10k")],
        6,
    ),
    "Kaggle": ([name.format(split) for name in WRAPPED for split in ("train", "t10k")], 6),
    "Kaggle, one folder above": ([f"x/{name}".format("train") for name in WRAPPED], None),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_is_read_as_if_it_were_given(tmp_path: Path, layout: str, packed: bool) -> None:
    names, n_train = LAYOUTS[layout]
    root = tmp_path / "given"
    for name in names:
        write(root / name)
    (root / "README.txt").write_text("hello")
    path = root
    if packed:
        path = tmp_path / "given.zip"
        with zipfile.ZipFile(path, "w") as file:
            for name in names:
                file.write(root / name, name)
    dataset = load(path)
    assert dataset.name == "given"
    assert dataset.n_official_train == n_train
    assert np.array_equal(dataset.images[:6], IMAGES)
    assert dataset.labels[:6].tolist() == LABELS.tolist()


def test_old_torchvision_keeps_tensors_beside_it(tmp_path: Path) -> None:
    for name in RAW:
        write(tmp_path / "MNIST" / name.format("train"))
    (tmp_path / "MNIST" / "processed").mkdir()
    (tmp_path / "MNIST" / "processed" / "training.pt").write_bytes(b"x")
    assert len(load(tmp_path)) == 6


def test_two_sets_below_are_not_chosen_from(tmp_path: Path) -> None:
    write(tmp_path / "a" / "train.csv")
    write(tmp_path / "b" / "train.csv")
    with pytest.raises(DataError, match="holds no images"):
        load(tmp_path)


def test_images_are_no_business_of_it(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / "set" / name / "train.csv")
        Image.fromarray(IMAGES[0]).save(tmp_path / "set" / name / "1.png")
    assert load(tmp_path).class_names == ("a", "b")


def test_several_tables_without_names_of_splits_are_named(tmp_path: Path) -> None:
    write(tmp_path / "a.csv")
    write(tmp_path / "b.csv")
    said = r"holds 2 files of data \(a\.csv, b\.csv\), none of them called train: give one of them"
    with pytest.raises(DataError, match=said):
        load(tmp_path)
