"""Names of images in tables that are not quite those of the files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mnistlab as ml

N = 24
KINDS = ["cat", "dog", "owl"]
LEVELS = [40, 120, 220]


def write_images(folder: Path, called: str = "{:03d}.png") -> None:
    """Images of one grey level each, by which their class is known."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(N):
        pixels = np.full((8, 8), LEVELS[number % 3], np.uint8)
        pixels[number % 8, number // 8] = 0  # no image is a copy of another
        Image.fromarray(pixels).save(folder / called.format(number))


def check(data: ml.Dataset) -> None:
    assert len(data) == N
    found = [LEVELS.index(int(image[7, 7] or image[0, 7])) for image in data.images]
    assert [KINDS[code] for code in found] == [data.class_names[label] for label in data.labels]


@pytest.mark.parametrize("heading", ["id", "image"])
@pytest.mark.parametrize("ending", ["", ".png"])
def test_numbers_without_their_zeros(heading: str, ending: str, tmp_path: Path) -> None:
    """As a program writes them that has read 007 as a number."""
    write_images(tmp_path / "images")
    rows = [f"{number}{ending},{KINDS[number % 3]}" for number in range(N)]
    (tmp_path / "labels.csv").write_text("\n".join([f"{heading},kind", *rows]))
    data = ml.load(tmp_path)
    check(data)
    assert any("by their numbers, as 7 with 007" in said for said in data.notes)


def test_a_number_that_two_files_have_is_refused(tmp_path: Path) -> None:
    write_images(tmp_path)
    Image.new("L", (8, 8)).save(tmp_path / "07.png")
    rows = [f"{number},{KINDS[number % 3]}" for number in range(N)]
    (tmp_path / "labels.csv").write_text("\n".join(["id,kind", *rows]))
    with pytest.raises(ml.DataError, match="'7'"):
        ml.load(tmp_path)


def test_names_with_zeros_are_taken_before_numbers(tmp_path: Path) -> None:
    """7.png is another image than 007.png."""
    write_images(tmp_path, called="{}.png")
    for number in range(3):
        Image.new("L", (8, 8), 9).save(tmp_path / f"00{number}.png")
    rows = [f"{number},{KINDS[number % 3]}" for number in range(N)]
    (tmp_path / "labels.csv").write_text("\n".join(["id,kind", *rows]))
    check(ml.load(tmp_path))


@pytest.mark.parametrize("prefix", ["3f2a1b9c-", ""])
def test_names_as_label_studio_uploads_them(prefix: str, tmp_path: Path) -> None:
    """Whose IDs are numbers of tasks, not of images."""
    write_images(tmp_path / "images")
    tasks = [
        {
            "id": 7 * number % N,
            "data": {"image": f"/data/upload/1/{prefix}{number:03d}.png"},
            "annotations": [
                {"result": [{"type": "choices", "value": {"choices": [KINDS[number % 3]]}}]}
            ],
        }
        for number in range(N)
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    check(ml.load(tmp_path))


def test_numbers_beside_names_of_other_images_are_no_names(tmp_path: Path) -> None:
    write_images(tmp_path)
    rows = [f"{7 * number % N},photo-{number}.jpg,{KINDS[number % 3]}" for number in range(N)]
    (tmp_path / "labels.csv").write_text("\n".join(["id,photo,kind", *rows]))
    with pytest.raises(ml.DataError):
        ml.load(tmp_path)
