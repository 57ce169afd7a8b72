"""Tables of any kind that may name image files: CSV, TSV, lists of text, JSON, JSON lines.

A table is looked at before it is known to belong to the images, so whatever cannot be read is no
table here, not an error. Only `rows_of` a table that is known to be one raises DataError.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mnistlab.data.notes import note
from mnistlab.data.readers import content, parquet_rows
from mnistlab.data.readers.label_tables import json_rows
from mnistlab.errors import DataError, reason

TEXT = frozenset({".csv", ".tsv", ".tab", ".txt", ".lst", ".list", ".data", ".yaml", ".yml"})
PACKED = frozenset({".gz", ".bz2"})
JSON = frozenset({".json", ".jsonl", ".ndjson"})
PARQUET = frozenset({".parquet", ".pq"})
COLON = ": "  # of YAML
DELIMITERS = ("\t", ";", ",", "|", COLON)
SPACES, LAST_SPACE, LINE = " ", "last space", "line"  # how lines without delimiters are cut
LOOKED_AT_BYTES = 1 << 18
LOOKED_AT_ROWS = 200
MAX_TABLE_BYTES = 1 << 28


class Row(NamedTuple):
    """number: from 1, as a spreadsheet counts; of JSON the number of the record."""

    number: int
    cells: list[str]


class Sheet(NamedTuple):
    """A way to read a table. names: of the columns, if the file itself says them (JSON).

    delimiter: how lines are cut; empty for JSON. rows: the first ones; of JSON all.
    """

    path: Path
    delimiter: str
    names: tuple[str, ...] | None
    rows: list[Row]


def is_sheet(path: Path) -> bool:
    """Whether it is called like a table of one of these kinds."""
    return _ending(path) in TEXT | JSON | PARQUET


def readings(path: Path) -> Iterator[Sheet]:
    """The ways in which a table may be read, the likely ones first; none where it is no table."""
    try:
        if path.suffix.lower() in JSON | PARQUET:
            is_json = path.suffix.lower() in JSON
            for names, cells in json_rows.tables(path) if is_json else parquet_rows.tables(path):
                rows = [Row(i, row) for i, row in enumerate(cells, 1)]
                yield Sheet(path, "", names, rows)
            return
        start, encoding = _start(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    if encoding is None:
        return
    text = start.decode(encoding, "replace")
    lines = text.splitlines(keepends=True)
    if len(start) == LOOKED_AT_BYTES:
        lines = lines[:-1]
    for delimiter in _delimiters(lines):
        try:
            rows = list(itertools.islice(_cut(iter(lines), delimiter), LOOKED_AT_ROWS))
        except csv.Error:
            continue
        yield Sheet(path, delimiter, None, [row for row in rows if row.cells])


def rows_of(sheet: Sheet, n: int, below: int = 0) -> Iterator[Row]:
    """All rows of `n` cells; DataError naming the row that has more or fewer.

    below: the number of the row that is the header. A note says if the text is in Windows' code
    (cp1252).
    """
    path = sheet.path
    if sheet.names is not None:
        yield from sheet.rows
        return
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise DataError(f"{path}: larger than {MAX_TABLE_BYTES} bytes; refused")
        raw = bytes(content.read(path)) if _is_packed(path) else path.read_bytes()
        encoding = _encoding(raw) or "utf-8"
        lines = iter(io.StringIO(raw.decode(encoding), newline=""))
        for row in _cut(lines, sheet.delimiter, strict=True):
            if not row.cells or row.number <= below:
                continue
            if len(row.cells) != n:
                raise DataError(f"{path}: row {row.number} has {len(row.cells)} cells, not {n}")
            yield row
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    if encoding == "cp1252":
        note(f"{path}: is no UTF-8 text and is read as Windows text (cp1252)")


def _ending(path: Path) -> str:
    """The ending that tells the kind; that before .gz of a packed file."""
    return Path(path.stem).suffix.lower() if _is_packed(path) else path.suffix.lower()


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() in PACKED


def _start(path: Path) -> tuple[bytes, str | None]:
    """The first bytes up to a whole character, and their encoding; None for bytes without text."""
    if _is_packed(path):
        raw = next(content.chunks(path, LOOKED_AT_BYTES), b"")
    else:
        raw = content.start_of(path, LOOKED_AT_BYTES)
    whole = raw[: raw.rfind(b"\n") + 1] if len(raw) == LOOKED_AT_BYTES else raw
    encoding = _encoding(whole or raw)
    return raw, encoding


def _encoding(raw: bytes) -> str | None:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in raw:
        return None
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return None


def _delimiters(lines: Sequence[str]) -> list[str]:
    """The ways to cut these lines: by what occurs in them, then by white space, then not at all."""
    text = [line for line in lines[:LOOKED_AT_ROWS] if not _is_remark(line)]
    counted = {sign: sum(sign in line for line in text) for sign in DELIMITERS}
    most = sorted((sign for sign in DELIMITERS if counted[sign]), key=lambda s: -counted[s])
    spaces = [SPACES, LAST_SPACE] if any(" " in line.strip() for line in text) else []
    return [*most, *spaces, LINE]


def _cut(lines: Iterator[str], delimiter: str, strict: bool = False) -> Iterator[Row]:
    """Rows with the number of each; those of remarks, "sep=;" and empty cells have no cells."""
    if delimiter in DELIMITERS and delimiter != COLON:
        reader = csv.reader(lines, delimiter=delimiter, strict=strict)
        for number, cells in enumerate(reader, 1):
            whole = delimiter.join(cells)
            remark = _is_remark(whole) or (number == 1 and whole.startswith("sep="))
            is_blank = remark or not any(map(str.strip, cells))
            yield Row(number, [] if is_blank else [cell.strip() for cell in cells])
        return
    for number, line in enumerate(lines, 1):
        yield Row(number, [] if _is_remark(line) else _words(line.strip(), delimiter))


def _words(line: str, delimiter: str) -> list[str]:
    if not line:
        return []
    if delimiter == COLON:
        return [cell.strip(" \"'") for cell in line.rsplit(COLON, 1)]
    if delimiter == SPACES:
        return line.split()
    return [line] if delimiter == LINE else line.rsplit(None, 1)


def _is_remark(line: str) -> bool:
    return line.startswith("#")
