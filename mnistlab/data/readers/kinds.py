"""The kind of a file by its name; for kinds that are not read, how to convert the file."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Literal

from mnistlab.data.readers import pixels
from mnistlab.data.readers.binary import idx
from mnistlab.errors import DataError

Kind = Literal["table", "npz", "idx", "parquet", "hdf5", "zip"]

READ = ".csv, .tsv, .txt, .npz, .parquet, .h5, IDX (*idx3-ubyte*) or .zip"
PACKED = r"(\.gz|\.bz2)?"
ENDINGS: dict[Kind, re.Pattern[str]] = {
    "table": re.compile(rf"\.(csv|tsv|txt){PACKED}$", re.IGNORECASE),
    "npz": re.compile(r"\.npz$", re.IGNORECASE),
    "parquet": re.compile(r"\.(parquet|pq)$", re.IGNORECASE),
    "hdf5": re.compile(r"\.(h5|hdf5|hdf|he5)$", re.IGNORECASE),
    "zip": re.compile(r"\.zip$", re.IGNORECASE),
    "idx": re.compile(rf"([-_.]idx3)?([-_.]ubyte)?(\.idx)?{PACKED}$", re.IGNORECASE),
}
IDX_NAME = re.compile("idx[13]", re.IGNORECASE)
SAVE = "np.savez('set.npz', images=x, labels=y)"
# Ending of the name -> what the file is, and a line that converts it.
REFUSED: dict[str, str] = {
    ".npy": "one array without labels; put both into an .npz: "
    "np.savez('set.npz', images=np.load({name!r}), labels=y)",
    ".mat": "MATLAB's; convert it: m = scipy.io.loadmat({name!r}); "
    "np.savez('set.npz', images=m['X'], labels=m['y'].ravel())",
    ".pkl": "a pickle, which can run any program and is not opened; where you trust it: "
    "x, y = pickle.load(open({name!r}, 'rb')); " + SAVE,
    ".pt": "PyTorch's, which can run any program and is not opened; convert it: "
    "x, y = torch.load({name!r}, weights_only=True)[:2]; " + SAVE,
    ".xlsx": "a spreadsheet; save it as CSV: pandas.read_excel({name!r}).to_csv('set.csv', "
    "index=False)",
    ".arff": "ARFF; leave its head out: sed '1,/@data/Id' {name} > set.csv",
    ".tar": "an archive; unpack it and give the folder: tar -xf {name}",
    ".rar": "an archive; unpack it and give the folder: unrar x {name}",
    ".7z": "an archive; unpack it and give the folder: 7z x {name}",
    ".json": "JSON; convert it: pandas.read_json({name!r}).to_csv('set.csv', index=False)",
    ".jsonl": "JSON lines; convert it: pandas.read_json({name!r}, lines=True)"
    ".to_csv('set.csv', index=False)",
    ".arrow": "Arrow's; convert it: datasets.Dataset.from_file({name!r}).to_parquet('set.parquet')",
    ".feather": "Arrow's; convert it: polars.read_ipc({name!r}).write_parquet('set.parquet')",
    ".tfrecord": "TensorFlow's; convert it: x, y = next(iter(dataset.batch(len(dataset)))); "
    + SAVE,
    ".svm": "libsvm's; convert it: x, y = sklearn.datasets.load_svmlight_file({name!r}); "
    "np.savez('set.npz', images=x.toarray(), labels=y)",
}
SAME_AS = {
    **dict.fromkeys((".pickle", ".joblib"), ".pkl"),
    **dict.fromkeys((".pth", ".ptx"), ".pt"),
    **dict.fromkeys((".xls", ".ods"), ".xlsx"),
    **dict.fromkeys((".tgz", ".tbz", ".tbz2", ".txz", ".tzst"), ".tar"),
    **dict.fromkeys((".libsvm", ".svmlight"), ".svm"),
    ".ndjson": ".jsonl",
    ".tfrecords": ".tfrecord",
}
# Of one packed file: what unpacks it beside itself.
UNPACK = {
    ".gz": "gunzip -k",
    ".bz2": "bunzip2 -k",
    ".xz": "xz -dk",
    ".lzma": "xz -dk",
    ".zst": "zstd -d",
    ".lz4": "lz4 -dk",
}


def kind_of(path: Path) -> Kind | None:
    """The kind of a regular file; None for a file that is not read.

    A file without a known ending is IDX if its first bytes are.
    """
    if (kind := kind_by_name(path)) is not None:
        return kind
    if suffix_of(path.name) in REFUSED or path.suffix.lower() in pixels.SUFFIXES:
        return None
    try:
        return "idx" if idx.is_idx(path) else None
    except DataError:
        return None


def kind_by_name(path: Path) -> Kind | None:
    """As `kind_of`, without opening the file: bytes read from a pipe would be lost."""
    for kind, ending in ENDINGS.items():
        if kind != "idx" and ending.search(path.name):
            return kind
    return "idx" if IDX_NAME.search(path.name) else None


def stem_of(path: Path, kind: Kind) -> str:
    """The name without the ending that tells the kind."""
    return ENDINGS[kind].sub("", path.name, count=1)


def name_of_set(path: Path, kind: Kind) -> str:
    """The name of the set in a file, which is never empty: run folders are called after it."""
    visible = Path(path.name.lstrip("."))
    name = visible.stem if kind == "npz" else visible.name.split(".")[0]
    return name if name.strip() else "data"


def suffix_of(name: str) -> str:
    """The ending in lower case; ".tar" for .tar.gz and the like."""
    suffixes = Path(name.lower()).suffixes
    if ".tar" in suffixes[-2:]:
        return ".tar"
    last = suffixes[-1] if suffixes else ""
    return SAME_AS.get(last, last)


def is_refused(path: Path) -> bool:
    """Whether the ending says that a file is of a kind that is not read."""
    return suffix_of(path.name) in REFUSED or suffix_of(path.name) in UNPACK


def shown_name(path: Path) -> str:
    """The name for a line of code; breaks and the like, which no error may hold, are escaped."""
    return ascii(path.name)[1:-1]


def refusal(path: Path) -> DataError:
    """The error for a file that is not read, with what to do instead."""
    suffix = suffix_of(path.name)
    if suffix in REFUSED:
        return DataError(f"{path}: is {REFUSED[suffix].format(name=shown_name(path))}")
    if suffix in UNPACK:
        return DataError(
            f"{path}: is packed; unpack it, and give what comes out: "
            f"{UNPACK[suffix]} {shlex.quote(shown_name(path))}"
        )
    if path.suffix.lower() in pixels.SUFFIXES:
        return DataError(f"{path}: is one image; give the folder that holds one folder per class")
    return DataError(
        f"{path}: not a {READ} file; mnistlab reads what docs/your-images.md lists, and any array "
        f"by {SAVE}"
    )
