"""Columns of pixels in any order make the same images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mnistlab.data import load
from mnistlab.data.readers import unlabelled
from mnistlab.data.readers.tables.pixel_order import pixel_order

IMAGES = np.random.default_rng(0).integers(2, 256, (6, 4, 4), dtype=np.uint8)
LABELS = np.arange(6) % 3
NAMES = [f"pixel{i}" for i in range(16)]
ORDERS = {
    "as they are": list(range(16)),
    "as texts": sorted(range(16), key=lambda i: NAMES[i]),
    "backwards": list(range(16))[::-1],
    "shuffled": np.random.default_rng(1).permutation(16).tolist(),
}


@pytest.mark.parametrize("kind", ["csv", "decimals", "parquet"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_table_in_any_order(tmp_path: Path, kind: str, order: str) -> None:
    flat = IMAGES.reshape(6, -1).astype(float if kind == "decimals" else np.uint8)
    frame = pl.DataFrame({NAMES[i]: flat[:, i] for i in ORDERS[order]})
    frame = frame.insert_column(5, pl.Series("label", LABELS))
    path = tmp_path / ("x.parquet" if kind == "parquet" else "x.csv")
    frame.write_parquet(path) if kind == "parquet" else frame.write_csv(path)
    dataset = load(path)
    assert np.array_equal(dataset.images, IMAGES)
    assert dataset.labels.tolist() == LABELS.tolist()
    blocks = [block.images for block in unlabelled.open_images(path, (4, 4)).blocks]
    assert np.array_equal(np.concatenate(blocks), IMAGES)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["a", "b", "c"], [0, 1, 2]),
        (["p2", "q1", "p0"], [0, 1, 2]),  # of two words: channels, or no pixels
        (["p2", "p2x1", "p0"], [0, 1, 2]),
        (["p1", "p01", "p0"], [0, 1, 2]),
        (["10", "9", "11"], [1, 0, 2]),
        (["1x1", "1x2", "2x1", "2x2"], [0, 1, 2, 3]),
        (["0_0", "1_0", "0_1", "1_1"], [0, 1, 2, 3]),  # column and row
        (["1x1", "1x10", "1x2", "10x1", "2x1"], [0, 2, 1, 4, 3]),
        (["r0c0", "r1c0", "r0c1", "r1c1"], [0, 2, 1, 3]),
        (["row1_col2", "row1_col10", "row2_col2"], [0, 1, 2]),
        (["x0y0", "x0y1", "x1y0", "x1y1"], [0, 2, 1, 3]),  # x counts columns
        (["px y0 x0", "px y1 x0", "px y0 x1", "px y1 x1"], [0, 2, 1, 3]),
        (["h0w1", "w0h0"], [1, 0]),
        (["r0c0", "r0c0 "], [0, 1]),
        ([], []),
    ],
)
def test_names_tell_the_order_where_they_are_numbered(names: list[str], wanted: list[int]) -> None:
    assert pixel_order(names) == wanted


@pytest.mark.parametrize(
    "names",
    [
        ["0.1", "0.2", "12", "0.3", "5"],
        ["12", "0", "255", "3"],
        ["3.1", "0.1", "0.2", "3.2", "0.3"],
        ["0.5", "0.25", "0.125", "0.75"],
    ],
)
def test_levels_that_became_names_are_no_order(names: list[str]) -> None:
    assert pixel_order(names) == list(range(len(names)))
