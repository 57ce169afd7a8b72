"""Which grey levels numbers mean: one rule for arrays, tables, Parquet, HDF5, TIFF and predict."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest
from PIL import Image

from mnistlab.data import load
from mnistlab.data.readers.binary import idx
from mnistlab.data.readers.unlabelled import open_images
from mnistlab.errors import DataError

N = 6
LEVELS = np.random.default_rng(0).integers(0, 256, (N, 4, 4)).astype(float)
LEVELS[0, 0, :2] = 0, 255
LABELS = np.arange(N) % 2
Write = Callable[[Path, np.ndarray], Path]


def npz(root: Path, x: np.ndarray) -> Path:
    np.savez(root / "x.npz", images=x, labels=LABELS)
    return root / "x.npz"


def table(root: Path, x: np.ndarray) -> Path:
    names = ",".join(["label", *(f"pixel{i}" for i in range(16))])
    rows = [f"{LABELS[i]},{','.join(f'{v:.6g}' for v in x[i].ravel())}" for i in range(N)]
    (root / "x.csv").write_text("\n".join([names, *rows]))
    return root / "x.csv"


def slow_table(root: Path, x: np.ndarray) -> Path:
    """Read by `csv_cells`, since polars does not take the quoted spaces."""
    path = table(root, x)
    path.write_text(path.read_text().replace(",0,", '," 0 ",', 1))
    return path


def parquet(root: Path, x: np.ndarray) -> Path:
    pixels = {f"pixel{i}": x.reshape(N, -1)[:, i] for i in range(16)}
    pl.DataFrame({"label": LABELS, **pixels}).write_parquet(root / "x.parquet")
    return root / "x.parquet"


def hdf5(root: Path, x: np.ndarray) -> Path:
    with h5py.File(root / "x.h5", "w") as file:
        file["images"], file["labels"] = x, LABELS
    return root / "x.h5"


def tiff(root: Path, x: np.ndarray) -> Path:
    for i in range(N):
        (root / "x" / "ab"[LABELS[i]]).mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(x[i].astype(np.float32))
        image.save(root / "x" / "ab"[LABELS[i]] / f"{i}.tif")
    return root / "x"


def idx_files(root: Path, x: np.ndarray) -> Path:
    (root / "train-images-idx3-ubyte").write_bytes(idx.to_bytes(x.astype(np.uint8)))
    (root / "train-labels-idx1-ubyte").write_bytes(idx.to_bytes(LABELS.astype(np.uint8)))
    return root / "train-images-idx3-ubyte"


NUMBERS = [npz, table, slow_table, parquet, hdf5]


def sorted_by_sum(images: np.ndarray) -> np.ndarray:
    """The images in an order that does not depend on the format."""
    return np.array(sorted(images.tolist(), key=lambda image: (np.sum(image), image)))


def predicted(path: Path) -> np.ndarray:
    return np.concatenate([block.images for block in open_images(path, (4, 4)).blocks])


@pytest.mark.parametrize("write", [*NUMBERS, tiff])
@pytest.mark.parametrize("high", [0.7, 1, 1.004, 1.09])
def test_floats_to_about_one_are_multiplied_by_255(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], write: Write, high: float
) -> None:
    shares = LEVELS / 255 * high
    if write is tiff and high > 1:  # each image tells its own scale
        shares[:, 0, 0] = high
    path = write(tmp_path, shares)
    expected = sorted_by_sum(np.minimum(np.rint(shares * 255), 255))
    assert np.abs(sorted_by_sum(load(path).images) - expected).max() <= 1
    said = capsys.readouterr().err
    assert said.count("multiplied by 255") == 1
    assert ("above 1 become 255" in said) == (high > 1)
    assert np.abs(sorted_by_sum(predicted(path)) - expected).max() <= 1
    assert capsys.readouterr().err.count("multiplied by 255") == 1


@pytest.mark.parametrize("write", NUMBERS)
@pytest.mark.parametrize("high", [1.2, 3, 15.5])
def test_fractions_of_another_scale_are_refused(tmp_path: Path, write: Write, high: float) -> None:
    path = write(tmp_path, LEVELS / 255 * high)
    for read in (load, predicted):
        with pytest.raises(DataError, match=rf"x\.\w+: .*{high:g}, where .*255 / {high:g}\)"):
            read(path)


@pytest.mark.parametrize("write", [*NUMBERS, idx_files])
@pytest.mark.parametrize("high", [1, 15, 16, 100])
def test_dark_levels_are_kept_with_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], write: Write, high: int
) -> None:
    levels = np.rint(LEVELS / 255 * high)
    levels = levels if high > 1 or write is not npz else levels.astype(int)
    levels = levels.astype(int) if high == 1 else levels
    path = write(tmp_path, levels)
    said = "0 and 1 alone" if high == 1 else f"go from 0 to {high} of 255"
    assert np.array_equal(load(path).images, levels)
    assert capsys.readouterr().err.count(said) == 1
    assert np.array_equal(predicted(path), levels)
    assert capsys.readouterr().err.count(said) == 1


@pytest.mark.parametrize("write", [*NUMBERS, idx_files])
def test_nothing_is_said_of_bright_levels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], write: Write
) -> None:
    path = write(tmp_path, LEVELS)
    assert np.array_equal(load(path).images, LEVELS)
    assert np.array_equal(predicted(path), LEVELS)
    assert capsys.readouterr().err == ""


ANY_LEVELS = np.random.default_rng(3).integers(0, 256, (6, 4, 4))
ANY_LEVELS[0, 0, :2] = 0, 255
DARKER = np.where(ANY_LEVELS > 229, 229, ANY_LEVELS)  # 0.8 where white is 1 and black is -1


@pytest.mark.parametrize(
    ("saved", "images", "which"),
    [
        (ANY_LEVELS.astype(np.uint8).view(np.int8), ANY_LEVELS, 0),
        ((ANY_LEVELS - 128).astype(np.int8), ANY_LEVELS, 1),
        ((DARKER / 127.5 - 1).astype(np.float32), DARKER, 0),
        ((DARKER / 127.5 - 1).astype(np.float16), DARKER, 0),
        (ANY_LEVELS / 127.5 - 1, ANY_LEVELS, 0),
        (DARKER / 255 - 0.5, DARKER, 0),
        (ANY_LEVELS / 255 - 1, ANY_LEVELS, 0),
        ((ANY_LEVELS / 255 - 0.1307) / 0.3081, ANY_LEVELS, 0),
        ((ANY_LEVELS * 257 - 32768).astype(np.int16), ANY_LEVELS, 0),
        ((ANY_LEVELS * 257).astype(np.int16).astype(np.uint16) * 1.0 - 7, None, 0),
        ((ANY_LEVELS * 200.0 - 20000).astype(np.float16), ANY_LEVELS, 0),
        (ANY_LEVELS.astype(np.int64) * 10, ANY_LEVELS, 0),
    ],
)
def test_the_line_that_converts_levels_does_what_it_says(
    saved: np.ndarray, images: np.ndarray | None, which: int, tmp_path: Path
) -> None:
    np.savez(tmp_path / "x.npz", images=saved, labels=np.arange(6) % 2)
    with pytest.raises(DataError, match=r"x\.npz: its images ") as caught:
        load(tmp_path / "x.npz")
    lines = re.findall(r"save (.*?)(?: instead|;|$)", str(caught.value))
    with np.errstate(all="raise"):
        converted = eval(lines[which], {"np": np, "x": saved})
    np.savez(tmp_path / "x.npz", images=converted, labels=np.arange(6) % 2)
    read = load(tmp_path / "x.npz").images
    assert images is None or np.abs(read.astype(int) - images).max() <= 1
