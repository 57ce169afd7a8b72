"""Folders of images: layouts, parts, what is left out, and each defect by its message."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistlab.data import load, split
from mnistlab.data.readers import pixels
from mnistlab.errors import DataError


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def _square(value: int, side: int = 4) -> np.ndarray:
    return np.full((side, side), value, np.uint8)


@pytest.mark.parametrize(
    "suffix", [".png", ".PNG", ".bmp", ".gif", ".jpg", ".jpeg", ".webp", ".tif", ".TIFF", ".pgm"]
)
def test_one_folder_a_class_in_order_of_the_alphabet(tmp_path: Path, suffix: str) -> None:
    for name, value in (("shoe/2", 200), ("shoe/10", 100), ("bag/1", 50)):
        _save(tmp_path / f"{name}{suffix}", _square(value))
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "shoe" / "notes.txt").write_text("not an image")
    (tmp_path / "shoe" / ".thumbnail.png").write_bytes(b"")
    dataset = load(tmp_path)
    assert dataset.class_names == ("bag", "shoe")
    assert dataset.labels.tolist() == [0, 1, 1]
    means = dataset.images.mean(axis=(1, 2))
    assert means == pytest.approx([50, 100, 200], abs=2)  # 10 before 2: sorted as text
    assert (dataset.name, dataset.n_official_train) == (tmp_path.name, None)


def test_what_is_lossless_stays_so(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7), dtype=np.uint8)
    _save(tmp_path / "a" / "1.png", pixels)
    assert np.array_equal(load(tmp_path).images[0], pixels)


def test_train_and_test_levels_are_official_parts(tmp_path: Path) -> None:
    for name in ("train/a/1", "train/b/1", "train/b/2", "test/b/1"):
        _save(tmp_path / f"{name}.png", _square(200))
    dataset = load(tmp_path)
    assert dataset.n_official_train == 3
    assert dataset.labels.tolist() == [0, 1, 1, 1]
    assert dataset.class_names == ("a", "b")


def test_colours_become_grey(tmp_path: Path) -> None:
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    _save(tmp_path / "a" / "1.png", red)
    assert load(tmp_path).images[0, 0, 0] == 76  # ITU-R 601: 0.299 of 255


def test_differing_sizes_need_a_size(tmp_path: Path) -> None:
    for name, side in (("1", 4), ("2", 8), ("3", 8), ("4", 5)):
        _save(tmp_path / "a" / f"{name}.png", _square(10 * side, side))
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    a = tmp_path / "a"
    advice = "give one size for all (--size 8x8)"  # what most of them have
    assert str(caught.value) == f"{a / '2.png'}: is 8x8 where {a / '1.png'} is 4x4; {advice}"
    dataset = load(tmp_path, size=(6, 5))
    assert dataset.images.shape == (4, 6, 5)
    assert dataset.images[:, 0, 0].tolist() == [40, 80, 80, 50]


def test_a_folder_without_classes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no class folders"):
        load(tmp_path)
    _save(tmp_path / "1.png", _square(1))
    with pytest.raises(DataError, match=r"holds 1 image, but no class folders .* labels\.csv"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ((), r"b: holds no images \(\.apng, .*\); remove the folder or put images into it$"),
        (
            ("1.heic", "2.HEIC"),
            r"b: holds no images .*, but 2 files .* \(\.heic; convert \.heic to JPEG\)$",
        ),
        (("more/1.png",), r"b: holds no images .*, but 1 image in deeper folders$"),
    ],
)
def test_a_class_without_images(tmp_path: Path, inside: tuple[str, ...], message: str) -> None:
    _save(tmp_path / "a" / "1.png", _square(1))
    (tmp_path / "b").mkdir()
    for name in inside:
        (tmp_path / "b" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "b" / name).write_bytes(b"")
    with pytest.raises(DataError, match=message):
        load(tmp_path)


PARTS = [("train", "test"), ("Train", "TEST"), ("training", "testing"), ("TRAINING", "Validation")]
PARTS += [("train", "valid", "test"), ("Training", "VAL", "Testing"), ("train", "val")]


@pytest.mark.parametrize("names", PARTS)
def test_parts_are_used_as_they_are_given(tmp_path: Path, names: tuple[str, ...]) -> None:
    wanted = {}
    for i, (name, n) in enumerate(zip(names, (24, 6, 4), strict=False)):
        part = {"tr": "train", "va": "val", "te": "test"}[name[:2].lower()]
        values = [40 * i + j for j in range(n)]
        for j, value in enumerate(values):
            _save(tmp_path / name / "ab"[j % 2] / f"{j:02d}.png", _square(value))
        wanted[part] = sorted(values)
    dataset = load(tmp_path)
    parts = {
        part: sorted(dataset.images[where][:, 0, 0].tolist())
        for part, where in dataset.official_splits.items()
    }
    assert parts == wanted
    cut = split(dataset)
    for part in wanted.keys() - {"train"}:
        assert sorted(getattr(cut, part).images[:, 0, 0].tolist()) == wanted[part]
    assert len(cut.train) + len(cut.val) + len(cut.test) == len(dataset)


def test_a_training_part_alone_is_a_set_in_one_part(tmp_path: Path) -> None:
    for name in ("train/a/1", "train/b/1", "train/b/2"):
        _save(tmp_path / f"{name}.png", _square(200))
    dataset = load(tmp_path)
    assert (dataset.name, dataset.n_official_train) == (tmp_path.name, None)
    assert [dataset.class_names[k] for k in dataset.labels] == ["a", "b", "b"]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ("car/1", "plane/1", "train/1", "train/2"):
        _save(tmp_path / f"{name}.png", _square(200))
    dataset = load(tmp_path)
    assert dataset.class_names == ("car", "plane", "train")
    assert dataset.n_official_train is None


def test_training_images_are_never_told_from_test_images(tmp_path: Path) -> None:
    for name in ("train/1", "test/1", "more/1"):
        _save(tmp_path / f"{name}.png", _square(200))
    with pytest.raises(DataError, match="train: holds no class folders"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("val/a/1", "test/a/1"), "holds test and val, but no train with class folders"),
        (("train/a/1", "val/a/1", "valid/a/1"), "val and valid are both its val"),
        (("train/a/1", "test/a/.hidden"), "test: holds no class folders .*; fill it or remove it"),
        (("train/a/1", "test/a/1", "train/b/.hidden"), "train/b: holds no images"),
    ],
)
def test_parts_that_are_not_what_they_say(
    tmp_path: Path, names: tuple[str, ...], message: str
) -> None:
    for name in names:
        _save(tmp_path / f"{name}.png", _square(200))
    with pytest.raises(DataError, match=message):
        load(tmp_path)


@pytest.mark.parametrize("name", [b"caf\xe9", b"a\nb"])
def test_a_class_that_no_prediction_could_say(tmp_path: Path, name: bytes) -> None:
    _save(tmp_path / os.fsdecode(name) / "1.png", _square(200))
    _save(tmp_path / "a" / "1.png", _square(200))
    with pytest.raises(DataError, match="a name that is not UTF-8, or of several lines") as caught:
        load(tmp_path)
    assert str(caught.value).isascii()
    assert "\n" not in str(caught.value)


def test_a_class_may_be_missing_from_test(tmp_path: Path) -> None:
    for name in ("train/a/1", "train/b/1", "test/a/1", "test/b/.hidden"):
        _save(tmp_path / f"{name}.png", _square(200))
    assert load(tmp_path).labels.tolist() == [0, 1, 0]


def test_folders_within_a_folder_are_those_of_the_set(tmp_path: Path) -> None:
    for name in ("unpacked/digits/train/a/1", "unpacked/digits/test/a/1"):
        _save(tmp_path / f"{name}.png", _square(200))
    dataset = load(tmp_path)
    assert (dataset.name, dataset.n_official_train) == (tmp_path.name, 1)


def test_a_table_of_other_things_beside_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("digits/a/1", "digits/b/1"):
        _save(tmp_path / f"{name}.png", _square(200))
    (tmp_path / "results.csv").write_text("epoch,loss\n1,0.5\n")
    assert load(tmp_path).class_names == ("a", "b")
    assert "left out: 1 file of other kinds (.csv)" in capsys.readouterr().err


def test_integers_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    for name in ("10", "9", "0"):
        _save(tmp_path / name / "1.png", _square(int(name)))
    dataset = load(tmp_path)
    assert dataset.class_names == ("0", "9", "10")
    assert [int(dataset.class_names[k]) for k in dataset.labels] == dataset.images[:, 0, 0].tolist()


def test_all_that_is_left_out_is_counted_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a/1", "a/2", "b/1", "beside1", "beside2", "a/more/deeper/1"):
        _save(tmp_path / f"{name}.png", _square(200))
    for name in ("a/x.heic", "b/y.HEIC", "b/LICENSE", "a/more/z.txt", ".hidden.txt", "b/Thumbs.db"):
        (tmp_path / name).write_text("no image")
    (tmp_path / "__MACOSX" / "a").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "a" / "._1.png").write_text("no image")
    assert len(load(tmp_path)) == 3
    kinds = "4 files of other kinds (.heic, .txt, no ending; convert .heic to JPEG)"
    images = "2 images beside the class folders, 1 image in deeper folders"
    assert capsys.readouterr().err == f"note: {tmp_path}: left out: {kinds}, {images}\n"


def test_what_lies_beside_the_parts_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("train/a/1", "train/b/1", "test/1", "test/2", "extra/c/1", "0", "train/2")
    for name in names:
        _save(tmp_path / f"{name}.png", _square(200))
    assert load(tmp_path).n_official_train is None
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "1 image beside the folders of the splits" in said
    assert "1 image beside the class folders" in said
    assert "2 images in test, which has no class folders" in said
    assert "1 image in extra" in said


def test_nothing_is_said_where_nothing_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train/a/1", "test/a/1", "train/a/.hidden"):
        _save(tmp_path / f"{name}.png", _square(200))
    load(tmp_path)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("raw", [b"", b"hello", b"\x89PNG\r\n\x1a\n"])
def test_an_image_that_cannot_be_read(tmp_path: Path, raw: bytes) -> None:
    _save(tmp_path / "a" / "1.png", _square(1))
    (tmp_path / "a" / "2.png").write_bytes(raw)
    with pytest.raises(DataError, match=r"2\.png: not a readable image: ") as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_image_cut_short(tmp_path: Path) -> None:
    _save(tmp_path / "a" / "1.png", np.random.default_rng(0).integers(0, 255, (9, 9), np.uint8))
    path = tmp_path / "a" / "1.png"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"1\.png: not a readable image"):
        load(tmp_path)


def test_sixteen_bits_are_scaled_with_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i, value in enumerate((0, 100, 65_535)):
        _save(tmp_path / "a" / f"{i}.png", np.full((4, 4), value, np.uint16))
    assert load(tmp_path).images[:, 0, 0].tolist() == [0, 0, 255]
    said = f"note: {tmp_path}: 3 images of 16 bits a pixel: divided by 257, to 0..255\n"
    assert capsys.readouterr().err == said


def test_sixteen_bits_that_would_be_black_are_refused(tmp_path: Path) -> None:
    _save(tmp_path / "a" / "1.png", np.full((4, 4), 1000, np.uint16))
    with pytest.raises(DataError, match="its images of 16 bits a pixel go up to 1000 of 65535"):
        load(tmp_path)


@pytest.mark.parametrize("side", [4097, 20_000, 1 << 20])
def test_bombs_are_refused_by_their_header(tmp_path: Path, side: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    raw = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99)))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(raw + chunk(b"IEND", b""))
    with pytest.raises(DataError, match=r"1\.png: (\d+ x \d+ pixels; refused|.*bomb)"):
        load(tmp_path)


def test_the_bound_is_above_what_small_images_need() -> None:
    assert pixels.MAX_IMAGE_PIXELS >= 1024 * 1024


@pytest.mark.parametrize("outer", [(), ("w/outside.png",)])
@pytest.mark.parametrize("part", ["", "train/"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_wrapper_is_no_class_for_the_images_that_stray_into_it(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    outer: tuple[str, ...],
    part: str,
    zipped: bool,
) -> None:
    for kind in ("circle", "dash", "line"):
        for i in range(2):
            _save(tmp_path / f"w/photos/{part}{kind}/{i}.png", _square(200))
    for name in ("w/photos/beside1.png", "w/photos/beside2.png", *outer):
        _save(tmp_path / name, _square(200))
    given = tmp_path / "w"
    if zipped:
        given = Path(shutil.make_archive(str(given), "zip", given))
    dataset = load(given)
    assert dataset.class_names == ("circle", "dash", "line")
    assert len(dataset) == 6
    said = capsys.readouterr().err
    assert "2 images beside " in said
    assert ("1 image beside photos" in said) == bool(outer)


def test_two_folders_of_sets_are_not_two_classes(tmp_path: Path) -> None:
    for name in ("one/stray", "one/a/1", "one/b/1", "two/stray", "two/a/1", "two/b/1"):
        _save(tmp_path / f"{name}.png", _square(200))
    with pytest.raises(DataError, match=r"one: holds 1 image, but 2 in its folders .a and b.; giv"):
        load(tmp_path)


@pytest.mark.parametrize(
    "called",
    [
        ("shapes_train", "shapes_valid", "shapes_Test"),
        ("train_set", "val_set", "test_set"),
        ("training-shapes", "validation-shapes", "testing-shapes"),
    ],
)
@pytest.mark.parametrize("above", ["", "shapes/"])
def test_folders_of_parts_with_the_name_of_the_set(
    tmp_path: Path, called: tuple[str, str, str], above: str
) -> None:
    for folder, n in zip(called, (3, 1, 2), strict=True):
        for kind in ("a", "b"):
            for i in range(n):
                _save(tmp_path / f"{above}{folder}/{kind}/{i}.png", _square(200))
    dataset = load(tmp_path)
    assert dataset.class_names == ("a", "b")
    assert {name: len(dataset.images[p]) for name, p in dataset.official_splits.items()} == {
        "train": 6,
        "val": 2,
        "test": 4,
    }


def test_one_folder_with_the_name_of_a_part_in_its_own_is_a_class(tmp_path: Path) -> None:
    for name in ("training_shoes/1", "test_tubes/1", "bus_train/1", "bus_test/1"):
        _save(tmp_path / f"{name}.png", _square(200))
    assert load(tmp_path).class_names == ("bus_test", "bus_train", "test_tubes", "training_shoes")


def test_folders_of_parts_of_two_sets_are_refused(tmp_path: Path) -> None:
    for name in ("a_train/x/1", "a_test/x/1", "b_train/x/1", "b_test/x/1"):
        _save(tmp_path / f"{name}.png", _square(200))
    with pytest.raises(DataError, match=r"splits of several sets \(a_test and b_test\)"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("sides", "suggested"),
    [
        ((31, 24, 37), "28x28"),
        ((45, 44, 43), "32x32"),
        ((600, 480, 800), "64x64"),
        ((31, 24, 24), "24x24"),
        ((600, 480, 600), "64x64"),
    ],
)
def test_the_size_that_is_suggested(tmp_path: Path, sides: tuple[int, ...], suggested: str) -> None:
    for i, side in enumerate(sides):
        _save(tmp_path / f"a/{i}.png", _square(9, side))
    with pytest.raises(DataError, match=rf"give one size for all \(--size {suggested}\)$"):
        load(tmp_path)


def test_folders_without_images_are_no_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a/1", "b/1"):
        _save(tmp_path / f"{name}.png", _square(200))
    for name in ("__pycache__/x.pyc", ".ipynb_checkpoints/x.ipynb", "docs/more/x.md"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("x")
    assert load(tmp_path).class_names == ("a", "b")
    assert "left out: 1 file of other kinds (.md)" in capsys.readouterr().err
    (tmp_path / "c").mkdir()
    with pytest.raises(
        DataError, match=r"c: holds no .*; remove the folder or put images into it$"
    ):
        load(tmp_path)


def test_folders_without_images_alone_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/x.md").write_text("x")
    with pytest.raises(DataError, match=r"docs: holds no images"):
        load(tmp_path)
