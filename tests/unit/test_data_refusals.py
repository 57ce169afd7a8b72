"""What is refused names its real cause and the line that mends it; what is left out is said."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from mnistlab.data import export, load
from mnistlab.data.readers.binary import npz
from mnistlab.data.readers.unlabelled import open_images
from mnistlab.errors import DataError

IMAGES = np.random.default_rng(0).integers(1, 256, (6, 3, 3), dtype=np.uint8)
NAMES = ",".join(["label", *(f"pixel{i}" for i in range(9))])
ROWS = [f"{i % 2},{','.join(map(str, image.ravel()))}" for i, image in enumerate(IMAGES)]
TABLE = "\n".join([NAMES, *ROWS]) + "\n"
IN_STRINGS = [row.replace(",", " ").replace(" ", ",", 1) for row in ROWS]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "pixels,other\n" + "".join(f"{row[2:]},{row[2:]}\n" for row in IN_STRINGS),
            "columns 'pixels' and 'other' both hold strings of pixels; leave one of them out",
        ),
        ("sep=;\n" + TABLE.replace(",", ";"), "row 1 is 'sep=;', which only Excel .* sed 1d"),
        (TABLE.replace("\n", "\r"), r"carriage return \(CR\) alone.* tr '\\r' '\\n'"),
        ("# made by me\n" + TABLE, r"row 1 is a comment \(#\) before the header; leave it out"),
        (TABLE.replace("\n1,", "\n1,-0.7,"), "has 11 cells"),
        (
            f"{NAMES}\n0,{'0.5,' * 8}-0.733\n",
            r"row 2, column 'pixel8': '-0\.733' is outside 0\.\.255; .* save \(x \+ 1\) \* \(255",
        ),
    ],
)
def test_tables(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.csv").write_bytes(text.encode())
    with pytest.raises(DataError, match=said) as caught:
        load(tmp_path / "x.csv")
    assert "\n" not in str(caught.value)
    assert "\r" not in str(caught.value)


def test_floats_that_are_no_numbers(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    image = Image.fromarray(np.array([[np.nan, 0.5]], np.float32))
    image.save(tmp_path / "a" / "0.tif")
    with pytest.raises(DataError, match=r"0\.tif: .* holds NaN or infinity.*np\.nan_to_num\("):
        load(tmp_path)


@pytest.mark.parametrize(("high", "scale"), [(200, ""), (1000, r" \* \(255 / 1000\)")])
def test_whole_numbers_of_32_bits(tmp_path: Path, high: int, scale: str) -> None:
    (tmp_path / "a").mkdir()
    image = Image.fromarray(np.array([[0, high]], np.int32))
    image.save(tmp_path / "a" / "0.tif")
    said = rf"images of 32 bits a pixel go up to {high} .*np\.uint8\(np\.asarray\(image\){scale}\)"
    with pytest.raises(DataError, match=said):
        load(tmp_path)


def test_parquet(tmp_path: Path) -> None:
    path, labels = tmp_path / "x.parquet", [0, 1] * 3
    lists = [image.ravel().tolist() for image in IMAGES]
    pl.DataFrame({"image": lists, "label": labels}).write_parquet(path)
    with pytest.raises(DataError, match=r"column 'image' holds List\(Int64\), lists of pixels.*np"):
        load(path)
    pl.DataFrame({"image": [b"xx"] * 6, "label": labels}).write_parquet(path)
    with pytest.raises(DataError, match=r"row 1: not a readable image: .* its bytes$"):
        load(path)


def test_a_class_name_that_a_table_would_read_as_missing(tmp_path: Path) -> None:
    for i, name in enumerate(["2", "3", "NA"] * 3):
        (tmp_path / "set" / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(IMAGES[i % 6]).save(tmp_path / "set" / name / f"{i}.png")
    with pytest.raises(DataError, match=r"^set: a table cannot hold the class name 'NA'; --format"):
        export(load(tmp_path / "set"), tmp_path / "out", format="csv")


def test_a_device_is_no_missing_file() -> None:
    with pytest.raises(DataError, match=r"^/dev/null: is neither a regular file nor a folder$"):
        load("/dev/null")


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif"])
def test_frames_that_are_left_out_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    frames = [Image.fromarray(np.full((4, 4), grey, np.uint8)) for grey in (200, 250, 20)]
    for name in "ab":
        (tmp_path / name).mkdir()
        frames[0].save(tmp_path / name / f"0{suffix}", save_all=True, append_images=frames[1:])
        frames[0].save(tmp_path / name / f"1{suffix}")
    assert load(tmp_path).images.mean(axis=(1, 2)) == pytest.approx([200] * 4, abs=3)
    kind = "TIFF files of several pages" if suffix == ".tif" else "animations"
    assert f"2 {kind}: the first" in capsys.readouterr().err


def test_paths_from_the_root_of_the_system_below_the_folder(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for i in range(2):
        Image.fromarray(IMAGES[i]).save(tmp_path / "images" / f"{i}.png")
    rows = [f"{tmp_path}/images/{i}.png,{'ab'[i]}" for i in range(2)]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *rows]))
    assert np.array_equal(load(tmp_path).images, IMAGES[:2])
    (tmp_path / "labels.csv").write_text("path,label\n/elsewhere/images/7.png,a\n")
    with pytest.raises(DataError, match=r"row 2: .* is not below the folder"):
        load(tmp_path)


def test_a_note_of_a_test_table_is_printed_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ",".join([*(f"pixel{i}" for i in range(9)), "label"])
    last = [",".join([*row.split(",")[1:], row.split(",")[0]]) for row in ROWS]
    (tmp_path / "train.csv").write_text("\n".join([names, *last, *last]))
    (tmp_path / "test.csv").write_text("\n".join([*last, *last]))
    load(tmp_path)
    assert capsys.readouterr().err.count("labels are taken from the last column") == 1


def saved_npy(path: Path) -> Path:
    np.save(path / "x.npy", IMAGES)
    return path / "x.npy"


def nameless_npz(path: Path) -> Path:
    np.savez(path / "x.npz", IMAGES)
    return path / "x.npz"


@pytest.mark.parametrize("write", [saved_npy, nameless_npz])
def test_arrays_to_predict_need_no_name(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    blocks = [*open_images(write(tmp_path), (3, 3)).blocks]
    assert np.array_equal(np.concatenate([block.images for block in blocks]), IMAGES)
    assert [name for block in blocks for name in block.ids] == [*"012345"]
    with pytest.raises(DataError, match=r"images=x, labels=y|labels=y\)"):
        load(write(tmp_path))


@pytest.mark.parametrize("raw", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\0\xff\xff{", b"hello"])
def test_hostile_arrays(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(raw)
    with pytest.raises(DataError, match=r"x\.npy: not a sound \.npy file"):
        npz.read_array(tmp_path / "x.npy")


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("name", ["id", "Image_ID"])
@pytest.mark.parametrize("ids", [[*"pqrstu"], [70, 10, 20, 30, 40, 50]])
def test_parquet_to_predict_has_its_own_ids(
    tmp_path: Path, name: str, ids: list[str | int]
) -> None:
    pixels = {f"pixel{i}": IMAGES.reshape(6, 9)[:, i] for i in range(9)}
    for columns in ({"image": [png(image) for image in IMAGES]}, pixels):
        pl.DataFrame({name: ids, **columns}).write_parquet(tmp_path / "x.parquet")
        id_name, blocks = open_images(tmp_path / "x.parquet", (3, 3))
        (block,) = blocks
        assert (id_name, block.ids) == (name, [str(one) for one in ids])
        assert np.array_equal(block.images, IMAGES)
