"""Which place wins, and that a wrong file never passes for a published one."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnistlab.data import SOURCES, available, fetch, load
from mnistlab.data.published.sources import File
from mnistlab.data.readers import content
from mnistlab.data.readers.binary import idx
from mnistlab.errors import DataError

NAMES = [file.name for file in SOURCES["mnist"].files]


def _sha256(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def _write_set(folder: Path, first_pixel: int, packed: bool) -> list[bytes]:
    """Two training images and a test image as four IDX files; returns their contents."""
    images = np.zeros((3, 28, 28), np.uint8)
    images[0, 0, 0] = first_pixel
    labels = np.array([0, 1, 2], np.uint8)
    contents = [idx.to_bytes(a) for a in (images[:2], labels[:2], images[2:], labels[2:])]
    folder.mkdir(parents=True)
    for name, raw in zip(NAMES, contents, strict=True):
        if packed:
            (folder / name).write_bytes(gzip.compress(raw))
        else:
            (folder / name.removesuffix(".gz")).write_bytes(raw)
    return contents


@pytest.fixture
def small(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """SOURCES["mnist"] as a set of three images that is nowhere; returns a folder for it."""
    contents = _write_set(tmp_path / "reference", 7, packed=True)
    files = tuple(
        File(name, content=_sha256(raw)) for name, raw in zip(NAMES, contents, strict=True)
    )
    source = replace(SOURCES["mnist"], n_train=2, n_test=1, files=files, mirrors=())
    monkeypatch.setitem(SOURCES, "mnist", source)
    return tmp_path / "data"


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("place", ["cache/mnist", "data/mnist", "elsewhere/mnist", "system/mnist"])
def test_every_place_is_looked_into(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, packed: bool
) -> None:
    listed = ["/nowhere", str(small), str(tmp_path / "elsewhere" / "mnist")]
    monkeypatch.setenv("MNISTLAB_DATA", os.pathsep.join(listed))
    _write_set(tmp_path / place, 7, packed)
    assert available("mnist") == str(tmp_path / place)
    assert [path.parent for path in fetch("mnist")] == [tmp_path / place] * 4
    dataset = load("mnist")
    assert dataset.images[0, 0, 0] == 7
    assert dataset.labels.tolist() == [0, 1, 2]
    assert str(tmp_path / place) in dataset.provenance


def test_the_cache_comes_first_and_half_a_set_does_not_count(
    small: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNISTLAB_DATA", str(small))
    _write_set(small / "mnist", 7, packed=True)
    _write_set(cache / "mnist", 7, packed=False)
    assert available("mnist") == str(cache / "mnist")
    (cache / "mnist" / "t10k-labels-idx1-ubyte").unlink()
    assert available("mnist") == str(small / "mnist")
    assert load("mnist").source == {"name_or_path": "mnist"}


@pytest.mark.parametrize("packed", [True, False])
def test_a_wrong_file_is_named_and_left_alone(
    small: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setenv("MNISTLAB_DATA", str(small))
    _write_set(small / "mnist", 8, packed)
    wrong = small / "mnist" / (NAMES[0] if packed else NAMES[0].removesuffix(".gz"))
    with pytest.raises(DataError, match=re.escape(f"{wrong}: is not the published")):
        load("mnist")
    assert wrong.exists()


def test_where_only_the_wrapper_has_a_published_hash(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNISTLAB_DATA", str(small))
    _write_set(small / "mnist", 8, packed=True)
    files = tuple(
        File(name, wrapper=_sha256((small / "mnist" / name).read_bytes())) for name in NAMES
    )
    monkeypatch.setitem(SOURCES, "mnist", replace(SOURCES["mnist"], files=files))
    assert load("mnist").images[0, 0, 0] == 8
    path = small / "mnist" / NAMES[0]
    raw = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(raw, compresslevel=1))
    with pytest.raises(DataError, match=NAMES[0]):
        load("mnist")
    path.unlink()
    path.with_suffix("").write_bytes(raw)  # unpacked by hand: nothing to compare with
    assert load("mnist").images[0, 0, 0] == 8


def test_counts_are_checked_where_hashes_cannot_be(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNISTLAB_DATA", str(small))
    _write_set(small / "mnist", 7, packed=True)
    monkeypatch.setitem(SOURCES, "mnist", replace(SOURCES["mnist"], n_train=60_000))
    with pytest.raises(DataError, match=r"mnist: 2 images and 2 labels where 60000"):
        load("mnist")


def test_labels_beyond_the_classes_are_refused(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNISTLAB_DATA", str(small))
    _write_set(small / "mnist", 7, packed=True)
    monkeypatch.setitem(SOURCES, "mnist", replace(SOURCES["mnist"], class_names=("0", "1")))
    with pytest.raises(DataError, match=r"label 2 of image 3 is out of range 0\.\.1"):
        load("mnist")


@pytest.mark.parametrize(
    ("name", "suggested"), [("mnits", "mnist"), ("Fashion-MNIST", "fashion-mnist"), ("zzz", "usps")]
)
def test_an_unknown_name_suggests_what_comes_close(name: str, suggested: str) -> None:
    for ask in (load, fetch, available):
        with pytest.raises(DataError, match=f"unknown data set '{name}'.*{suggested}"):
            ask(name)


def test_a_path_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"no/such\.csv: no such file or folder"):
        load("no/such.csv")


def test_gzip_bombs_are_refused_before_memory_is_eaten(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(80):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"bomb\.gz: unpacks to more than 67108864 bytes"):
            for _ in content.chunks(path):
                pass
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    with pytest.raises(DataError, match="refused"):
        content.unpack(path.read_bytes(), "bomb")
    assert content.plausible_bytes(1 << 40) == content.MAX_CONTENT_BYTES


@pytest.mark.parametrize(
    "raw", [b"\x1f\x8b", gzip.compress(b"abc" * 99, mtime=0)[:-12], b"BZh9junk"]
)
def test_damaged_packing_is_one_line(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"damaged: cannot be read: .") as caught:
        content.read(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"damaged: cannot be read: ."):
        content.unpack(raw, "damaged")
