"""A label column named for data that have no columns is refused, however the data come."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mnistlab as ml
from mnistlab.cli import run_command

IMAGES = np.random.default_rng(0).integers(0, 255, (30, 8, 8), dtype=np.uint8)
LABELS = np.arange(30, dtype=np.uint8) % 3


def npz(root: Path) -> Path:
    np.savez(root / "set.npz", images=IMAGES, labels=LABELS)
    return root / "set.npz"


def hdf5(root: Path) -> Path:
    h5py = pytest.importorskip("h5py", reason="the extra for HDF5 is not installed")
    with h5py.File(root / "set.h5", "w") as file:
        file["images"], file["labels"] = IMAGES, LABELS
    return root / "set.h5"


def idx(root: Path) -> Path:
    for name, values in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
        head = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
        (root / f"train-{name}-ubyte").write_bytes(head + values.tobytes())
    return root / "train-images-idx3-ubyte"


def folder_of_idx(root: Path) -> Path:
    return idx(root).parent


def folder_of_arrays(root: Path) -> Path:
    np.save(root / "images.npy", IMAGES)
    np.save(root / "labels.npy", LABELS)
    return root


def folder_per_class(root: Path) -> Path:
    for place, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        path = root / "set" / f"class-{label}" / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return root / "set"


def zip_of_images(root: Path) -> Path:
    return Path(shutil.make_archive(str(root / "packed"), "zip", folder_per_class(root)))


WITHOUT_COLUMNS = (npz, hdf5, idx, folder_of_idx, folder_of_arrays, folder_per_class, zip_of_images)


@pytest.mark.parametrize("make", WITHOUT_COLUMNS)
def test_a_label_column_of_data_without_columns_is_refused(make, tmp_path: Path) -> None:
    path = make(tmp_path)
    assert len(ml.load(path)) == 30
    with pytest.raises(ml.DataError, match="has no columns: leave label_column 'kind'"):
        ml.load(path, label_column="kind")


def test_one_of_a_published_set_is_refused() -> None:
    with pytest.raises(ml.DataError, match="the published set fashion-mini has no columns"):
        ml.load("fashion-mini", label_column=0)


def test_a_folder_of_images_with_a_table_has_columns(tmp_path: Path) -> None:
    lines = ["image,kind"]
    for place, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        Image.fromarray(image).save(tmp_path / f"{place}.png")
        lines.append(f"{place}.png,{'abc'[label]}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    assert ml.load(tmp_path, label_column="kind").class_names == ("a", "b", "c")


def test_the_command_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(npz(tmp_path))
    command = ["train", "softmax", "--data", path, "--label-column", "kind", "--out", str(tmp_path)]
    assert run_command(command) == 2
    assert "(--label-column) out" in capsys.readouterr().err
