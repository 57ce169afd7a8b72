"""Class folders that are divided into splits themselves: cat/train, cat/test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mnistlab as ml

KINDS = ["cat", "dog", "owl"]
LEVELS = [40, 120, 220]


def write(root: Path, parts: dict[str, int], kinds: list[str] = KINDS) -> None:
    """So many images of each kind in kind/part."""
    for code, kind in enumerate(kinds):
        for part, n in parts.items():
            folder = root / kind / part
            folder.mkdir(parents=True)
            for number in range(n):
                pixels = np.full((6, 6), LEVELS[code], np.uint8)
                pixels[len(part) % 6, number % 6] = number  # no copies
                Image.fromarray(pixels).save(folder / f"{number}.png")


def check_labels(data: ml.Dataset) -> None:
    middle = np.median(data.images.reshape(len(data), -1), axis=1)
    assert [LEVELS.index(int(level)) for level in middle] == data.labels.tolist()


@pytest.mark.parametrize(
    ("parts", "sizes"),
    [
        ({"train": 5, "test": 2}, {"train": 15, "test": 6}),
        ({"Training": 5, "valid": 3, "test": 2}, {"train": 15, "val": 9, "test": 6}),
        ({"train": 5, "dev": 3}, {"train": 15, "val": 9}),
    ],
)
def test_they_are_the_splits(parts: dict[str, int], sizes: dict[str, int], tmp_path: Path) -> None:
    write(tmp_path, parts)
    (tmp_path / "cat" / "notes.txt").write_text("about cats")
    data = ml.load(tmp_path)
    assert data.class_names == tuple(KINDS)
    found = {name: len(data.take(part)) for name, part in data.official_splits.items()}
    assert found == sizes
    check_labels(data)
    assert any("its class folders are divided into splits: 15 train, " in n for n in data.notes)
    assert any("left out: 1 file" in n for n in data.notes)


def test_a_class_without_one_of_the_splits(tmp_path: Path) -> None:
    """As in other sets, it is in the training part alone."""
    write(tmp_path, {"train": 5, "test": 2}, KINDS[:2])
    (tmp_path / "owl" / "train").mkdir(parents=True)
    for number in range(5):
        Image.new("L", (6, 6), LEVELS[2]).save(tmp_path / "owl" / "train" / f"{number}.png")
    data = ml.load(tmp_path)
    assert len(data) == 19
    check_labels(data)


@pytest.mark.parametrize("other", ["cat/indoors/1.png", "cat/1.png", "fox/test/1.png"])
def test_folders_of_anything_else_are_refused_as_before(other: str, tmp_path: Path) -> None:
    """Images beside the splits, in another folder, or of a class that has no training images."""
    write(tmp_path, {"train": 5, "test": 2})
    (tmp_path / other).parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (6, 6)).save(tmp_path / other)
    with pytest.raises(ml.DataError, match="in its folders"):
        ml.load(tmp_path)


def test_a_run_is_tested_on_their_test_part(tmp_path: Path) -> None:
    write(tmp_path / "set", {"train": 8, "test": 3})
    recipe = ml.set_fields(ml.get_recipe("softmax"), {"epochs": 1})
    run = ml.evaluate(ml.train(recipe, tmp_path / "set", out=tmp_path / "runs", threads=1))
    assert run.result["n_test"] == 9
