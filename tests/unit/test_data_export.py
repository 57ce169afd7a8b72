"""What is exported is read back as the same arrays."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mnistlab import locks
from mnistlab.cli import run_command
from mnistlab.data import Dataset, export, export_files, exporting, load
from mnistlab.data.exported import RECORD
from mnistlab.data.readers.binary import idx
from mnistlab.errors import DataError

NAMES = ("coat", "bag", "a shoe")


def _dataset(n: int, height: int, width: int, n_official: int | None, seed: int = 0) -> Dataset:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (n, height, width), dtype=np.uint8)
    labels = random.integers(0, 3, n)
    labels[:3] = [2, 1, 0][: len(labels[:3])]
    return Dataset("made", images, labels, NAMES, n_official)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@st.composite
def _any_set(draw: st.DrawFn, format: str) -> Dataset:
    """A set in one, two or three parts whose classes all occur, called as the format can."""
    plain = st.text("abcde ,;\"'ßé日-_0123", min_size=1, max_size=6).map(str.strip).filter(bool)
    kinds = [
        st.lists(plain, min_size=1, max_size=5, unique=True),
        st.lists(st.integers(-9, 300).map(str), min_size=1, max_size=5, unique=True),
        st.integers(1, 5).map(lambda k: [str(i) for i in range(k)]),
    ]
    names = draw(st.one_of(kinds))
    if format == "csv":  # labels of a table that all are whole numbers are no texts
        assume(exporting._read_as_others(tuple(names)) == [])
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))
    n, shape = sum(sizes) + len(names), (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = np.concatenate([np.arange(len(names)), random.integers(0, len(names), sum(sizes))])
    return Dataset(
        "made",
        random.integers(0, 256, (n, *shape), dtype=np.uint8),
        random.permutation(labels),
        tuple(names),
        sizes[0] if len(sizes) > 1 else None,
        n_official_val=sizes[1] if len(sizes) == 3 else 0,
    )


@pytest.mark.parametrize("format", ["csv", "npz", "idx"])
@given(data=st.data(), rows_at_once=st.sampled_from([1, 7, 4096]))
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_reading_gives_back_what_was_written(
    tmp_path: Path, format: str, data: st.DataObject, rows_at_once: int
) -> None:
    dataset = data.draw(_any_set(format))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_files, "ROWS_AT_ONCE", rows_at_once)
        files = export(dataset, tmp_path, format)
    assert _names(tmp_path) == sorted([*(path.name for path in files), RECORD])
    found = load(tmp_path, size=dataset.images.shape[1:])
    assert found.fingerprint == dataset.fingerprint  # images, labels and names
    assert found.official_splits == dataset.official_splits


def test_the_columns_of_a_csv(tmp_path: Path) -> None:
    dataset = _dataset(5, 2, 2, 4)
    assert export(dataset, tmp_path / "new") == [
        tmp_path / "new" / f"{p}.csv" for p in ("train", "test", "evaluate")
    ]
    with (tmp_path / "new" / "test.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["pix1", "pix2", "pix3", "pix4", "label"]
    pixels = [str(value) for value in dataset.images[4].ravel()]
    assert rows[1] == [*pixels, NAMES[dataset.labels[4]]]
    assert len(rows) == 2
    with (tmp_path / "new" / "evaluate.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["ID", "pix1", "pix2", "pix3", "pix4"]
    assert [int(cell) for cell in rows[1]] == [0, *dataset.images[4].ravel()]
    assert len(rows) == 2


def test_a_fraction_is_drawn_as_the_test_part(tmp_path: Path) -> None:
    """Write-up C's files: three quarters with labels, the rest without."""
    dataset = _dataset(40, 2, 2, 30)
    export(dataset, tmp_path, hold_out=0.25)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    train, test = load(tmp_path / "train.csv"), load(tmp_path / "test.csv")
    assert (len(train), len(test)) == (30, 10)
    drawn = np.concatenate([train.images, test.images]).reshape(40, -1)
    assert not np.array_equal(drawn, dataset.images.reshape(40, -1))
    assert sorted(map(tuple, drawn)) == sorted(map(tuple, dataset.images.reshape(40, -1)))
    for fraction in (0.0, 0.01, 1.0, -1.0, 0.999, np.nan, np.inf, -np.inf, 1e300):
        with pytest.raises(DataError, match="hold-out must be a fraction"):
            export(dataset, tmp_path, hold_out=fraction)
    with pytest.raises(DataError, match="hold-out must be a fraction"):
        export(dataset, tmp_path, split="official", hold_out=0.25)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(("size", "top", "left"), [(7, 2, 1), ((4, 5), 1, 0)])
def test_padding_is_black_and_central(
    tmp_path: Path, size: int | tuple[int, int], top: int, left: int
) -> None:
    dataset = _dataset(3, 2, 4, None)
    export(dataset, tmp_path, "npz", size=size)
    found = load(tmp_path / "train.npz").images
    assert found.shape[1:] == ((7, 7) if size == 7 else size)
    assert np.array_equal(found[:, top : top + 2, left : left + 4], dataset.images)
    assert found.sum() == dataset.images.sum()


@pytest.mark.parametrize("size", [(1, 9), (9, 3), 1])
def test_images_are_never_cut(tmp_path: Path, size: int | tuple[int, int]) -> None:
    with pytest.raises(DataError, match="made: images of 2x4 do not fit into "):
        export(_dataset(3, 2, 4, None), tmp_path, size=size)
    assert list(tmp_path.iterdir()) == []


def test_a_split_gives_three_parts_and_replaces_the_old_ones(tmp_path: Path) -> None:
    dataset = _dataset(120, 3, 3, 100)
    export(dataset, tmp_path, split="stratified-70-15-15")
    assert _names(tmp_path) == ["evaluate.csv", RECORD, "test.csv", "train.csv", "val.csv"]
    found = load(tmp_path)
    assert (found.n_official_train, found.n_official_val, len(found)) == (84, 18, 120)
    export(dataset, tmp_path)
    assert _names(tmp_path) == ["evaluate.csv", RECORD, "test.csv", "train.csv"]
    assert np.array_equal(load(tmp_path).images, dataset.images)
    export(dataset.take(slice(50)), tmp_path, "npz")  # also of another format
    assert _names(tmp_path) == [RECORD, "train.npz"]
    assert np.array_equal(load(tmp_path).images, dataset.images[:50])


def test_parts_that_do_not_fit_together(tmp_path: Path) -> None:
    export(_dataset(5, 2, 2, 4), tmp_path, "npz")
    np.savez(tmp_path / "test.npz", images=np.zeros((1, 3, 3), np.uint8), labels=np.array([0]))
    with pytest.raises(DataError, match=r"test\.npz: images: its images are 3x3, those of"):
        load(tmp_path)


def test_class_names_of_parts_are_joined(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("label,a\nshoe,1\nbag,2\n")
    (tmp_path / "test.csv").write_text("label,a\ncoat,3\nshoe,4\n")
    dataset = load(tmp_path)
    assert dataset.class_names == ("bag", "coat", "shoe")
    assert dataset.labels.tolist() == [2, 0, 1, 2]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    dataset = _dataset(3, 2, 2, None)
    with pytest.raises(DataError, match="unknown format 'parquet'; there are: csv, npz, idx"):
        export(dataset, tmp_path, "parquet")
    with pytest.raises(DataError, match="unknown split 'half'"):
        export(dataset, tmp_path, split="half")
    many = Dataset("many", *_one_of_each(257), tuple(map(str, range(257))))
    with pytest.raises(DataError, match="many: 257 classes do not fit"):
        export(many, tmp_path, "idx")
    assert list(tmp_path.iterdir()) == []


def _one_of_each(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((n, 1, 1), np.uint8), np.arange(n)


# Labels speak the user's words


def test_the_labels_of_a_table_are_the_names_of_the_classes(tmp_path: Path) -> None:
    for names in (("shoe", "bag"), ("7", "-2"), ("10", "9")):
        export(Dataset("few", *_one_of_each(2), names), tmp_path)
        with (tmp_path / "train.csv").open(newline="") as file:
            rows = list(csv.reader(file))
        assert [row[1] for row in rows] == ["label", *names]


@pytest.mark.parametrize(
    ("names", "written"),
    [(("0", "1"), [0, 1]), (("7", "255"), [7, 255]), (("7", "256"), [0, 1]), (("b", "a"), [0, 1])],
)
def test_the_labels_of_idx_are_the_integers_of_the_classes_where_these_are_bytes(
    tmp_path: Path, names: tuple[str, ...], written: list[int]
) -> None:
    export(Dataset("few", *_one_of_each(2), names), tmp_path, "idx")
    packed = (tmp_path / "train-labels-idx1-ubyte.gz").read_bytes()
    assert list(gzip.decompress(packed)[8:]) == written
    assert load(tmp_path).class_names == names


def test_names_are_not_given_to_labels_that_were_changed_since(tmp_path: Path) -> None:
    export(Dataset("few", *_one_of_each(2), ("b", "a")), tmp_path, "idx")
    other = gzip.compress(idx.to_bytes(np.array([1, 1], np.uint8)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(other)
    assert load(tmp_path).class_names == ("1",)


def test_classes_without_images_are_left_out(tmp_path: Path) -> None:
    dataset = Dataset("few", *_one_of_each(2), ("a", "b", "nan"))
    for format in ("csv", "npz", "idx"):
        export(dataset, tmp_path, format)
        assert load(tmp_path).class_names == ("a", "b")


@pytest.mark.parametrize("name", ["nan", " a", "a\nb", "a\rb", "a\0b", "\udcff"])
def test_names_that_a_table_cannot_hold_are_refused(tmp_path: Path, name: str) -> None:
    dataset = Dataset("few", *_one_of_each(2), ("x", name))
    with pytest.raises(DataError, match=r"a table cannot hold the class name .*--format npz"):
        export(dataset, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("names", [("01", "2"), ("1.0", "2")])
@pytest.mark.parametrize("format", ["csv", "npz"])
def test_names_that_a_table_reads_as_other_numbers_are_restored(
    tmp_path: Path, names: tuple[str, ...], format: str
) -> None:
    export(Dataset("few", *_one_of_each(2), names), tmp_path, format)
    assert load(tmp_path).class_names == names


# Nothing of the user's is replaced


@pytest.mark.parametrize(
    ("own", "format"),
    [
        ("train.csv", "csv"),
        ("val.csv", "csv"),
        ("test.csv", "csv"),
        ("Validation.csv", "csv"),
        ("train.csv", "npz"),
        ("test.npz", "npz"),
        ("t10k-images-idx3-ubyte", "idx"),
        ("t10k-labels-idx1-ubyte.gz", "csv"),
        ("train/a/1.png", "csv"),
        (RECORD, "csv"),
    ],
)
def test_files_of_other_origin_are_in_the_way(tmp_path: Path, own: str, format: str) -> None:
    (tmp_path / own).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / own).write_text("my own")
    with pytest.raises(DataError) as caught:
        export(_dataset(5, 2, 2, None), tmp_path, format)
    assert str(tmp_path / own.split("/")[0]) in str(caught.value)
    assert "choose another folder" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (tmp_path / own).read_text() == "my own"
    assert _names(tmp_path) == [own.split("/")[0]]


def test_files_that_are_in_nobodys_way_stay(tmp_path: Path) -> None:
    own = ("README.md", "training.log", "evaluate.csv", "a/1.png", ".hidden", "tested.csv")
    for name in own:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("my own")
    dataset = _dataset(5, 2, 2, None)
    for _ in range(2):
        export(dataset, tmp_path)
    assert all((tmp_path / name).read_text() == "my own" for name in own)
    assert np.array_equal(load(tmp_path).images, dataset.images)
    with pytest.raises(DataError, match=r"evaluate\.csv: is there already and was not written by"):
        export(_dataset(5, 2, 2, 4), tmp_path)


@pytest.mark.parametrize("how", ["other", "longer", "link"])
def test_a_file_that_was_changed_since_is_not_replaced(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "folder"
    export(_dataset(5, 2, 2, 4), folder)
    path = folder / "test.csv"
    content = path.read_bytes()
    changed = content.replace(b"pix1", b"pix0") if how == "other" else content + b"1,2,3,4,bag\n"
    if how == "link":
        changed = content
        path.rename(tmp_path / "elsewhere.csv")
        path.symlink_to(tmp_path / "elsewhere.csv")
    path.write_bytes(changed)
    with pytest.raises(DataError, match=r"test\.csv: is there already and was changed since"):
        export(_dataset(9, 2, 2, None), folder)
    assert path.read_bytes() == changed
    assert len(load(folder)) == (6 if how == "longer" else 5)
    path.unlink()
    export(_dataset(9, 2, 2, None), folder)
    assert len(load(folder)) == 9
    assert not (tmp_path / "elsewhere.csv").exists() or how == "link"


def test_a_part_of_an_export_does_not_replace_the_whole(tmp_path: Path) -> None:
    dataset = _dataset(9, 2, 2, 6)
    export(dataset, tmp_path)
    with pytest.raises(DataError, match=r"holds test\.csv, which is exported; choose another"):
        export(load(tmp_path / "test.csv"), tmp_path)
    assert load(tmp_path).fingerprint == dataset.fingerprint
    export(load(tmp_path), tmp_path, "npz", size=4)  # the whole may
    assert load(tmp_path).official_splits == dataset.official_splits
    assert load(tmp_path).images.sum() == dataset.images.sum()


def test_the_same_set_gives_the_same_files(tmp_path: Path) -> None:
    for format in ("csv", "npz", "idx"):
        written = []
        for folder in (tmp_path / "a" / format, tmp_path / "b" / format):
            export(_dataset(9, 2, 2, 6), folder, format)
            written.append({path.name: path.read_bytes() for path in folder.iterdir()})
        assert written[0] == written[1]


def test_modes_of_the_earlier_files_are_kept(tmp_path: Path) -> None:
    export(_dataset(5, 2, 2, None), tmp_path)
    (tmp_path / "train.csv").chmod(0o640)
    export(_dataset(9, 2, 2, None), tmp_path)
    assert stat.S_IMODE((tmp_path / "train.csv").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record | {"files": [{"name": "../mine.csv", "size": 1, "sha256": "0"}]},
        lambda record: record | {"files": 3},
        lambda record: {key: value for key, value in record.items() if key != "is_whole"},
        lambda record: [record],
    ],
)
def test_a_damaged_record_is_one_line(tmp_path: Path, change: object) -> None:
    folder = tmp_path / "folder"
    export(_dataset(5, 2, 2, None), folder)
    (tmp_path / "mine.csv").write_text("m")
    (folder / RECORD).write_text(json.dumps(change(json.loads((folder / RECORD).read_text()))))  # type: ignore[operator]
    for act in (lambda: export(_dataset(9, 2, 2, None), folder), lambda: load(folder)):
        with pytest.raises(DataError, match=RECORD) as caught:
            act()
        assert "\n" not in str(caught.value)
    assert (tmp_path / "mine.csv").read_text() == "m"


# Whole or not at all

KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from mnistlab.data import export, load

out, format = Path(sys.argv[1]), sys.argv[2]
old = load("digits")
new = old.take(slice(600, 1200))
calls = 0


def dying(function):
    def counted(*arguments, **named):
        global calls
        calls += 1
        if calls == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return counted


def in_child(work):
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def dies():
    for name in ("replace", "unlink", "rename"):
        setattr(Path, name, dying(getattr(Path, name)))
    shutil.rmtree = dying(shutil.rmtree)
    export(new, out / "folder", format)


moment, is_over = 0, False
assert in_child(lambda: export(old, out / "before", format, hold_out=0.2))
while not is_over:
    moment += 1
    shutil.rmtree(out / "folder", ignore_errors=True)
    shutil.copytree(out / "before", out / "folder")
    is_over = in_child(dies)
    shutil.copytree(out / "folder", out / f"killed-{moment}")
    assert in_child(lambda: export(new, out / "folder", format))
    shutil.copytree(out / "folder", out / f"again-{moment}")
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
# Of csv every child would load polars.
@pytest.mark.slow
@pytest.mark.parametrize("format", ["npz", "idx"])
def test_killed_at_any_step_an_export_leaves_the_old_the_new_or_nothing_to_load(
    tmp_path: Path, format: str
) -> None:
    """Killed before every change of a name in turn; the same export then makes it whole."""
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), format], check=True)
    old = load(tmp_path / "before").fingerprint
    digits = load("digits")
    new = digits.take(slice(600, 1200)).fingerprint
    found: list[str] = []
    refusals: set[str] = set()
    killed = sorted(tmp_path.glob("killed-*"), key=lambda path: int(path.name.split("-")[1]))
    for folder in killed:
        try:
            found.append({old: "old", new: "new"}[load(folder).fingerprint])
        except DataError as error:
            refusals.add(str(error).partition(": ")[2].partition(": ")[0])
            found.append("refused")
    assert refusals == {"its export was interrupted; run it again"}
    n_refused = found.count("refused")
    n_old = found.count("old")
    # In this order, none of them missing: the last one was not killed.
    assert found == ["old"] * n_old + ["refused"] * n_refused + ["new"] * (
        len(found) - n_old - n_refused
    )
    assert n_old >= 2
    assert n_refused >= 3
    assert found[-1] == "new"
    for folder in tmp_path.glob("again-*"):
        assert load(folder).fingerprint == new
        assert not [name for name in _names(folder) if name.startswith(".")]


def test_files_of_an_interrupted_export_are_refused_one_by_one_too(tmp_path: Path) -> None:
    export(_dataset(5, 2, 2, None), tmp_path, "idx")
    record = json.loads((tmp_path / RECORD).read_text())
    (tmp_path / RECORD).write_text(json.dumps(record | {"is_whole": False}))
    for path in (tmp_path, tmp_path / "train-images-idx3-ubyte.gz"):
        with pytest.raises(DataError, match="export was interrupted; run it again"):
            load(path)
    export(_dataset(5, 2, 2, None), tmp_path, "idx")
    assert len(load(tmp_path)) == 5


def test_an_export_that_fails_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(_dataset(5, 2, 2, 4), tmp_path / "folder")
    before = {path.name: path.read_bytes() for path in (tmp_path / "folder").iterdir()}

    def full(*_: object) -> list[Path]:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(exporting.WRITERS, "csv", full)
    for folder in ("folder", "new/folder"):
        with pytest.raises(DataError, match="cannot be written into: No space left on device"):
            export(_dataset(9, 2, 2, None), tmp_path / folder)
    assert {path.name: path.read_bytes() for path in (tmp_path / "folder").iterdir()} == before
    assert _names(tmp_path) == ["folder"]


def test_two_exports_into_a_folder_do_not_mix(tmp_path: Path) -> None:
    with (
        locks.claimed(tmp_path / exporting.ASIDE),
        pytest.raises(DataError, match="another process is exporting into it"),
    ):
        export(_dataset(5, 2, 2, 4), tmp_path)


def test_what_lies_behind_a_link_is_not_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("my own")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / exporting.ASIDE).symlink_to(tmp_path / "mine")
    with pytest.raises(DataError, match="is a link, where an export writes"):
        export(_dataset(5, 2, 2, 4), tmp_path / "folder")
    assert (tmp_path / "mine" / "file").read_text() == "my own"


# Bounds


@pytest.mark.parametrize(
    ("size", "format", "message"),
    [
        (100_000, "csv", "size 100000x100000: a side may be at most 4096"),
        ((2, 10**12), "npz", "a side may be at most 4096"),
        (4096, "csv", "too many for a row of a table; --format npz"),
        (4096, "npz", "choose a smaller size"),
        (4096, "idx", "choose a smaller size"),
    ],
)
def test_sizes_that_are_absurd_are_refused_before_anything_is_written(
    tmp_path: Path, size: int, format: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        export(_dataset(200, 2, 2, None), tmp_path / "new", format, size=size)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["npz", "idx"])
def test_what_packs_like_a_bomb_is_refused_since_it_could_not_be_read_back(
    tmp_path: Path, format: str
) -> None:
    dataset = _dataset(80, 2, 2, None)
    with pytest.raises(DataError, match="pads so much that it could not be read back"):
        export(dataset, tmp_path / "new", format, size=1024)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_does_not_fit_on_the_disk_is_refused_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = exporting.shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(exporting.shutil, "disk_usage", lambda folder: free)
    with pytest.raises(DataError, match="does not fit on its disk"):
        export(_dataset(20, 2, 2, None), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_noticed_before_a_set_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import mnistlab.data

    monkeypatch.setattr(mnistlab.data, "load", lambda *_, **__: pytest.fail("loads"))
    (tmp_path / "file").write_text("my own")
    for out in (tmp_path / "file", tmp_path / "file" / "folder"):
        assert run_command(["data", "export", "mnist", "-o", str(out)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "is not a folder" in line


@pytest.mark.parametrize("format", ["csv", "npz", "idx"])
def test_other_programs_read_it(tmp_path: Path, format: str) -> None:
    import polars as pl

    dataset = _dataset(20, 3, 4, 12)
    export(dataset, tmp_path, format, size=(5, 6))
    padded = np.pad(dataset.images, ((0, 0), (1, 1), (1, 1)))
    for part, places in (("train", slice(12)), ("test", slice(12, None))):
        images, labels = padded[places], dataset.labels[places]
        if format == "csv":
            frame = pl.read_csv(tmp_path / f"{part}.csv")
            assert frame["label"].to_list() == [NAMES[label] for label in labels]
            assert np.array_equal(frame.drop("label").to_numpy(), images.reshape(len(images), -1))
        elif format == "npz":
            with np.load(tmp_path / f"{part}.npz") as arrays:
                assert np.array_equal(arrays["images"], images)
                assert np.array_equal(arrays["labels"], labels)
                assert arrays["class_names"].tolist() == list(NAMES)
        else:
            stem = "t10k" if part == "test" else part
            raw = gzip.decompress((tmp_path / f"{stem}-images-idx3-ubyte.gz").read_bytes())
            assert raw[4:16] == b"".join(n.to_bytes(4, "big") for n in (len(images), 5, 6))
            assert raw[16:] == images.tobytes()
    for file in json.loads((tmp_path / RECORD).read_text())["files"]:
        content = (tmp_path / file["name"]).read_bytes()
        assert (file["size"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
