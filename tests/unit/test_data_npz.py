"""NPZ archives: accepted keys and shapes, and each defect by its message."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mnistlab.data import load
from mnistlab.errors import DataError

IMAGES = np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2)
LABELS = np.array([1, 0, 2])


def _save(folder: Path, **arrays: np.ndarray) -> Path:
    path = folder / "set.npz"
    np.savez_compressed(path, **arrays)
    return path


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(("x", "y"), [("images", "labels"), ("x", "y"), ("X", "y")])
@pytest.mark.parametrize("shape", [(3, 2, 2), (3, 2, 2, 1), (3, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_accepted_keys_shapes_and_label_types(
    tmp_path: Path, x: str, y: str, shape: tuple[int, ...], dtype: type
) -> None:
    dataset = load(_save(tmp_path, **{x: IMAGES.reshape(shape), y: LABELS.astype(dtype)}))
    assert np.array_equal(dataset.images, IMAGES)
    assert dataset.labels.tolist() == [1, 0, 2]
    assert (dataset.name, dataset.n_official_train) == ("set", None)


def test_columns_first_and_extra_arrays(tmp_path: Path) -> None:
    path = _save(tmp_path, images=np.asfortranarray(IMAGES), labels=LABELS, weights=np.ones(3))
    assert np.array_equal(load(path).images, IMAGES)


def test_class_names_come_along(tmp_path: Path) -> None:
    path = _save(tmp_path, images=IMAGES, labels=LABELS, class_names=np.array(["a", "b", "ç"]))
    assert load(path).class_names == ("a", "b", "ç")


def test_flat_images_that_are_not_square(tmp_path: Path) -> None:
    path = _save(tmp_path, x=np.zeros((3, 6), np.uint8), y=LABELS)
    assert load(path, size=(2, 3)).images.shape == (3, 2, 3)
    with pytest.raises(DataError, match=r"set\.npz: x: 6 pixels are not a square"):
        load(path)


def test_the_keys_of_keras_are_official_parts(tmp_path: Path) -> None:
    keras = {"x_train": IMAGES[:2], "y_train": LABELS[:2], "x_test": IMAGES[2:]}
    dataset = load(_save(tmp_path, **keras, y_test=LABELS[2:]))
    assert np.array_equal(dataset.images, IMAGES)
    assert dataset.labels.tolist() == [1, 0, 2]
    assert dataset.n_official_train == 2
    with pytest.raises(DataError, match=r"y_test: labels must be 1 integers, got int64 \(3,\)"):
        load(_save(tmp_path, **keras, y_test=LABELS))
    keras["x_test"] = np.zeros((1, 3, 3), np.uint8)
    with pytest.raises(DataError, match="differ in size"):
        load(_save(tmp_path, **keras, y_test=LABELS[2:]))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "holds nothing; needed are images and labels (or x and y)"),
        ({"images": IMAGES}, "holds images; needed"),
        ({"images": IMAGES.astype(float), "labels": LABELS}, "images must be uint8, got float64"),
        ({"images": IMAGES.ravel(), "labels": LABELS}, "images: (12,) is not (N, H, W)"),
        ({"images": IMAGES.reshape(3, 1, 2, 2), "labels": LABELS}, "(3, 1, 2, 2) is not (N, H, W)"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "images: holds no images"),
        ({"images": IMAGES, "labels": LABELS[:2]}, "labels must be 3 integers, got int64 (2,)"),
        ({"images": IMAGES, "labels": LABELS * 1.0}, "labels must be 3 integers, got float64"),
        ({"images": IMAGES, "labels": LABELS - 1}, "label -1 of image 2 is out of range 0..9999"),
        ({"images": IMAGES, "labels": LABELS * 9999}, "label 19998 of image 3 is out of range"),
        (
            {"images": IMAGES, "labels": LABELS, "class_names": np.array(["a", "b"])},
            "label 2 of image 3 is out of range 0..1",
        ),
        (
            {"images": IMAGES, "labels": LABELS, "class_names": np.array([1, 2, 3])},
            "class_names must be text (K,), got int64 (3,)",
        ),
        (
            {"images": IMAGES, "labels": np.array([1, 0, {}], dtype=object)},
            "labels: holds object, which needs pickle; refused",
        ),
        (
            {"images": np.zeros(3, dtype="u1,u1"), "labels": LABELS},
            "which needs pickle; refused",
        ),
    ],
)
def test_defects_of_arrays(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    path = _save(tmp_path, **arrays)
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "raw", [b"", b"PK\x03\x04", b"not a zip at all", b"PK\x05\x06" + bytes(17)]
)
def test_files_that_are_no_archives(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "set.npz"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"set\.npz: not a sound \.npz file: "):
        load(path)


def test_a_header_that_claims_more_than_there_is(tmp_path: Path) -> None:
    honest = _npy(IMAGES)
    for shape in (b"(9, 2, 2)", b"(3, 2, 1)", b"(-3, 2, 2)"):
        path = tmp_path / "set.npz"
        with zipfile.ZipFile(path, "w") as archive:
            old = b"(3, 2, 2), }" + b" " * (len(shape) - 9)
            archive.writestr("images.npy", honest.replace(old, shape + b", }"))
            archive.writestr("labels.npy", _npy(LABELS))
        with pytest.raises(DataError, match=r"set\.npz: images: 12 bytes where its header \("):
            load(path)


def test_a_bomb_is_refused_before_memory_is_eaten(tmp_path: Path) -> None:
    path = _save(tmp_path, images=np.zeros((80, 1024, 1024), np.uint8), labels=LABELS)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"set\.npz: claims to unpack to \d+ bytes; refused"):
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_bomb_that_lies_about_its_size_yields_no_more_than_it_claims(tmp_path: Path) -> None:
    path = _save(tmp_path, images=np.zeros((80, 1024, 1024), np.uint8), labels=LABELS)
    claimed = (80 * 1024 * 1024 + 128).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(claimed, (256).to_bytes(4, "little")))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"set\.npz: "):
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 23
    finally:
        tracemalloc.stop()
