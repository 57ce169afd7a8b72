"""What the columns of a table are, where no name tells it; and pixels of other scales."""

from __future__ import annotations

import gzip
import io
import subprocess
from pathlib import Path

import numpy as np
import pytest

from mnistlab.data import Dataset, load, split
from mnistlab.data.readers.tables import csv_blocks
from mnistlab.data.readers.unlabelled import open_images
from mnistlab.errors import DataError

RANDOM = np.random.default_rng(0)
CLASSES = np.tile([3, 1, 4, 7], 15)
IMAGES = RANDOM.integers(0, 200, (60, 3, 4), dtype=np.uint8)
N = 12


def _write(path: Path, rows: np.ndarray | list[list[object]], header: object = None) -> Path:
    lines = [",".join(map(str, row)) for row in rows]
    if header is not None:
        lines.insert(0, ",".join(map(str, header)))  # type: ignore[call-overload]
    path.write_text("\n".join(lines) + "\n")
    return path


def _rows(place: int = 0) -> np.ndarray:
    return np.insert(IMAGES.reshape(60, -1).astype(int), place, CLASSES, axis=1)


def _is_the_set(dataset: Dataset, images: np.ndarray = IMAGES, off: int = 0) -> None:
    assert dataset.images.shape == images.shape
    assert np.abs(dataset.images.astype(int) - images).max() <= off
    assert [int(dataset.class_names[k]) for k in dataset.labels] == CLASSES.tolist()


@pytest.mark.parametrize("place", [0, N])
@pytest.mark.parametrize(
    "header", [None, range(N + 1), range(1, N + 2), ["", *range(N + 1)]], ids=str
)
def test_labels_first_or_last(tmp_path: Path, place: int, header: list[object] | None) -> None:
    rows = _rows(place)
    if header is not None and len(list(header)) > rows.shape[1]:
        rows = np.insert(rows, 0, range(60), axis=1)  # the index that pandas writes
    _is_the_set(load(_write(tmp_path / "t.csv", rows, header), size=(3, 4)))


@pytest.mark.parametrize("place", [0, 5, N])
@pytest.mark.parametrize("name", ["label", "Digit", "kind"])
def test_the_one_column_that_is_no_pixel(tmp_path: Path, place: int, name: str) -> None:
    header = [f"pixel{i}" for i in range(N)]
    header.insert(place, name)
    _is_the_set(load(_write(tmp_path / "t.csv", _rows(place), header), size=(3, 4)))
    numbers: list[object] = list(range(N))
    numbers.insert(place, name)
    _is_the_set(load(_write(tmp_path / "t.csv", _rows(place), numbers), size=(3, 4)))


@pytest.mark.parametrize("number", ["6", "x"])
def test_the_label_column_by_number_or_name(tmp_path: Path, number: str) -> None:
    header = ["a1", "b2", "c3", "d4", "e5", "x", *(f"f{i}" for i in range(7))]
    path = _write(tmp_path / "t.csv", _rows(5), header)
    _is_the_set(load(path, size=(3, 4), label_column=number))
    if number == "6":
        _is_the_set(load(_write(path, _rows(5)), size=(3, 4), label_column=number))
    with pytest.raises(DataError, match="no column '14' to take labels from"):
        load(path, size=(3, 4), label_column="14")


def test_a_table_sorted_by_class_with_dark_corners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 400)
    images = np.zeros((60, 3, 4), int)
    images[:, 1] = RANDOM.integers(0, 200, (60, 4))
    for place in (0, N):
        rows = np.insert(images.reshape(60, -1), place, np.sort(CLASSES), axis=1)
        dataset = load(_write(tmp_path / "t.csv", rows), size=(3, 4))
        assert dataset.class_names == ("1", "3", "4", "7")
        assert np.array_equal(dataset.images, images)


@pytest.mark.parametrize("place", [0, N])
def test_texts_without_a_header(tmp_path: Path, place: int) -> None:
    rows = [[str(v) for v in row] for row in IMAGES.reshape(60, -1)]
    for row, k in zip(rows, CLASSES, strict=True):
        row.insert(place, "abcdefgh"[k])
    dataset = load(_write(tmp_path / "t.csv", rows), size=(3, 4))
    assert np.array_equal(dataset.images, IMAGES)
    assert [dataset.class_names[k] for k in dataset.labels] == ["abcdefgh"[k] for k in CLASSES]


def test_an_image_that_counts_is_an_image_if_it_is_small_or_begins_elsewhere(
    tmp_path: Path,
) -> None:
    rising = np.arange(2, 14)
    rows = np.concatenate([[np.insert(rising, 0, 3)], _rows()])
    dataset = load(_write(tmp_path / "t.csv", rows), size=(3, 4))
    assert dataset.images[0].ravel().tolist() == rising.tolist()
    assert len(load(_write(tmp_path / "t.csv", [[0, 1], [1, 2]]))) == 2


def test_what_was_taken_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load(_write(tmp_path / "t.csv", _rows(), range(N + 1)), size=(3, 4))
    said = capsys.readouterr().err
    assert said == f"note: {tmp_path}/t.csv: row 1 counts from 0 to 12 and is taken as a header\n"
    load(_write(tmp_path / "t.csv", _rows(N)), size=(3, 4))
    assert "labels are taken from the last column; --label-column 1 takes the first" in (
        capsys.readouterr().err
    )
    load(_write(tmp_path / "t.csv", _rows()), size=(3, 4))
    assert capsys.readouterr().err == ""


# --- delimiters and number formats -----------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt", "csv.gz", "tsv.gz", "TSV"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", " ", "   "])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_delimiter(tmp_path: Path, ending: str, delimiter: str, line_end: str) -> None:
    rows = [["label", *(f"p{i}" for i in range(N))], *_rows().tolist()]
    text = "".join(delimiter.join(map(str, row)) + line_end for row in rows)
    raw = ("\ufeff" + text).encode()
    path = tmp_path / f"t.{ending}"
    path.write_bytes(gzip.compress(raw) if ending.endswith("gz") else raw)
    _is_the_set(load(path, size=(3, 4)))


@pytest.mark.parametrize("delimiter", [",", " ", "\t", ";"])
@pytest.mark.parametrize("format", ["%.18e", "%d", "%5d", "%.1f"])
@pytest.mark.parametrize("header", ["", "label a b c d e f g h i j k l"])
def test_what_savetxt_writes(tmp_path: Path, delimiter: str, format: str, header: str) -> None:
    file = io.StringIO()
    names = header.replace(" ", delimiter)
    np.savetxt(file, _rows(), delimiter=delimiter, fmt=format, header=names)
    (tmp_path / "t.txt").write_text(file.getvalue())
    _is_the_set(load(tmp_path / "t.txt", size=(3, 4)))


def test_quoted_names_between_semicolons(tmp_path: Path) -> None:
    text = 'label;a\n"shoe; left";1\n"bag, red";2\n'
    (tmp_path / "t.csv").write_text(text)
    assert load(tmp_path / "t.csv").class_names == ("bag, red", "shoe; left")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"label|a\n1|2\n", "its columns are separated by '|'; read are commas, semicolons, tabs"),
        (b"1:2:3\n1:2:3\n", "its columns are separated by ':'"),
        (
            "label,a\n1,2\n".encode("utf-16-le"),
            "holds zero bytes, as text does not; if it is UTF-16",
        ),
        ("label,a\n1,2\n".encode("utf-16")[:-1], "is not sound UTF-16 text; save it as UTF-8"),
        (b"0,1,2,3\n0,1,2,3\n", "no label column (label, class, target, y) beside 2x2 pixels"),
        (b"1,9,3,x,4\n0,1,2,3,4\n", "row 1, column '4': 'x' is not a number"),
        (b"label;a\n1;0,5\n1;0.5\n", "row 2, column 'a': '0,5' is not a number"),
        (
            b"label;a\n1;1.234.567\n",
            "'1.234.567' is not a number; write it without separators",
        ),
    ],
)
def test_layouts_that_are_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    (tmp_path / "t.csv").write_bytes(raw)
    with pytest.raises(DataError) as caught:
        load(tmp_path / "t.csv")
    assert message in str(caught.value)


@pytest.mark.parametrize("spaced", [False, True])
@pytest.mark.parametrize("block_bytes", [1 << 22, 2000])
def test_fractions_of_white(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spaced: bool,
    block_bytes: int,
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(csv_blocks, "PIECE_BYTES", block_bytes)
    shares = IMAGES.copy()
    shares[:20] = np.where(shares[:20] > 99, 255, 0)  # blocks of 0 and 1 alone come first
    rows = [
        [k, *(f"{v / 255:.8g}" for v in image.ravel())]
        for k, image in zip(CLASSES, shares, strict=True)
    ]
    text = "\n".join((", " if spaced else ",").join(map(str, row)) for row in rows)
    (tmp_path / "t.csv").write_text(text)
    _is_the_set(load(tmp_path / "t.csv", size=(3, 4)), shares)
    assert "its pixels are fractions, 0 to 1, and are multiplied by 255" in capsys.readouterr().err


def test_fractions_of_one_grey_level_are_rounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(csv_blocks, "PIECE_BYTES", 2000)
    values = IMAGES + RANDOM.uniform(-0.4, 0.4, IMAGES.shape).clip(-IMAGES.astype(float), None)
    values[:20] = np.round(values[:20] / 400, 3)  # the first blocks hold no more than 1
    rows = [[k, *image.ravel()] for k, image in zip(CLASSES, values, strict=True)]
    images = np.rint(values)
    _is_the_set(load(_write(tmp_path / "t.csv", rows), size=(3, 4)), images)
    assert capsys.readouterr().err == ""


def test_zeros_and_ones_stay_and_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _write(tmp_path / "t.csv", [[3, 0, 1, 1, 0], [4, 1, 1, 0, 0]])
    assert load(path).images.ravel().tolist() == [0, 1, 1, 0, 1, 1, 0, 0]
    assert "pixels are only 0 and 1 and were read as almost black" in capsys.readouterr().err


def test_fractions_that_leave_the_range_name_their_cell(tmp_path: Path) -> None:
    for value in ("-0.1", "255.1", "nan", "1e9"):
        path = _write(tmp_path / "t.csv", [["label", "a"], [0, 0.5], [1, value]])
        with pytest.raises(DataError, match=rf"row 3, column 'a': '{value}' is outside 0\.\.255"):
            load(path)


def _last(values: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    return np.column_stack([pixels, values])


@pytest.mark.parametrize("n_classes", [2, 3, 5, 8])
def test_classes_in_turn_in_the_last_column(
    tmp_path: Path, n_classes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(1)
    pixels = random.integers(0, 10, (1500, N))
    pixels[:, 3:9] += random.integers(0, 200, (1500, 6))
    labels = np.arange(1500) % n_classes
    path = _write(tmp_path / "t.csv", _last(labels, pixels))
    dataset = load(path, size=(3, 4))
    assert np.array_equal(dataset.labels, labels)
    assert "labels are taken from the last column; --label-column 1 takes the fir" in (
        capsys.readouterr().err
    )


def test_of_two_columns_unlike_their_pixels_the_one_of_fewer_values(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    pixels = np.zeros((900, N), int)
    pixels[:, 0] = random.integers(0, 10, 900)  # noise in a corner
    pixels[:, 3:9] = random.integers(0, 200, (900, 6))
    labels = random.integers(0, 3, 900)
    dataset = load(_write(tmp_path / "t.csv", _last(labels, pixels)), size=(3, 4))
    assert np.array_equal(dataset.labels, labels)


def test_labels_that_may_be_first_or_last_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(3)
    pixels = random.integers(0, 4, (900, N))
    labels = random.integers(0, 4, 900)
    path = _write(tmp_path / "t.csv", np.column_stack([labels, pixels]))
    with pytest.raises(DataError, match="say which has them: --label-column 1 or --label-column 1"):
        load(path, size=(3, 4))
    assert np.array_equal(load(path, size=(3, 4), label_column="1").labels, labels)
    assert capsys.readouterr().err.count("labels are taken") == 0


def test_labels_tell_more_of_the_images_than_a_corner_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(4)
    labels = random.integers(0, 8, 600)
    pixels = random.integers(0, 30, (600, N)) // 10 * 10
    pixels[:, 4:8] += 20 * labels[:, None]
    pixels[:, 0] = random.integers(0, 9, 600)  # a corner of few levels
    for rows in (np.column_stack([labels, pixels]), np.column_stack([pixels, labels])):
        dataset = load(_write(tmp_path / "t.csv", rows), size=(3, 4))
        assert np.array_equal(dataset.labels, labels)
        assert "labels are taken from the " in capsys.readouterr().err


@pytest.mark.parametrize("is_sorted", [False, True])
def test_a_constant_column_has_no_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_sorted: bool
) -> None:
    """As the digits of UCI: the first pixel is 0 in every image, the labels are last."""
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 1000)
    random = np.random.default_rng(5)
    labels = np.arange(600) % 10
    labels = np.sort(labels) if is_sorted else labels
    pixels = random.integers(0, 17, (600, N))
    for constant in (0, 7):
        pixels[:, 0] = constant
        dataset = load(_write(tmp_path / "t.csv", _last(labels, pixels)), size=(3, 4))
        assert np.array_equal(dataset.labels, labels)
        assert np.array_equal(dataset.images.reshape(600, -1), pixels)
        first = _last(pixels[:, 0], np.column_stack([labels, pixels[:, 1:]]))
        assert np.array_equal(load(_write(tmp_path / "t.csv", first), size=(3, 4)).labels, labels)


@pytest.mark.parametrize("place", [0, N])
@pytest.mark.parametrize("n", [1, 7])
def test_images_of_one_class_to_predict(tmp_path: Path, place: int, n: int) -> None:
    """Their labels are constant, as are dark corners, but unlike the pixels beside them."""
    pixels = RANDOM.integers(0, 200, (n, N))
    pixels[:, [0, 1, 2, -3, -2, -1]] = 0
    path = _write(tmp_path / "t.csv", np.insert(pixels, place, 7, axis=1))
    blocks = list(open_images(path, (3, 4)).blocks)
    assert np.array_equal(blocks[0].images.reshape(n, -1), pixels)


def test_a_class_of_one_image_hints_at_the_column(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv", np.insert(_rows(), 0, [7] + [1] * 59, axis=1)[:, :-1])
    with pytest.raises(DataError, match=r"class '7' has 1 image;.*--label-column"):
        split(load(path, size=(3, 4)))


ROWS = [(i % 2, [20 * (i % 3) + 40 * k for k in range(4)]) for i in range(40)]


@pytest.mark.parametrize("name", ["batch", "user_id", "Writer", "patient no", "year", "fold"])
def test_where_an_image_is_from_is_no_label(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.csv"
    lines = [",".join(map(str, [*pixels, label])) for label, pixels in ROWS]
    path.write_text("\n".join([f"p0,p1,p2,p3,{name}", *lines]) + "\n")
    with pytest.raises(DataError, match=r"no label column .* name it with --label-column"):
        load(path)
    assert load(path, label_column=name).class_names == ("0", "1")
    lines = [",".join(map(str, [i % 4, *pixels, "ab"[k]])) for i, (k, pixels) in enumerate(ROWS)]
    path.write_text("\n".join([f"{name},p0,p1,p2,p3,kind", *lines]) + "\n")
    dataset = load(path)
    assert dataset.class_names == ("a", "b")
    assert dataset.notes[0] == f"{path}: labels are taken from column 'kind'"


def test_measures_are_no_labels(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    lines = [",".join(map(str, [*pixels, f"0.{i % 3}7"])) for i, (_, pixels) in enumerate(ROWS)]
    path.write_text("\n".join(["p0,p1,p2,p3,angle", *lines]) + "\n")
    with pytest.raises(DataError, match="no label column"):
        load(path)
    halves = [",".join(map(str, [p / 255 for p in pixels] + [k / 2])) for k, pixels in ROWS]
    path.write_text("\n".join(line.replace("0.0,", "0.1,") for line in halves) + "\n")
    with pytest.raises(DataError, match="neither its first column nor its last holds labels"):
        load(path)
    assert load(path, label_column="5").class_names == ("0.0", "0.5")


@pytest.mark.parametrize(("name", "first"), [("train", "train"), ("Test", "test"), ("val", "val")])
def test_a_column_that_is_only_called_like_a_split(tmp_path: Path, name: str, first: str) -> None:
    path = tmp_path / "x.csv"
    lines = [",".join(map(str, [k, *pixels, int(i < 30)])) for i, (k, pixels) in enumerate(ROWS)]
    path.write_text("\n".join([f"label,p0,p1,p2,p3,{name}", *lines]) + "\n")
    parts = load(path).official_splits
    assert parts[first].stop - parts[first].start == 30
    assert any("tells the splits" in line for line in load(path).notes)


@pytest.mark.parametrize(
    "names",
    [("X_train.csv", "y_train.csv"), ("images.csv", "labels.csv"), ("data.tsv", "target.txt")],
)
def test_images_and_labels_in_two_tables(tmp_path: Path, names: tuple[str, str]) -> None:
    x, y = (tmp_path / name for name in names)
    x.write_text("".join(",".join(map(str, pixels)) + "\n" for _, pixels in ROWS))
    y.write_text("".join(f"{k}\n" for k, _ in ROWS))
    with pytest.raises(DataError, match="side by side: paste -d, ") as caught:
        load(tmp_path)
    line = str(caught.value).split("side by side: ")[1].split(", and move")[0]
    subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True)
    joined = load(tmp_path / line.split()[-1], label_column="1")
    assert [joined.class_names[k] for k in joined.labels] == [str(k) for k, _ in ROWS]
