"""Parquet: what Hugging Face writes, tables of pixels, and what is neither."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from mnistlab.data import Dataset, load
from mnistlab.data.readers import content, parquet
from mnistlab.errors import DataError

GREYS = np.random.default_rng(0).integers(0, 256, (12, 5, 6), dtype=np.uint8)
LABELS = [4, 2, 9] * 4


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def _structs(images: np.ndarray) -> list[dict[str, Any]]:
    return [{"bytes": _png(image), "path": f"{i}.png"} for i, image in enumerate(images)]


def _write(path: Path, columns: dict[str, Any], names: list[str] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    features = {"label": {"names": names, "_type": "ClassLabel"}}
    record = {"huggingface": json.dumps({"info": {"features": features}})} if names else None
    pl.DataFrame(columns, strict=False).write_parquet(path, metadata=record)
    return path


def _spoken(dataset: Dataset) -> list[str]:
    return [dataset.class_names[k] for k in dataset.labels]


@pytest.mark.parametrize("column", ["image", "img", "picture of it"])
@pytest.mark.parametrize("is_struct", [True, False])
def test_encoded_images(tmp_path: Path, column: str, is_struct: bool) -> None:
    encoded = _structs(GREYS) if is_struct else [_png(image) for image in GREYS]
    dataset = load(_write(tmp_path / "set.parquet", {column: encoded, "label": LABELS}))
    assert np.array_equal(dataset.images, GREYS)
    assert _spoken(dataset) == [str(label) for label in LABELS]
    assert dataset.name == "set"


@pytest.mark.parametrize("labels", [["b", "ä", "1"] * 4, [2.0, 1.0, 0.0] * 4, [True, False] * 6])
def test_labels_of_other_types(tmp_path: Path, labels: list[Any]) -> None:
    dataset = load(_write(tmp_path / "set.parquet", {"image": _structs(GREYS), "label": labels}))
    wanted = [str(int(v)) if isinstance(v, float) else str(v) for v in labels]
    assert [name.casefold() for name in _spoken(dataset)] == [name.casefold() for name in wanted]


def test_the_names_of_its_classes(tmp_path: Path) -> None:
    names = list("zyxwvutsrq")
    path = _write(tmp_path / "set.parquet", {"image": _structs(GREYS), "label": LABELS}, names)
    dataset = load(path)
    assert dataset.class_names == ("x", "v", "q")
    assert _spoken(dataset) == [names[label] for label in LABELS]
    path = _write(tmp_path / "set.parquet", {"image": _structs(GREYS), "label": LABELS}, names[:3])
    with pytest.raises(DataError, match=r"label 4 of image 1 is out of range 0\.\.2"):
        load(path)


@pytest.mark.parametrize("below", ["", "data", "mnist"])
def test_the_shards_of_a_repository(tmp_path: Path, below: str) -> None:
    rows = {
        "train-00000-of-00002": slice(0, 4),
        "train-00001-of-00002": slice(4, 7),
        "validation-00000-of-00001": slice(7, 9),
        "test-00000-of-00001-abcdef0123": slice(9, 12),
    }
    for name, part in rows.items():
        columns = {"image": _structs(GREYS[part]), "label": LABELS[part]}
        _write(tmp_path / below / f"{name}.parquet", columns, list("abcdefghij"))
    (tmp_path / "README.md").write_text("---\n")
    dataset = load(tmp_path)
    assert np.array_equal(dataset.images, GREYS)
    assert _spoken(dataset) == ["abcdefghij"[label] for label in LABELS]
    assert (dataset.n_official_train, dataset.n_official_val) == (7, 2)


def test_parts_in_folders_as_hugging_face_converts_them(tmp_path: Path) -> None:
    for name, part in {"train/0000": slice(0, 5), "train/0001": slice(5, 8)}.items():
        _write(
            tmp_path / f"{name}.parquet", {"image": _structs(GREYS[part]), "label": LABELS[part]}
        )
    _write(tmp_path / "test/0000.parquet", {"image": _structs(GREYS[8:]), "label": LABELS[8:]})
    dataset = load(tmp_path)
    assert np.array_equal(dataset.images, GREYS)
    assert dataset.n_official_train == 8


def test_a_test_part_without_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(tmp_path / "train.parquet", {"image": _structs(GREYS), "label": LABELS})
    _write(tmp_path / "test.parquet", {"image": _structs(GREYS), "label": [-1] * 12})
    dataset = load(tmp_path)
    assert (len(dataset), dataset.n_official_train) == (12, None)
    assert "test.parquet: has no labels" in capsys.readouterr().err
    with pytest.raises(DataError, match="its labels are all -1 or empty, which"):
        load(tmp_path / "test.parquet")


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_a_column_for_each_pixel(tmp_path: Path, dtype: type) -> None:
    pixels = GREYS.reshape(12, -1).astype(dtype)
    columns: dict[str, Any] = {f"pixel{i}": pixels[:, i] for i in range(30)}
    path = _write(tmp_path / "set.parquet", columns | {"class": [str(v) for v in LABELS]})
    dataset = load(path, size=(5, 6))
    assert np.array_equal(dataset.images, GREYS)
    assert dataset.class_names == ("2", "4", "9")


def test_images_of_several_sizes_are_resized_to_one(tmp_path: Path) -> None:
    images = [_png(GREYS[0]), _png(GREYS[1][:4])]
    path = _write(tmp_path / "set.parquet", {"image": images, "label": [0, 1]})
    with pytest.raises(DataError, match=r"row 2: is 4x6 where the first image is 5x6; give one"):
        load(path)
    assert load(path, size=(5, 6)).images.shape == (2, 5, 6)


def test_many_rows_are_read_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(parquet, "BYTES_AT_ONCE", 500)
    path = _write(tmp_path / "set.parquet", {"image": _structs(GREYS), "label": LABELS})
    assert np.array_equal(load(path).images, GREYS)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": [b"hello"], "label": [1]}, "row 1: not a readable image"),
        (
            {"image": [{"bytes": None, "path": "a.png"}], "label": [1]},
            "row 1: holds no bytes of an",
        ),
        ({"image": _structs(GREYS), "name": LABELS}, "no label column (label, class, target, y)"),
        ({"image": ["a.png"], "label": [1]}, "no column of images (bytes, or a struct of bytes"),
        ({"image": [_png(GREYS[0])] * 2, "label": [1, None]}, "row 2: the label is empty"),
        ({"image": [_png(GREYS[0])] * 2, "label": ["a", "NaN"]}, "row 2: the label is 'NaN'"),
        ({"image": [_png(GREYS[0])], "label": [[1, 2]]}, "not one label per image"),
        ({"p0": [1, None], "label": [1, 2]}, "row 2, column 'p0': the pixel is missing"),
        ({"p0": [1, 900], "label": [1, 2]}, "go from 1 to 900, where 0..255 or 0..1 is read"),
        ({"image": pl.Series([], dtype=pl.Binary), "label": []}, "holds no images"),
    ],
)
def test_defects(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    path = _write(tmp_path / "set.parquet", columns)
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_label_columns_are_named(tmp_path: Path) -> None:
    columns = {"image": _structs(GREYS), "fine_label": LABELS, "coarse_label": [1, 2] * 6}
    path = _write(tmp_path / "set.parquet", columns)
    assert load(path, label_column="coarse_label").class_names == ("1", "2")
    with pytest.raises(DataError, match="it has image, fine_label, coarse_label; name it with"):
        load(path)


def test_more_than_the_file_makes_plausible_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = [_png(np.zeros((400, 400), np.uint8))] * 200
    path = _write(tmp_path / "set.parquet", {"image": same, "label": [0] * 200})
    monkeypatch.setattr(content, "FLOOR_BYTES", 1000)
    monkeypatch.setattr(content, "MAX_RATIO", 2)
    with pytest.raises(DataError, match=r"unpacks to over .* bytes; refused"):
        load(path)
    path = _write(tmp_path / "set.parquet", {"p0": [0] * 9000, "label": [0] * 9000})
    with pytest.raises(DataError, match=r"claims 9000 rows in .* bytes; refused"):
        load(path)


@pytest.mark.parametrize("test", [{}, {"label": [None] * 12}], ids=["no column", "nulls"])
def test_a_test_part_without_a_label(
    tmp_path: Path, test: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path / "train.parquet", {"image": _structs(GREYS), "label": LABELS})
    _write(tmp_path / "test.parquet", {"image": _structs(GREYS), **test})
    dataset = load(tmp_path)
    assert (len(dataset), dataset.n_official_train) == (12, None)
    assert "test.parquet: has no labels: it is left out here" in capsys.readouterr().err


@pytest.mark.parametrize("further", [{"width": 28}, {"file": "a.png", "nr": 3}])
def test_columns_that_are_no_pixels_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], further: dict[str, object]
) -> None:
    pixels = np.arange(90).reshape(10, 9)
    frame = pl.DataFrame({f"pixel{i}": pixels[:, i] for i in range(9)})
    labels = pl.Series("label", np.arange(10) % 2)
    frame = frame.with_columns(labels, **{name: pl.lit(one) for name, one in further.items()})
    frame.write_parquet(tmp_path / "x.parquet")
    dataset = load(tmp_path / "x.parquet")
    assert dataset.images.reshape(10, 9).tolist() == pixels.tolist()
    named = ", ".join(map(repr, further))
    assert capsys.readouterr().err.count(f"no pixels, and left out: {named}") == 1
