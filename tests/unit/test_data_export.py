"""What is exported is read back as the same arrays."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnistlab.data import Dataset, export, exporting, load
from mnistlab.errors import DataError

NAMES = ("coat", "bag", "a shoe")


def _dataset(n: int, height: int, width: int, n_official: int | None, seed: int = 0) -> Dataset:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (n, height, width), dtype=np.uint8)
    labels = random.integers(0, 3, n)
    labels[:3] = [2, 1, 0][: len(labels[:3])]
    return Dataset("made", images, labels, NAMES, n_official)


@pytest.mark.parametrize("format", ["csv", "npz", "idx"])
@given(
    n=st.integers(3, 30),
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    has_test=st.booleans(),
    rows_at_once=st.sampled_from([1, 7, 4096]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_reading_gives_back_what_was_written(
    tmp_path: Path,
    format: str,
    n: int,
    height: int,
    width: int,
    has_test: bool,
    rows_at_once: int,
    seed: int,
) -> None:
    dataset = _dataset(n, height, width, n - 1 if has_test else None, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "ROWS_AT_ONCE", rows_at_once)
        files = export(dataset, tmp_path, format)
    assert sorted(tmp_path.iterdir()) == sorted(files)
    found = load(tmp_path, size=(height, width))
    assert np.array_equal(found.images, dataset.images)
    assert np.array_equal(found.labels, dataset.labels)
    assert found.n_official_train == dataset.n_official_train
    assert found.class_names == (NAMES if format == "npz" else ("0", "1", "2"))


def test_the_columns_of_a_csv(tmp_path: Path) -> None:
    dataset = _dataset(5, 2, 2, 4)
    assert export(dataset, tmp_path / "new") == [
        tmp_path / "new" / f"{p}.csv" for p in ("train", "test", "evaluate")
    ]
    with (tmp_path / "new" / "test.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["pix1", "pix2", "pix3", "pix4", "label"]
    assert [int(cell) for cell in rows[1]] == [*dataset.images[4].ravel(), dataset.labels[4]]
    assert len(rows) == 2
    with (tmp_path / "new" / "evaluate.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["ID", "pix1", "pix2", "pix3", "pix4"]
    assert [int(cell) for cell in rows[1]] == [0, *dataset.images[4].ravel()]
    assert len(rows) == 2


def test_a_share_is_drawn_as_the_test_part(tmp_path: Path) -> None:
    """Write-up C's files: three quarters with labels, the rest without."""
    dataset = _dataset(40, 2, 2, 30)
    export(dataset, tmp_path, hold_out=0.25)
    train, test = load(tmp_path / "train.csv"), load(tmp_path / "test.csv")
    assert (len(train), len(test)) == (30, 10)
    drawn = np.concatenate([train.images, test.images]).reshape(40, -1)
    assert not np.array_equal(drawn, dataset.images.reshape(40, -1))
    assert sorted(map(tuple, drawn)) == sorted(map(tuple, dataset.images.reshape(40, -1)))
    for share in (0.0, 0.01, 1.0, -1.0, 0.999):
        with pytest.raises(DataError, match="hold-out must be a share"):
            export(dataset, tmp_path, hold_out=share)
    with pytest.raises(DataError, match="hold-out must be a share"):
        export(dataset, tmp_path, split="official", hold_out=0.25)


@pytest.mark.parametrize(("size", "top", "left"), [(7, 2, 1), ((4, 5), 1, 0)])
def test_padding_is_black_and_central(
    tmp_path: Path, size: int | tuple[int, int], top: int, left: int
) -> None:
    dataset = _dataset(3, 2, 4, None)
    export(dataset, tmp_path, "npz", size=size)
    found = load(tmp_path / "train.npz").images
    assert found.shape[1:] == ((7, 7) if size == 7 else size)
    assert np.array_equal(found[:, top : top + 2, left : left + 4], dataset.images)
    assert found.sum() == dataset.images.sum()


@pytest.mark.parametrize("size", [(1, 9), (9, 3), 1])
def test_images_are_never_cut(tmp_path: Path, size: int | tuple[int, int]) -> None:
    with pytest.raises(DataError, match="made: images of 2x4 do not fit into "):
        export(_dataset(3, 2, 4, None), tmp_path, size=size)
    assert list(tmp_path.iterdir()) == []


def test_a_split_gives_three_parts_and_replaces_the_old_ones(tmp_path: Path) -> None:
    dataset = _dataset(120, 3, 3, 100)
    export(dataset, tmp_path, split="stratified-70-15-15")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "evaluate.csv",
        "test.csv",
        "train.csv",
        "val.csv",
    ]
    found = load(tmp_path)
    assert (found.n_official_train, found.n_official_val, len(found)) == (84, 18, 120)
    export(dataset, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "evaluate.csv",
        "test.csv",
        "train.csv",
    ]
    assert np.array_equal(load(tmp_path).images, dataset.images)


def test_parts_that_do_not_fit_together(tmp_path: Path) -> None:
    export(_dataset(5, 2, 2, 4), tmp_path, "npz")
    np.savez(tmp_path / "test.npz", images=np.zeros((1, 3, 3), np.uint8), labels=np.array([0]))
    with pytest.raises(DataError, match=r"test\.npz: images: its images are 3x3, those of"):
        load(tmp_path)


def test_class_names_of_parts_are_joined(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("label,a\nshoe,1\nbag,2\n")
    (tmp_path / "test.csv").write_text("label,a\ncoat,3\nshoe,4\n")
    dataset = load(tmp_path)
    assert dataset.class_names == ("bag", "coat", "shoe")
    assert dataset.labels.tolist() == [2, 0, 1, 2]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    dataset = _dataset(3, 2, 2, None)
    with pytest.raises(DataError, match="unknown format 'parquet'; there are: csv, npz, idx"):
        export(dataset, tmp_path, "parquet")
    with pytest.raises(DataError, match="unknown split 'half'"):
        export(dataset, tmp_path, split="half")
    many = Dataset("many", dataset.images, dataset.labels, tuple(map(str, range(257))))
    with pytest.raises(DataError, match="many: 257 classes do not fit"):
        export(many, tmp_path, "idx")
    assert list(tmp_path.iterdir()) == []
