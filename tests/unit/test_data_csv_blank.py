"""Tables as spreadsheets save them: empty columns and rows at the end, titles above the header."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from mnistlab.data import Dataset, load
from mnistlab.data.readers.tables import csv_blocks
from mnistlab.data.readers.unlabelled import open_images
from mnistlab.errors import DataError

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (24, 4, 4))
CLASSES = ["cat", "dog", "owl"] * 8
HEADER = ["label", *(f"pixel{i}" for i in range(16))]


def _lines(has_header: bool = True, last: bool = False, labels: list[str] = CLASSES) -> list[str]:
    rows = [[name, *map(str, image.ravel())] for name, image in zip(labels, IMAGES, strict=True)]
    rows = [HEADER, *rows] if has_header else rows
    return [",".join([*row[1:], row[0]] if last else row) for row in rows]


def _text(lines: list[str], end: str = "\n", mark: str = ",") -> str:
    return "".join(line.replace(",", mark) + end for line in lines)


def _is_the_set(dataset: Dataset, labels: list[str] = CLASSES) -> None:
    assert np.array_equal(dataset.images, IMAGES)
    assert [dataset.class_names[k] for k in dataset.labels] == labels


@pytest.mark.parametrize("n", [1, 3, 40])
@pytest.mark.parametrize("has_header", [True, False])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(("end", "mark"), [("\n", ","), ("\r\n", ";"), ("\n", "\t")])
def test_empty_columns_at_the_end_are_left_out(
    n: int, has_header: bool, last: bool, end: str, mark: str, tmp_path: Path
) -> None:
    lines = [line + "," * n for line in _lines(has_header, last)]
    path = tmp_path / "t.csv"
    path.write_text(_text(lines, end, mark), newline="")
    _is_the_set(load(path))


@pytest.mark.parametrize("labels", [CLASSES, ["1", "2", "3"] * 8])
def test_excel_may_leave_out_the_empty_cells_of_some_rows(
    labels: list[str], tmp_path: Path
) -> None:
    lines = [line + ",,," * (i < 16) for i, line in enumerate(_lines(labels=labels))]
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(_text(lines).encode()))
    _is_the_set(load(tmp_path / "t.csv.gz"), labels)


def test_a_label_that_is_missing_before_empty_columns_is_told(tmp_path: Path) -> None:
    lines = [line + ",,," for line in _lines(last=True)]
    lines[5] = lines[5].replace("dog", "")
    (tmp_path / "t.csv").write_text(_text(lines))
    with pytest.raises(DataError, match="row 6: the label is empty"):
        load(tmp_path / "t.csv")


def test_a_remark_in_a_column_without_name_is_no_pixel(tmp_path: Path) -> None:
    lines = [line + (",,blurred," if i else ",,,") for i, line in enumerate(_lines())]
    (tmp_path / "t.csv").write_text(_text(lines))
    with pytest.raises(DataError, match="columns 18 and 19 have no name"):
        load(tmp_path / "t.csv")
    lines = [*(line + ",,," for line in _lines())]
    lines[9] += "blurred"
    (tmp_path / "t.csv").write_text(_text(lines))
    with pytest.raises(DataError, match=r"t\.csv: row 1"):
        load(tmp_path / "t.csv")


@pytest.mark.parametrize("n", [0, 3])
@pytest.mark.parametrize("blank", [",", ";", "\t", " ", ""])
def test_rows_of_delimiters_at_the_end_are_blank(n: int, blank: str, tmp_path: Path) -> None:
    lines = [line + "," * n for line in _lines()] + [blank * (16 + n)] * 30
    for end in ("\n", "\r\n", ""):
        (tmp_path / "t.csv").write_text("\n".join(lines) + end, newline="")
        _is_the_set(load(tmp_path / "t.csv"))


def test_a_blank_row_among_others_tells_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = _lines()
    (tmp_path / "t.csv").write_text(_text([*lines[:9], "," * 16, *lines[9:]]))
    with pytest.raises(DataError, match="row 10 is blank"):
        load(tmp_path / "t.csv")
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 1 << 10)
    (tmp_path / "t.csv").write_text(_text([*lines[:9], *["," * 16] * 400, *lines[9:]]))
    with pytest.raises(DataError, match="row 10 is blank"):
        load(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text(_text([*lines, *["," * 16] * 4000]))
    _is_the_set(load(tmp_path / "t.csv"))


@pytest.mark.parametrize(
    ("above", "message"),
    [
        (["My digits" + "," * 16], "row 1 is a title or blank, .* sed 1d table"),
        (["My digits"], "row 1 is a title or blank, .* sed 1d table"),
        (["Digits"], "row 1 is a title or blank, .* sed 1d table"),
        (["My digits,2026" + "," * 15], "row 1 is a title or blank, .* sed 1d table"),
        (['"Digits, all"' + "," * 16, "," * 16], "rows 1 to 2 are a title .* sed 1,2d table"),
        (["," * 16], "row 1 is a title or blank, .* sed 1d table"),
        (["," * 16, "Digits" + "," * 16, "by me" + "," * 16], "rows 1 to 3 .* sed 1,3d table"),
    ],
)
@pytest.mark.parametrize("n", [0, 3])
def test_a_title_above_the_header_is_said(
    above: list[str], message: str, n: int, tmp_path: Path
) -> None:
    lines = [line + "," * n for line in [*above, *_lines()]]
    (tmp_path / "t.csv").write_text(_text(lines))
    with pytest.raises(DataError, match=message):
        load(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text(_text(lines[len(above) :]))
    _is_the_set(load(tmp_path / "t.csv"))


def test_images_to_predict_may_have_empty_columns_too(tmp_path: Path) -> None:
    lines = [line.partition(",")[2] + ",," for line in _lines()]
    (tmp_path / "t.csv").write_text(_text(lines))
    blocks = list(open_images(tmp_path / "t.csv", (4, 4)).blocks)
    assert np.array_equal(np.concatenate([block.images for block in blocks]), IMAGES)
    assert blocks[0].ids[:2] == ["1", "2"]


@pytest.mark.parametrize("mark", [" ", ";", "|", ", "])
def test_a_single_column_of_pixel_strings_has_no_title(mark: str, tmp_path: Path) -> None:
    rows = [mark.join(map(str, image.ravel())) for image in IMAGES]
    quote = '"' * ("," in mark)
    (tmp_path / "t.csv").write_text(
        "\n".join(["pixels", *(quote + r + quote for r in rows)]) + "\n"
    )
    blocks = list(open_images(tmp_path / "t.csv", (4, 4)).blocks)
    assert np.array_equal(np.concatenate([block.images for block in blocks]), IMAGES)
    labelled = [f"{c},{quote}{r}{quote}" for c, r in zip(CLASSES, rows, strict=True)]
    (tmp_path / "l.csv").write_text("\n".join(["label,pixels", *labelled]) + "\n")
    _is_the_set(load(tmp_path / "l.csv"))
