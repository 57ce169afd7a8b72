"""Tables as other programs leave them: a renamed first image, further columns, other encodings."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from mnistlab.data import Dataset, load
from mnistlab.data.readers.tables import csv_mangled
from mnistlab.data.readers.unlabelled import open_images
from mnistlab.errors import DataError

pl = pytest.importorskip("polars")

N = 16
RANDOM = np.random.default_rng(0)
CLASSES = np.tile([3, 1, 4], 14)
IMAGES = RANDOM.integers(0, 4, (42, 4, 4)) * 60
IMAGES[0].flat[:5] = 0, 0, 60, 0, 180
PIXELS = [f"pixel{i}" for i in range(N)]


def _text(rows: np.ndarray | list, header: list | None = None, mark: str = ",") -> str:
    lines = [mark.join(map(str, row)) for row in ([header] if header else []) + [*rows]]
    return "\n".join(lines) + "\n"


def _rows(place: int = 0, values: np.ndarray = IMAGES) -> list[list[object]]:
    rows = [list(image.ravel().tolist()) for image in values]
    for row, label in zip(rows, CLASSES.tolist(), strict=True):
        row.insert(place, label)
    return rows


def _is_the_set(dataset: Dataset, off: int = 0) -> None:
    assert dataset.images.shape == (42, 4, 4)
    assert np.abs(dataset.images.astype(int) - IMAGES).max() <= off
    assert [int(dataset.class_names[k]) for k in dataset.labels] == CLASSES.tolist()


def _renamed(row: list, mark: str = ".", start: int = 1, before: str = "") -> list[str]:
    """As pandas renames the numbers of a row that it takes for column names."""
    seen: dict[str, int] = {}
    names = []
    for cell in map(str, row):
        n = seen.get(cell, 0)
        names.append(before + (cell if n == 0 else f"{cell}{mark}{n - 1 + start}"))
        seen[cell] = n + 1
    return names


RENAMED = [
    {},
    {"mark": "_duplicated_", "start": 0},
    {"mark": "_"},
    {"before": "X"},
]


@pytest.mark.parametrize("place", [0, N])
@pytest.mark.parametrize("how", RENAMED, ids=str)
@pytest.mark.parametrize("index", [None, "", "Unnamed: 0"])
def test_an_image_that_became_a_header_is_an_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: int, how: dict, index: str | None
) -> None:
    first, *rest = _rows(place)
    header = _renamed(first, **how)
    if index is not None:
        header, rest = [index, *header], [[i, *row] for i, row in enumerate(rest)]
    path = tmp_path / "t.csv"
    path.write_text(_text(rest, header))
    dataset = load(path, label_column=None if place == 0 else str(N + 1 + (index is not None)))
    _is_the_set(dataset)
    assert "is an image that a program took for column names; it is read as" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("scale", [255, 100])
def test_fractions_that_became_a_header(tmp_path: Path, scale: int) -> None:
    """As pandas reads and writes them: 0.0, 0.0.1, 0.0.2."""
    first, *rest = _rows(0, np.round(IMAGES / scale, 3) if scale == 255 else IMAGES / 1.0)
    first[0] = "a"
    for row, label in zip(rest, CLASSES[1:], strict=True):
        row[0] = "abcdef"[label]
    path = tmp_path / "t.csv"
    path.write_text(_text(rest, _renamed(first)))
    dataset = load(path)
    assert np.abs(dataset.images.astype(int) - IMAGES).max() <= 1
    assert dataset.class_names == ("a", "b", "d", "e")


def test_a_blank_image_that_became_a_header_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(_text(_rows(), _renamed([0] * (N + 1))))
    _is_the_set(load(path))
    assert "row 1 (0, 0.1, 0.2, 0.3, ...) is a blank image that a program took for col" in (
        capsys.readouterr().err
    )


def test_an_index_beside_an_image_without_repeated_numbers(tmp_path: Path) -> None:
    first, *rest = _rows()
    first[1:] = [f"0.{i}37" for i in range(N)]
    rest = [[i, *row[:1], *(cell / 180 for cell in row[1:])] for i, row in enumerate(rest)]
    (tmp_path / "t.csv").write_text(_text(rest, ["", *first]))
    dataset = load(tmp_path / "t.csv")
    assert dataset.images[0].ravel().tolist() == [round(255 * float(cell)) for cell in first[1:]]
    (tmp_path / "t.csv").write_text(_text(rest, ["", *range(5, N + 6)]))
    assert len(load(tmp_path / "t.csv")) == 41  # numbers that count are column names


@pytest.mark.parametrize(
    "cells",
    [
        ["0", "0.1", "0.2", "0.3", "0.4"],  # beside fractions
        ["label", "0", "0.1", "0.2", "x"],
        ["0", "0.2", "0.3", "0.4"],
        ["0", "0.1", "5", "6", "7"],
        ["0", "0.1", "0.1", "0.2", "0.3"],
        ["1", "2", "3", "4"],
    ],
)
def test_what_was_not_renamed_stays(cells: list[str]) -> None:
    assert csv_mangled.restored(cells, lambda: [["0.5", "0.25"]]) is None


# --- further columns -------------------------------------------------------------------------


FURTHER: dict[str, list[object]] = {
    "width": [28] * 42,
    "file": [f"{i}.png" for i in range(42)],
    "nr": list(range(1, 43)),
    "taken": ["2026-01-02"] * 42,
    "score": [i / 7 for i in range(42)],
    "Unnamed: 0.1": list(range(42)),
    "target": CLASSES.tolist(),
}


@pytest.mark.parametrize("name", FURTHER)
@pytest.mark.parametrize("place", [0, 1, 9, N + 1])
def test_a_column_that_is_no_pixel_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, place: int
) -> None:
    rows, header = _rows(), ["label", *PIXELS]
    for row, value in zip(rows, FURTHER[name], strict=True):
        row.insert(place, value)
    header.insert(place, name)
    (tmp_path / "t.csv").write_text(_text(rows, header))
    _is_the_set(load(tmp_path / "t.csv"))
    said = capsys.readouterr().err
    assert ("is no pixel and is left out" in said) == (name not in ("nr", "Unnamed: 0.1"))
    if name == "target":
        assert "taken from 'label', --label-column target takes the others" in said


def test_an_index_saved_twice(tmp_path: Path) -> None:
    rows = [[i, i, *row] for i, row in enumerate(_rows())]
    for header in (["Unnamed: 0.1", "Unnamed: 0"], ["", "Unnamed: 0"], ["", "index"]):
        (tmp_path / "t.csv").write_text(_text(rows, [*header, "label", *PIXELS]))
        _is_the_set(load(tmp_path / "t.csv"))


@pytest.mark.parametrize("ids", [range(42), range(1, 43), RANDOM.permutation(9000)[:42]], ids=len)
@pytest.mark.parametrize("is_last", [False, True])
@pytest.mark.parametrize("label_column", [None, "2"])
def test_an_index_without_heading(
    tmp_path: Path, ids: object, is_last: bool, label_column: str | None
) -> None:
    place = 1 if label_column else 0 if is_last else N
    rows = [[*row, i] if is_last else [i, *row] for i, row in zip(ids, _rows(0), strict=True)]  # type: ignore[call-overload]
    if place != 0:
        rows = [[i, *row] for i, row in zip(ids, _rows(0 if label_column else N), strict=True)]  # type: ignore[call-overload]
    (tmp_path / "t.csv").write_text(_text(rows))
    _is_the_set(load(tmp_path / "t.csv", label_column=label_column))


@pytest.mark.parametrize("kind", [["ring", "bar", "cross"], [7, 8, 9]])
def test_of_several_unnamed_columns_the_one_that_repeats(tmp_path: Path, kind: list) -> None:
    kinds = [kind[i % 3] for i in range(42)]
    rows = [
        [nr, one, 28, f"{nr}.png", *row[1:]]
        for nr, one, row in zip(range(42), kinds, _rows(), strict=True)
    ]
    (tmp_path / "t.csv").write_text(_text(rows, ["nr", "kind", "side", "path", *PIXELS]))
    dataset = load(tmp_path / "t.csv")
    assert np.array_equal(dataset.images, IMAGES)
    assert [dataset.class_names[k] for k in dataset.labels] == [str(one) for one in kinds]


def test_of_two_that_repeat_the_user_says_which(tmp_path: Path) -> None:
    rows = [[i % 2, i % 3, *row[1:]] for i, row in enumerate(_rows())]
    path = tmp_path / "t.csv"
    path.write_text(_text(rows, ["colour", "kind", *PIXELS]))
    with pytest.raises(DataError, match="its labels may be in column 'colour' or 'kind'; --label"):
        load(path)
    assert load(path, label_column="kind").class_names == ("0", "1", "2")
    images = open_images(path, (4, 4), size=None)  # to be predicted
    assert np.array_equal(next(images.blocks).images, IMAGES)


@pytest.mark.parametrize("name", ["Nr.", "no", "Number"])
def test_a_column_that_numbers_a_few_rows_is_their_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Three rows are too few to see that a column counts; its name says so too."""
    path = tmp_path / "t.csv"
    rows = [[i, *image.ravel()] for i, image in enumerate(IMAGES[:3], start=1)]
    path.write_text(_text(rows, [name, *PIXELS]))
    images = open_images(path, (4, 4))
    block = next(images.blocks)
    assert (images.id_name, block.ids) == (name, ["1", "2", "3"])
    assert np.array_equal(block.images, IMAGES[:3])
    assert "labels" not in capsys.readouterr().err


def test_a_column_called_number_that_does_not_count_has_the_labels(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(_text(_rows(), ["number", *PIXELS]))
    _is_the_set(load(tmp_path / "t.csv"))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            {"at": range(1, 43), "side": [28] * 42},
            "'at' (it counts the rows), 'side' (always 28)",
        ),
        (
            {"who": ["me"] * 42, "score": [0.5, 0.25] * 21},
            "columns 'who' (such as 'me'), 'score' (",
        ),
        ({"key": RANDOM.permutation(9999)[:42], "b": [9] * 42}, "'key' (different in every row), "),
    ],
)
def test_columns_that_are_no_pixels_are_named(tmp_path: Path, columns: dict, words: str) -> None:
    """Here three pixels are missing, so that no image is left without them either."""
    rows = _rows()
    for row, *further in zip(rows, *columns.values(), strict=True):
        row[-3:] = further
    (tmp_path / "t.csv").write_text(_text(rows, ["label", *PIXELS[:-3], *columns]))
    with pytest.raises(DataError, match="15 pixels are not a square; give --size HxW, or le") as it:
        load(tmp_path / "t.csv")
    assert words in str(it.value)


def test_a_column_that_is_needed_for_an_image_is_a_pixel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text(_text(_rows(), ["label", *PIXELS[:-1], "last"]))
    _is_the_set(load(tmp_path / "t.csv"))
    assert "'last': read as pixels, as 16 columns make an image" in capsys.readouterr().err


def test_columns_without_names_that_are_no_pixels_are_named(tmp_path: Path) -> None:
    rows = [[i, row[0], "x", "y", *row[1:-1]] for i, row in enumerate(_rows())]
    (tmp_path / "t.csv").write_text(_text(rows))
    with pytest.raises(
        DataError, match=r"leave out what is no pixel: columns? .*3 \(such as 'x'\)"
    ):
        load(tmp_path / "t.csv")


def test_one_hot_labels_are_refused_by_that_name(tmp_path: Path) -> None:
    rows = [
        [*(int(k == one) for k in (1, 3, 4)), *row[1:]]
        for one, row in zip(CLASSES, _rows(), strict=True)
    ]
    (tmp_path / "t.csv").write_text(_text(rows, ["one", "three", "four", *PIXELS]))
    with pytest.raises(DataError, match=r"columns 'one' to 'four' are one-hot labels; .*idxmax"):
        load(tmp_path / "t.csv")


def test_one_hot_labels_at_the_end_of_rows_without_names(tmp_path: Path) -> None:
    """As UCI's Semeion digits."""
    hot = [[f"{int(k == one)}.0000" for k in (1, 3, 4)] for one in CLASSES]
    rows = [[*row[1:], *one] for row, one in zip(_rows(), hot, strict=True)]
    (tmp_path / "t.txt").write_text(_text(rows, None, " "))
    with pytest.raises(DataError, match="no pixel: the last 3 columns, which are one-hot labels"):
        load(tmp_path / "t.txt")


def test_colours_are_named(tmp_path: Path) -> None:
    """As the table in colour of HAM10000."""
    rows = [[*row[1:], *row[1:], *row[1:], row[0]] for row in _rows()]
    names = [f"pixel{i:04}" for i in range(3 * N)]
    (tmp_path / "t.csv").write_text(_text(rows, [*names, "label"]))
    with pytest.raises(
        DataError, match=r"48 pixels are 3 colours of 4x4; .*reshape\(-1, 4, 4, 3\)"
    ):
        load(tmp_path / "t.csv")


def test_a_test_table_of_one_class_is_read_as_the_training_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [[0, *row[2:], row[0]] for row in _rows()]
    (tmp_path / "train.csv").write_text(_text(rows[:30]))
    (tmp_path / "test.csv").write_text(_text([row for row in rows[30:] if row[-1] == 4]))
    dataset = load(tmp_path)
    assert [dataset.class_names[k] for k in dataset.labels[30:]] == ["4"] * 4
    assert dataset.images[30:].reshape(4, -1).tolist() == [
        row[:-1] for row in rows[30:] if row[-1] == 4
    ]
    assert capsys.readouterr().err.count("labels are taken from the last column") == 1


@pytest.mark.parametrize("word", ["V", "Column", "attr_"])
@pytest.mark.parametrize("place", [0, N])
def test_names_that_count_the_label_too(tmp_path: Path, word: str, place: int) -> None:
    """As R names the columns of a table without header."""
    header = [f"{word}{i}" for i in range(1, N + 2)]
    (tmp_path / "t.csv").write_text(_text(_rows(place, IMAGES // 60 * 85), header))
    dataset = load(tmp_path / "t.csv", label_column=None if place == 0 else f"{word}{N + 1}")
    assert np.array_equal(dataset.images, IMAGES // 60 * 85)
    assert [int(dataset.class_names[k]) for k in dataset.labels] == CLASSES.tolist()


def test_a_label_that_was_lost_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """pandas' columns with the label's renamed."""
    first, *rest = _rows()
    (tmp_path / "t.csv").write_text(_text(rest, ["label", *_renamed(first)[1:]]))
    dataset = load(tmp_path / "t.csv")
    assert np.array_equal(dataset.images, IMAGES[1:])
    assert "its label is lost, and it is not used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (IMAGES > 60, "'False' is not a number; write 0 and 255"),
        (IMAGES / 90 - 1, "'-1.0' is outside 0..255; if pixels go from -1 to 1, save (x + 1) *"),
        (
            (IMAGES - 90) / 60,
            "its pixels go from -1.5 to 1.5, where 0..255 or 0..1 is read; save (x",
        ),
        (IMAGES * 257, "is outside 0..255"),
    ],
)
def test_pixels_of_another_scale(tmp_path: Path, values: np.ndarray, words: str) -> None:
    (tmp_path / "t.csv").write_text(_text(_rows(0, values), ["label", *PIXELS]))
    with pytest.raises(DataError) as caught:
        load(tmp_path / "t.csv")
    assert words in str(caught.value)


# --- pixels in one cell, and a column of splits ----------------------------------------------


def _emotions(quote: str, spaces: str, brackets: str | list[str]) -> list[list[object]]:
    usage = ["Training"] * 30 + ["PublicTest"] * 6 + ["PrivateTest"] * 6
    begin, end = brackets or ("", "")
    return [
        [label, quote + begin + spaces.join(map(str, image.ravel())) + end + quote, one]
        for label, image, one in zip(CLASSES, IMAGES, usage, strict=True)
    ]


@pytest.mark.parametrize(
    ("quote", "spaces", "brackets"),
    [("", " ", ""), ('"', " ", ""), ('"', ", ", "[]"), ('"', "], [", ["[[", "]]"])],
)
def test_the_faces_of_fer2013(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    quote: str,
    spaces: str,
    brackets: str | list[str],
) -> None:
    rows = _emotions(quote, spaces, brackets)
    path = tmp_path / "fer2013.csv"
    for header, order in (
        (["emotion", "pixels", "Usage"], [0, 1, 2]),
        (["emotion", " Usage", " pixels"], [0, 2, 1]),
    ):
        path.write_text(_text([[row[i] for i in order] for row in rows], header))
        dataset = load(path)
        _is_the_set(dataset)
        assert dataset.official_splits == {
            "train": slice(0, 30),
            "val": slice(30, 36),
            "test": slice(36, 42),
        }
        said = capsys.readouterr().err
        assert "Usage' tells the splits: 30 train, 6 val, 6 test" in said
        assert "Training is train, PublicTest is val, PrivateTest is test" in said
    path.write_text(_text([[row[1]] for row in rows], ["pixels"]))
    assert np.array_equal(next(open_images(path, (4, 4)).blocks).images, IMAGES)
    path.write_text(_text([row[:2] for row in rows], ["emotion", "pixels"]))
    _is_the_set(load(path))
    path.write_text(_text([row[:2] for row in rows]))
    _is_the_set(load(path))


def test_strings_of_too_few_pixels_name_their_row(tmp_path: Path) -> None:
    rows = _emotions("", " ", "")
    rows[4][1] = "1 2 3"
    (tmp_path / "t.csv").write_text(_text(rows, ["emotion", "pixels", "Usage"]))
    with pytest.raises(DataError, match="row 6 has 5 cells, the first row 18"):
        load(tmp_path / "t.csv")


def test_a_column_of_splits_beside_pixels(tmp_path: Path) -> None:
    told = ["train"] * 30 + ["test"] * 12
    rows = [[*row, one] for row, one in zip(_rows(), told, strict=True)]
    path = tmp_path / "t.csv"
    path.write_text(_text(rows, ["label", *PIXELS, "split"]))
    dataset = load(path)
    _is_the_set(dataset)
    assert dataset.official_splits == {"train": slice(0, 30), "test": slice(30, 42)}
    path.write_text(_text([*rows[:-1], [*rows[-1][:-1], "perhaps"]], ["label", *PIXELS, "split"]))
    with pytest.raises(DataError, match="row 43: 'perhaps' is not train, val or test"):
        load(path)
    (tmp_path / "d").mkdir()
    for name in ("train.csv", "test.csv"):
        (tmp_path / "d" / name).write_text(_text(rows, ["label", *PIXELS, "split"]))
    with pytest.raises(DataError, match="holds several splits itself; give this file alone"):
        load(tmp_path / "d")


# --- encodings and decimals ------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [";", "\t", ","])
def test_what_excel_writes(tmp_path: Path, encoding: str, mark: str) -> None:
    text = _text(_rows(), ["label", *PIXELS], mark).replace("\n", "\r\n")
    if encoding.endswith("e"):  # with a byte-order mark
        text = "\ufeff" + text
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    _is_the_set(load(tmp_path / "t.csv"))


@pytest.mark.parametrize("mark", [";", "\t", ","])
@pytest.mark.parametrize("header", [["label", *PIXELS], None])
@pytest.mark.parametrize("block_bytes", [1 << 22, 600])
def test_decimal_commas(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mark: str,
    header: list | None,
    block_bytes: int,
) -> None:
    from mnistlab.data.readers.tables import csv_blocks

    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", block_bytes)
    quote = '"' if mark == "," else ""
    rows = [
        [
            f"{quote}{row[0]},0{quote}",
            *(f"{quote}{cell / 255:.4f}{quote}".replace(".", ",") for cell in row[1:]),
        ]
        for row in _rows()
    ]
    (tmp_path / "t.csv").write_text(_text(rows, header, mark))
    _is_the_set(load(tmp_path / "t.csv"), off=1)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("label,a\nGröße,1\n".encode("cp1252"), "there as UTF-8 (Excel: CSV UTF-8), or"),
        ("Größe,label\n1,1\n".encode("cp1252"), "row 1: the line is not UTF-8 text; if a program"),
        (b"label,a\n1,1.234.5\n", "row 2, column 'a': '1.234.5' is not a number"),
        (b'label,a\n1,"1,234,567"\n', "'1,234,567' is not a number; write it without separators"),
        (
            b"filename,label\na.png,1\n",
            "names image files such as 'a.png', and has no pixels; give the folder that",
        ),
        (b"PK\3\4x\n", "is called .csv, but is a ZIP archive: call it .zip"),
        (
            b"<!DOCTYPE html>\n<html>\n",
            "is called .csv, but is a web page, perhaps a form to log in",
        ),
        (b"version https://git-lfs.github.com/spec/v1\noid\n", "fetch it: git lfs pull"),
        (b"PAR1xx\n", "is called .csv, but is a Parquet file: call it .parquet"),
        (b'{"label": {"0": 1}}\n', "is JSON; convert it: pandas.read_json"),
        (b'[{"label": 1}]\n', "is JSON; convert it: pandas.read_json"),
        (b"@RELATION x\n", "is ARFF; leave its head out"),
        (b"l\0a\0\n", "holds zero bytes, as text does not; if it is UTF-16, convert it: iconv"),
        (b"\xff\xfel\0a\0\0\xd8\n\0", "is not sound UTF-16 text; save it as UTF-8"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, raw: bytes, words: str) -> None:
    (tmp_path / "t.csv").write_bytes(raw)
    with pytest.raises(DataError) as caught:
        load(tmp_path / "t.csv")
    assert words in str(caught.value)


def test_polars_renames_a_header_as_is_said(tmp_path: Path) -> None:
    """The real peer: what polars writes of a table whose first image it took for names."""
    (tmp_path / "without.csv").write_text(_text(_rows()))
    frame = pl.read_csv(tmp_path / "without.csv")
    buffer = io.StringIO(frame.write_csv())
    (tmp_path / "t.csv").write_text(buffer.getvalue())
    _is_the_set(load(tmp_path / "t.csv"))
