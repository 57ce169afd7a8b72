"""docs/your-images.md carried out: from the files of each layout to a report in three commands."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shlex
import shutil
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest
from PIL import Image
from quick_figures import unpainted

from mnistlab.cli import run_command
from mnistlab.data.readers import kinds
from mnistlab.data.readers.binary import idx

PAGE = (Path(__file__).parents[2] / "docs" / "your-images.md").read_text(encoding="utf-8")
EXAMPLES = dict(
    re.findall(r"## ([^\n]+)\n(?:(?!\n## |```)[\s\S])*```sh\n(.*?)```", PAGE, re.DOTALL)
)
SIDE = 12
NAMES = ["circle", "dash", "line"]
CODES = np.arange(72) % 3


def _images(codes: np.ndarray, seed: int) -> np.ndarray:
    """Noise with one bright row, which tells the class."""
    images = np.random.default_rng(seed).integers(0, 120, (len(codes), SIDE, SIDE), dtype=np.uint8)
    images[np.arange(len(codes)), 2 + codes] += 120
    return images


X, NEW = _images(CODES, 0), _images(CODES[:9], 1)
Y = [NAMES[code] for code in CODES]
NUMBERS = np.array([1, 4, 7])[CODES]
PARTS = {"train": slice(0, 42), "val": slice(42, 54), "test": slice(54, 72)}


def _png(image: np.ndarray, path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def _new_photos() -> None:
    for i, image in enumerate(NEW):
        _png(image, f"new-photos/{i + 1:03d}.png")


def _new_npz() -> None:
    np.savez("new-letters.npz", images=NEW)


def _table(path: str, images: np.ndarray, labels: object = None, separator: str = ",") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    columns = {f"pixel{i}": column for i, column in enumerate(images.reshape(len(images), -1).T)}
    first = {"id": np.arange(len(images))} if labels is None else {"label": labels}
    pl.DataFrame(first | columns).write_csv(path, separator=separator)


def class_folders() -> None:
    for i, (image, name) in enumerate(zip(X, Y, strict=True)):
        _png(image[: 10 + i % 3], f"photos/{name}/{i:03d}.{('png', 'jpg', 'bmp')[i % 3]}")
    _new_photos()


def folders_of_parts() -> None:
    for folder, part in {"Train": "train", "valid": "val", "Test": "test"}.items():
        for i, (image, name) in enumerate(zip(X[PARTS[part]], Y[PARTS[part]], strict=True)):
            _png(image, f"photos/{folder}/{name}/{i:03d}.png")
    _new_photos()


def images_and_a_table() -> None:
    lines = ["filename,label"]
    for i, (image, name) in enumerate(zip(X, Y, strict=True)):
        _png(image, f"photos/images/{i:03d}.png")
        lines.append(f"{i:03d}.png,{name}")
    Path("photos/labels.csv").write_text("\n".join(lines))
    _new_photos()


def one_column_per_class() -> None:
    lines = ["image,circle,dash,line"]
    for i, image in enumerate(X):
        _png(image, f"photos/images/{i + 1:03d}.png")
        ones = ",".join("1.0" if code == CODES[i] else "0.0" for code in range(3))
        lines.append(f"{i + 1:03d},{ones}")
    Path("photos/train.csv").write_text("\n".join(lines))
    for i, image in enumerate(NEW):
        _png(image, f"photos/images/test{i}.png")
    names = (f"test{i}" for i in range(len(NEW)))
    Path("photos/test.csv").write_text("\n".join(["image", *names]))
    _new_photos()


def a_table_in_each_split() -> None:
    for folder, part in {"train": "train", "validation": "val", "test": "test"}.items():
        lines = []
        for i, (image, name) in enumerate(zip(X[PARTS[part]], Y[PARTS[part]], strict=True)):
            _png(image, f"photos/{folder}/{i:03d}.png")
            lines.append(json.dumps({"file_name": f"{i:03d}.png", "label": name}))
        Path(f"photos/{folder}/metadata.jsonl").write_text("\n".join(lines))
    _new_photos()


def labels_in_file_names() -> None:
    for i, (image, name) in enumerate(zip(X, Y, strict=True)):
        _png(image, f"photos/train/{name}.{i}.jpg")
    for i, image in enumerate(NEW):
        _png(image, f"photos/test1/{i + 1}.jpg")


def a_zip() -> None:
    folders_of_parts()
    with zipfile.ZipFile("photos.zip", "w") as archive:
        for path in sorted(Path("photos").rglob("*.png")):
            archive.write(path)
    shutil.rmtree("photos")


def a_table() -> None:
    _table("letters.csv", X, Y)
    _table("new-letters.csv", NEW)


def a_table_without_header() -> None:
    rows = np.column_stack([X.reshape(72, -1), NUMBERS])
    Path("letters.tsv").write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    _new_npz()


def savetxt() -> None:
    np.savetxt("letters.txt", np.column_stack([NUMBERS, X.reshape(72, -1) / 255]))
    _new_npz()


def tables_of_parts() -> None:
    for part, rows in PARTS.items():
        _table(f"letters/{part}.csv", X[rows], NUMBERS[rows])
    _table("new-letters.csv", NEW)


def kaggle() -> None:
    _table("digit-recognizer/train.csv", X, NUMBERS)
    columns = {f"pixel{i}": column for i, column in enumerate(NEW.reshape(9, -1).T)}
    pl.DataFrame(columns).write_csv("digit-recognizer/test.csv")
    Path("digit-recognizer/sample_submission.csv").write_text("ImageId,Label\n1,0\n")


def an_npz() -> None:
    np.savez("letters.npz", images=X, labels=Y)
    _new_npz()


def keras() -> None:
    train, test = slice(0, 54), PARTS["test"]
    of_test = {"x_test": X[test], "y_test": NUMBERS[test]}
    np.savez("letters.npz", x_train=X[train], y_train=NUMBERS[train], **of_test)
    _new_npz()


def medmnist() -> None:
    arrays = {f"{part}_images": X[rows][..., None].repeat(3, 3) for part, rows in PARTS.items()}
    arrays |= {f"{part}_labels": NUMBERS[rows][:, None] for part, rows in PARTS.items()}
    np.savez("pathmnist.npz", **arrays)
    _new_npz()


def arrays_in_files() -> None:
    Path("letters").mkdir()
    for split in ("train", "test"):
        rows = slice(0, 54) if split == "train" else PARTS[split]
        np.save(f"letters/X_{split}.npy", X[rows])
        np.save(f"letters/y_{split}.npy", NUMBERS[rows])


def idx_files() -> None:
    Path("letters").mkdir()
    for name, rows in {"train": slice(0, 63), "t10k": slice(63, 72)}.items():
        for kind, array in (("images-idx3", X), ("labels-idx1", NUMBERS.astype(np.uint8))):
            raw = gzip.compress(idx.to_bytes(array[rows]))
            Path(f"letters/{name}-{kind}-ubyte.gz").write_bytes(raw)


def idx_of_torchvision() -> None:
    idx_files()
    Path("data/MNIST/raw").mkdir(parents=True)
    for packed in Path("letters").glob("*.gz"):
        plain = Path("data/MNIST/raw", packed.name.removesuffix(".gz"))
        plain.write_bytes(gzip.decompress(packed.read_bytes()))


def a_column_of_splits() -> None:
    rows = ["filename,label,is_train"]
    for i, image in enumerate(X):
        _png(image, f"photos/images/{i + 1:03d}.png")
        rows.append(f"{i + 1:03d}.png,{Y[i]},{int(i < 54)}")
    Path("photos/labels.csv").write_text("\n".join(rows))
    _new_photos()


def hugging_face() -> None:
    def write(path: str, images: np.ndarray, codes: np.ndarray) -> None:
        encoded = []
        for image in images:
            file = io.BytesIO()
            Image.fromarray(image).save(file, "PNG")
            encoded.append({"bytes": file.getvalue(), "path": None})
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        features = {"label": {"names": NAMES, "_type": "ClassLabel"}}
        record = {"huggingface": json.dumps({"info": {"features": features}})}
        columns = {"image": encoded, "label": codes}
        pl.DataFrame(columns).write_parquet(path, metadata=record)

    for part, rows in {"train": slice(0, 54), "test": PARTS["test"]}.items():
        write(f"letters/data/{part}-00000-of-00001.parquet", X[rows], CODES[rows])
    Path("letters/README.md").write_text("---\n")
    write("new-letters.parquet", NEW, np.full(9, -1))


def an_hdf5() -> None:
    with h5py.File("letters.h5", "w") as file:
        for part, rows in PARTS.items():
            file[f"{part}/x"], file[f"{part}/y"] = X[rows], Y[rows]
    with h5py.File("new-letters.h5", "w") as file:
        file["x"] = NEW


# Heading: what makes the files, how many images predict reads, and the parts that come with them.
MADE: dict[str, tuple[Callable[[], None], int, set[str]]] = {
    "Class folders": (class_folders, 9, set()),
    "Folders of splits": (folders_of_parts, 1, {"train", "val", "test"}),
    "Images and a table of labels": (images_and_a_table, 9, set()),
    "One column per class": (one_column_per_class, 9, set()),
    "A table in each split": (a_table_in_each_split, 9, {"train", "val", "test"}),
    "Labels in file names": (labels_in_file_names, 9, set()),
    "A .zip archive": (a_zip, 9, {"train", "val", "test"}),
    "A table": (a_table, 9, set()),
    "A table without header": (a_table_without_header, 9, set()),
    "NumPy's savetxt": (savetxt, 9, set()),
    "Tables of splits": (tables_of_parts, 9, {"train", "val", "test"}),
    "Kaggle's digit-recognizer": (kaggle, 9, set()),
    "Arrays in an NPZ": (an_npz, 9, set()),
    "Keras' arrays": (keras, 9, {"test"}),
    "MedMNIST": (medmnist, 9, {"train", "val", "test"}),
    "Arrays in files of their own": (arrays_in_files, 18, {"test"}),
    "IDX files": (idx_files, 9, {"test"}),
    "Folders above a set": (idx_of_torchvision, 9, {"test"}),
    "A column of splits": (a_column_of_splits, 9, {"test"}),
    "Hugging Face's Parquet": (hugging_face, 9, {"test"}),
    "HDF5": (an_hdf5, 9, {"train", "val", "test"}),
}
LABELS = {*NAMES, "1", "4", "7"}


def test_every_example_is_carried_out() -> None:
    assert EXAMPLES.keys() == MADE.keys()


@pytest.mark.parametrize("heading", MADE)
def test_three_commands_lead_from_files_to_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heading: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make, n_new, given = MADE[heading]
    make()
    train, evaluate, predict = EXAMPLES[heading].strip().splitlines()
    _run(f"{train} --set epochs=2 --threads 1")
    # Of the same images in other files the figures are the same: they are painted once.
    with nullcontext() if heading == "Class folders" else unpainted():
        _run(f"{evaluate} --threads 1")
    _run(predict)
    (run,) = Path("runs").iterdir()
    assert (run / "report.html").stat().st_size > 1000
    data = json.loads((run / "data.json").read_text(encoding="utf-8"))
    for part in given:
        assert data[f"n_{part}"] == len(X[PARTS[part]]) or "t10k" in predict
    with Path("named.csv").open(newline="", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    assert len(rows) == n_new
    assert {row[1] for row in rows} <= LABELS


def _run(command: str) -> None:
    program, *words = shlex.split(command)
    assert program == "mnistlab"
    globbed = [str(found) for word in words for found in (sorted(Path().glob(word)) or [word])]
    assert run_command(globbed) == 0


def test_every_link_of_the_page_leads_to_a_heading() -> None:
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
    links = re.findall(r"\]\(#([^)]+)\)", PAGE)
    assert len(links) == len(MADE)
    assert set(links) <= anchors


@pytest.mark.parametrize("suffix", kinds.REFUSED)
def test_the_page_has_the_line_of_every_kind_that_is_refused(suffix: str) -> None:
    line = kinds.REFUSED[suffix].format(name=f"set{suffix}").split(": ", 1)[1]
    assert f"`{line}`" in PAGE
