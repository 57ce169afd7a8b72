"""One way in: names and paths, the files of a folder as parts, and what is said or refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from mnistlab.data import Dataset, load
from mnistlab.data.readers import kinds
from mnistlab.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 2, 2), dtype=np.uint8)
LABELS = [2, 5] * 6


def _table(path: Path, rows: slice, labelled: bool = True, header: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [["label"] * labelled + [f"pixel{i}" for i in range(4)]] if header else []
    for image, label in zip(IMAGES[rows], LABELS[rows], strict=True):
        lines.append([str(label)] * labelled + [str(value) for value in image.ravel()])
    raw = "".join(",".join(line) + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def _is_the_set(dataset: Dataset, n: int = 12) -> None:
    assert np.array_equal(dataset.images, IMAGES[:n])
    assert [int(dataset.class_names[k]) for k in dataset.labels] == LABELS[:n]


@pytest.mark.parametrize(
    "names",
    [
        ("train.csv", "val.csv", "test.csv"),
        ("Training.csv", "Validation.csv.gz", "TESTING.tsv"),
        ("sign_mnist_train.csv", "sign_mnist_valid.csv", "sign_mnist_test.csv"),
        ("train_data.csv", "val_data.csv", "test_data.csv"),
        ("train.txt", "valid.txt", "t10k.txt"),
    ],
)
def test_the_parts_of_a_folder(
    tmp_path: Path, names: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for name, rows in zip(names, (slice(0, 6), slice(6, 8), slice(8, 12)), strict=True):
        _table(tmp_path / name, rows)
        if name.endswith(".tsv"):
            (tmp_path / name).write_text((tmp_path / name).read_text().replace(",", "\t"))
    dataset = load(tmp_path)
    _is_the_set(dataset)
    assert (dataset.n_official_train, dataset.n_official_val) == (6, 2)
    assert dataset.name == tmp_path.name
    assert capsys.readouterr().err == ""


def test_train_and_val_without_test(tmp_path: Path) -> None:
    _table(tmp_path / "train.csv", slice(0, 8))
    _table(tmp_path / "valid.csv", slice(8, 12))
    dataset = load(tmp_path)
    assert (dataset.n_official_train, dataset.n_official_val) == (8, 4)


def test_parts_without_train_are_no_set(tmp_path: Path) -> None:
    _table(tmp_path / "val.csv", slice(0, 8))
    _table(tmp_path / "test.csv", slice(8, 12))
    with pytest.raises(DataError, match=f"{tmp_path}: "):
        load(tmp_path)


@pytest.mark.parametrize("header", [True, False])
def test_a_test_table_without_labels(
    tmp_path: Path, header: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    _table(tmp_path / "train.csv", slice(0, 8), header=header)
    _table(tmp_path / "test.csv", slice(8, 12), labelled=False, header=header)
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    dataset = load(tmp_path)
    _is_the_set(dataset, 8)
    assert dataset.n_official_train is None
    said = capsys.readouterr().err.splitlines()
    assert said == [
        f"note: {tmp_path}/test.csv: has no labels: it is left out here; "
        "`mnistlab predict` reads it",
        f"note: {tmp_path}: left out: 1 file (sample_submission.csv)",
    ]


def test_a_named_label_column_that_only_the_training_table_has(tmp_path: Path) -> None:
    _table(tmp_path / "train.csv", slice(0, 8))
    _table(tmp_path / "test.csv", slice(8, 12), labelled=False)
    _is_the_set(load(tmp_path, label_column="label"), 8)
    text = (tmp_path / "train.csv").read_text().replace("label", "k3")
    (tmp_path / "train.csv").write_text(text)
    _is_the_set(load(tmp_path, label_column="k3"), 8)


def test_a_validation_table_needs_labels(tmp_path: Path) -> None:
    _table(tmp_path / "train.csv", slice(0, 8))
    _table(tmp_path / "val.csv", slice(8, 12), labelled=False)
    with pytest.raises(DataError, match=r"val\.csv: no label column"):
        load(tmp_path)


def test_labels_of_all_files_are_judged_together(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("label,a\n1,5\n2,6\n")
    (tmp_path / "test.csv").write_text("label,a\n1.0,5\n02,6\n")
    assert load(tmp_path).labels.tolist() == [0, 1, 0, 1]
    (tmp_path / "test.csv").write_text("label,a\n1.0,5\nx,6\n")
    assert load(tmp_path).class_names == ("1", "1.0", "2", "x")


def test_several_sets_in_a_folder(tmp_path: Path) -> None:
    for name in ("letters-train.csv", "letters-test.csv", "digits-train.csv"):
        _table(tmp_path / name, slice(0, 6))
    with pytest.raises(DataError, match=r"several sets \(digits-train\.csv, letters-train\.csv\)"):
        load(tmp_path)
    _table(tmp_path / "train.csv", slice(0, 12))
    _is_the_set(load(tmp_path))


def test_the_test_table_of_a_part_of_the_training_set(tmp_path: Path) -> None:
    _table(tmp_path / "mnist_train_small.csv", slice(0, 8))
    _table(tmp_path / "mnist_test.csv", slice(8, 12))
    _is_the_set(load(tmp_path))
    assert load(tmp_path).n_official_train == 8


@pytest.mark.parametrize("other", ["letters_test.csv", "mnist_test_labels.csv"])
def test_a_test_table_of_another_name_is_left_out(tmp_path: Path, other: str) -> None:
    _table(tmp_path / "mnist_train_small.csv", slice(0, 8))
    _table(tmp_path / other, slice(8, 12))
    assert load(tmp_path).n_official_train is None


def test_files_of_data_that_are_left_out_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _table(tmp_path / "train.csv", slice(0, 12))
    _table(tmp_path / "train.csv.gz", slice(0, 3))
    np.savez(tmp_path / "train.npz", images=IMAGES, labels=LABELS)
    (tmp_path / "evaluate.csv").write_text("ID,a\n0,1\n")  # `data export` writes it
    _is_the_set(load(tmp_path))
    assert capsys.readouterr().err == (
        f"note: {tmp_path}: left out: 2 files (train.csv.gz, train.npz)\n"
    )


def test_a_folder_of_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _table(tmp_path / "my digits.csv", slice(0, 12))
    (tmp_path / "README.md").write_text("mine\n")
    _is_the_set(load(tmp_path))
    assert "my digits.csv is the only file of data in it" in capsys.readouterr().err


# --- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_name_beside_a_folder_of_that_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_folder: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    load("digits")
    assert capsys.readouterr().err == ""
    if is_folder:
        _table(Path("digits/train.csv"), slice(0, 12))
    else:
        Path("digits").touch()
    assert load("digits").n_classes == 10
    kind = "folder" if is_folder else "file"
    assert capsys.readouterr().err == (
        f"note: digits is taken as the published set of that name; ./digits takes the {kind}\n"
    )
    if is_folder:
        _is_the_set(load("./digits"))
        assert capsys.readouterr().err == ""


def test_a_folder_called_almost_like_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    _table(Path("MNIST/train.csv"), slice(0, 12))
    _is_the_set(load("MNIST"))
    assert capsys.readouterr().err == (
        "note: MNIST is taken as what lies here; mnist is the published set\n"
    )
    with pytest.raises(DataError, match=r"unknown data set 'MNISTT'; did you mean .*; or \./MNIST"):
        load("MNISTT")
    with pytest.raises(DataError, match=r"did you mean .*/MNIST/train\.csv\?$"):
        load(tmp_path / "MNIST" / "trian.csv")


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("x.npy", "np.savez('set.npz', images=np.load('x.npy'), labels=y)"),
        ("x.mat", "scipy.io.loadmat('x.mat')"),
        ("x.pkl", "pickle.load(open('x.pkl', 'rb'))"),
        ("x.PICKLE", "pickle.load(open('x.PICKLE', 'rb'))"),
        ("x.pt", "torch.load('x.pt', weights_only=True)"),
        ("x.pth", "torch.load('x.pth', weights_only=True)"),
        ("x.xlsx", "pandas.read_excel('x.xlsx').to_csv"),
        ("x.arff", "sed '1,/@data/Id' x.arff > set.csv"),
        ("x.tar", "tar -xf x.tar"),
        ("x.tar.gz", "tar -xf x.tar.gz"),
        ("x.tgz", "tar -xf x.tgz"),
        ("x.rar", "unrar x x.rar"),
        ("x.7z", "7z x x.7z"),
        ("x.jsonl", "pandas.read_json('x.jsonl', lines=True)"),
        ("x.arrow", "to_parquet('set.parquet')"),
        ("x.libsvm", "load_svmlight_file('x.libsvm')"),
        ("x.png", "give the folder that holds one folder per class"),
        ("x.docx", "np.savez('set.npz', images=x, labels=y)"),
        ("x", "np.savez('set.npz', images=x, labels=y)"),
    ],
)
def test_what_is_refused_says_the_line_that_converts_it(
    tmp_path: Path, name: str, line: str
) -> None:
    (tmp_path / name).write_bytes(b"\x89hello")
    with pytest.raises(DataError) as caught:
        load(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", kinds.REFUSED)
def test_the_lines_are_python_or_shell(name: str) -> None:
    said = str(kinds.refusal(Path(f"set{name}")))
    line = said.partition(": ")[2].split(": ", 1)[1].strip()
    if not line.startswith(("sed", "tar", "unrar", "7z")):
        compile(line, name, "exec")


def test_a_line_converts_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", IMAGES)
    with pytest.raises(DataError) as caught:
        load("x.npy")
    exec(str(caught.value).split(": ", 2)[2], {"np": np, "y": LABELS})
    _is_the_set(load("set.npz"))


@pytest.mark.parametrize("given", ["./photso/", "photso/", "./photso"])
def test_a_misspelt_path_is_no_misspelt_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        DataError, match=r"^photso: no such file or folder; did you mean \./photos\?$"
    ):
        load(given)
    with pytest.raises(DataError, match=r"^unknown data set 'photso'; .*; or \./photos\?$"):
        load("photso")
    missing = r"^unknown data set 'elsewhere'; .*; and no file or folder here is called elsewhere$"
    with pytest.raises(DataError, match=missing):
        load("elsewhere")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (".hidden.csv", "hidden"),
        ("..set.v2.csv", "set"),
        (".csv.gz", "csv"),
        (" .csv", "data"),
        (".hidden.npz", "hidden"),
    ],
)
def test_a_hidden_file_gives_a_set_with_a_name(file: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / file
    if path.suffix == ".npz":
        np.savez(path, images=IMAGES, labels=LABELS)
    else:
        _table(path, slice(0, 12))
    assert load(path).name == name
