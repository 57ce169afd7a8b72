"""What a reader decides about images and their tables is said in one line each."""

from __future__ import annotations

from pathlib import Path

import pytest
from layouts import CODES, FLAT, A, C, images, rows, unread, written

from mnistlab.data import load
from mnistlab.errors import DataError

TABLE = rows(FLAT, "{name},{c}", "file,label")
HAM = images("part_1/i{i}.png", "nv mel bkl", 15)
NOTES: dict[str, tuple[dict[str, str | bytes | None], str]] = {
    "column": (
        {**dict.fromkeys(HAM), "m.csv": rows(HAM, "{stem},{c},{code}{i},m", "image_id,dx,age,sex")},
        "",
    ),
    "others beside it": (
        {
            **dict.fromkeys(HAM),
            "m.csv": "image_id,dx,sex\n"
            + "".join(
                f"{Path(p).stem},{c},{'mf'[i % 2]}\n" for i, (p, c) in enumerate(HAM.items())
            ),
        },
        "m.csv: dx is taken as the column of labels; --label-column takes another one: sex",
    ),
    "one per class": (
        {
            **dict.fromkeys(FLAT),
            "l.csv": "id,cat,dog\n"
            + rows(FLAT, "{stem},{code},{code}").replace(",0,0", ",1,0").replace(",1,1", ",0,1"),
        },
        "l.csv: 2 columns of 0 and 1 are taken as the labels: cat, dog",
    ),
    "cp1252": (
        {**dict.fromkeys(FLAT), "l.csv": TABLE.replace("cat", "Größe").encode("cp1252")},
        "l.csv: is no UTF-8 text and is read as Windows text (cp1252)",
    ),
    "other endings": (
        {**dict.fromkeys(FLAT), "l.csv": TABLE.replace(".png", ".jpg")},
        "l.csv: 12 of its names are matched with image files with another ending",
    ),
    "other case": (
        {**dict.fromkeys(FLAT), "l.csv": TABLE.replace("im", "IM")},
        "l.csv: 12 of its names are matched with image files in another case",
    ),
    "servers": (
        {**dict.fromkeys(FLAT), "l.csv": rows(FLAT, "https://a.b/c/{name},{c}", "image,choice")},
        "l.csv: 12 of its names are matched with image files by the end of their paths",
    ),
    "several labels": (
        {**dict.fromkeys(FLAT), "l.csv": TABLE.replace("dog", "cat|dog")},
        "l.csv: labels such as 'cat|dog' seem to be several; each combination is a class",
    ),
    "several words": (
        {
            **dict.fromkeys(FLAT),
            "l.csv": "image_name,tags\n"
            + "".join(
                f"{Path(p).stem},{('haze', 'haze road', 'road clear', 'haze clear')[i % 4]}\n"
                for i, p in enumerate(FLAT)
            ),
        },
        "l.csv: labels such as 'haze clear' seem to be several; each combination is a class",
    ),
    "labels of no folders": (
        {
            **dict.fromkeys(images("{c}/{i}.png", n=8)),
            "l.csv": rows(images("{c}/{i}.png", n=8), "{path},{c}", "file,label").replace(
                "0.png,cat", "0.png,owl"
            ),
        },
        "l.csv: the labels are those of this table, not the folders (cat, dog)",
    ),
    "test without labels": (
        {
            **dict.fromkeys(A | C),
            "train.csv": rows(A, "{name},{c}", "file,label"),
            "test.csv": rows(C, "{name}", "file"),
        },
        "test.csv: has no labels: its 6 test images are left out here; `mnistlab predict` reads",
    ),
    "measures": (
        {
            **dict.fromkeys(images("{c}/{i}.png", n=8)),
            "l.csv": rows(images("{c}/{i}.png", n=8), "{path},{i}.5", "file,angle"),
        },
        "l.csv: lists image files, but no column has labels; it is not used",
    ),
    "images that are not there": (
        {
            **dict.fromkeys(A),
            "train.csv": rows(A, "{name},{c}", "file,label"),
            "test.csv": rows(C, "{name},{c}", "file,label"),
        },
        "test.csv: lists image files of which none is here; it is not used",
    ),
    "pictures of trains": (
        dict.fromkeys(images("{c}/{i}.png", "car train")),
        "train: is taken as a class, since it holds images, not class folders",
    ),
    "names": (
        {**dict.fromkeys(images("train/{c}.{i}.jpg")), **unread("test1/{i}.jpg")},
        "labels are taken from the names of its images, such as cat.0.jpg: 2 classes (cat, dog)",
    ),
    "names without labels": (
        {**dict.fromkeys(images("train/{c}.{i}.jpg")), **unread("test1/{i}.jpg")},
        "left out: 3 images in test1, whose names have no labels",
    ),
    "dev": (
        dict.fromkeys(A | images("dev/{c}/{i}.png")),
        "dev: is taken as the validation set",
    ),
    "case of classes": (
        dict.fromkeys(images("train/{c}/{i}.png", "Cat Dog") | images("test/{c}/{i}.png")),
        "classes of other splits in another spelling are those of train: cat is Cat, dog is Dog",
    ),
    "case within train": (
        dict.fromkeys(images("{c}/{i}.png", "Cat cat")),
        "classes that differ in case only: Cat and cat",
    ),
    "forms": (
        dict.fromkeys(
            images("train/{c}/{i}.png", "K\u00e4se B") | images("test/{c}/{i}.png", "Ka\u0308se B")
        ),
        "K\u00e4se: one name in two forms of Unicode, one class",
    ),
    "a folder test": (
        {**dict.fromkeys(images("{c}/{i}.png")), **unread("test/{i}.png")},
        "left out: 3 images in test, whose images have no labels",
    ),
    "unknown": (
        {**dict.fromkeys(A), **unread("test/unknown/{i}.png")},
        "left out: 3 images of test, whose folders (unknown) are no classes of train",
    ),
}


@pytest.mark.parametrize("name", NOTES)
def test_a_decision_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    files, said = NOTES[name]
    written(tmp_path / "set", files)
    load(tmp_path / "set")
    noted = capsys.readouterr().err
    assert said in noted
    assert all(line.startswith("note: ") for line in noted.splitlines())
    assert len(set(noted.splitlines())) == noted.count("\n")


def test_a_column_that_only_the_training_table_has(tmp_path: Path) -> None:
    files = {**dict.fromkeys(A | C), "train.csv": rows(A, "{name},{c},{code}", "file,kind,label")}
    written(tmp_path, files | {"test.csv": rows(C, "{name},{c}", "file,label")})
    assert load(tmp_path, label_column="kind").class_names == ("cat", "dog")
    assert load(tmp_path, label_column="kind").official_splits == {}


@pytest.mark.parametrize("number", ["0", "9", "99999"])
def test_a_number_of_no_column(tmp_path: Path, number: str) -> None:
    written(tmp_path, {**dict.fromkeys(FLAT), "l.csv": TABLE})
    with pytest.raises(DataError, match=f"no column '{number}' to take labels from; it has file"):
        load(tmp_path, label_column=number)


def test_codes_stay_those_of_the_table(tmp_path: Path) -> None:
    written(tmp_path, {**dict.fromkeys(FLAT), "l.csv": rows(FLAT, "{name},{code}", "a,b")})
    assert load(tmp_path).class_names == tuple(str(CODES[name]) for name in ("cat", "dog"))
