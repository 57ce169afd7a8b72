"""Files that are not what they are called, and spreadsheets beside images."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from layouts import FLAT, images, rows, written
from PIL import Image

from mnistlab.data import load
from mnistlab.data.readers.unlabelled import open_images
from mnistlab.errors import DataError


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def spreadsheet(*texts: str) -> bytes:
    """The parts of an .xlsx that hold texts and numbers."""
    shared = "".join(f"<si><t>{text}</t></si>" for text in texts if not text.isdigit())
    cells = "".join(f"<c><v>{text}</v></c>" for text in texts if text.isdigit())
    return zipped(
        **{
            "xl/workbook.xml": b"<workbook/>",
            "xl/sharedStrings.xml": f"<sst>{shared}</sst>".encode(),
            "xl/worksheets/sheet1.xml": f"<row>{cells}</row>".encode(),
        }
    )


def _png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(file, "PNG")
    return file.getvalue()


def _parquet() -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"a": [1]}).write_parquet(file)
    return file.getvalue()


def _npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, images=np.zeros((2, 2, 2), np.uint8), labels=[0, 1])
    return file.getvalue()


CONTENT = {
    "spreadsheet": (
        spreadsheet("a"),
        r"is a spreadsheet \(\.xlsx\); save it as CSV: pandas\.read_",
    ),
    "arrays": (_npz(), r"is an archive of NumPy arrays: call it \.npz"),
    "archive": (zipped(**{"a/1.png": b""}), r"is a ZIP archive: call it \.zip"),
    "image": (_png(), "is a PNG image"),
    "parquet": (_parquet(), r"is a Parquet file: call it \.parquet"),
    "old spreadsheet": (b"\xd0\xcf\x11\xe0" + bytes(99), "is an old spreadsheet"),
    "page": (b"\n<!DOCTYPE HTML><html>", "is a web page"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS keeps; fetch it"),
    "PDF": (b"%PDF-1.7", "is a PDF"),
}


@pytest.mark.parametrize("called", ["x.csv", "x.tsv", "train.csv"])
@pytest.mark.parametrize("kind", CONTENT)
def test_the_right_cause_is_said(tmp_path: Path, kind: str, called: str) -> None:
    raw, said = CONTENT[kind]
    path = tmp_path / called
    path.write_bytes(raw)
    for given in (path, tmp_path):
        with pytest.raises(DataError, match=said) as caught:
            load(given)
        assert "\n" not in str(caught.value)
        assert f"is called {path.suffix}, but is" in str(caught.value)
    with pytest.raises(DataError, match=said):
        open_images(path, (3, 4))


@pytest.mark.parametrize(
    ("pattern", "cells"), [("im{i}.png", ("im3.png", "im4")), ("{i}.png", tuple("012345"))]
)
def test_a_spreadsheet_that_names_images_is_refused(
    tmp_path: Path, pattern: str, cells: tuple[str, ...]
) -> None:
    files = dict.fromkeys(images(f"{{c}}/{pattern}"))
    written(tmp_path, {**files, "labels.xlsx": spreadsheet("name", *cells)})
    with pytest.raises(DataError, match=r"labels\.xlsx: lists image files .*save it as CSV"):
        load(tmp_path)


@pytest.mark.parametrize("raw", [spreadsheet("Jane", "7"), b"no spreadsheet", b"PK\x03\x04"])
def test_other_spreadsheets_are_left_out(tmp_path: Path, raw: bytes) -> None:
    written(tmp_path, {**dict.fromkeys(images("{c}/{i}.png")), "budget.xlsx": raw})
    assert load(tmp_path).class_names == ("cat", "dog")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("names", [("train.csv", "test.csv"), ("a.csv", "b.csv"), ("test.csv",)])
def test_tables_to_predict(tmp_path: Path, names: tuple[str, ...], packed: bool) -> None:
    root = tmp_path / "set"
    table = "a,b,c,d\n0,1,2,255\n"
    written(root, {**dict.fromkeys(names, table), "README.txt": "hello"})
    given = root
    if packed:
        given = tmp_path / "set.zip"
        given.write_bytes(zipped(**{f"set/{name}": table.encode() for name in names}))
    if len(names) == 1:
        (block,) = open_images(given, (2, 2)).blocks
        assert block.images.tolist() == [[[0, 1], [2, 255]]]
        return
    with pytest.raises(DataError) as caught:
        open_images(given, (2, 2))
    said = str(caught.value)
    assert said.startswith(f"{given}: holds no images, but 2 files of data (")
    assert ("unpack it and give one" if packed else "give one of them, such as") in said
    assert said.endswith(sorted(names)[0])  # test.csv before train.csv


def test_a_table_of_names_is_given_with_its_images(tmp_path: Path) -> None:
    written(tmp_path, {**dict.fromkeys(FLAT), "l.csv": rows(FLAT, "{name},{c}", "file,label")})
    said = r"l\.csv: names image files such as 'im011\.png', and has no pixels; give the folder"
    with pytest.raises(DataError, match=said):
        load(tmp_path / "l.csv")
    with pytest.raises(DataError, match=said):
        open_images(tmp_path / "l.csv", (3, 4))
