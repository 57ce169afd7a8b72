"""Sets in several files: none may be missing without a word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mnistlab.data import load
from mnistlab.data.readers.unlabelled import open_images
from mnistlab.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4), dtype=np.uint8)


def parquet(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = {f"pixel{i}": IMAGES[:, i] for i in range(4)}
    pl.DataFrame({"label": [0, 1] * 3, **pixels}).write_parquet(path)


def table(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({"label": [0, 1] * 3} | {f"pixel{i}": IMAGES[:, i] for i in range(4)}).write_csv(
        path
    )


def npz(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez(file, images=IMAGES, labels=[0, 1] * 3)


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["train-00000-of-00002"], "train-00001-of-00002"),
        (["data/train-00001-of-00003", "data/train-00000-of-00003"], "train-00002-of-00003"),
        (["data/train-00001-of-00002-0a1b2c3d4e5f6789"], "train-00000-of-00002"),
        (["train/0-00001-of-00002"], "0-00000-of-00002"),
        (["train-00000-of-00001", "test-00002-of-00002"], "test-00001-of-00002"),
    ],
)
def test_shards_that_are_missing_are_named(tmp_path: Path, names: list[str], missing: str) -> None:
    for name in names:
        parquet(tmp_path / f"{name}.parquet")
    with pytest.raises(DataError, match=rf"1 of \d files is missing: {missing}.*\.parquet"):
        load(tmp_path)


@pytest.mark.parametrize(("write", "suffix"), [(table, ".csv"), (npz, ".npz")])
def test_of_every_kind_of_file(tmp_path: Path, write: Callable[[Path], None], suffix: str) -> None:
    write(tmp_path / f"train-00000-of-00002{suffix}")
    with pytest.raises(DataError, match=rf"missing: train-00001-of-00002{suffix}; put them"):
        load(tmp_path)
    with pytest.raises(DataError, match="missing"):
        list(open_images(tmp_path, (2, 2)).blocks)
    write(tmp_path / f"train-00001-of-00002{suffix}")
    with pytest.raises(DataError, match=r"only \.parquet files are read in shards; join them"):
        load(tmp_path)


@pytest.mark.parametrize("first", [0, 1])
def test_whole_sets_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], first: int
) -> None:
    for i in (first, first + 1):
        parquet(tmp_path / f"train-{i:05d}-of-00002.parquet")
    assert len(load(tmp_path)) == 12
    assert capsys.readouterr().err == ""


def test_a_file_that_is_given_alone_is_read_with_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parquet(tmp_path / "train-00001-of-00004.parquet")
    assert len(load(tmp_path / "train-00001-of-00004.parquet")) == 6
    assert "is one of 4 files of its set; give the folder for all" in capsys.readouterr().err
