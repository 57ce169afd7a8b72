"""Files that are not what they are called, and spreadsheets beside images."""

from __future__ import annotations

import bz2
import gzip
import io
import pickle
import re
import zipfile
from pathlib import Path

import h5py
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


def _pickled(protocol: int, value: object = (1, 2)) -> bytes:
    return pickle.dumps(value, protocol)


PIXELS = "\n".join(" ".join(map(str, range(i, i + 17))) for i in range(4)) + "\n"
LIBSVM = b"5 1:0.5 2:1 7:0.25 9:1\n-1 2:1 3:1 4:1 5:1\n"
NAMELESS = {
    "pickle": (
        "batch",
        _pickled(5),
        r"is a pickle, .*: x, y = pickle\.load\(open\('batch', 'rb'\)\)",
    ),
    "old pickle": ("set", _pickled(0, [1]), r"is a pickle, which can run any program"),
    "pickled dict": (
        "data_batch_1",
        _pickled(2, {b"data": 1, b"labels": [1]}),
        r"d = pickle\.load\(open\('data_batch_1', 'rb'\), encoding='bytes'\); .*d\.get\('data'",
    ),
    "packed pickle": ("m.pkl.gz", gzip.compress(_pickled(2)), r"load\(gzip\.open\('m\.pkl\.gz', "),
    "pickle called .csv": ("x.csv", _pickled(4), r"is called \.csv, but is a pickle"),
    "table": ("a.tra", PIXELS.encode(), r"seems to be a table; .*: mv a\.tra a\.tra\.csv$"),
    "packed table": ("a b.gz", gzip.compress(PIXELS.encode()), r": mv 'a b\.gz' 'a b\.csv\.gz'$"),
    "libsvm": ("usps.bz2", bz2.compress(LIBSVM), r"is libsvm's; .*load_svmlight_file\('usps"),
    "text": ("notes", b"hello\nworld\n", r"notes: not a \.csv"),
    "other packed": (
        "set.npz.gz",
        gzip.compress(b"x" * 99),
        r"is packed; .*: gunzip -k set\.npz\.gz",
    ),
    "xz": ("a.csv.xz", b"\xfd7zXZ\x00", r"is packed; .*: xz -dk a\.csv\.xz$"),
    "zst": ("a.csv.zst", b"\x28\xb5\x2f\xfd", r": zstd -d a\.csv\.zst$"),
    "xz called .csv": ("a.csv", b"\xfd7zXZ\x00", r"is called \.csv, but is packed; .*xz -d <"),
    "packed archive": (
        "a.tar.xz",
        b"\xfd7zXZ\x00",
        r"is an archive; unpack it .*: tar -xf a\.tar\.xz",
    ),
    "MATLAB 7.3": (
        "a.mat",
        b"MATLAB 7.3 MAT-file, ",
        r"h5py\.File\('a\.mat'\); .*\['X'\]\[\(\)\]\.T",
    ),
    "called .h5": ("a.h5", b"MATLAB 7.3 MAT-file, ", r"is called \.h5, but is MATLAB's \(7\.3\)"),
    "MATLAB": ("matlab", b"MATLAB 5.0 MAT-file, ", r"scipy\.io\.loadmat\('matlab'\)"),
    "torch": ("weights", zipped(**{"a/data.pkl": b""}), r"is PyTorch's, which can run any program"),
    "damaged": ("x.gz", b"\x1f\x8b\x08", r"x\.gz: cannot be read: "),
}


@pytest.mark.parametrize("kind", NAMELESS)
def test_a_file_of_unknown_name_is_recognised_by_its_content(tmp_path: Path, kind: str) -> None:
    name, raw, said = NAMELESS[kind]
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / name).write_bytes(raw)
    for given in (tmp_path / "set" / name, tmp_path / "set"):
        with pytest.raises(DataError, match=said) as caught:
            load(given)
        assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # open() in a line
def test_the_lines_convert_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    x = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)
    x[0, 0, 0] = 255
    known = {"np": np, "pickle": pickle, "gzip": gzip, "h5py": h5py}
    with h5py.File("a.mat", "w", userblock_size=512) as file:  # axes as MATLAB saves them
        file["X"], file["y"] = x.T, np.array([[0, 1]])
    with Path("a.mat").open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file")
    Path("batch").write_bytes(_pickled(2, {b"data": x, b"labels": [0, 1]}))
    Path("p.pkl.gz").write_bytes(gzip.compress(_pickled(4, (x, [0, 1]))))
    for name in ("a.mat", "batch", "p.pkl.gz"):
        with pytest.raises(DataError) as caught:
            load(name)
        exec(re.split(r"(?:convert|trust) it: ", str(caught.value))[1], dict(known))
        np.testing.assert_array_equal(load("set.npz").images, x)
        Path("set.npz").unlink()


COLOURS = np.arange(2 * 3072).reshape(2, 3072).astype(np.uint8)
PICKLED_DICTS = {
    "CIFAR-10": ("data_batch_1", {b"batch_label": b"1 of 5", b"labels": [0, 1], b"data": COLOURS}),
    "CIFAR-100": (
        "train",
        {
            b"filenames": [b"a"],
            b"batch_label": b"1",
            b"fine_labels": [0, 1],
            b"coarse_labels": [0, 0],
            b"data": COLOURS,
        },
    ),
    "texts": ("letters", {"images": COLOURS[:, :784], "labels": [0, 1], "images_of": "me"}),
    "other words": ("letters.pickle", {"X": COLOURS[:, :784], "y": np.array([0, 1])}),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # open() in a line
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", PICKLED_DICTS)
def test_the_line_converts_a_pickled_dict(
    kind: str, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name, pickled = PICKLED_DICTS[kind]
    Path(name).write_bytes(_pickled(protocol, pickled))
    with pytest.raises(DataError) as caught:
        load(name)
    exec(re.split("trust it: ", str(caught.value))[1], {"np": np, "pickle": pickle})
    dataset = load("set.npz")
    assert dataset.class_names == ("0", "1")
    side = 28 if "letters" in name else 32
    assert dataset.images.shape == (2, side, side)


def test_a_batch_as_python_2_pickled_it_is_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # {'batch_label': 'training batch 1 of 5', 'labels': [6, 9], 'data': ...}, of cPickle
    start = (
        b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15training batch 1 of 5q\x03U\x06labelsq\x04]q\x05"
    )
    Path("data_batch_1").write_bytes(start + b"(K\x06K\te" + b"U\x04dataq\x06" + b"K\x01u.")
    with pytest.raises(
        DataError, match=r"images=d\[b'data'\]\.reshape\(-1, 3, 32, 32\), labels=d\[b"
    ):
        load("data_batch_1")


def test_a_pickled_dict_of_unknown_names_says_how_to_see_them(tmp_path: Path) -> None:
    (tmp_path / "d.pkl").write_bytes(_pickled(4, {"first": COLOURS, "second": [0, 1]}))
    with pytest.raises(DataError, match=r"print\(d\.keys\(\)\)"):
        load(tmp_path / "d.pkl")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        (
            "labels.xls",
            r"pandas\.read_excel\('labels\.xls'\)\.to_csv\('labels\.csv', index=False\)",
        ),
        ("truth.ods", r"pandas\.read_excel\('truth\.ods'\)\.to_csv\(.*\)"),
        ("annotations.xml", r"write labels\.csv \(filename,label\)"),
        ("imagelabels.mat", r"write labels\.csv \(filename,label\)"),
        ("labels.npy", r"write labels\.csv \(filename,label\)"),
        ("target.pkl", r"write labels\.csv \(filename,label\)"),
    ],
)
def test_what_may_have_the_labels_is_not_overlooked(tmp_path: Path, name: str, advice: str) -> None:
    files = {**dict.fromkeys(images("{c}/{i}.png")), name: b"\0\1", "README.pdf": b"%PDF"}
    written(tmp_path / "classes", files)
    written(tmp_path / "splits", {**dict.fromkeys(images("train/{c}/{i}.png")), name: b"\0\1"})
    written(tmp_path / "flat", {"1.png": None, "2.png": None, name: b"\0\1"})
    for root in ("classes", "splits"):
        said = load(tmp_path / root).notes[-1]
        assert re.search(rf"no labels are taken from {re.escape(name)}, .* there: {advice}$", said)
    with pytest.raises(
        DataError, match=rf"{re.escape(name)} is not read, if it has them: {advice}"
    ):
        load(tmp_path / "flat")


def test_other_files_get_no_such_note(tmp_path: Path) -> None:
    files = {**dict.fromkeys(images("{c}/{i}.png")), "a.pdf": b"", "labels.md": "", "~$l.xlsx": b""}
    files |= {"classes.yaml": "names: [a, b]", "label_map.pbtxt": "item {}"}
    written(tmp_path, files)
    assert len(load(tmp_path).notes) == 1
