"""CSV files: every accepted form gives the same arrays; every defect names its row and column."""

from __future__ import annotations

import csv
import gzip
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnistlab.data import Dataset, load
from mnistlab.data.readers import labels, unlabelled
from mnistlab.data.readers.tables import csv_blocks, csv_cells, csv_table
from mnistlab.data.readers.tables.csv_cells import Columns
from mnistlab.errors import DataError

PIXELS = [[0, 12, 255, 7], [1, 2, 3, 4], [200, 0, 0, 99]]
LABELS = [2, 0, 1]
HEADER = "label,pixel0,pixel1,pixel2,pixel3"


def _load(tmp_path: Path, text: str | bytes, **options: object) -> Dataset:
    path = tmp_path / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path, **options)  # type: ignore[arg-type]


def _expected(dataset: Dataset) -> bool:
    assert dataset.images.reshape(3, -1).tolist() == PIXELS
    assert dataset.labels.tolist() == LABELS
    return dataset.images.shape == (3, 2, 2) and dataset.n_classes == 3


def _rows() -> str:
    return "\n".join(",".join(map(str, [y, *x])) for x, y in zip(PIXELS, LABELS, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{_rows()}\n",
        f"{HEADER}\n{_rows()}",  # no final line break
        f"{HEADER}\n{_rows()}\n\n\r\n\n",  # blank lines at the end
        f"{HEADER}\n{_rows()}\n".replace("\n", "\r\n"),
        f"\ufeff{HEADER}\n{_rows()}\n",  # byte-order mark
        f"label,1x1,1x2,2x1,2x2\n{_rows()}\n",
        f" Class ,a,b,c,d\n{_rows()}\n",
        _rows() + "\n",  # no header: labels first
        "pix1,pix2,pix3,pix4,label\n0,12,255,7,2\n1,2,3,4,0\n200,0,0,99,1\n",
        "pix1,pix2,target,pix3,pix4\n0,12,2,255,7\n1,2,0,3,4\n200,0,1,0,99\n",
        "ID,y,a,b,c,d\n70001,2,0,12,255,7\n5,0,1,2,3,4\n6,1,200,0,0,99\n",
        ",y,a,b,c,d\n0,2,0,12,255,7\n1,0,1,2,3,4\n2,1,200,0,0,99\n",  # index column of pandas
        f"{HEADER}\n" + '"2","0","12","255","7"\n0,1,2,3,4\n"1",200,0,0,99\n',
        f"{HEADER}\n2.0,0.0,12.0,255.0,7.0\n0.0,1.0,2.0,3.0,4.0\n1,200,0,0,99.00\n",
        f"{HEADER}\n2, 0 , 12,255 ,7\n0,1,2,3,+4\n1,200,-0,0,0099\n",
    ],
)
def test_every_accepted_form_is_the_same_table(tmp_path: Path, text: str) -> None:
    assert _expected(_load(tmp_path, text))


def test_a_packed_table(tmp_path: Path) -> None:
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADER}\n{_rows()}\n".encode()))
    assert _expected(load(path))
    assert load(path).name == "table"


def test_the_label_column_can_be_named(tmp_path: Path) -> None:
    text = f"{HEADER.replace('label', 'digit')}\n{_rows()}\n"
    assert _expected(_load(tmp_path, text, label_column="digit"))
    assert _load(tmp_path, text, label_column="digit").source["label_column"] == "digit"
    last = "\n".join(",".join(map(str, [*x, y])) for x, y in zip(PIXELS, LABELS, strict=True))
    assert _expected(_load(tmp_path, last, label_column="5"))
    with pytest.raises(DataError, match="no column 'kind' to take labels from"):
        _load(tmp_path, text, label_column="kind")


def test_class_names_are_numbered_in_order_of_the_alphabet(tmp_path: Path) -> None:
    text = 'label,a\n"shoe, left",1\nbag,2\n"a ""big"" coat",3\nbag,4\n'
    dataset = _load(tmp_path, text)
    assert dataset.class_names == ('a "big" coat', "bag", "shoe, left")
    assert dataset.labels.tolist() == [2, 1, 0, 1]


def test_too_many_class_names_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "MAX_CLASSES", 2)
    assert _load(tmp_path, "label,a\nx,1\ny,2\n").n_classes == 2
    with pytest.raises(DataError, match=r"table\.csv: 3 classes are more than 2"):
        _load(tmp_path, "label,a\nx,1\ny,2\nz,3\n")


def test_only_labels_that_occur_are_classes(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "label,a\n10,1\n-3,2\n7,3\n-3,4\n")
    assert dataset.class_names == ("-3", "7", "10")
    assert dataset.labels.tolist() == [2, 0, 1, 0]


def test_images_that_are_not_square(tmp_path: Path) -> None:
    text = "label,a,b,c,d,e,f\n0,1,2,3,4,5,6\n"
    assert _load(tmp_path, text, size=(2, 3)).images.tolist() == [[[1, 2, 3], [4, 5, 6]]]
    with pytest.raises(DataError, match=r"table\.csv: 6 pixels are not a square; give --size HxW"):
        _load(tmp_path, text)
    with pytest.raises(DataError, match="6 pixels are not 3x3"):
        _load(tmp_path, text, size=3)


def test_a_table_may_lack_labels(tmp_path: Path) -> None:
    path = tmp_path / "evaluate.csv"
    path.write_text("ID,pix1,pix2,pix3,pix4\na,0,12,255,7\nb,1,2,3,4\n")
    table = csv_table.read_table(path)
    assert table.images.reshape(2, -1).tolist() == PIXELS[:2]
    assert (table.labels, table.ids) == (None, ["a", "b"])
    path.write_text("ID,pix1\na,1\nb, 2 \n")  # the slow way
    assert csv_table.read_table(path).ids == ["a", "b"]
    path.write_text("ID,pix1\n1,1\n2,2\n")  # the fast way
    assert csv_table.read_table(path).ids == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n\n", "is empty"),
        ("\nlabel,a\n0,1\n", "row 1 is blank"),
        ("label,a\n", "holds no images"),
        ("label,a", "holds no images"),
        ("label\n0\n", "has no columns of pixels beside 'label'; if it names image files"),
        ("a,b,c,d\n1,2,3,4\n", "no label column (label, class, target, y)"),
        ("label,a,b,a,c\n0,1,2,3,4\n", "row 1: column name 'a' appears more than once"),
        ('label,"a\n0,1\n', "row 1: "),
        (b"label,\xff\n0,1\n", "row 1: "),
        (f"{HEADER}\n{_rows()}\n0,1,2,3\n", "row 5 has 4 cells, the first row 5"),
        (f"{HEADER}\n0,1,2,3,4,5\n{_rows()}\n", "row 2 has 6 cells, the first row 5"),
        (f"{HEADER}\n0,1,2,3\n0,0,1,2,3,4\n", "row 2 has 4 cells, the first row 5"),
        (f"{HEADER}\n0,1,2,3,4\n\n{_rows()}\n", "row 3 is blank"),
        (f"{HEADER}\n{_rows()}\n0,1,2,x,4\n", "row 5, column 'pixel2': 'x' is not a number"),
        (f"{HEADER}\n{_rows()}\n0,1,2,,4\n", "row 5, column 'pixel2': the cell is empty"),
        (f"{HEADER}\n0,1,2,3,256\n", "row 2, column 'pixel3': '256' is outside 0..255"),
        (f"{HEADER}\n0,1,2,3,1000\n", "row 2, column 'pixel3': '1000' is outside 0..255"),
        (f"{HEADER}\n0,-1,2,3,4\n", "row 2, column 'pixel0': '-1' is outside 0..255"),
        (f"{HEADER}\n0,1e9,2,3,4\n", "row 2, column 'pixel0': '1e9' is outside 0..255"),
        (f"{HEADER}\n0,nan,2,3,4\n", "row 2, column 'pixel0': 'nan' is outside 0..255"),
        (f"{HEADER}\n0,1_0,2,3,4\n", "row 2, column 'pixel0': '1_0' is not a number"),
        (f"{HEADER}\n0,{'9' * 99}x,2,3,4\n", f"column 'pixel0': '{'9' * 17}...' is not a number"),
        (f"{HEADER}\n,1,2,3,4\n", "row 2: the label is empty"),
        (f'{HEADER}\n{_rows()}\n"",1,2,3,4\n', "row 5: the label is empty"),
        (f"{HEADER}\n{_rows()}\n".encode() + b"\xff,1,2,3,4\n", "row 5 is not UTF-8 text"),
        (f'{HEADER}\n{_rows()}\n"0"1,1,2,3,4\n', "row 5: "),
        (f"{_rows()}\n0,1,2,3,256\n", "row 4, column '5': '256' is outside 0..255"),
    ],
)
def test_defects_name_row_and_column(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(DataError) as caught:
        _load(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'table.csv'}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_are_counted_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 64)
    good = [f"{i % 10},{i % 256},2,3,4" for i in range(500)]
    dataset = _load(tmp_path, "\n".join([HEADER, *good]) + "\n" * 300)
    assert dataset.images[:, 0, 0].tolist() == [i % 256 for i in range(500)]
    for bad, message in (("", "row 402 is blank"), ("0,1,2,3,x", "row 402, column 'pixel3'")):
        text = "\n".join([HEADER, *good[:400], bad, *good[400:]])
        with pytest.raises(DataError, match=message):
            _load(tmp_path, text)


def test_blank_lines_over_many_blocks_are_still_blank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 64)
    with pytest.raises(DataError, match="row 3 is blank"):
        _load(tmp_path, f"{HEADER}\n0,1,2,3,4\n" + "\n" * 50 + "0,1,2,3,4\n")


def test_a_row_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 64)
    with pytest.raises(DataError, match="holds a row longer than 64 bytes"):
        _load(tmp_path, "1" * 10_000)


@pytest.mark.parametrize("magic", csv_blocks.PACKED)
def test_what_polars_would_unpack_is_kept_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, magic: bytes
) -> None:
    polars = pytest.importorskip("polars")
    monkeypatch.setattr(polars, "read_csv", lambda *_, **__: pytest.fail("polars saw it"))
    with pytest.raises(DataError, match="row 2"):
        _load(tmp_path, b"label,a\n" + magic + b"\n")


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3,4,\n",  # a comma too many
        "1,2\n34\n",
        "1,2,3\n4\n",  # the right number of cells in the wrong rows
        "1,,2\n3,4\n",
        "1,256\n",
        "1,1000\n",
        "1,x\n",
        "1,/\n",
        "1:2,3\n",
        '"1",2\n',
        "1, 2\n",
        "1.0,2\n",
        "1,-2\n",
        "\n1,2\n",
    ],
)
def test_the_fast_way_reads_the_same_or_gives_up(text: str) -> None:
    columns = Columns(("label", "a"), label=0)
    try:
        expected = csv_cells.parse(text.encode(), columns, "table", 1)
    except DataError:
        assert csv_blocks.parse_fast(text.encode(), columns) is None
    else:
        found = csv_blocks.parse_fast(text.encode(), columns)
        assert found is None or found.pixels.tolist() == expected.pixels.tolist()
        assert found is None or found.labels == expected.labels


def test_plain_numbers_go_the_fast_way() -> None:
    found = csv_blocks.parse_fast(b"1,2\n003,255\r\n", Columns(("label", "a"), label=0))
    assert found is not None
    assert (found.labels, found.pixels.tolist()) == (["1", "003"], [[2], [255]])


@given(
    st.integers(1, 40),
    st.integers(1, 4),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([16, 1 << 12]),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_csv_module_writes_is_read(
    tmp_path: Path, n: int, side: int, quoting: int, line_end: str, piece: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (n, side, side), dtype=np.uint8)
    labels = random.integers(0, 12, n)
    path = tmp_path / "table.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, quoting=quoting, lineterminator=line_end)
        writer.writerow([*(f"pix{i}" for i in range(1, side * side + 1)), "label"])
        writer.writerows(np.column_stack([images.reshape(n, -1), labels]).tolist())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_blocks, "PIECE_BYTES", piece)
        dataset = load(path)
    assert np.array_equal(dataset.images, images)
    assert [int(dataset.class_names[k]) for k in dataset.labels] == labels.tolist()


@pytest.mark.skipif(os.name == "nt", reason="named pipes are POSIX")
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("scale", [1, 255])
@pytest.mark.parametrize("n", [1, 40_000])
def test_images_to_predict_come_through_a_pipe(
    tmp_path: Path, pack: Callable[[bytes], bytes], scale: int, n: int
) -> None:
    pixels = np.tile(np.array(PIXELS), (n, 1))
    lines = [",".join(f"{value / scale:.6g}" for value in row) for row in PIXELS] * n
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    raw = pack("\n".join(["a,b,c,d", *lines, ""]).encode())
    writer = threading.Thread(target=pipe.write_bytes, args=(raw,))
    writer.start()
    blocks = list(unlabelled.open_images(pipe, (2, 2)).blocks)
    writer.join()
    assert np.array_equal(
        np.concatenate([block.images for block in blocks]), pixels.reshape(-1, 2, 2)
    )
    assert [name for block in blocks for name in block.ids] == [*map(str, range(1, 3 * n + 1))]
