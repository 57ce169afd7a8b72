"""Files whose content is not what their name says: a spreadsheet or web page called .csv."""

from __future__ import annotations

import zipfile
from pathlib import Path

from mnistlab.data.readers import content, kinds, spreadsheet
from mnistlab.data.readers.kinds import Kind
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
    (
        b"version https://git-lfs",
        "only a pointer to a file that Git LFS keeps; fetch it: git lfs pull",
        (),
    ),
)
PAGES = (b"<!doctype html", b"<html")
PAGE = "a web page, perhaps a form to log in, instead of the file; download it again"


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
    return "a ZIP archive: call it .zip"
