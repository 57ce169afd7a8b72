"""Images in files and a table of their labels: layouts, spellings of names, and each defect."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mnistlab.data import Dataset, load
from mnistlab.errors import DataError


def write(root: Path, names: list[str], table: str = "", called: str = "labels.csv") -> Path:
    """An image of the grey of its place, with one white pixel, for each name, and a table."""
    for i, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        image = np.full((3, 4), i, np.uint8)
        image[-1, -1] = 255
        Image.fromarray(image).save(root / name)
    if table:
        (root / called).write_text(table)
    return root


def by_grey(dataset: Dataset) -> dict[int, str]:
    greys = dataset.images[:, 0, 0].tolist()
    return {
        grey: dataset.class_names[k] for grey, k in zip(greys, dataset.labels.tolist(), strict=True)
    }


LABELLED = {0: "cat", 1: "dog", 2: "cat"}


@pytest.mark.parametrize("where", ["", "images/", "pictures/all/"])
@pytest.mark.parametrize(
    ("called", "heading", "rows"),
    [
        ("labels.csv", "filename,label", ["a.png,cat", "b.png,dog", "c.png,cat"]),
        ("annotations.csv", "Label,Image", ["cat,a", "dog,b", "cat,c"]),
        ("train.csv", "image_id;class", ["a;cat", "b.png;dog", "c;cat"]),
        ("meta.tsv", "path\ttaken\ttarget", ["a.png\t1\tcat", "b.png\t2\tdog", "c.png\t2\tcat"]),
        ("x.csv", "\ufefffile,category", ['"a.png","cat"', "./b.png, dog", " c.png ,cat", ""]),
        ("x.csv", "id,breed", ["a,cat", "b,dog", "c,cat"]),
        ("x.csv", "photograph,label", ["a.png,cat", "b.png,dog", "c.png,cat"]),
        ("x.csv", "Image Name,class-name", ["a.png,cat", "b.png,dog", "c.png,cat"]),
        ("x.csv", "", ["a.png,cat", "b.png,dog", "c.png,cat"]),
    ],
)
def test_labels_by_file_name(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    where: str,
    called: str,
    heading: str,
    rows: list[str],
) -> None:
    table = "\n".join([heading, *rows] if heading else rows) + "\n"
    dataset = load(write(tmp_path, [f"{where}{name}.png" for name in "abc"], table, called))
    assert by_grey(dataset) == LABELLED
    assert (dataset.name, dataset.class_names) == (tmp_path.name, ("cat", "dog"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("prefix", ["images/", "", "./", "images\\"])
def test_paths_are_relative_to_the_table_or_to_the_images(tmp_path: Path, prefix: str) -> None:
    names = ["images/x/1.png", "images/y/1.png", "images/y/2.png"]
    rows = [f"{prefix}x/1.png,cat", f"{prefix}y/1.png,dog", f"{prefix}y/2,cat"]
    write(tmp_path, names, "file,label\n" + "\n".join(rows))
    assert by_grey(load(tmp_path)) == LABELLED


def test_labels_are_integers_where_all_are(tmp_path: Path) -> None:
    table = "filename,label\na.png,10\nb.png,9.0\nc.png,10\n"
    dataset = load(write(tmp_path, ["a.png", "b.png", "c.png"], table))
    assert dataset.class_names == ("9", "10")
    assert by_grey(dataset) == {0: "10", 1: "9", 2: "10"}


def test_a_label_column_may_be_named(tmp_path: Path) -> None:
    table = "id,breed,label\na,cat,1\nb,dog,2\nc,cat,3\n"
    write(tmp_path, ["a.png", "b.png", "c.png"], table)
    assert by_grey(load(tmp_path, label_column="breed")) == LABELLED
    assert load(tmp_path).class_names == ("1", "2", "3")


def test_a_column_says_the_part(tmp_path: Path) -> None:
    rows = ["a,cat,test", "b,dog,Train", "c,cat,val", "d,cat,training"]
    names = ["a.png", "b.png", "c.png", "d.png"]
    dataset = load(write(tmp_path, names, "\n".join(["image,label,split", *rows])))
    assert dataset.images[:, 0, 0].tolist() == [1, 3, 2, 0]
    assert {
        name: list(dataset.images[part][:, 0, 0]) for name, part in dataset.official_splits.items()
    } == {"train": [1, 3], "val": [2], "test": [0]}
    assert by_grey(dataset) == {1: "dog", 3: "cat", 2: "cat", 0: "cat"}


def test_a_column_of_that_name_may_say_something_else(tmp_path: Path) -> None:
    write(tmp_path, ["a.png", "b.png"], "file,label,set\na,cat,1\nb,dog,2\n")
    assert load(tmp_path).n_official_train is None


@pytest.mark.parametrize("called", ["{}.csv", "{}_labels.csv", "labels-{}.csv"])
def test_tables_of_parts(tmp_path: Path, called: str) -> None:
    """The same names in the folders of both parts are different images."""
    names = ["train/1.png", "train/2.png", "test/1.png"]
    write(tmp_path, names, "id,label\n1,cat\n2,dog\n", called.format("train"))
    (tmp_path / called.format("test")).write_text("id,label\n1,cat\n")
    dataset = load(tmp_path)
    assert dataset.n_official_train == 2
    assert by_grey(dataset) == LABELLED


def test_of_kaggle_the_labelled_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["train/a.png", "train/b.png", "test/c.png", "test/d.png"]
    write(tmp_path, names, "id,label\na,0\nb,1\n", "train.csv")
    (tmp_path / "sample_submission.csv").write_text("id,label\nc,0\nd,0\n")
    assert by_grey(load(tmp_path)) == {0: "0", 1: "1"}
    said = capsys.readouterr().err
    assert "1 file of other kinds (.csv), 2 images without a row in train.csv\n" in said


def test_images_without_a_row_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["a.png", "b.png", "c.png", "d.png", "old/e.png"]
    write(tmp_path, names, "filename,label\na.png,cat\nb.png,dog\n")
    (tmp_path / "notes.txt").write_text("hello")
    assert by_grey(load(tmp_path)) == {0: "cat", 1: "dog"}
    left = "1 file of other kinds (.txt), 3 images without a row in labels.csv"
    assert capsys.readouterr().err == f"note: {tmp_path}: left out: {left}\n"


@pytest.mark.parametrize("inner", ["set", "set/images"])
def test_within_a_folder(tmp_path: Path, inner: str) -> None:
    write(tmp_path / inner, ["a.png", "b.png", "c.png"])
    (tmp_path / "set" / "labels.csv").write_text("file,label\na,cat\nb,dog\nc,cat\n")
    dataset = load(tmp_path)
    assert by_grey(dataset) == LABELLED
    assert dataset.name == tmp_path.name


def test_a_table_of_other_things_leaves_the_classes_to_the_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, ["cat/a.png", "dog/b.png"], "name,class\nJane,teacher\nJoe,pupil\n")
    assert by_grey(load(tmp_path)) == {0: "cat", 1: "dog"}
    assert "left out: 1 file of other kinds (.csv)" in capsys.readouterr().err


FAULTS = {
    "missing": (["a.png,cat", "b.png,dog", "x.png,dog"], "row 4: 'x.png' is no image below "),
    "two missing": (["x,cat", "a.png,dog", "y,dog"], "(nor are those of 1 other rows)"),
    "all missing": (["x,cat", "y,dog"], "row 2: 'x' is no image below "),
    "twice": (["a.png,cat", "b.png,dog", "a,dog"], "row 4: 'a' has another label, in row 2 of"),
    "no label": (["a.png,cat", "b.png,"], "row 3: 'b.png' has no label"),
    "NaN": (["a.png,nan", "b.png,dog"], "row 2: 'a.png' has no label"),
    "up": (["a.png,cat", "../up.png,dog"], "row 3: '../up.png' is not below the folder; refused"),
    "up and down": (["a.png,cat", "c/../a.png,dog"], "row 3: 'c/../a.png' is not below the"),
    "absolute": (["a.png,cat", "/etc/x.png,dog"], "row 3: '/etc/x.png' is not below the folder"),
    "a drive": (["a.png,cat", "C:\\x.png,dog"], "row 3: 'C:/x.png' is not below the folder"),
    "ambiguous": (["a.png,cat", "c.png,dog"], "row 3: 'c.png' may be "),
    "cells": (["a.png,cat", "b.png"], "row 3 has 1 cells, not 2"),
    "quotes": (["a.png,cat", '"b.png,dog'], "cannot be read: "),
    "empty": (["a.png,cat", ",dog"], "row 3: '' is no image"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_defect_is_told_by_its_row(tmp_path: Path, fault: str) -> None:
    rows, message = FAULTS[fault]
    names = ["a.png", "b.png", "p/c.png", "q/c.png"][: 4 if fault == "ambiguous" else 2]
    write(tmp_path / "set", names, "\n".join(["filename,label", *rows]))
    write(tmp_path, ["up.png"])
    with pytest.raises(DataError) as caught:
        load(tmp_path / "set")
    assert message in str(caught.value)
    assert "labels.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"a.csv": "file,label\na,1\n", "b.csv": "file,label\na,2\n"}, "a.csv and b.csv both have"),
        ({"test.csv": "file,label,split\na,1,test\nb,2,test\n"}, "no training set beside it"),
        ({"x.csv": "file,label,split\na,1,train\nb,2,dev\n"}, "row 3: 'dev' is not train, val or"),
        (
            {"train.csv": "id,label\na,1\n", "test.csv": "id,label\na,1\n"},
            "row 2: 'a' is in another split, in row 2 of train.csv",
        ),
    ],
)
def test_tables_that_do_not_fit(tmp_path: Path, tables: dict[str, str], message: str) -> None:
    write(tmp_path, ["a.png", "b.png"])
    for name, text in tables.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert message in str(caught.value)


@given(raw=st.binary(max_size=60), keep=st.integers(0, 40))
@settings(deadline=None, max_examples=150)
def test_any_table_is_read_or_refused_in_one_line(raw: bytes, keep: int) -> None:
    sound, message = b"filename,label\na.png,cat\nb.png,dog\n", None
    with TemporaryDirectory() as name:
        root = write(Path(name), ["a.png", "b.png"])
        (root / "labels.csv").write_bytes(sound[:keep] + raw + sound[keep:])
        try:
            assert len(load(root)) in (1, 2)
        except DataError as error:
            message = str(error)
    assert message is None or (message and "\n" not in message)


def test_a_hole_among_numbers_tells_its_row(tmp_path: Path) -> None:
    write(tmp_path, ["a.png", "b.png", "c.png"], "file,label\na,1\nb,N/A\nc,2\n")
    with pytest.raises(DataError, match=r"labels.csv: row 3: 'b' has no label"):
        load(tmp_path)


@pytest.mark.parametrize("hole", ["", "?", "-1"])
def test_a_test_part_without_labels_is_left_out(
    tmp_path: Path, hole: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = f"file,label,split\na,1,train\nb,2,train\nc,{hole},test\n"
    write(tmp_path, ["a.png", "b.png", "c.png"], rows)
    assert by_grey(load(tmp_path)) == {0: "1", 1: "2"}
    assert "split test: has no labels: it is left out" in capsys.readouterr().err


@pytest.mark.parametrize("called", ["labels.csv", "train.csv"])
@pytest.mark.parametrize("folders", [("train/", "test/"), ("", "")])
def test_a_table_of_how_to_hand_in_is_no_table_of_labels(
    tmp_path: Path, called: str, folders: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    root, (train, test) = tmp_path / "test", folders
    names = [f"{train}0.png", f"{train}1.png", f"{test}7.png"]
    write(root, names, "id,label\n0,cat\n1,dog\n", called)
    (root / "sample_Submission.csv").write_text("id,label\n7,cat\n")
    assert by_grey(load(root)) == {0: "cat", 1: "dog"}
    assert "1 image without a row" in capsys.readouterr().err


def test_a_table_of_a_part_names_images_of_its_part(tmp_path: Path) -> None:
    root = tmp_path / "test"  # above the set it says nothing
    names = ["train/0.png", "train/1.png", "test/0.png", "test/1.png", "0.png"]
    write(root, names, "id,label\n0.png,cat\n1.png,dog\n", "train.csv")
    (root / "sample_submission.csv").write_text("id,label\n0.png,cat\n1.png,cat\n")
    assert by_grey(load(root)) == {0: "cat", 1: "dog"}


ELSEWHERE = ["", "/content/drive/s", "C:\\Users\\me\\set", "/root/of/set", "file:///home/me"]


@pytest.mark.parametrize("above", ELSEWHERE)
def test_absolute_paths_of_another_machine_are_matched_by_their_longest_end(
    above: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = "\\" if "\\" in above else "/"
    names = ["cat/1.png", "dog/1.png", "cat/2.png"]
    rows = [f"{above}{mark}{name.replace('/', mark)},{LABELLED[i]}" for i, name in enumerate(names)]
    write(tmp_path / "set", names, "\n".join(["path,label", *rows]))
    assert by_grey(load(tmp_path / "set")) == LABELLED
    assert "3 of its names are matched with image files by the end of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/home/me/1.png", "row 2: '/home/me/1.png' may be "),
        ("/home/me/owl/1.png", "row 2: '/home/me/owl/1.png' may be "),
        ("/home/me/3.png", "row 2: '/home/me/3.png' is not below the folder; refused"),
        ("/home/me/../cat/1.png", "is not below the folder; refused"),
    ],
)
def test_an_absolute_path_that_may_be_several_images_or_none_is_refused(
    path: str, message: str, tmp_path: Path
) -> None:
    rows = f"path,label\n{path},cat\ncat/2.png,cat\ndog/1.png,dog\n"
    write(tmp_path / "set", ["cat/1.png", "dog/1.png", "cat/2.png"], rows)
    with pytest.raises(DataError) as caught:
        load(tmp_path / "set")
    assert message in str(caught.value)


def test_an_image_outside_of_the_folder_is_never_read(tmp_path: Path) -> None:
    outside = write(tmp_path / "other", ["b.png", "a.png"]) / "a.png"
    write(tmp_path / "set", ["a.png", "b.png"], f"path,label\n{outside},cat\nb.png,dog\n")
    assert by_grey(load(tmp_path / "set")) == {0: "cat", 1: "dog"}
    (tmp_path / "set" / "a.png").unlink()
    with pytest.raises(DataError, match="is not below the folder; refused"):
        load(tmp_path / "set")


def test_a_path_of_another_machine_stays_in_its_split(tmp_path: Path) -> None:
    table = "path,label\n/home/me/train/1.png,cat\n/home/me/train/2.png,dog\n"
    write(tmp_path / "set", ["train/1.png", "test/2.png", "train/3.png"], table)
    with pytest.raises(DataError, match=r"row 3: '/home/me/train/2\.png' is not below"):
        load(tmp_path / "set")


@pytest.mark.parametrize("columns", ["file,label", "file,label,xmin"])
def test_rows_that_repeat_an_image_with_its_label_are_taken_once(
    columns: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["a.png,cat", "b.png,dog", "a,cat", "c.png,cat", "a.png,cat"]
    if columns.endswith("xmin"):
        rows = [f"{row},{i}" for i, row in enumerate(rows)]
    write(tmp_path / "set", ["a.png", "b.png", "c.png", "d.png"], "\n".join([columns, *rows]))
    dataset = load(tmp_path / "set")
    assert by_grey(dataset) == LABELLED
    said = capsys.readouterr().err
    assert "labels.csv: 2 rows repeat an image with the same label; each is taken once" in said
    assert "1 image without a row in labels.csv" in said


def test_a_repeated_row_must_be_of_the_same_split(tmp_path: Path) -> None:
    rows = ["a.png,cat,train", "b.png,dog,train", "a.png,cat,test"]
    write(tmp_path / "set", ["a.png", "b.png"], "\n".join(["file,label,split", *rows]))
    with pytest.raises(DataError, match=r"row 4: 'a\.png' is in another split, in row 2 of labels"):
        load(tmp_path / "set")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("title", ["", "My cats,,,,\n,,,,\n"])
def test_what_spreadsheets_leave_around_a_table_is_passed_over(
    title: str, mark: str, tmp_path: Path
) -> None:
    table = f"{title}file,label,,,\na.png,cat,,,\nb.png,dog,,,\nc.png,cat,,,\n,,,,\n,,,,\n"
    write(tmp_path, ["a.png", "b.png", "c.png"], table.replace(",", mark))
    assert by_grey(load(tmp_path)) == LABELLED
