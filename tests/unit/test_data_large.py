"""Images too many for memory: the same arrays and the same numbers, and few bytes resident."""

from __future__ import annotations

import copy
import errno
import gzip
import mmap
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import mnistlab as ml
from mnistlab.classifiers import ScratchClassifier, TorchClassifier
from mnistlab.data import Dataset, large, load
from mnistlab.data.readers.binary import idx
from mnistlab.data.readers.tables import csv_blocks
from mnistlab.data.scaling import fit_scaling
from mnistlab.errors import DataError
from mnistlab.training import reading

MB = 1 << 20
READS_ROWS = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere pages are mapped")


@pytest.fixture
def low_limits(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that the tests make is large, and gone through in blocks of a few images; the cache."""
    monkeypatch.setattr(large, "LARGE", 2000)
    monkeypatch.setattr(large, "BLOCK", 1000)
    return cache


def write_parts(folder: Path, data: Dataset) -> Path:
    """train and t10k as plain IDX files."""
    n_train = data.n_official_train
    for stem, part in {"train": slice(n_train), "t10k": slice(n_train, None)}.items():
        images, labels = data.images[part], data.labels[part].astype(np.uint8)
        (folder / f"{stem}-images-idx3-ubyte").write_bytes(idx.to_bytes(images))
        (folder / f"{stem}-labels-idx1-ubyte").write_bytes(idx.to_bytes(labels))
    return folder


def is_mapped(images: np.ndarray) -> bool:
    return large.mapping_of(images) is not None


# The same arrays


def test_a_large_plain_file_is_mapped_where_it_lies(
    stripes: Dataset, tmp_path: Path, low_limits: Path
) -> None:
    write_parts(tmp_path, stripes)
    read = load(tmp_path / "train-images-idx3-ubyte")
    assert is_mapped(read.images)
    assert np.array_equal(read.images, stripes.images[:480])
    assert not low_limits.exists()


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_parts_in_files_are_the_set_that_fits_into_memory(
    stripes: Dataset, tmp_path: Path, low_limits: Path, ending: str
) -> None:
    write_parts(tmp_path, stripes)
    if ending:
        for path in tmp_path.glob("*ubyte"):
            path.with_name(path.name + ending).write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    read = load(tmp_path)
    assert read.images.shape == stripes.images.shape
    assert read.n_official_train == 480
    named = replace(read, class_names=stripes.class_names)
    assert named.fingerprint == stripes.fingerprint
    assert not low_limits.exists()
    # What one of the files alone cannot give is put together, once.
    assert np.array_equal(read.images[::7], stripes.images[::7])
    assert is_mapped(np.asarray(read.images))
    assert np.array_equal(read.images, stripes.images)
    assert read.images.mean() == stripes.images.mean()
    assert np.array_equal(copy.deepcopy(read).images, stripes.images)
    assert not list(low_limits.iterdir())  # its file has no name


def test_a_part_that_is_all_there_is_is_not_copied(
    stripes: Dataset, tmp_path: Path, low_limits: Path
) -> None:
    write_parts(tmp_path, stripes)
    for path in tmp_path.glob("t10k*"):
        path.unlink()
    assert is_mapped(load(tmp_path).images)
    assert not low_limits.exists()
    assert large.joined(iter([stripes.images])) is stripes.images


def test_tables_and_folders_of_images_are_put_together_on_the_disk(
    stripes: Dataset, tmp_path: Path, low_limits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 2000)
    few = stripes.take(slice(0, 40))
    ml.export(few, tmp_path / "table", format="csv")
    for place, (image, label) in enumerate(zip(few.images, few.labels, strict=True)):
        folder = tmp_path / "pictures" / few.class_names[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{place:02d}.png")
    table, pictures = load(tmp_path / "table" / "train.csv"), load(tmp_path / "pictures")
    assert is_mapped(table.images)
    assert is_mapped(pictures.images)
    assert np.array_equal(table.images, few.images)
    assert np.array_equal(pictures.images, few.images[np.argsort(few.labels, kind="stable")])


@pytest.mark.parametrize("split", ["official", "stratified-70-15-15", "test-first-60-20-20"])
def test_the_parts_of_a_split_are_the_same(
    stripes: Dataset, tmp_path: Path, low_limits: Path, split: str
) -> None:
    read = load(write_parts(tmp_path, stripes))
    in_memory, on_disk = ml.split(stripes, split), ml.split(read, split)
    for name in ("train", "val", "test"):
        part, expected = getattr(on_disk, name), getattr(in_memory, name)
        assert is_mapped(part.images)
        assert np.array_equal(part.images, expected.images)
        assert np.array_equal(part.labels, expected.labels)
    assert low_limits.exists() == (split != "official")  # which copies nothing


def test_an_official_split_copies_nothing(stripes: Dataset) -> None:
    parts = ml.split(stripes, "official")
    for part in (parts.train, parts.val, parts.test):
        assert np.shares_memory(part.images, stripes.images)


@given(
    places=st.lists(st.integers(-12, 11)), n_together=st.integers(0, 12), first=st.integers(0, 6)
)
@settings(deadline=None)
def test_what_is_taken_is_what_numpy_takes(places: list[int], n_together: int, first: int) -> None:
    images = np.arange(12 * 4, dtype=np.uint8).reshape(12, 2, 2)
    mask = np.isin(np.arange(12), places)
    assert np.array_equal(large.take(images, mask), images[mask])
    with pytest.raises(IndexError):
        large.take(images, np.array([11, 12]))
    for indices in (np.array(places, np.intp), np.arange(first, min(first + n_together, 12))):
        assert np.array_equal(large.take(images, indices), images[indices])


@given(st.lists(st.integers(0, 5), min_size=1), st.lists(st.integers(-14, 14)), st.data())
@settings(deadline=None)
def test_several_arrays_are_read_like_one(
    sizes: list[int], places: list[int], data: st.DataObject
) -> None:
    arrays = [np.full((n, 2, 3), i, np.uint8) for i, n in enumerate(sizes)]
    parts, whole = large.Concatenated(arrays), np.concatenate(arrays)
    keys = [data.draw(st.slices(len(whole))), np.array(places, int), (slice(None), 1), places[:1]]
    if len(whole):
        keys += [data.draw(st.integers(0, len(whole) - 1)), whole[:, 0, 0] > 2]
    for key in keys:
        try:
            expected = whole[key]
        except IndexError:
            with pytest.raises(IndexError):
                parts[key]
            continue
        assert np.array_equal(parts[key], expected)
        assert parts[key].shape == expected.shape


@given(st.lists(st.integers(0, 5), min_size=1), st.integers(1, 60))
@settings(deadline=None)
def test_joined_parts_are_the_same_in_memory_and_on_the_disk(sizes: list[int], limit: int) -> None:
    parts = [np.full((n, 2, 3), i, np.uint8) for i, n in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large, "LARGE", limit)
        patch.setattr(large, "BLOCK", 13)
        joined = large.joined(iter(parts))
    assert np.array_equal(joined, np.concatenate(parts))


def test_scaling_is_fitted_in_blocks(stripes: Dataset, low_limits: Path) -> None:
    expected = stripes.images.mean(), stripes.images.std()
    assert fit_scaling("standard", stripes.images) == pytest.approx(expected, rel=1e-12)


def test_the_fingerprint_does_not_depend_on_blocks_and_covers_all_of_them(
    stripes: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = stripes.images.copy()
    images[-1, -1, -1] ^= 1
    whole, other = (
        replace(stripes, images=array).fingerprint for array in (stripes.images, images)
    )
    monkeypatch.setattr(large, "BLOCK", 1000)
    assert replace(stripes).fingerprint == whole
    assert replace(stripes, images=images).fingerprint == other != whole


# The same numbers


@pytest.mark.parametrize(
    "classifier",
    [
        TorchClassifier(hidden_sizes=[9], n_epochs=2, random_state=3),
        TorchClassifier("cnn", {"channels": [3]}, pad_to=14, expansion="flip-and-zoom", n_epochs=1),
        TorchClassifier(hidden_sizes=[9], augmentation={"shift": 1}, validation_fraction=0.0),
        ScratchClassifier(hidden_sizes=[9], n_epochs=2, random_state=3),
    ],
    ids=["torch", "padded and expanded", "augmented", "by hand"],
)
def test_training_is_the_same_bit_by_bit(
    stripes: Dataset, tmp_path: Path, low_limits: Path, classifier: Any
) -> None:
    classifier.set_params(random_state=3)
    mapped = np.asarray(load(write_parts(tmp_path, stripes)).images)
    assert is_mapped(mapped)
    before, labels = stripes.images.copy(), stripes.labels
    expected = classifier.fit(before, labels).arrays()
    probabilities = classifier.predict_proba(before)
    found = classifier.fit(mapped, labels).arrays()
    assert all(np.array_equal(found[name], array) for name, array in expected.items())
    assert np.array_equal(classifier.predict_proba(mapped), probabilities)


@READS_ROWS
def test_a_slow_disk_is_asked_in_time_for_the_same_images(
    stripes: Dataset, tmp_path: Path, low_limits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every image but those of the first batch, once."""
    asked: list[np.ndarray] = []
    monkeypatch.setattr(reading, "SLOW_S", 0)
    monkeypatch.setattr(reading, "N_AHEAD", 3)
    monkeypatch.setattr(large.Rows, "prefetch", lambda rows, places: asked.append(places))
    rows = large.rows_of(np.asarray(load(write_parts(tmp_path, stripes)).images))
    assert rows is not None
    X, batches = torch.from_numpy(stripes.images), torch.randperm(480).split(37)
    for batch, images in zip(batches, reading.images_of(X, batches, rows), strict=True):
        assert torch.equal(images, X[batch])
    assert np.array_equal(np.concatenate(asked), torch.cat(batches[2:]).numpy())


@READS_ROWS
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_rows_are_those_of_the_array(tmp_path: Path, low_limits: Path, dtype: type) -> None:
    images = np.arange(100 * 24).astype(dtype).reshape(100, 6, 4)
    mapped = large.joined(iter(np.array_split(images, 7)))[7:61]
    rows, places = large.rows_of(mapped), np.array([53, 0, 9, 9])
    assert rows is not None
    rows.prefetch(places)
    assert np.array_equal(rows.read(places), images[7:61][places])
    assert rows.read(places).dtype == dtype
    assert large.rows_of(images) is None
    assert large.rows_of(mapped[::-1]) is None


def test_a_run_on_mapped_images_is_trained_and_evaluated(
    stripes: Dataset, tmp_path: Path, low_limits: Path
) -> None:
    recipe = replace(ml.get_recipe("mlp"), model_args={"hidden_sizes": [9]}, split="official")
    write_parts(tmp_path, stripes)
    on_disk = ml.evaluate(ml.train(recipe, str(tmp_path), out=tmp_path / "runs"))
    named = replace(stripes, class_names=tuple("0123"), is_published=False)
    in_memory = ml.evaluate(ml.train(recipe, named, out=tmp_path / "others"), named)
    for name in ("val_accuracy", "test_accuracy", "log_loss"):
        assert on_disk.result[name] == in_memory.result[name]


# Few bytes resident


RESIDENT = """
import sys, time
from pathlib import Path
import numpy as np
from mnistlab.data import large
large.RESIDENT = 16 << 20
mapping = large.map_file(Path(sys.argv[1]))
images = np.frombuffer(mapping, np.uint8).reshape(-1, 1 << 20)
before = most = large._resident_bytes()
watched = [images] if sys.argv[2] == "watched" else []
with large.bounded_memory(*watched):
    for image in images:
        assert not image.any()
        time.sleep(0.002)
        most = max(most, large._resident_bytes())
print(most - before, large._resident_bytes() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not say")
def test_pages_that_were_read_are_given_back(tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    with path.open("wb") as file:
        file.truncate(256 * MB)
    found = {}
    for name in ("watched", "not watched"):
        command = [sys.executable, "-c", RESIDENT, str(path), name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[name] = [int(word) / MB for word in done.stdout.split()]
    assert found["not watched"][0] > 250
    assert found["watched"][0] < 120
    assert found["watched"][1] < 16


def test_pages_are_given_back_where_the_system_does_not_say_how_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back = threading.Event()

    class Watched(large.MappedFile):
        def madvise(self, *advice: int) -> None:
            given_back.set()

    monkeypatch.setattr(large, "_resident_bytes", lambda: None)
    (tmp_path / "bytes").write_bytes(bytes(4096))
    with (tmp_path / "bytes").open("rb") as file:
        images = np.frombuffer(Watched(file), np.uint8)
    with large.bounded_memory(images):
        assert given_back.wait(20)


def test_what_was_written_to_a_private_mapping_stays(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(bytes(4096))
    own = np.memmap(tmp_path / "bytes", mode="c")
    own[:] = 7
    assert large.mapping_of(own) is None
    with large.bounded_memory(own, None):
        pass
    assert (own == 7).all()


@pytest.mark.parametrize("make", [np.asarray, lambda a: a[2:].reshape(2, -1), lambda a: a[::-1]])
def test_the_mapping_behind_an_array_is_found(tmp_path: Path, make: Any) -> None:
    (tmp_path / "bytes").write_bytes(bytes(16))
    assert isinstance(large.mapping_of(make(np.memmap(tmp_path / "bytes", mode="r"))), mmap.mmap)
    assert large.mapping_of(make(np.zeros(16))) is None


# Defects


def test_a_large_file_that_is_cut_off_is_refused(
    stripes: Dataset, tmp_path: Path, low_limits: Path
) -> None:
    path = write_parts(tmp_path, stripes) / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"69135 bytes where its header .* means 69136"):
        load(path)


@READS_ROWS
def test_a_disk_that_does_not_answer_is_said(
    tmp_path: Path, low_limits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*of: Any) -> int:
        raise OSError(errno.EIO, "Input/output error")

    rows = large.rows_of(large.joined(iter([np.zeros((50, 6, 8), np.uint8)] * 2)))
    assert rows is not None
    monkeypatch.setattr(os, "preadv", fail)
    with pytest.raises(DataError, match="cannot be read any more: Input/output error"):
        rows.read(np.array([0]))


@READS_ROWS
def test_a_file_that_becomes_shorter_is_said(
    stripes: Dataset, tmp_path: Path, low_limits: Path
) -> None:
    path = write_parts(tmp_path, stripes) / "train-images-idx3-ubyte"
    rows = large.rows_of(load(path).images)
    assert rows is not None
    with path.open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(DataError, match="has become shorter while it was in use"):
        rows.read(np.array([0, 300]))


FULL = """
mount -t tmpfs -o size=40k tmpfs cache || exit 77
MNISTLAB_CACHE=cache "$0" -c 'from mnistlab.data import large
large.LARGE, large.BLOCK = 2000, 1000
from mnistlab.__main__ import main
main()' data export files --format npz --hold-out 0.5 --out out 2> said
echo $? > status
ls -A cache > left
"""


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux")
def test_a_disk_that_is_full_is_one_line(stripes: Dataset, tmp_path: Path) -> None:
    for folder in ("cache", "files"):
        (tmp_path / folder).mkdir()
    write_parts(tmp_path / "files", stripes)
    space = ["unshare", "--map-root-user", "--mount", "sh", "-c", FULL, sys.executable]
    done = subprocess.run(space, cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"this machine lets nobody mount a tmpfs: {done.stderr.strip()}")
    assert (tmp_path / "status").read_text() == "2\n", (tmp_path / "said").read_text()
    assert (tmp_path / "said").read_text() == (
        "error: cache: cannot hold images too many for memory: No space left on device\n"
    )
    assert (tmp_path / "left").read_text() == ""
