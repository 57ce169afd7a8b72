"""ZIP archives of all that is read from folders; hostile ones; and that nothing of them is left."""

from __future__ import annotations

import io
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mnistlab.data import Dataset, large, load
from mnistlab.data.readers import archive, content
from mnistlab.data.readers.binary import idx
from mnistlab.errors import DataError

IMAGES = np.arange(200, 200 + 6 * 9, dtype=np.uint8).reshape(6, 3, 3)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where archives are unpacked; empty again after every test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def packed(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, raw in members.items():
            file.writestr(name, raw)
    return path


def class_folders(prefix: str = "") -> dict[str, bytes]:
    return {f"{prefix}{'ab'[i % 2]}/{i}.png": png(image) for i, image in enumerate(IMAGES)}


def csv_of(images: np.ndarray) -> bytes:
    names = ",".join(["label", *(f"pixel{i}" for i in range(9))])
    rows = [",".join(map(str, [i % 2, *image.ravel()])) for i, image in enumerate(images)]
    return "\n".join([names, *rows]).encode()


def npz_of(images: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, images=images, labels=np.arange(len(images)) % 2)
    return file.getvalue()


def idx_of(images: np.ndarray, name: str) -> dict[str, bytes]:
    labels = (np.arange(len(images)) % 2).astype(np.uint8)
    return {
        f"{name}-images-idx3-ubyte": idx.to_bytes(images),
        f"{name}-labels-idx1-ubyte": idx.to_bytes(labels),
    }


LAYOUTS: dict[str, dict[str, bytes]] = {
    "class folders": class_folders(),
    "in a folder": class_folders("shapes/"),
    "parts": class_folders("train/") | class_folders("test/"),
    "parts in a folder": class_folders("x/train/") | class_folders("x/val/"),
    "a table of labels": class_folders() | {"labels.csv": b"file,label\n0,c\n1,d\n"},
    "a table beside images": {f"x/images/{i}.png": png(image) for i, image in enumerate(IMAGES)}
    | {"x/labels.csv": b"id,label\n0,c\n1,d\n2,c\n3,d\n4,c\n5,d\n"},
    "from a Mac": class_folders("x/") | {"__MACOSX/x/a/._0.png": b"junk", "x/.DS_Store": b"junk"},
    "table": {"digits.csv": csv_of(IMAGES), "README.md": b"hello"},
    "NPZ in a folder": {"a/b/digits.npz": npz_of(IMAGES)},
    "tables of parts": {"x/train.csv": csv_of(IMAGES), "x/test.csv": csv_of(IMAGES[:2])},
    "IDX": idx_of(IMAGES, "train") | idx_of(IMAGES[:2], "t10k"),
}
INSIDE = {"table": "digits.csv", "NPZ in a folder": "a/b/digits.npz", "tables of parts": "x"}


@pytest.mark.parametrize("method", archive.METHODS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_archive_is_read_as_what_it_holds(tmp_path: Path, layout: str, method: int) -> None:
    path = packed(tmp_path / "Set.ZIP", LAYOUTS[layout], method)
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path / "unpacked")
    dataset, plain = load(path), load(tmp_path / "unpacked" / INSIDE.get(layout, ""))
    assert np.array_equal(dataset.images, plain.images)
    assert dataset.labels.tolist() == plain.labels.tolist()
    assert dataset.class_names == plain.class_names
    assert dataset.official_splits == plain.official_splits
    assert (dataset.name, dataset.provenance) == ("Set", str(path))
    assert dataset.source == {"name_or_path": str(path)}
    assert load(**dataset.source).fingerprint == dataset.fingerprint


def test_a_size_reaches_the_images(tmp_path: Path) -> None:
    assert load(packed(tmp_path / "x.zip", class_folders()), size=5).images.shape == (6, 5, 5)


def test_backslashes_are_folders(tmp_path: Path) -> None:
    """Written so by some programs on Windows."""
    path = packed(tmp_path / "x.zip", {n.replace("/", "_"): r for n, r in class_folders().items()})
    raw = path.read_bytes().replace(b"a_", b"a\\").replace(b"b_", b"b\\")
    path.write_bytes(raw)
    assert load(path).class_names == ("a", "b")


def test_images_too_many_for_memory_outlive_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setattr(large, "LARGE", 40)
    dataset = load(packed(tmp_path / "x.zip", LAYOUTS["IDX"]))
    assert np.array_equal(np.asarray(dataset.images), np.concatenate([IMAGES, IMAGES[:2]]))


def test_what_is_said_names_the_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = packed(tmp_path / "x.zip", class_folders() | {"a/notes.txt": b""})
    load(path)
    assert capsys.readouterr().err == f"note: {path}: left out: 1 file of other kinds (.txt)\n"
    packed(path, class_folders() | {"a/9.png": b"no image"})
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}/a/9.png: not a readable image: ")


def with_member(info: zipfile.ZipInfo, raw: bytes = b"x") -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as file:
            for name, image in class_folders().items():
                file.writestr(name, image)
            file.writestr(info, raw)

    return write


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


def twice(path: Path) -> None:
    packed(path, {"a/1.png": png(IMAGES[0]), "a/2.png": png(IMAGES[0])})
    path.write_bytes(path.read_bytes().replace(b"a/2.png", b"a/1.png"))


def encrypted(path: Path) -> None:
    packed(path, class_folders())
    raw = bytearray(path.read_bytes())
    for mark, place in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        at = raw.find(mark)
        raw[at + place] |= 1
    path.write_bytes(raw)


def with_a_long_table(path: Path) -> None:
    packed(path, class_folders())
    raw = bytearray(path.read_bytes())
    raw[-10:-6] = struct.pack("<L", archive.MAX_CONTENTS_BYTES + 1)
    path.write_bytes(raw)


def with_a_long_table_64(path: Path) -> None:
    packed(path, class_folders())
    raw = path.read_bytes()
    size = archive.MAX_CONTENTS_BYTES + 1
    record = struct.pack("<4sQ2H2L4Q", archive.END_64, 44, 45, 45, 0, 0, 6, 6, size, 0)
    locator = struct.pack("<4sLQL", archive.LOCATOR_64, 0, len(raw) - 22, 1)
    path.write_bytes(raw[:-22] + record + locator + raw[-22:])


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("x.csv", "w") as big:
        for _ in range(80):
            big.write(bytes(1 << 20))


def of_lzma(path: Path) -> None:
    packed(path, class_folders(), zipfile.ZIP_LZMA)


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "up": (with_member(zipfile.ZipInfo("../up.png")), "member '../up.png' leads out of it"),
    "up and down": (with_member(zipfile.ZipInfo("a/../../up.png")), "leads out of it; refused"),
    "absolute": (with_member(zipfile.ZipInfo("/tmp/up.png")), "leads out of it; refused"),
    "a drive": (with_member(zipfile.ZipInfo("C:/up.png")), "leads out of it; refused"),
    "windows": (with_member(zipfile.ZipInfo("..\\up.png")), "leads out of it; refused"),
    "deep": (with_member(zipfile.ZipInfo("d/" * 40 + "x.png")), "leads out of it; refused"),
    "a link": (with_member(link("a/x.png"), b"/etc/passwd"), "'a/x.png' is a link or device"),
    "twice": (twice, "holds '1.png' twice"),
    "a file and a folder": (with_member(zipfile.ZipInfo("a")), "cannot be unpacked: "),
    "a long name": (with_member(zipfile.ZipInfo("n" * 300 + ".png")), "cannot be unpacked: "),
    "encrypted": (encrypted, "is encrypted; unpack it and give the folder"),
    "many": (with_a_long_table, "holds too many files; unpack it"),
    "many, 64 bits": (with_a_long_table_64, "holds too many files; unpack it"),
    "a bomb": (bomb, "unpacks to 83886080 bytes, more than 67108864; refused"),
    "LZMA": (of_lzma, "packed by method 14; unpack it"),
    "no ZIP": (lambda path: path.write_bytes(b"hello"), "not a ZIP file"),
    "empty": (lambda path: path.write_bytes(b""), "not a ZIP file"),
    "nothing": (lambda path: packed(path, {}), "holds no class folders"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_archives(tmp_path: Path, kind: str) -> None:
    make, message = HOSTILE[kind]
    path = tmp_path / "in" / "x.zip"
    path.parent.mkdir()
    make(path)
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {f.name for f in tmp_path.iterdir()} <= {"in", "temporary"}


def test_more_than_is_unpacked_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MAX_CONTENT_BYTES", 300)
    with pytest.raises(DataError, match=r"unpacks to \d+ bytes, more than 300; refused"):
        load(packed(tmp_path / "x.zip", class_folders()))


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", fail)
    with pytest.raises(DataError, match=r"x\.zip: cannot be unpacked: No space left on device$"):
        load(packed(tmp_path / "x.zip", class_folders()))


def test_an_interruption_leaves_nothing(tmp_path: Path, temporary: Path) -> None:
    path = packed(tmp_path / "x.zip", class_folders())

    def interrupted() -> None:
        with archive.opened(path) as folder:
            assert len(list(folder.rglob("*.png"))) == 6
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("method", archive.METHODS)
@given(
    changes=st.lists(st.tuples(st.integers(0, 1 << 11), st.integers(0, 255)), max_size=4),
    end=st.none() | st.integers(0, 1 << 11),
)
@settings(
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_damaged_archives_load_or_say_why(
    tmp_path: Path, method: int, changes: list[tuple[int, int]], end: int | None
) -> None:
    path, message = packed(tmp_path / "x.zip", class_folders(), method), None
    raw = bytearray(path.read_bytes())
    for place, value in changes:
        raw[place % len(raw)] = value
    path.write_bytes(raw[:end])
    try:
        dataset = load(path)
        assert isinstance(dataset, Dataset)
    except DataError as error:
        message = str(error)
    assert message is None or (message.startswith(str(path)) and "\n" not in message)


def test_a_member_without_a_name_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.zip", class_folders())
    raw = path.read_bytes()
    where = raw.rindex(list(class_folders())[-1].encode())  # in the table of contents
    path.write_bytes(raw[:where] + b"\0" + raw[where + 1 :])  # at which zipfile cuts a name
    with pytest.raises(DataError, match=r"x.zip: holds a file without a name; refused"):
        load(path)
