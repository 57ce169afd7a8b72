"""Layouts that used to train wrongly without a word: masks, sorted-out folders, lists of splits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from layouts import Layout, check_read, images, rows, written

from mnistlab.data import load
from mnistlab.errors import DataError

PHOTOS = images("{c}/{i}.png", n=12)
TRAIN, TEST = dict([*PHOTOS.items()][:8]), dict([*PHOTOS.items()][8:])
VAL = dict([*TRAIN.items()][4:])
BY_SPLIT = {"train": TRAIN, "test": TEST}
NOT_LISTED = {"train": dict([*TRAIN.items()][:4]), "val": VAL, "test": TEST}
SPLITS = json.dumps({"train": [*TRAIN], "test": [*TEST]})
COLUMN = "file,split\n" + "".join(
    f"{path},{'train' if path in TRAIN else 'test'}\n" for path in PHOTOS
)


def listed(labelled: dict[str, str]) -> str:
    return rows(labelled, "{path}")


READ: dict[str, tuple[dict[str, str | None], dict[str, dict[str, str]], str]] = {
    "a column of splits, no labels": ({"s.csv": COLUMN}, BY_SPLIT, "names of their folders"),
    "splits in JSON": ({"splits.json": SPLITS}, BY_SPLIT, "names of their folders"),
    "lists of test and validation": (
        {"test_list.txt": listed(TEST), "val_list.txt": listed(VAL)},
        NOT_LISTED,
        "4 images are in none of the lists (test_list.txt or val_list.txt): they train",
    ),
    "a list of test alone": ({"test.txt": listed(TEST)}, BY_SPLIT, "8 images are in none"),
    "labels other than folders": (
        {"labels.csv": rows(PHOTOS, "{path},cat", "file,label")
         .replace("dog/1.png,cat", "dog/1.png,dog")},
        {"train": {path: "dog" if path == "dog/1.png" else "cat" for path in PHOTOS}},
        "5 of its 12 labels are not the name of the image's folder; those of the table are taken",
    ),
    "masks": (
        dict.fromkeys([path.replace(".png", "_mask.png") for path in PHOTOS]),
        {"train": PHOTOS},
        "left out: 12 images that are called masks of others",
    ),
    "numbered masks of one class": (
        dict.fromkeys(["cat/0_mask_1.png", "cat/0-segmentation.png", "cat/4_GT.png"]),
        {"train": PHOTOS},
        "left out: 3 images that are called masks of others",
    ),
    "a folder of all": (
        dict.fromkeys(["all/1.png", "all/2.png"]),
        {"train": PHOTOS},
        "left out: 2 images in all, which is taken for no class",
    ),
    "a folder that nobody sorted": (
        dict.fromkeys(["Unsorted/1.png", "Unsorted/2.png"]),
        {"train": PHOTOS},
        "left out: 2 images in Unsorted, which is taken for no class",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_read_rightly_with_a_note(tmp_path: Path, name: str) -> None:
    files, by_split, said = READ[name]
    check_read(tmp_path, Layout({**dict.fromkeys(PHOTOS), **files}, by_split))
    assert any(said in line for line in load(tmp_path).notes)


def test_a_mask_without_its_image_is_an_image(tmp_path: Path) -> None:
    labels = images("{c}/{i}_mask.png")
    check_read(tmp_path, Layout(dict.fromkeys(labels), {"train": labels}))


def test_two_folders_of_which_one_is_called_all_are_classes(tmp_path: Path) -> None:
    labels = images("{c}/{i}.png", classes="all some")
    check_read(tmp_path, Layout(dict.fromkeys(labels), {"train": labels}))


@pytest.mark.parametrize(
    ("pattern", "classes", "reads"),
    [
        ("{c}_{i}.png", "user1_cat user1_dog user2_cat user2_dog", False),
        ("{c}_{i}.png", "red.cat.1 red.dog.1 blue.cat.1 blue.dog.1", False),
        ("{c}_{i}.png", "great_dane english_setter irish_setter pug", True),
        ("{c}_{i}.png", "big_cat big_dog big_owl", True),
    ],
)
def test_names_of_several_facts(tmp_path: Path, pattern: str, classes: str, reads: bool) -> None:
    written(tmp_path, dict.fromkeys(images(pattern, classes, n=12)))
    if reads:
        assert load(tmp_path).class_names == tuple(sorted(classes.split()))
        return
    with pytest.raises(DataError, match="holds 12 images, but no class folders"):
        load(tmp_path)


def test_a_patient_is_no_label(tmp_path: Path) -> None:
    flat = images("images/{i}.png", n=12)
    written(tmp_path, {**dict.fromkeys(flat), "l.csv": rows(flat, "{name},{c}", "file,patient_id")})
    with pytest.raises(
        DataError, match=r"no column of labels beside that \(columns: file, patient"
    ):
        load(tmp_path)
    assert load(tmp_path, label_column="patient_id").class_names == ("cat", "dog")


@pytest.mark.parametrize("pattern", ["{s}_{c}/{i}.png", "{c}-{s}/{i}.png", "{s} {c}/{i}.png"])
def test_splits_of_classes_are_no_classes(tmp_path: Path, pattern: str) -> None:
    for split in ("train", "Test"):
        written(tmp_path, dict.fromkeys(images(pattern.replace("{s}", split))))
    with pytest.raises(DataError, match=r"seem to be splits of one class, not two classes; move"):
        load(tmp_path)


def test_classes_that_are_called_a_little_like_splits(tmp_path: Path) -> None:
    labels = images("{c}/{i}.png", classes="train_station test_tube bus")
    check_read(tmp_path, Layout(dict.fromkeys(labels), {"train": labels}))


@pytest.mark.parametrize(
    ("classes", "doubtful"),
    [
        ("cat dog figures", ["figures"]),
        ("cat cat_old dog", ["cat_old"]),
        ("cat dog dog_augmented", ["dog_augmented"]),
        ("cat face face_mask", ["face_mask"]),
        ("cat dog", []),
        ("with_mask without_mask old", []),
    ],
)
def test_folders_that_may_be_no_classes_are_said(
    tmp_path: Path, classes: str, doubtful: list[str]
) -> None:
    written(tmp_path, dict.fromkeys(images("{c}/{i}.png", classes)))
    dataset = load(tmp_path)
    assert dataset.class_names == tuple(sorted(classes.split()))
    said = [f"{tmp_path / name}: is taken as a class; move it out" for name in doubtful]
    assert [line.split(" of the folder")[0] for line in dataset.notes] == said


def test_copies_of_folders(tmp_path: Path) -> None:
    for names in ({"cat": "a", "cat - Copy": "b"}, {"cat": "a", "cat (1)": "b"}):
        root = tmp_path / str(len(names["cat"]) + len([*names][1]))
        written(root, dict.fromkeys(f"{name}/{k}.png" for name, k in names.items()))
        assert [*names][1] in load(root).notes[0]
    for names in (["cat", "cat "], ["1", "01"]):
        root = tmp_path / f"{names[1]}."
        written(root, {f"{name}/1.png": None for name in names})
        assert "classes that differ in spaces, zeros or case only" in load(root).notes[0]


@pytest.mark.parametrize("name", ["aug1", "flip", "150x150", "rot90", "crop"])
def test_images_made_from_others(tmp_path: Path, name: str) -> None:
    made = {path.replace(".png", f"_{name}.png"): None for path in PHOTOS}
    written(tmp_path / "drawn", {**dict.fromkeys(PHOTOS), **made})
    (said,) = load(tmp_path / "drawn").notes
    assert "12 images seem to be made from others, such as " in said
    for split in ("train", "test"):
        written(tmp_path / "given" / split, {**dict.fromkeys(PHOTOS), **made})
    assert load(tmp_path / "given").notes == ()
