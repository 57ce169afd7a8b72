"""Layouts that could be misread are refused in one clear line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from layouts import FLAT, A, B, Files, images, rows, written

from mnistlab.data import load
from mnistlab.errors import DataError

REFUSED: dict[str, tuple[Files, str]] = {
    "several columns": (
        {**dict.fromkeys(FLAT), "l.csv": rows(FLAT, "{name},{c},{i}", "filename,label,target")},
        r"filename lists image files, but which column has their labels: label, target\? "
        r"--label-column takes one, such as 'label' or 'target'$",
    ),
    "two tables": (
        {
            **dict.fromkeys(FLAT),
            "a.csv": rows(FLAT, "{name},{c}", "file,label"),
            "b.csv": rows(FLAT, "{name},{c}", "file,label"),
        },
        r"a\.csv and b\.csv both have labels",
    ),
    "several classes in a row": (
        {
            **dict.fromkeys(FLAT),
            "l.csv": rows(FLAT, "{stem},1,0,0", "image,a,b,c").replace(
                "im003,1,0,0", "im003,1,1,0"
            ),
        },
        r"l\.csv: row 5 is of 2 classes \(a, b\), but an image has one class",
    ),
    "no class in a row": (
        {
            **dict.fromkeys(FLAT),
            "l.csv": rows(FLAT, "{stem},1,0,0", "image,a,b,c").replace(
                "im003,1,0,0", "im003,0,0,0"
            ),
        },
        r"row 5 is of none, but",
    ),
    "attributes": (
        {
            **dict.fromkeys(FLAT),
            "l.csv": "image_id,Bald,Male,Old\n"
            + "".join(
                f"{Path(p).stem},{i % 2},{i // 2 % 2},{i // 4 % 2}\n" for i, p in enumerate(FLAT)
            ),
        },
        r"which column has their labels",
    ),
    "a number per image": (
        {**dict.fromkeys(FLAT), "l.csv": rows(FLAT, "{name},{i}.5", "file,angle")},
        r"lists image files, but has no column of labels beside that \(columns: file, angle\)",
    ),
    "a column that is not there": (
        {
            **dict.fromkeys(FLAT),
            "l.csv": rows(FLAT, "{name},{c}", "file,label"),
            "--label-column": "kind",
        },
        r"no column 'kind' to take labels from; it has file, label$",
    ),
    "spreadsheet called .csv": ({"set.csv": b"PK\x03\x04"}, r"set\.csv: is called \.csv, but is a"),
    "train and test without labels": (
        {**dict.fromkeys(["train/1.png", "train/2.png", "test1/1.png", "test1/2.png"])},
        r"train: holds no class folders .*1\.png, whose names have no labels: .*labels\.csv",
    ),
    "splits of one set": (
        {**dict.fromkeys(["bus_train/1.png", "bus_train/2.png", "bus_test/1.png"])},
        r"bus_train: holds no class folders",
    ),
    "images and masks": (
        {**dict.fromkeys(["images/1.png", "images/2.png", "masks/1.png", "masks/2.png"])},
        r"images and masks are no class folders",
    ),
    "parts of a set": (
        {**dict.fromkeys(["part_1/1.png", "part_1/2.png", "part_2/1.png", "part_2/2.png"])},
        r"part_1 and part_2 seem to be parts of one set, not classes",
    ),
    "images of a camera": (
        {**dict.fromkeys([f"IMG_{i}.jpg" for i in range(4)] + [f"DSC_{i}.jpg" for i in range(4)])},
        r"holds 8 images, but no class folders",
    ),
    "YOLO detect": (
        {
            **dict.fromkeys(
                [f"train/images/{i}.jpg" for i in range(4)]
                + [f"valid/images/{i}.jpg" for i in range(4)]
            ),
            **dict.fromkeys([f"train/labels/{i}.txt" for i in range(4)], "0 0.5 0.5 0.1 0.1"),
            "data.yaml": "names: [a]",
        },
        r"train: holds no class folders",
    ),
    "boxes of several objects": (
        {
            **dict.fromkeys(FLAT),
            "b.csv": rows(FLAT, "{name},1,2,{c}", "filename,xmin,ymin,class") * 2,
        },
        r"b\.csv: row \d+: .*",
    ),
    "classes of classes": (
        {
            **dict.fromkeys(
                [
                    f"{a}/{b}/{i}.png"
                    for a, b in (
                        ("animals", "cat"),
                        ("animals", "dog"),
                        ("things", "cup"),
                        ("things", "pen"),
                    )
                    for i in range(2)
                ]
            )
        },
        r"animals: holds no images itself, but 4 in its folders \(cat and dog, \.\.\.\); give",
    ),
    "copies in other colours": (
        {
            **dict.fromkeys(
                [
                    f"{a}/{b}/{i}.png"
                    for a in ("color", "grayscale")
                    for b in ("x", "y")
                    for i in range(2)
                ]
            )
        },
        r"color: holds no images itself",
    ),
    "a partition of numbers": (
        {
            **dict.fromkeys(FLAT),
            "p.csv": rows(FLAT, "{name},{c},{code}", "image_id,label,partition"),
        },
        r"column 'partition' seems to tell the splits",
    ),
    "a pointer of Git LFS": (
        {"set.csv": "version https://git-lfs.github.com/spec/v1\n"},
        "only a pointer to a file that Git LFS keeps",
    ),
    "a page instead of a table": (
        {"train.csv": "<!DOCTYPE html><html>log in</html>"},
        r"train\.csv: is called \.csv, but is a web page",
    ),
    "a validation table without labels": (
        {
            **dict.fromkeys(A | B),
            "train.csv": rows(A, "{name},{c}", "file,label"),
            "val.csv": rows(B, "{name}", "file"),
        },
        r"val\.csv: has no column of labels as train\.csv has; a validation set needs them",
    ),
    "a column or the folders": (
        {
            **dict.fromkeys(images("{c}/{i}.png", n=12)),
            "info.csv": "".join(
                f"{path},{'ab'[i // 2 % 2]},{i}.5\n"
                for i, path in enumerate(["file", *images("{c}/{i}.png", n=12)])
            ).replace("file,a,0.5", "file,camera,exposure"),
        },
        r"are their labels in column 'camera' or are they the folders \(cat, dog\)\? --label-",
    ),
    "a table in each class folder": (
        {
            **dict.fromkeys(images("{c}/{i}.png", n=16)),
            **{
                f"{name}/info.csv": "file,quality\n"
                + "".join(f"{2 * k + j}.png,{'good' if k % 3 else 'bad'}\n" for k in range(8))
                for j, name in enumerate(("cat", "dog"))
            },
        },
        r"info\.csv: lists image files; are their labels in column 'quality' or are they the",
    ),
    "images that are still packed": (
        {"train.csv": rows(FLAT, "{stem},{c}", "id,label"), "train.zip": b"PK\5\6" + bytes(18)},
        r"train\.csv has too few columns for pixels, and no images lie there; unpack train\.zip",
    ),
    "names of files that are not there": (
        {"train.csv": rows(FLAT, "{name},{c}", "id,label")},
        r"train\.csv: names image files such as 'im011\.png', and has no pixels; give the folder",
    ),
    "Pascal VOC": (
        {
            **dict.fromkeys(images("JPEGImages/{i}.jpg")),
            **{f"Annotations/{i}.xml": "<annotation/>" for i in range(6)},
            "ImageSets/Main/train.txt": "0\n1\n2\n",
        },
        r"JPEGImages is no class folders",
    ),
    "names in no column": (
        {
            **dict.fromkeys(images("{c}/{i}.png")),
            "x.txt": "".join(f"<img src='{i}.png' class='{i % 3}'/>" for i in range(6)),
        },
        r"x\.txt: lists image files of the set, but not in a column of a table; if it has their",
    ),
    "masks beside train": (
        dict.fromkeys(images("train/{c}_{i}.png") | images("train_masks/{c}_{i}.png")),
        r"train and train_masks are called like splits, and hold no class folders",
    ),
    "two sets side by side": (
        {"a/set.csv": "label,p0\n1,2\n", "b/set.csv": "label,p0\n1,2\n"},
        r"holds no images, but 2 files of data in several folders \(a, b\); give one .*set/a$",
    ),
    "a lone spreadsheet": (
        {"set.xlsx": b"PK\x03\x04"},
        r"set\.xlsx: is a spreadsheet; save it as CSV",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    files, message = REFUSED[name]
    column = files.get("--label-column")
    written(tmp_path / "set", {path: text for path, text in files.items() if path[:2] != "--"})
    with pytest.raises(DataError) as caught:
        load(tmp_path / "set", label_column=str(column) if column else None)
    said = str(caught.value)
    assert "\n" not in said
    assert re.search(message, said)
