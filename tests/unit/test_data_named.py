"""Each named set decodes to what was published; the format's traps are its own tests."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnistlab.data import SOURCES, Dataset, available, fetch, load
from mnistlab.data.embedded import make_fashion_mini
from mnistlab.data.published.resolve import EMBEDDED
from mnistlab.data.readers.binary import idx, npz
from mnistlab.errors import DataError

Publish = Callable[[str, dict[str, bytes]], None]


@pytest.fixture
def publish(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Put files into the cache as those of a source with three training images and one test."""

    def put(name: str, files: dict[str, bytes]) -> None:
        folder = cache / SOURCES[name].folder
        folder.mkdir(parents=True, exist_ok=True)
        hashed = []
        for file in SOURCES[name].files:
            (folder / file.name).write_bytes(files[file.name])
            digest = "sha256:" + hashlib.sha256(files[file.name]).hexdigest()
            hashed.append(replace(file, content="", wrapper=digest))
        source = replace(SOURCES[name], files=tuple(hashed), n_train=3, n_test=1, mirrors=())
        monkeypatch.setitem(SOURCES, name, source)

    return put


@pytest.mark.parametrize("split", ["balanced", "letters", "digits", "byclass", "bymerge", "mnist"])
def test_emnist_is_stood_upright_and_numbered_from_zero(publish: Publish, split: str) -> None:
    upright = np.arange(4 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(4, 28, 28)
    first = 1 if split == "letters" else 0
    labels = np.array([0, 1, 9, 2], np.uint8) + np.uint8(first)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part, rows in (("train", slice(3)), ("test", slice(3, None))):
            stem = f"gzip/emnist-{split}-{part}"
            on_its_side = idx.to_bytes(upright[rows].transpose(0, 2, 1))
            archive.writestr(f"{stem}-images-idx3-ubyte.gz", gzip.compress(on_its_side))
            archive.writestr(
                f"{stem}-labels-idx1-ubyte.gz", gzip.compress(idx.to_bytes(labels[rows]))
            )
    publish(f"emnist-{split}", {"gzip.zip": packed.getvalue()})
    dataset = load(f"emnist-{split}")
    assert (dataset.images == upright).all()
    assert dataset.labels.tolist() == [0, 1, 9, 2]
    assert dataset.n_official_train == 3


def test_qmnist_takes_the_class_from_eight_columns(publish: Publish) -> None:
    columns = (np.arange(32).reshape(4, 8) % 10).astype(">i4")
    images = np.zeros((4, 28, 28), np.uint8)
    files = {}
    for part, rows in (("train", slice(3)), ("test", slice(3, None))):
        n = len(images[rows])
        raw = b"\0\0\x0c\x02" + n.to_bytes(4, "big") + (8).to_bytes(4, "big")
        files[f"qmnist-{part}-images-idx3-ubyte.gz"] = gzip.compress(idx.to_bytes(images[rows]))
        files[f"qmnist-{part}-labels-idx2-int.gz"] = gzip.compress(raw + columns[rows].tobytes())
    publish("qmnist", files)
    assert load("qmnist").labels.tolist() == columns[:, 0].tolist()


def test_usps_is_scaled_to_bytes(publish: Publish) -> None:
    row = " ".join(f"{i}:{-1 + (i - 1) / 127.5:.6f}" for i in range(1, 257))
    train = f"1 {row} \n10 {row} \n5 {row} \n".encode()
    publish(
        "usps", {"usps.bz2": bz2.compress(train), "usps.t.bz2": bz2.compress(train[: len(row) + 4])}
    )
    dataset = load("usps")
    assert dataset.images.shape == (4, 16, 16)
    assert dataset.images[0].ravel().tolist() == list(range(256))
    assert dataset.labels.tolist() == [0, 9, 4, 0]


def test_usps_that_is_no_libsvm_text(publish: Publish) -> None:
    publish("usps", {"usps.bz2": bz2.compress(b"one two\n"), "usps.t.bz2": bz2.compress(b"")})
    with pytest.raises(DataError, match=r"usps\.bz2: not libsvm text"):
        load("usps")


def test_digits_fill_the_range_of_bytes() -> None:
    digits = load("digits")
    assert digits.images.shape == (1797, 8, 8)
    assert (digits.images.min(), digits.images.max()) == (0, 255)
    assert digits.n_official_train is None
    assert (fetch("digits"), available("digits")) == ([], "scikit-learn")


def test_fashion_mini_shows_every_class_in_any_ten_images() -> None:
    mini = load("fashion-mini")
    assert mini.images.shape == (7000, 28, 28)
    assert mini.n_official_train == 6000
    assert mini.class_names == SOURCES["fashion-mnist"].class_names
    assert "MIT" in mini.licence
    windows = np.lib.stride_tricks.sliding_window_view(mini.labels, 10)
    assert (np.sort(windows, axis=1) == np.arange(10)).all()
    assert (fetch("fashion-mini"), available("fashion-mini")) == ([EMBEDDED], "mnistlab")
    assert EMBEDDED.stat().st_size < 4.5e6
    assert "Zalando SE" in EMBEDDED.with_name("NOTICE").read_text(encoding="utf-8")


def test_a_damaged_fashion_mini_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    mini = npz.read(EMBEDDED)
    other = mini.images.copy()
    other[0, 0, 0] ^= 1
    damaged = replace(mini, images=other)
    monkeypatch.setattr(npz, "read", lambda path: damaged)
    with pytest.raises(DataError, match=r"fashion-mini\.npz: is damaged"):
        load("fashion-mini")


def test_fashion_mini_is_what_its_script_makes(fashion_mnist: Dataset) -> None:
    made = make_fashion_mini.make()
    assert made.fingerprint == load("fashion-mini").fingerprint
    of_class = np.flatnonzero(fashion_mnist.labels[:60_000] == 3)
    chosen = made.images[:6000][made.labels[:6000] == 3]
    assert (chosen == fashion_mnist.images[of_class[:600]]).all()


def test_mnist_is_what_was_published(mnist: Dataset) -> None:
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.labels[:60_000]).tolist() == counts
    assert mnist.images[:60_000].mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert mnist.images[:60_000].std() / 255 == pytest.approx(0.3081, abs=5e-5)


def test_mnist_784_is_mnist(mnist: Dataset) -> None:
    assert load("mnist_784").fingerprint == mnist.fingerprint


def test_fashion_mnist_is_what_was_published(fashion_mnist: Dataset) -> None:
    assert np.bincount(fashion_mnist.labels[:60_000]).tolist() == [6000] * 10
    assert fashion_mnist.images[:60_000].mean() / 255 == pytest.approx(0.2860, abs=5e-5)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_complete(name: str) -> None:
    source = SOURCES[name]
    assert source.title
    assert source.licence
    assert source.origin
    assert len(set(source.class_names)) == len(source.class_names) >= 10
    assert bool(source.files) == bool(source.mirrors) == bool(source.folder)
    assert all(mirror.endswith("/") for mirror in source.mirrors)
    for file in (*source.files, *([source.archive] if source.archive else [])):
        algorithm, _, digest = (file.content or file.wrapper).partition(":")
        assert len(bytes.fromhex(digest)) == hashlib.new(algorithm).digest_size


def test_importing_the_room_loads_nothing_heavy() -> None:
    heavy = {"torch", "sklearn", "polars", "PIL", "pooch", "requests", "pandas", "rich", "scipy"}
    code = f"import sys, mnistlab.data; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
