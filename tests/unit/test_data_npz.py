"""NPZ archives: accepted keys and shapes, and each defect by its message."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistlab.data import load
from mnistlab.data.readers import pixels
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


GREYS = np.random.default_rng(0).integers(0, 256, (6, 5, 7), dtype=np.uint8)
KINDS = np.array([3, 5, 3, 9, 5, 3])


@pytest.mark.parametrize(
    "array",
    [
        GREYS[:, None],
        GREYS[..., None],
        GREYS.astype(np.int64),
        GREYS.astype(np.uint16),
        GREYS.astype(float),
        GREYS / 255,
        GREYS.astype(np.float32) / 255,
        GREYS / 255 * (1 + 1e-7),
        GREYS.astype(np.uint16) * 257,
        GREYS.astype(">u2") * 257,
        GREYS + 0.3 * (GREYS < 255),
        GREYS[..., None].repeat(3, 3),
        GREYS[:, None].repeat(3, 1),
        np.concatenate([GREYS[..., None].repeat(3, 3), np.full((6, 5, 7, 1), 255)], 3),
        GREYS[..., None].repeat(3, 3) / 255,
    ],
)
def test_shapes_and_types_of_images(tmp_path: Path, array: np.ndarray) -> None:
    dataset = load(_save(tmp_path, images=array, labels=KINDS))
    assert dataset.images.dtype == np.uint8
    assert np.array_equal(dataset.images, GREYS)
    assert [int(dataset.class_names[k]) for k in dataset.labels] == KINDS.tolist()


def test_colours_are_weighed_as_pillow_weighs_them(tmp_path: Path) -> None:
    colours = np.random.default_rng(1).integers(0, 256, (6, 9, 8, 3), dtype=np.uint8)
    greys = [np.array(Image.fromarray(image).convert("L")) for image in colours]
    assert np.array_equal(load(_save(tmp_path, x=colours, y=KINDS)).images, greys)
    first = np.moveaxis(colours, 3, 1)
    assert np.array_equal(load(_save(tmp_path, x=first, y=KINDS)).images, greys)


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_strokes_are_those_of_an_image_file(tmp_path: Path, ink: int) -> None:
    drawings = np.zeros((6, 8, 8, 4), np.uint8)
    for i, drawing in enumerate(drawings):
        drawing[2:4, i : i + 2] = (ink, ink, ink, 255)
        drawing[4, i] = (ink, ink, ink, 100)
        Image.fromarray(drawing).save(tmp_path / f"{i}.png")
    wanted = [pixels.decode(tmp_path / f"{i}.png", "") for i in range(6)]
    assert np.array_equal(load(_save(tmp_path, x=drawings, y=KINDS)).images, wanted)


def test_booleans_are_black_and_white(tmp_path: Path) -> None:
    dataset = load(_save(tmp_path, images=GREYS > 99, labels=KINDS))
    assert np.array_equal(dataset.images, np.where(GREYS > 99, 255, 0))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (GREYS / 255, "are floats 0 to 0.976471 and are multiplied by 255"),
        (GREYS.astype(np.uint16) * 257, "are of 16 bits and are divided by 257"),
        ((GREYS > 99).astype(np.uint8), "are of 0 and 1 alone, of 255"),
        (GREYS, ""),
    ],
)
def test_another_scale_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], array: np.ndarray, said: str
) -> None:
    load(_save(tmp_path, images=array, labels=KINDS))
    err = capsys.readouterr().err
    assert err.count("\n") == bool(said)
    assert said in err


def test_all_parts_are_of_one_scale(tmp_path: Path) -> None:
    dark = {"x_test": np.full((1, 5, 7), 0.75), "y_test": [3]}  # of 0..255, as its training part
    dataset = load(_save(tmp_path, x_train=GREYS * 1.0, y_train=KINDS, **dark))
    assert dataset.images[-1].max() == 1


def _parts(names: tuple[str, str, str], word: str, of: str) -> dict[str, np.ndarray]:
    arrays = {}
    for name, rows in zip(names, (slice(0, 3), slice(3, 5), slice(5, 6)), strict=True):
        arrays[word.format(name)], arrays[of.format(name)] = GREYS[rows], KINDS[rows]
    return arrays


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Training", "valid", "Testing")])
@pytest.mark.parametrize(
    ("word", "of"),
    [
        ("x_{}", "y_{}"),
        ("X_{}", "Y_{}"),
        ("{}_images", "{}_labels"),
        ("{}_x", "{}_y"),
        ("{}_set_x", "{}_set_y"),
        ("x{}", "y{}"),
        ("{}_data", "{}_target"),
        ("images_{}", "y_{}"),
    ],
)
def test_names_of_parts(tmp_path: Path, names: tuple[str, str, str], word: str, of: str) -> None:
    dataset = load(_save(tmp_path, **_parts(names, word, of)))
    assert np.array_equal(dataset.images, GREYS)
    assert [int(dataset.class_names[k]) for k in dataset.labels] == KINDS.tolist()
    assert (dataset.n_official_train, dataset.n_official_val) == (3, 2)


def test_a_part_without_labels_is_left_out_aloud(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = _parts(("train", "val", "test"), "x_{}", "y_{}")
    del arrays["y_test"]
    dataset = load(_save(tmp_path, **arrays))
    assert (dataset.n_official_train, dataset.n_official_val, len(dataset)) == (3, 2, 5)
    assert "x_test has no labels and is left out" in capsys.readouterr().err
    del arrays["y_train"]
    with pytest.raises(DataError, match="labels of x_train are missing"):
        load(_save(tmp_path, **arrays))


def test_arrays_without_names(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    for some in ((GREYS, KINDS), (KINDS[:, None], GREYS.reshape(6, -1))):
        np.savez(path, *some)
        assert np.array_equal(load(path, size=(5, 7)).images, GREYS)
    for some in (
        (GREYS[:4], KINDS[:4], GREYS[4:], KINDS[4:]),
        (GREYS[:4], GREYS[4:], KINDS[:4], KINDS[4:]),
    ):
        np.savez(path, *some)
        dataset = load(path)
        assert np.array_equal(dataset.images, GREYS)
        assert dataset.n_official_train == 4
    np.savez(path, GREYS, GREYS, KINDS)
    with pytest.raises(DataError, match="holds arr_0, arr_1, arr_2; needed are"):
        load(path)


@pytest.mark.parametrize("name", ["class_names", "list_classes", "target_names"])
def test_classes_that_never_occur_are_none(tmp_path: Path, name: str) -> None:
    names = np.array(["e", "d", "c", "b", "a", "9", "8", "7", "6", "5"])
    path = _save(tmp_path, images=GREYS, labels=KINDS, **{name: names})
    assert load(path).class_names == ("b", "9", "5")  # in their own order


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
    with pytest.raises(DataError, match=r"y_test: 3 labels for 1 images in x_test"):
        load(_save(tmp_path, **keras, y_test=LABELS))
    keras["x_test"] = np.zeros((1, 3, 3), np.uint8)
    with pytest.raises(DataError, match=r"x_test: its images are 3x3, those of .*x_train 2x2"):
        load(_save(tmp_path, **keras, y_test=LABELS[2:]))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "holds nothing; needed are images and labels, x and y, or x_train"),
        ({"images": IMAGES}, "holds images; labels of images are missing"),
        ({"x_train": IMAGES, "y_test": LABELS}, "labels of x_train are missing"),
        ({"pictures": IMAGES, "labels": LABELS}, "holds pictures, labels; needed are images"),
        ({"x": IMAGES, "X": IMAGES, "y": LABELS}, "x and X may both be meant; save one of them"),
        (
            {"images": IMAGES - 1.0, "labels": LABELS},
            "-1 to 10, where 0..255 or 0..1 is read; save",
        ),
        ({"images": IMAGES + 250.0, "labels": LABELS}, "np.rint((x - 250) * (255 / 11)).astype"),
        ({"images": IMAGES.astype(int) * 30, "labels": LABELS}, "go from 0 to 330"),
        ({"images": np.where(IMAGES, IMAGES, np.nan), "labels": LABELS}, "holds NaN or infinity"),
        ({"images": IMAGES.astype("U"), "labels": LABELS}, "images must be numbers, got <U"),
        ({"images": IMAGES[:, 0, 0], "labels": LABELS}, "images: (3,) is not (N, H, W)"),
        ({"images": IMAGES.reshape(3, 2, 2, 1, 1), "labels": LABELS}, "is not (N, H, W), (N, D)"),
        ({"images": np.zeros((3, 5, 5, 2)), "labels": LABELS}, "(3, 5, 5, 2) is not (N, H, W)"),
        ({"images": np.zeros((5, 5, 3)), "labels": LABELS}, "save np.moveaxis(x, 2, 0) instead"),
        ({"images": np.zeros((3, 12)), "labels": LABELS}, "save x.reshape(-1, 3, 2, 2) or"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "images: holds no images"),
        ({"images": IMAGES, "labels": LABELS[:2]}, "labels: 2 labels for 3 images in images"),
        ({"images": IMAGES, "labels": np.eye(3)}, "save labels.argmax(1) instead"),
        ({"images": IMAGES, "labels": np.array([1, np.nan, 2])}, "'nan', no class (image 2)"),
        ({"images": IMAGES, "labels": np.array(["a", "b", " "])}, "the label is empty (image 3)"),
        ({"images": IMAGES, "labels": LABELS * 1j}, "holds complex128, where images are numbers"),
        (
            {"images": IMAGES, "labels": LABELS, "class_names": np.array(["a", "b"])},
            "label 2 of image 3 is out of range 0..1",
        ),
        (
            {"images": IMAGES, "labels": LABELS, "class_names": np.array([1.5, 2, 3])},
            "class_names must be text (K,), got float64 (3,)",
        ),
        (
            {"images": IMAGES, "labels": LABELS, "class_names": np.array(["a", "b", "a"])},
            "class names must be different and not empty",
        ),
        (
            {"images": IMAGES, "labels": LABELS * 1.0, "class_names": np.array(["a", "b", "c"])},
            "with class names labels must be integers (N,), got float64 (3,)",
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


@pytest.mark.parametrize(
    "names", ["x_tr x_dev x_te", "Xtr Xva Xte", "train_features dev_features test_features"]
)
def test_short_names_of_splits(tmp_path: Path, names: str) -> None:
    images = np.arange(90, dtype=np.uint8).reshape(10, 3, 3)
    labels = np.arange(10) % 2
    arrays = {}
    for name, places in zip(names.split(), (slice(0, 6), slice(6, 8), slice(8, 10)), strict=True):
        arrays[name] = images[places]
        label = name.replace("x", "y").replace("X", "Y").replace("features", "labels")
        arrays[label] = labels[places]
    np.savez(tmp_path / "a.npz", **arrays)
    dataset = load(tmp_path / "a.npz")
    assert np.array_equal(dataset.images, images)
    assert dataset.labels.tolist() == labels.tolist()
    assert dataset.official_splits == {
        "train": slice(0, 6),
        "val": slice(6, 8),
        "test": slice(8, 10),
    }


def test_arrays_that_are_not_used_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = np.arange(90, dtype=np.uint8).reshape(10, 3, 3)
    labels = np.arange(10) % 2
    more = {"x_holdout": images, "y_holdout": labels, "made_by": np.array("me")}
    np.savez(tmp_path / "a.npz", images=images, labels=labels, split=["train"] * 10, **more)
    assert len(load(tmp_path / "a.npz")) == 10
    assert "a.npz: not used: x_holdout, y_holdout\n" in capsys.readouterr().err
    np.savez(tmp_path / "a.npz", images=images, labels=labels, class_names=["a", "b"])
    load(tmp_path / "a.npz")
    assert "not used" not in capsys.readouterr().err
