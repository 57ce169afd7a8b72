"""IDX files: round trips, and each defect by its message."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mnistlab.data import load
from mnistlab.data.readers.binary import idx
from mnistlab.errors import DataError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([1, 0], np.uint8)


def _write(folder: Path, images: bytes, labels: bytes) -> Path:
    (folder / "my-labels-idx1-ubyte").write_bytes(labels)
    path = folder / "my-images-idx3-ubyte"
    path.write_bytes(images)
    return path


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=3, max_side=9)))
@settings(deadline=None)
def test_what_is_written_is_read(array: np.ndarray) -> None:
    assert np.array_equal(idx.parse(idx.to_bytes(array), "memory"), array)


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1))
@settings(deadline=None)
def test_labels_of_four_bytes_are_big_endian(values: list[int]) -> None:
    raw = b"\0\0\x0c\x01" + len(values).to_bytes(4, "big") + np.array(values, ">i4").tobytes()
    assert idx.parse_labels(raw, "memory").tolist() == values


@pytest.mark.parametrize("separator", ["-idx", ".idx"])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_labels_lie_beside_their_images(tmp_path: Path, separator: str, ending: str) -> None:
    pack = gzip.compress if ending else bytes
    path = tmp_path / f"t10k-images{separator}3-ubyte{ending}"
    path.write_bytes(pack(idx.to_bytes(IMAGES)))
    (tmp_path / f"t10k-labels{separator}1-ubyte{ending}").write_bytes(pack(idx.to_bytes(LABELS)))
    dataset = load(path)
    assert np.array_equal(dataset.images, IMAGES)
    assert dataset.labels.tolist() == [1, 0]
    assert dataset.class_names == ("0", "1")
    assert dataset.source == {"name_or_path": str(path)}


def test_the_four_files_of_a_folder_are_one_set(tmp_path: Path) -> None:
    for stem, rows in (("train", slice(1)), ("t10k", slice(1, None))):
        (tmp_path / f"{stem}-images-idx3-ubyte").write_bytes(idx.to_bytes(IMAGES[rows]))
        (tmp_path / f"{stem}-labels-idx1-ubyte").write_bytes(idx.to_bytes(LABELS[rows]))
    dataset = load(tmp_path)
    assert np.array_equal(dataset.images, IMAGES)
    assert dataset.n_official_train == 1
    assert dataset.labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (b"", "not an IDX file (magic number none)"),
        (b"\0\0\x08", "not an IDX file (magic number 000008)"),
        (b"\1\0\x08\x03" + bytes(40), "not an IDX file (magic number 01000803)"),
        (b"\0\0\x0d\x03" + bytes(40), "not an IDX file (magic number 00000d03)"),
        (b"\0\0\x08\x00" + bytes(40), "not an IDX file (magic number 00000800)"),
        (b"\0\0\x08\x04" + bytes(40), "not an IDX file (magic number 00000804)"),
        (b"\0\0\x08\x03" + bytes(11), "ends inside its header, after 15 bytes"),
        (idx.to_bytes(IMAGES)[:-1], "39 bytes where its header (2, 3, 4) means 40"),
        (idx.to_bytes(IMAGES) + b"x", "41 bytes where its header (2, 3, 4) means 40"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "means 79228162458924105385300197391"),
        (idx.to_bytes(LABELS), "holds uint8 (2,), not images (N, H, W)"),
        (idx.to_bytes(IMAGES[:0]), "holds no images"),
        (idx.to_bytes(IMAGES[:, :0]), "holds no images"),
    ],
)
def test_defects_of_images(tmp_path: Path, images: bytes, message: str) -> None:
    path = _write(tmp_path, images, idx.to_bytes(LABELS))
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (idx.to_bytes(LABELS[:1]), "1 labels for 2 images in my-images-idx3-ubyte"),
        (idx.to_bytes(np.zeros(3, np.uint8)), "3 labels for 2 images in my-images-idx3-ubyte"),
        (idx.to_bytes(IMAGES), "not labels (N,)"),
        (b"\0\0\x0c\x02\0\0\0\2\0\0\0\0", "not labels (N,)"),
    ],
)
def test_defects_of_labels(tmp_path: Path, labels: bytes, message: str) -> None:
    path = _write(tmp_path, idx.to_bytes(IMAGES), labels)
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{tmp_path / 'my-labels-idx1-ubyte'}: ")
    assert message in str(caught.value)


def test_images_without_labels(tmp_path: Path) -> None:
    path = _write(tmp_path, idx.to_bytes(IMAGES), b"")
    (tmp_path / "my-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"its labels, my-labels-idx1-ubyte\[\.gz\], do not lie"):
        load(path)
    other = path.rename(tmp_path / "pictures-idx3-ubyte")
    with pytest.raises(DataError, match="has 'images' in its name"):
        load(other)


def test_a_size_that_differs_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, idx.to_bytes(IMAGES), idx.to_bytes(LABELS))
    assert load(path, size=(3, 4)).source["size"] == (3, 4)
    with pytest.raises(DataError, match="images are 3x4, not 4x4"):
        load(path, size=4)
    with pytest.raises(DataError, match="size 0x4: both sides must be positive"):
        load(path, size=(0, 4))


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("hello")
    with pytest.raises(DataError, match=r"notes\.md: not a \.csv, \.tsv, .* file; mnistlab reads"):
        load(path)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        ("train-images.idx3-ubyte", "train-labels-idx1-ubyte"),
        ("TRAIN-IMAGES.IDX3-UBYTE", "TRAIN-LABELS.IDX1-UBYTE"),
        ("emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-train-labels-idx1-ubyte.gz"),
        ("my_images.idx", "my_labels.idx"),
        ("train-images.gz", "train-labels"),
        ("images", "labels"),
    ],
)
def test_every_usual_name(tmp_path: Path, images: str, labels: str) -> None:
    for name, array in ((images, IMAGES), (labels, LABELS)):
        raw = idx.to_bytes(array)
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    dataset = load(tmp_path / images)
    assert np.array_equal(dataset.images, IMAGES)
    assert [dataset.class_names[k] for k in dataset.labels] == ["1", "0"]


def test_labels_instead_of_images(tmp_path: Path) -> None:
    _write(tmp_path, idx.to_bytes(IMAGES), idx.to_bytes(LABELS))
    with pytest.raises(DataError, match="holds labels; give the file of images"):
        load(tmp_path / "my-labels-idx1-ubyte")
    (tmp_path / "pictures-idx3-ubyte").write_bytes(idx.to_bytes(IMAGES))
    with pytest.raises(DataError, match="has 'images' in its name"):
        load(tmp_path / "pictures-idx3-ubyte")


def test_the_three_parts_of_a_folder(tmp_path: Path) -> None:
    for name, pixel in (("Training", 1), ("valid", 2), ("t10k", 3)):
        array = np.full((2, 2, 2), pixel, np.uint8)
        (tmp_path / f"{name}-images.idx3-ubyte").write_bytes(idx.to_bytes(array))
        (tmp_path / f"{name}-labels.idx1-ubyte").write_bytes(idx.to_bytes(LABELS + 1))
    dataset = load(tmp_path)
    assert dataset.images[:, 0, 0].tolist() == [1, 1, 2, 2, 3, 3]
    assert (dataset.n_official_train, dataset.n_official_val) == (2, 2)
    assert dataset.class_names == ("1", "2")


@pytest.mark.parametrize("called", ["t10k-images-idx3-ubyte", "test-images.idx3-ubyte.gz"])
def test_a_test_part_without_labels_is_left_out(
    tmp_path: Path, called: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = gzip.compress if called.endswith(".gz") else bytes
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx.to_bytes(IMAGES))
    (tmp_path / called).write_bytes(pack(idx.to_bytes(IMAGES)))
    with pytest.raises(DataError, match="its labels, train-labels-idx1-ubyte"):
        load(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx.to_bytes(LABELS))
    dataset = load(tmp_path)
    assert (len(dataset), dataset.n_official_train) == (2, None)
    assert f"{called}: has no labels: it is left out here" in capsys.readouterr().err


def test_emnist_of_ones_own_is_said_to_be_transposed(tmp_path: Path) -> None:
    for what, array in (("images-idx3", IMAGES), ("labels-idx1", np.arange(len(IMAGES)) % 2)):
        raw = idx.to_bytes(array.astype(np.uint8))
        (tmp_path / f"emnist-letters-train-{what}-ubyte").write_bytes(raw)
    dataset = load(tmp_path)
    assert np.array_equal(dataset.images, IMAGES)
    assert "hold their images transposed" in " ".join(dataset.notes)


@pytest.mark.parametrize("name", ["emnist-letters-{}.csv", "emnist-balanced-{}.csv.gz"])
@pytest.mark.parametrize("whole", [True, False])
def test_emnist_published_as_a_table_is_said_to_be_transposed(
    name: str, whole: bool, tmp_path: Path
) -> None:
    for split in ("train", "test"):
        images = np.random.default_rng(0).integers(0, 256, (6, 28, 28))
        rows = [[i % 3 + 1, *image.ravel()] for i, image in enumerate(images)]
        text = "".join(",".join(map(str, row)) + "\n" for row in rows).encode()
        path = tmp_path / name.format(split)
        path.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    dataset = load(tmp_path if whole else tmp_path / name.format("train"))
    assert np.array_equal(dataset.images[:6], images)
    said = " ".join(dataset.notes)
    assert f"{name.format('train')}: the files of EMNIST as published hold" in said


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("qmnist-{}-images-idx3-ubyte", "qmnist-{}-labels-idx2-int"),
        ("qmnist-{}-images-idx3-ubyte", "qmnist-{}-labels-idx2-int.gz"),
        ("{}-images.idx3-ubyte", "{}-labels.idx1-int"),
    ],
)
def test_labels_may_be_integers_as_those_of_qmnist(
    images: str, labels: str, tmp_path: Path
) -> None:
    columns = np.arange(16, dtype=">i4").reshape(2, 8)
    columns[:, 0] = 7, 3
    values = columns[:, 0] if "idx1" in labels else columns
    sizes = b"".join(n.to_bytes(4, "big") for n in values.shape)
    raw = bytes([0, 0, 12, values.ndim]) + sizes + values.astype(">i4").tobytes()
    for split in ("train", "test"):
        (tmp_path / images.format(split)).write_bytes(idx.to_bytes(IMAGES))
        packed = gzip.compress(raw) if labels.endswith("gz") else raw
        (tmp_path / labels.format(split)).write_bytes(packed)
    dataset = load(tmp_path)
    assert [dataset.class_names[k] for k in dataset.labels] == ["7", "3"] * 2
    assert len(load(tmp_path / images.format("test"))) == 2
    with pytest.raises(DataError, match="holds labels; give the file of images"):
        load(tmp_path / labels.format("train"))
