"""Files whose content is not what their name says, or of which no name says what they are."""

from __future__ import annotations

import re
import shlex
import zipfile
from pathlib import Path

from mnistlab.data.readers import content, kinds, pixels
from mnistlab.data.readers.binary import pickled
from mnistlab.data.readers.kinds import Kind
from mnistlab.data.readers.label_tables import spreadsheet
from mnistlab.errors import DataError

START_BYTES = 512
# First bytes -> what such a file is, and the kinds that begin so.
STARTS: tuple[tuple[bytes, str, tuple[Kind, ...]], ...] = (
    (b"\x89PNG", "a PNG image", ()),
    (b"\xff\xd8\xff", "a JPEG image", ()),
    (b"GIF8", "a GIF image", ()),
    (b"%PDF", "a PDF document", ()),
    (b"\x89HDF", "an HDF5 file: call it .h5", ("hdf5",)),
    (b"PAR1", "a Parquet file: call it .parquet", ("parquet",)),
    (b"\x93NUMPY", "a NumPy array: call it .npy", ()),
    (b"SQLite format 3", "a database of SQLite", ()),
    (b"{\\rtf", "a text document (RTF)", ()),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet or document of Office; save it as CSV", ()),
    (b"7z\xbc\xaf", "a 7z archive; unpack it", ()),
    (b"Rar!", "a RAR archive; unpack it", ()),
    (b"\xfd7zXZ", "packed; unpack it: xz -d < old > new", ()),
    (b"\x28\xb5\x2f\xfd", "packed; unpack it: zstd -d < old > new", ()),
    (
        b"version https://git-lfs",
        "only a pointer to a file that Git LFS keeps; fetch it: git lfs pull",
        (),
    ),
)
PAGES = (b"<!doctype html", b"<html")
PAGE = "a web page, perhaps a form to log in, instead of the file; download it again"
MATLAB = b"MATLAB 5.0 MAT-file"
MATLAB_7 = b"MATLAB 7.3 MAT-file"
LIBSVM = re.compile(rb"[+-]?[0-9.]+( [0-9]+:[0-9.eE+-]+){3,}")
FEWEST_CELLS = 5  # numbers in each line of what may be a table of pixels
LINES_LOOKED_AT = 20


def check(path: Path, kind: Kind | None) -> None:
    """DataError that says what a regular file is, if it begins like a file of another kind."""
    if not path.is_file():  # bytes read from a pipe would be lost
        return
    start = content.start_of(path, START_BYTES)
    for begins, words, kinds_of in STARTS:
        if start.startswith(begins) and kind not in kinds_of:
            raise _unlike(path, words)
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES):
        raise _unlike(path, PAGE)
    if start.startswith(b"PK\x03\x04") and kind not in ("npz", "zip"):
        raise _unlike(path, _archive(path))
    if pickled.START.match(start):
        raise _unlike(path, pickled.words(path, start))
    if start.startswith((MATLAB, MATLAB_7)):
        raise _unlike(path, _matlab(path, start))


def refusal(path: Path) -> DataError:
    """The error for a regular file that is not read: by its ending, else by what is in it."""
    is_named = kinds.is_refused(path) and path.suffix.lower() not in (".gz", ".bz2")
    if is_named or path.suffix.lower() in pixels.SUFFIXES:
        start = content.start_of(path, START_BYTES)
        if start.startswith(MATLAB_7):
            return DataError(f"{path}: is {_matlab(path, start)}")
        if kinds.suffix_of(path.name) == ".pkl" and pickled.START.match(start):
            return DataError(f"{path}: is {pickled.words(path, start)}")
        return kinds.refusal(path)
    try:
        check(path, None)
        start = bytes(next(content.chunks(path), b""))
        if pickled.START.match(start):
            return DataError(f"{path}: is {pickled.words(path, start)}")
        if LIBSVM.match(start):
            words = kinds.REFUSED[".svm"].format(name=kinds.shown_name(path))
            return DataError(f"{path}: is {words}")
        if _is_table(start):
            return DataError(f"{path}: seems to be a table; {_call_it_a_table(path)}")
    except DataError as error:
        return error
    return kinds.refusal(path)


def _unlike(path: Path, words: str) -> DataError:
    ending = kinds.suffix_of(path.name)
    return DataError(f"{path}: {f'is called {ending}, but ' * bool(ending)}is {words}")


def _archive(path: Path) -> str:
    if spreadsheet.is_one(path):
        name = ascii(path.name)
        return (
            "a spreadsheet (.xlsx); save it as CSV: "
            f"pandas.read_excel({name}).to_csv('set.csv', index=False)"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except content.DAMAGE:
        names = []
    if names and all(name.endswith(".npy") for name in names):
        return "an archive of NumPy arrays: call it .npz"
    if any(name.endswith("/data.pkl") for name in names):
        return kinds.REFUSED[".pt"].format(name=kinds.shown_name(path))
    return "a ZIP archive: call it .zip"


def _matlab(path: Path, start: bytes) -> str:
    """What a MATLAB file is; of version 7.3, which scipy does not read, with its axes turned."""
    name = kinds.shown_name(path)
    if not start.startswith(MATLAB_7):
        return kinds.REFUSED[".mat"].format(name=name)
    return (
        f"MATLAB's (7.3); convert it: f = h5py.File({name!r}); "
        "np.savez('set.npz', images=f['X'][()].T, labels=f['y'][()].ravel())"
    )


def _is_table(start: bytes) -> bool:
    """Whether the first lines are numbers, equally many in each."""
    lines = start.splitlines()[:-1][:LINES_LOOKED_AT]
    widths = set()
    for line in lines:
        cells = re.split(rb"[,;\t ]+", line.strip())
        if not all(map(_is_number, cells)):
            return False
        widths.add(len(cells))
    return len(widths) == 1 and widths.pop() >= FEWEST_CELLS


def _is_number(cell: bytes) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _call_it_a_table(path: Path) -> str:
    name, packed = kinds.shown_name(path), path.suffix.lower()
    is_packed = packed in (".gz", ".bz2")
    stem = name[: -len(packed)] if is_packed else name
    new = f"{stem}.csv{packed * is_packed}"
    return f"give it the ending of one: mv {shlex.quote(name)} {shlex.quote(new)}"
