"""What `predict` takes besides a table: NPZ, IDX, images and folders, sound or hostile."""

from __future__ import annotations

import csv
import gc
import gzip
import io
import itertools
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset, load
from mnistlab.data.readers import content, unlabelled
from mnistlab.data.readers.binary import idx
from mnistlab.data.readers.tables import csv_blocks
from mnistlab.errors import DataError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Run, predict, predicting, train

RECIPE = Recipe("small", "C19", "mlp", (Phase("adam", 0.01, 2),))
SIDE = 12


@pytest.fixture(scope="module")
def run(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Trained on arrays, so no size was said."""
    return train(RECIPE, stripes, out=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def photos(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder a class; colour, transparency, palettes and sizes as they come."""
    root, images = tmp_path_factory.mktemp("photos"), stripes.images
    modes, endings = ("L", "RGB", "RGBA", "P", "LA"), (".png", ".PNG", ".webp", ".gif")
    for i, label in enumerate(stripes.labels[:160]):
        times = 1 + i % 3
        mode = "L" if i % 4 == 3 else modes[i % 5]
        image = Image.fromarray(np.kron(images[i], np.ones((times, times), np.uint8)))
        path = root / stripes.class_names[label] / f"{i}{endings[i % 4]}"
        path.parent.mkdir(exist_ok=True)
        image.convert(mode).save(path, **({"lossless": True} if i % 4 == 2 else {}))
    return root


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def tiff(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "TIFF")
    return file.getvalue()


def table_of(path: Path) -> tuple[list[str], dict[str, list[str]]]:
    """The heading and, by ID, the other cells of each row."""
    with path.open(newline="", encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    cells = {name: rest for name, *rest in rows}
    assert len(cells) == len(rows)
    return heading, cells


def expected(run: Run, images: np.ndarray) -> list[str]:
    return [run.data["class_names"][code] for code in run.classifier().predict(images)]


def test_a_folder_meets_what_training_met(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = load(photos, size=SIDE)
    run, results = train(RECIPE, dataset, out=tmp_path / "runs"), tmp_path / "results.csv"
    arguments = ["predict", str(run.path), str(photos), "-o", str(results), "--probabilities"]
    assert run_command([*arguments, "--json"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert json.loads(last) == {"n_images": 160, "path": str(results)}
    heading, rows = table_of(results)
    assert heading == ["ID", "label", "p_a", "p_b", "p_c", "p_d"]
    files = [f for name in "abcd" for f in sorted((photos / name).iterdir(), key=lambda f: f.name)]
    ids = [file.relative_to(photos).as_posix() for file in files]
    assert list(rows) == sorted(ids)
    labels = expected(run, dataset.images)
    assert len(set(labels)) > 1
    assert [rows[name][0] for name in ids] == labels
    p = np.array([rows[name][1:] for name in ids], dtype=float)
    np.testing.assert_allclose(p, run.classifier().predict_proba(dataset.images), atol=2e-6)
    for name, file in list(zip(ids, files, strict=True))[::40]:  # and so does each image alone
        assert predict(run, file, results) == 1
        assert table_of(results) == (["ID", "label"], {file.name: rows[name][:1]})


def test_another_size_needs_to_be_said_as_in_training(
    run: Run, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.csv"
    arguments = ["predict", str(run.path), str(photos / "a"), "-o", str(results)]
    assert run_command(arguments) == 2
    assert (
        "where the images trained on are 12x12; give one size for all (--size 12x12)"
        in capsys.readouterr().err
    )
    assert not results.exists()
    assert run_command([*arguments, "--size", "24"]) == 2
    assert f"size 24x24: {run.path} was trained on images of 12x12" in capsys.readouterr().err
    assert run_command([*arguments, "--size", "12"]) == 0
    files = sorted((photos / "a").iterdir(), key=lambda file: file.name)
    images = load(photos, size=SIDE).images[: len(files)]
    _, rows = table_of(results)
    assert rows == {f.name: [y] for f, y in zip(files, expected(run, images), strict=True)}


@pytest.mark.parametrize("key", ["images", "x", "X"])
@pytest.mark.parametrize("shape", [(SIDE, SIDE), (SIDE, SIDE, 1), (SIDE * SIDE,)])
def test_an_npz_without_labels(
    run: Run, stripes: Dataset, tmp_path: Path, key: str, shape: tuple[int, ...]
) -> None:
    images = stripes.images[:30]
    np.savez(tmp_path / "new.npz", **{key: images.reshape(30, *shape)})
    assert predict(run, tmp_path / "new.npz", tmp_path / "results.csv") == 30
    labels = expected(run, images)
    assert table_of(tmp_path / "results.csv") == (
        ["ID", "label"],
        {str(i): [label] for i, label in enumerate(labels)},
    )


@pytest.mark.parametrize(
    ("images", "labels"),
    [(["images"], ["labels"]), (["X"], ["y"]), (["x_train", "x_test"], ["y_train", "y_test"])],
)
def test_an_npz_with_labels_gives_the_images_it_gives_to_training(
    tmp_path: Path, images: list[str], labels: list[str]
) -> None:
    arrays = {key: np.full((5, 3, 3), i, np.uint8) for i, key in enumerate(images)}
    arrays |= {key: np.arange(5) for key in labels}
    # Images that have no labels do not count where others have them.
    np.savez(tmp_path / "a.npz", **{"images": np.zeros((1, 9, 9), np.uint8)} | arrays)
    (block,) = unlabelled.open_images(tmp_path / "a.npz", (3, 3)).blocks
    assert np.array_equal(block.images, load(tmp_path / "a.npz").images)


@pytest.mark.parametrize("format", ["csv", "npz", "idx"])
def test_whatever_is_exported_is_named_alike(
    run: Run, stripes: Dataset, tmp_path: Path, format: str
) -> None:
    written = ml.export(stripes, tmp_path, format=format)
    (path,) = (
        f for f in written if f.name in ("evaluate.csv", "test.npz", "t10k-images-idx3-ubyte.gz")
    )
    assert run_command(["predict", str(run.path), str(path), "-o", str(tmp_path / "r.csv")]) == 0
    labels = expected(run, stripes.images[480:])
    assert table_of(tmp_path / "r.csv")[1] == {str(i): [y] for i, y in enumerate(labels)}


def table(images: np.ndarray, delimiter: str = ",", **columns: list[str]) -> bytes:
    """Pixels, and other columns before them; "last" stands for a label column at the end."""
    heads, rows = [*columns], [list(row) for row in zip(*columns.values(), strict=True)]
    rows = rows or [[] for _ in images]
    for row, image in zip(rows, images, strict=True):
        row += map(str, image.ravel())
    heads += [f"pixel{i}" for i in range(images[0].size)]
    return "\n".join(delimiter.join(row) for row in [heads, *rows]).encode()


def hdf5(path: Path, images: np.ndarray) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file["images"] = images


def parquet(path: Path, images: np.ndarray) -> None:
    cells = [{"bytes": png(image), "path": None} for image in images]
    pl.DataFrame({"image": cells}).write_parquet(path)


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return file.getvalue()


def kinds_of(images: np.ndarray) -> dict[str, tuple[bytes | Callable[..., None], list[str]]]:
    """By the name of a file: what it holds of the images, and how they are called."""
    n = len(images)
    from_0, from_1 = [str(i) for i in range(n)], [str(i) for i in range(1, n + 1)]
    labels, ids = [str(i % 2) for i in range(n)], [f"i{i}" for i in range(n)]
    named = {f"x/{i}.png": png(image) for i, image in enumerate(images)}
    return {
        "test.csv": (table(images), from_1),
        "labelled.csv": (table(images, label=labels), from_1),
        "ids.csv": (table(images, Id=ids), ids),
        "both.csv": (table(images, label=labels, id=ids), ids),
        "both.tsv": (table(images, "\t", id=ids, label=labels), ids),
        "semicolons.csv": (table(images, ";"), from_1),
        "packed.csv.gz": (gzip.compress(table(images)), from_1),
        "no-header.csv": (table(images).partition(b"\n")[2], from_1),
        "no-ending": (table(images, id=ids), ids),
        "x.parquet": (parquet, from_0),
        "x.h5": (hdf5, from_0),
        "folders.zip": (zipped(named), sorted(named)),
        "table.zip": (zipped({"a/test.csv": table(images), "README.txt": b"hello"}), from_1),
        "ids.zip": (zipped({"test.csv": table(images, id=ids)}), ids),
        "x.zip": (zipped({"x.npz": npz(images=images)}), from_0),
        "idx.zip": (zipped({"t10k-images-idx3-ubyte": idx.to_bytes(images)}), from_0),
    }


@pytest.mark.parametrize("name", kinds_of(np.zeros((2, 12, 12), np.uint8)))
def test_every_kind_of_file_is_read_with_its_ids(
    stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    images = stripes.images[:25]
    raw, ids = kinds_of(images)[name]
    (tmp_path / name).write_bytes(raw) if isinstance(raw, bytes) else raw(tmp_path / name, images)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 4000)
    monkeypatch.setattr(unlabelled, "BLOCK_PIXELS", 7 * SIDE * SIDE)
    opened = unlabelled.open_images(tmp_path / name, (SIDE, SIDE))
    blocks = list(opened.blocks)
    assert len(blocks) > 1
    assert [i for block in blocks for i in block.ids] == ids
    assert opened.id_name == ("ID" if ids[0] in ("0", "1", "x/0.png") else opened.id_name)
    found = {i: image for block in blocks for i, image in zip(block.ids, block.images, strict=True)}
    order = [int(i.removeprefix("x/").removesuffix(".png").removeprefix("i")) for i in ids]
    order = [i - 1 for i in order] if ids[0] == "1" else order
    assert all(np.array_equal(found[i], images[k]) for i, k in zip(ids, order, strict=True))
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("wanted", [0, 1])
def test_an_archive_is_gone_however_far_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: int
) -> None:
    (tmp_path / "x.zip").write_bytes(zipped({f"{i}.png": PNG for i in range(3)}))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(unlabelled, "BLOCK_PIXELS", 1)
    opened = unlabelled.open_images(tmp_path / "x.zip", (SIDE, SIDE))
    assert len(list((tmp_path / "temporary").iterdir())) == 1
    assert len(list(itertools.islice(opened.blocks, wanted))) == wanted
    del opened
    gc.collect()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_folder_of_one_file_of_data_is_that_file(stripes: Dataset, tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_bytes(table(stripes.images[:4]))
    (tmp_path / "readme.txt").write_text("hello")
    blocks = [block.images for block in unlabelled.open_images(tmp_path, (SIDE, SIDE)).blocks]
    assert np.array_equal(np.concatenate(blocks), stripes.images[:4])


def photos_of_all_kinds(root: Path) -> dict[str, bytes]:
    """By their path: strokes on nothing, turned, packed, in 16 bits and as floats."""
    grey = np.kron(IMAGES[0, :6, :6], np.ones((2, 2), np.uint8))
    clear = np.dstack([np.zeros_like(grey)] * 3 + [grey])
    turned = Image.Exif()
    turned[0x0112] = 6
    options: dict[str, tuple[np.ndarray, dict[str, object]]] = {
        "a/clear.png": (clear, {}),
        "a/turned.jpg": (grey, {"exif": turned}),
        "a/deep.png": (grey.astype(np.uint16) * 257, {}),
        "b/x.tif": (grey, {"compression": "tiff_lzw"}),
        "b/float.tiff": (grey.astype(np.float32), {}),
        "b/x.pgm": (grey, {}),
        "b/x.jfif": (grey, {"format": "JPEG"}),
    }
    for name, (pixels, how) in options.items():
        (root / name).parent.mkdir(exist_ok=True, parents=True)
        Image.fromarray(pixels).save(root / name, **how)
    return {name: (root / name).read_bytes() for name in sorted(options)}


def test_image_files_of_all_kinds_meet_what_training_met(tmp_path: Path) -> None:
    names = photos_of_all_kinds(tmp_path / "set")
    dataset = load(tmp_path / "set")
    (block,) = unlabelled.open_images(tmp_path / "set", (SIDE, SIDE)).blocks
    assert block.ids == list(names)
    assert np.array_equal(block.images, dataset.images)
    for name, image in zip(names, dataset.images, strict=True):
        (alone,) = unlabelled.open_images(tmp_path / "set" / name, (SIDE, SIDE)).blocks
        assert np.array_equal(alone.images[0], image)


def test_what_a_folder_has_besides_is_counted(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = photos_of_all_kinds(tmp_path / "set")
    (tmp_path / "set" / "x.heic").write_bytes(b"")
    assert predict(run, tmp_path / "set", tmp_path / "r.csv") == len(names)
    left = "1 file of other kinds (.heic; convert .heic to JPEG)"
    deep = "1 image of 16 bits a pixel: divided by 257"
    said = capsys.readouterr().err
    assert f"note: {tmp_path / 'set'}: left out: {left}\n" in said
    assert deep in said


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_idx_file_needs_no_labels(
    run: Run, stripes: Dataset, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "new-idx3-ubyte"
    path.write_bytes(pack(idx.to_bytes(stripes.images[:9])))
    assert predict(run, path, tmp_path / "r.csv") == 9
    labels = expected(run, stripes.images[:9])
    assert list(table_of(tmp_path / "r.csv")[1].values()) == [[label] for label in labels]


names = st.text(st.sampled_from("ab 0-._é,\"'\\=日"), min_size=1, max_size=6).filter(
    lambda name: not name.startswith(".")
)


@given(paths=st.sets(st.lists(names, min_size=1, max_size=3).map(tuple), min_size=1, max_size=8))
@settings(deadline=None, max_examples=60)
def test_images_at_any_depth_in_order_of_their_ids(paths: set[tuple[str, ...]]) -> None:
    with TemporaryDirectory() as name:
        root, values = Path(name), {}
        for value, parts in enumerate(paths):
            file = root.joinpath(*parts[:-1], parts[-1] + ".png")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(png(np.full((2, 2), value, np.uint8)))
            values["/".join(parts) + ".png"] = value
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(unlabelled, "BLOCK_PIXELS", 12)  # three images
            blocks = list(unlabelled.open_images(root, (2, 2)).blocks)
    ids = [name for block in blocks for name in block.ids]
    assert ids == sorted(values)
    pixels = np.concatenate([block.images for block in blocks])[:, 0, 0]
    assert pixels.tolist() == [values[name] for name in ids]
    assert all(len(block.ids) == len(block.images) <= 3 for block in blocks)


@given(
    n=st.integers(1, 40),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    pixels=st.integers(1, 300),
    ending=st.sampled_from(["-idx3-ubyte", ".npz"]),
)
@settings(deadline=None, max_examples=60)
def test_blocks_join_to_the_whole(n: int, shape: tuple[int, int], pixels: int, ending: str) -> None:
    images = np.random.default_rng(n).integers(0, 256, (n, *shape), dtype=np.uint8)
    file = io.BytesIO()
    np.savez(file, images=images)
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path = Path(name, f"x{ending}")
        path.write_bytes(file.getvalue() if ending == ".npz" else idx.to_bytes(images))
        patch.setattr(unlabelled, "BLOCK_PIXELS", pixels)
        blocks = list(unlabelled.open_images(path, shape).blocks)
    assert [i for block in blocks for i in block.ids] == [str(i) for i in range(n)]
    assert np.array_equal(np.concatenate([block.images for block in blocks]), images)
    assert all(len(b.images) == 1 or b.images.size <= pixels for b in blocks)


def test_a_folder_is_read_as_it_is_named(
    run: Run, stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last image is broken: all blocks before it have been named, and nothing is kept."""
    monkeypatch.setattr(unlabelled, "BLOCK_PIXELS", 2 * SIDE * SIDE)
    for i in range(7):
        (tmp_path / f"{i}.png").write_bytes(png(stripes.images[i]))
    (tmp_path / "7.png").write_bytes(b"no image")
    monkeypatch.setattr(predicting, "N_LOOKED_AT", 2)  # images held back to judge their polarity
    named: list[int] = []
    with pytest.raises(DataError, match=r"7\.png: not a readable image"):
        predict(run, tmp_path, tmp_path / "out" / "r.csv", on_rows=named.append)
    assert named == [2, 2, 2]
    assert not (tmp_path / "out").exists()


def test_hidden_and_other_files_are_no_images(run: Run, stripes: Dataset, tmp_path: Path) -> None:
    for name in ("b/1.png", "0.png", ".hidden/2.png", "b/.3.png", "b/4.txt", "b/empty/5.csv"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(png(stripes.images[0]))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "6.png").write_bytes(png(stripes.images[1]))
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    assert predict(run, tmp_path / "in", tmp_path / "r.csv") == 3
    assert list(table_of(tmp_path / "r.csv")[1]) == ["0.png", "b/1.png", "link/6.png"]


def bomb(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    packed = chunk(b"IDAT", zlib.compress(bytes(99)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + packed + chunk(b"IEND", b"")


IMAGES = np.arange(3 * SIDE * SIDE, dtype=np.int64).astype(np.uint8).reshape(3, SIDE, SIDE)
PNG = png(IMAGES[0])
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 12 12\n%%EndComments\nshowpage\n%%EOF\n"

# What the file is called, what it holds, and what is said about it.
FAULTS: dict[str, tuple[str, bytes, str]] = {
    "no image": ("x.png", b"hello", "not a readable image: "),
    "empty image": ("x.jpg", b"", "not a readable image: "),
    "cut image": ("x.png", PNG[:-40], "not a readable image: "),
    "image of another size": ("x.png", png(IMAGES[0, 1:]), "is 11x12 where the images trained on"),
    "32 bits": ("x.png", tiff(np.full((SIDE, SIDE), 99_999, np.int32)), "values from 99999 to 9"),
    "large image": ("x.png", bomb(5000), "5000 x 5000 pixels; refused"),
    "larger image": ("x.png", bomb(1 << 20), "bomb"),
    "a program": ("x.png", EPS, "cannot identify image file"),
    "image of an unknown name": ("x.jp2", PNG, "x.jp2: is called .jp2, but is a PNG image"),
    "labels of an IDX set": (
        "y-idx1-ubyte",
        idx.to_bytes(np.zeros(9, np.uint8)),
        "not images (N, H, W)",
    ),
    "no archive": ("x.npz", b"hello", "not a sound .npz file: "),
    "cut archive": ("x.npz", npz(images=IMAGES)[:-30], "not a sound .npz file: "),
    "pickle": (
        "x.npz",
        npz(images=IMAGES, labels=np.array([{}, 1, 2], dtype=object)),
        "labels: holds object, which needs pickle; refused",
    ),
    "other arrays": ("x.npz", npz(pictures=IMAGES), "holds pictures; needed are images"),
    "negative floats": ("x.npz", npz(X=IMAGES / 255 - 1), "save np.rint((x + 1) * (255 / "),
    "two channels": ("x.npz", npz(X=IMAGES[..., None].repeat(2, 3)), "X: (3, 12, 12, 2) is not"),
    "flat images of another size": ("x.npz", npz(X=IMAGES[:, 1].copy()), "X: 12 pixels are not"),
    "archive of another size": ("x.npz", npz(X=IMAGES[:, 1:]), "images are 11x12, not 12x12"),
    "archive of none": ("x.npz", npz(images=IMAGES[:0]), "images: holds no images"),
    "no IDX": ("x-idx3-ubyte", b"hello", "not an IDX file (magic number 68656c6c)"),
    "cut IDX": ("x-idx3-ubyte", idx.to_bytes(IMAGES)[:-1], "447 bytes where its header"),
    "cut gzip": ("x-idx3-ubyte.gz", gzip.compress(idx.to_bytes(IMAGES))[:-9], "cannot be read: "),
    "IDX of another size": ("x-idx3-ubyte", idx.to_bytes(IMAGES[:, 1:]), "images are 11x12, not"),
    "IDX of labels": ("x-idx3-ubyte", idx.to_bytes(IMAGES[:, 0, 0].copy()), "not images (N, H, W)"),
    "IDX of none": ("x-idx3-ubyte", idx.to_bytes(IMAGES[:0]), "holds no images"),
    "table without IDs": ("x.csv", b"label,a\n1,2\n", "not 12x12"),
    "an image in a folder": ("in/a/x.png", PNG[:-40], "not a readable image: "),
    "size in a folder": ("in/x.png", png(IMAGES[0, :, 1:]), "is 12x11 where the images trained on"),
    "folder without images": ("in/b/x.txt", b"hello", "in: holds no images (.apng, .bmp, "),
}


def refused(run: Run, path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command line says of an input it does not take, once all else is checked."""
    out.mkdir(exist_ok=True)
    (out / "r.csv").write_text("as it was")
    assert run_command(["predict", str(run.path), str(path), "-o", str(out / "r.csv")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert [(f.name, f.read_text()) for f in out.iterdir()] == [("r.csv", "as it was")]
    return shown.err


@pytest.mark.parametrize("fault", FAULTS)
def test_hostile_files(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    name, raw, message = FAULTS[fault]
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    top = tmp_path / name.split("/")[0]
    said = refused(run, top, tmp_path / "out", capsys)
    assert said.startswith(f"error: {top}")
    assert message in said


def test_bombs(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zeros = np.zeros((80, 1024, 1024), np.uint8)
    (tmp_path / "x.npz").write_bytes(npz(images=zeros))
    (tmp_path / "x-idx3-ubyte.gz").write_bytes(gzip.compress(idx.to_bytes(zeros), 1))
    said = refused(run, tmp_path / "x.npz", tmp_path / "out", capsys)
    assert "x.npz: claims to unpack to 83886208 bytes; refused" in said
    said = refused(run, tmp_path / "x-idx3-ubyte.gz", tmp_path / "out", capsys)
    assert "x-idx3-ubyte.gz: unpacks to more than 67108864 bytes" in said


@pytest.mark.parametrize("name", ["x.png", "x.npz", "x-idx3-ubyte", "x.csv", "folder"])
def test_what_is_not_there(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    said = refused(run, tmp_path / name, tmp_path / "out", capsys)
    assert said.startswith(f"error: {tmp_path / name}: ")
    assert said.endswith("No such file or directory\n")


def make_pipe(root: Path) -> None:
    os.mkfifo(root / "x.png")  # nobody writes: opening it would wait for ever


def make_large(root: Path) -> None:
    with (root / "x.png").open("wb") as file:
        file.truncate(1 << 30)  # of zeros that take no room on the disk


def make_unencodable(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/\xff.png")).write_bytes(PNG)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "in: holds no images"),
        (make_pipe, "x.png: not a readable image: no regular file"),
        (make_large, "x.png: 1073741824 bytes; refused"),
        (make_unencodable, r"\udcff.png': a name of several lines, or not UTF-8, makes no ID"),
        (lambda root: (root / "a\rb.png").write_bytes(PNG), r"a\rb.png': a name of several"),
        (lambda root: (root / "x.png").symlink_to("x.png"), "x.png: not a readable image: "),
        (lambda root: (root / "x.png").symlink_to("gone"), "x.png: not a readable image: No"),
        (lambda root: (root / "loop").symlink_to("."), "loop: a link that leads back to "),
        (lambda root: (root / "up").symlink_to("../.."), "up: a link that leads back to "),
        (lambda root: (root / "all").symlink_to("/"), "all: a link that leads back to /\n"),
    ],
)
def test_hostile_folders(
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], object],
    message: str,
) -> None:
    (tmp_path / "in").mkdir()
    make(tmp_path / "in")
    assert message in refused(run, tmp_path / "in", tmp_path / "out", capsys)


def test_links_that_multiply_are_not_followed(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each folder links twice to the next: 2^40 paths to one image, and no loop."""
    for i in range(40):
        (tmp_path / "in" / str(i)).mkdir(parents=True)
        (tmp_path / "in" / str(i) / "l").symlink_to(f"../{i + 1}")
        (tmp_path / "in" / str(i) / "r").symlink_to(f"../{i + 1}")
    (tmp_path / "in" / "40").mkdir()
    (tmp_path / "in" / "40" / "x.png").write_bytes(PNG)
    assert "a link that leads back to " in refused(run, tmp_path / "in", tmp_path / "out", capsys)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("locked", ["in", "in/a", "in/a/x.png"])
def test_what_may_not_be_read(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], locked: str
) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    (tmp_path / "in" / "a" / "x.png").write_bytes(PNG)
    (tmp_path / locked).chmod(0)
    try:
        for path in (tmp_path / "in", tmp_path / "in" / "a" / "x.png"):
            said = refused(run, path, tmp_path / "out", capsys)
            assert "Permission denied" in said
            assert str(tmp_path / "in") in said
    finally:
        (tmp_path / locked).chmod(0o700)


def test_a_plain_file_without_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "MAX_CONTENT_BYTES", 3 * content.CHUNK_BYTES)
    path = tmp_path / "x-idx3-ubyte"
    path.symlink_to("/dev/zero")
    with pytest.raises(DataError, match=r"x-idx3-ubyte: holds more than 3145728 bytes; refused"):
        unlabelled.open_images(path, (2, 2))


SOUND = {
    "x.png": PNG,
    "x.tif": tiff(IMAGES[0]),
    "x.zip": zipped({"a/1.png": PNG, "b/2.png": PNG}),
    "x-idx3-ubyte": idx.to_bytes(IMAGES),
    "x-idx3-ubyte.gz": gzip.compress(idx.to_bytes(IMAGES)),
    "x.npz": npz(images=IMAGES),
}


@pytest.mark.parametrize("name", SOUND)
@given(position=st.integers(0, 1 << 12), change=st.none() | st.integers(1, 255))
@settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_damage_is_noticed_or_harmless(
    tmp_path: Path, name: str, position: int, change: int | None
) -> None:
    """A byte is changed, or the end is cut off."""
    raw = bytearray(SOUND[name])
    if change is None:
        del raw[position % len(raw) :]
    else:
        raw[position % len(raw)] ^= change
    (tmp_path / name).write_bytes(raw)
    message, blocks = None, []
    try:
        blocks = list(unlabelled.open_images(tmp_path / name, (SIDE, SIDE)).blocks)
    except DataError as error:
        message = str(error)
    assert (message is None) == bool(blocks)
    assert message is None or (message.startswith(f"{tmp_path / name}: ") and "\n" not in message)
    assert all(block.images.shape == (len(block.ids), SIDE, SIDE) for block in blocks)


def test_help_says_what_may_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["predict", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Example: mnistlab predict " in shown
    for kind in ("CSV of images", "NPZ", "IDX", "folder"):
        assert kind in shown
