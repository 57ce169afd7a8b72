"""Folders of images: layouts, conversion to grey, and each defect by its message."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistlab.data import load
from mnistlab.data.readers import folder
from mnistlab.errors import DataError


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def _square(value: int, side: int = 4) -> np.ndarray:
    return np.full((side, side), value, np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".gif", ".jpg", ".jpeg", ".webp"])
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
        _save(tmp_path / f"{name}.png", _square(9))
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
    _save(tmp_path / "a" / "1.png", _square(40, 4))
    _save(tmp_path / "a" / "2.png", _square(80, 8))
    with pytest.raises(DataError, match=r"2\.png: is 8x8 where the first image is 4x4; give"):
        load(tmp_path)
    dataset = load(tmp_path, size=(6, 5))
    assert dataset.images.shape == (2, 6, 5)
    assert dataset.images[:, 0, 0].tolist() == [40, 80]


def test_a_folder_without_classes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no class folders"):
        load(tmp_path)
    _save(tmp_path / "1.png", _square(1))
    with pytest.raises(DataError, match="holds no class folders"):
        load(tmp_path)


def test_a_class_without_images(tmp_path: Path) -> None:
    _save(tmp_path / "a" / "1.png", _square(1))
    (tmp_path / "b").mkdir()
    with pytest.raises(DataError, match=r"b: holds no images \(\.bmp, "):
        load(tmp_path)


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


def test_more_than_eight_bits_are_refused_rather_than_clipped(tmp_path: Path) -> None:
    _save(tmp_path / "a" / "1.png", np.full((4, 4), 1000, np.uint16))
    with pytest.raises(DataError, match=r"1\.png: has more than 8 bits a pixel"):
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
    assert folder.MAX_IMAGE_PIXELS >= 1024 * 1024
