"""Tables whose cells hold all pixels of an image, beside columns of words and names of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistlab.data import load
from mnistlab.data.readers.unlabelled import open_images

IMAGES = np.random.default_rng(0).integers(0, 256, (24, 4, 4)).astype(np.uint8)
GENDERS = [i % 2 for i in range(len(IMAGES))]


def _pixels(image: np.ndarray) -> str:
    return " ".join(map(str, image.ravel().tolist()))


def _as_of_utkface() -> str:
    rows = [
        f"{20 + i % 7},{i % 5},{gender},2016{i:04d}.jpg.chip.jpg,{_pixels(image)}\n"
        for i, (image, gender) in enumerate(zip(IMAGES, GENDERS, strict=True))
    ]
    return "age,ethnicity,gender,img_name,pixels\n" + "".join(rows)


def test_a_table_of_pixel_strings_may_name_the_files_they_come_from(tmp_path: Path) -> None:
    (tmp_path / "age_gender.csv").write_text(_as_of_utkface())
    dataset = load(tmp_path / "age_gender.csv", label_column="gender")
    assert np.array_equal(dataset.images, IMAGES)
    assert [int(dataset.class_names[k]) for k in dataset.labels] == GENDERS


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_such_a_table_is_read_too(tmp_path: Path, packed: bool) -> None:
    (tmp_path / "train.csv").write_text(_as_of_utkface())
    if packed:
        (tmp_path / "images.rar").write_bytes(b"Rar!")
    assert np.array_equal(load(tmp_path, label_column="gender").images, IMAGES)


def test_a_table_of_pixel_strings_beside_other_images_is_read(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(_as_of_utkface())
    (tmp_path / "examples").mkdir()
    Image.fromarray(IMAGES[0]).save(tmp_path / "examples" / "shown.png")
    assert np.array_equal(load(tmp_path, label_column="gender").images, IMAGES)


@pytest.mark.parametrize("header", ["image,pixels", "pixels,image"])
def test_images_of_pixel_strings_are_predicted_beside_their_file_names(
    tmp_path: Path, header: str
) -> None:
    named = [(f"{i:02d}.png", _pixels(image)) for i, image in enumerate(IMAGES)]
    rows = [cells if header.startswith("image") else cells[::-1] for cells in named]
    (tmp_path / "new.csv").write_text("\n".join([header, *map(",".join, rows)]) + "\n")
    blocks = list(open_images(tmp_path / "new.csv", (4, 4)).blocks)
    assert np.array_equal(np.concatenate([block.images for block in blocks]), IMAGES)
