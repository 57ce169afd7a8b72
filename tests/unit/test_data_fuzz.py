"""Damaged files of every format either load or raise DataError on one line, nothing else."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Sized
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mnistlab.data import load
from mnistlab.data.published.openml import parse as parse_arff
from mnistlab.data.readers.binary import hdf5, idx
from mnistlab.errors import DataError

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (4, 3, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 1, 2])


def _idx() -> bytes:
    return idx.to_bytes(IMAGES)


def _csv() -> bytes:
    rows = np.column_stack([LABELS, IMAGES.reshape(4, -1)])
    lines = [
        "label," + ",".join(f"pixel{i}" for i in range(9)),
        *(",".join(map(str, r)) for r in rows),
    ]
    return "\n".join(lines).encode()


def _named_csv() -> bytes:
    return (
        _csv()
        .replace(b"\n0,", b'\n"a coat",')
        .replace(b"\n1,", b"\nbag,")
        .replace(b"\n2,", b"\nhat,")
    )


def _npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, images=IMAGES, labels=LABELS, class_names=np.array(["a", "b", "c"]))
    return file.getvalue()


def _packed_npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, images=IMAGES, labels=LABELS)
    return file.getvalue()


def _image(kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.kron(IMAGES[0], np.ones((5, 5), np.uint8))).save(file, kind)
    return file.getvalue()


def _floats() -> bytes:
    rows = np.column_stack([LABELS, IMAGES.reshape(4, -1) / 255])
    file = io.StringIO()
    np.savetxt(file, rows, delimiter="\t", header="\t".join(["label", *"abcdefghi"]))
    return file.getvalue().encode()


def _parquet(encoded: bool) -> bytes:
    file = io.BytesIO()
    pixels = {f"pixel{i}": IMAGES.reshape(4, -1)[:, i] for i in range(9)}
    images = {"image": [{"bytes": _image("PNG"), "path": "a"}] * 4}
    columns: dict[str, object] = images if encoded else pixels
    pl.DataFrame(columns | {"label": LABELS}).write_parquet(file)
    return file.getvalue()


def _hdf5() -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as written:
        written.create_dataset("train/x", data=IMAGES, compression="gzip")
        written["train/y"] = [str(label) for label in LABELS]
    return file.getvalue()


# What a file is called, and what it holds while it is sound.
FORMATS: dict[str, tuple[str, bytes]] = {
    "idx": ("x-images-idx3-ubyte", _idx()),
    "idx.gz": ("x-images-idx3-ubyte.gz", gzip.compress(_idx())),
    "csv": ("x.csv", _csv()),
    "csv with class names": ("x.csv", _named_csv()),
    "csv.gz": ("x.csv.gz", gzip.compress(_csv())),
    "tsv of floats": ("x.tsv", _floats()),
    "csv with semicolons": ("x.csv", _named_csv().replace(b",", b";")),
    "csv with spaces": ("x.txt", _csv().replace(b",", b" ")),
    "csv without header": ("x.csv", _csv().partition(b"\n")[2]),
    "parquet": ("x.parquet", _parquet(encoded=True)),
    "parquet of pixels": ("x.parquet", _parquet(encoded=False)),
    "hdf5": ("x.h5", _hdf5()),
    "npz": ("x.npz", _npz()),
    "packed npz": ("x.npz", _packed_npz()),
    "png": ("a/1.png", _image("PNG")),
    "jpeg": ("a/1.jpg", _image("JPEG")),
    "gif": ("a/1.gif", _image("GIF")),
    "bmp": ("a/1.bmp", _image("BMP")),
    "webp": ("a/1.webp", _image("WEBP")),
}

mutations = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 10_000), st.integers(0, 255)),
        st.tuples(st.just("flip"), st.integers(0, 10_000), st.integers(0, 7)),
        st.tuples(st.just("cut"), st.integers(0, 10_000), st.integers(1, 40)),
        st.tuples(st.just("insert"), st.integers(0, 10_000), st.binary(min_size=1, max_size=9)),
        st.tuples(st.just("end"), st.integers(0, 10_000), st.none()),
    ),
    min_size=1,
    max_size=4,
)


def _mutate(raw: bytes, changes: list[tuple[str, int, object]]) -> bytes:
    changed = bytearray(raw)
    for kind, position, value in changes:
        i = position % max(len(changed), 1)
        if kind == "insert":
            changed[i:i] = value
        elif kind == "cut":
            del changed[i : i + value]
        elif kind == "end":
            del changed[i:]
        elif changed:
            changed[i] = value if kind == "set" else changed[i] ^ 1 << value
    return bytes(changed)


def _loads_or_says_why(read: Callable[[], Sized]) -> None:
    message = None
    try:
        assert len(read()) > 0
    except DataError as error:
        message = str(error)
    assert message is None or (message and "\n" not in message)


@pytest.mark.parametrize("format", FORMATS)
def test_sound_files_load(tmp_path: Path, format: str) -> None:
    name, raw = FORMATS[format]
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(raw)
    (tmp_path / "x-labels-idx1-ubyte").write_bytes(idx.to_bytes(LABELS.astype(np.uint8)))
    assert len(load(tmp_path if "/" in name else path)) in (1, 4)


@pytest.mark.parametrize("format", [format for format in FORMATS if format != "hdf5"])
@given(changes=mutations)
@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_damaged_files_load_or_raise_data_errors(
    tmp_path: Path, format: str, changes: list[tuple[str, int, object]]
) -> None:
    name, raw = FORMATS[format]
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(_mutate(raw, changes))
    (tmp_path / "x-labels-idx1-ubyte").write_bytes(idx.to_bytes(LABELS.astype(np.uint8)))
    _loads_or_says_why(lambda: load(tmp_path if "/" in name else path))


@given(changes=mutations)
@settings(
    deadline=None,
    max_examples=8,  # each is a process
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_damaged_hdf5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: list[tuple[str, int, object]]
) -> None:
    monkeypatch.setattr(hdf5, "LIMIT_S", 5.0)
    (tmp_path / "x.h5").write_bytes(_mutate(_hdf5(), changes))
    _loads_or_says_why(lambda: load(tmp_path / "x.h5"))


@given(changes=mutations)
@settings(deadline=None, max_examples=150)
def test_damaged_labels(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, int, object]]
) -> None:
    folder = tmp_path_factory.mktemp("labels")
    (folder / "x-images-idx3-ubyte").write_bytes(_idx())
    raw = idx.to_bytes(LABELS.astype(np.uint8))
    (folder / "x-labels-idx1-ubyte").write_bytes(_mutate(raw, changes))
    _loads_or_says_why(lambda: load(folder / "x-images-idx3-ubyte"))


@given(changes=mutations)
@settings(deadline=None, max_examples=150)
def test_damaged_arff(changes: list[tuple[str, int, object]]) -> None:
    header = "".join(f"@ATTRIBUTE pixel{i} real\n" for i in range(4))
    raw = f"@RELATION x\n{header}@ATTRIBUTE class {{0,1}}\n@DATA\n1,2,3,4,0\n5,6,7,8,1\n".encode()
    _loads_or_says_why(lambda: parse_arff(bytearray(_mutate(raw, changes)), "memory").labels)


@given(
    raw=st.binary(max_size=200),
    ending=st.sampled_from(["csv", "tsv", "npz", "csv.gz", "parquet", "dat"]),
)
@settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_noise_is_never_a_crash(tmp_path: Path, raw: bytes, ending: str) -> None:
    path = tmp_path / f"noise.{ending}"
    path.write_bytes(raw)
    _loads_or_says_why(lambda: load(path))
