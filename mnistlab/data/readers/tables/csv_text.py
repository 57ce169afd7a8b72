"""The text of a table: UTF-8 lines of its bytes, and what is no table although it is called so."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from mnistlab.data.readers import content
from mnistlab.data.readers.tables import csv_blocks, csv_margins
from mnistlab.errors import DataError

BOM = b"\xef\xbb\xbf"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
# How files begin that are often given the name of a table -> what they are, and what to do.
NO_TABLES = {
    b"PK\3\4": "an archive, as spreadsheets (.xlsx) and NumPy's .npz are; save a spreadsheet as "
    "CSV, or give the file its own ending",
    b"\x93NUMPY": "an array of NumPy; call it .npy",
    b"PAR1": "a Parquet file; call it .parquet",
    b"\x89HDF": "an HDF5 file; call it .h5",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (.xls); save it as CSV",
    b"version https://git-lfs": "a pointer of Git LFS to the table; fetch it: git lfs pull",
    b"<!doctype": "a web page; download the table itself",
    b"<html": "a web page; download the table itself",
    b"<?xml": "XML; save it as CSV",
    b"[{": "JSON; convert it: pandas.read_json('table').to_csv('table.csv', index=False)",
    b'{"': "JSON; convert it: pandas.read_json('table').to_csv('table.csv', index=False)",
    b"@relation": "ARFF; leave its head out: sed '1,/@data/Id' table > table.csv",
}


def lines(path: Path) -> Iterator[bytes]:
    """The table in blocks of whole lines, as UTF-8 without a byte-order mark and empty columns.

    UTF-16 with its mark, as Excel's "Unicode Text" has it, is converted. Raises DataError for a
    file that is no text, and as `content.chunks`.
    """
    chunks = content.chunks(path, csv_blocks.BLOCK_BYTES)
    first = next(chunks, b"")
    if first.startswith(UTF16):
        chunks = _decoded(_again(first, chunks), path)
        first = next(chunks, b"")
    first = first.removeprefix(BOM)
    _check(first, path)
    blocks = csv_blocks.whole_lines(_again(first, chunks), str(path))
    return csv_margins.without_empty_columns(blocks)


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _decoded(chunks: Iterator[bytes], path: Path) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise DataError(f"{path}: is not sound UTF-16 text; save it as UTF-8") from error


def _check(first: bytes, path: Path) -> None:
    start = first[:32].lstrip().lower()
    for mark, what in NO_TABLES.items():
        if start.startswith(mark.lower()):
            raise DataError(f"{path}: is {what}")
    line = first.partition(b"\n")[0]
    if b"\0" in line:
        raise DataError(
            f"{path}: holds zero bytes, as text does not; if it is UTF-16, convert it: "
            "iconv -f UTF-16LE -t UTF-8 table > table.csv"
        )
    if line.strip().lower().startswith(b"sep="):
        raise DataError(
            f"{path}: row 1 is {line.strip()[:8].decode('ascii', 'replace')!r}, which only Excel "
            "reads; leave it out: sed 1d table > table.csv"
        )
    if b"\r" in line.rstrip(b"\r"):
        raise DataError(
            f"{path}: its rows end with a carriage return (CR) alone, as old programs write them; "
            "convert it: tr '\\r' '\\n' < table > table.csv"
        )
