"""Spreadsheets (.xlsx) beside images: not read, but not overlooked where they name the images."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from mnistlab.data.readers import content
from mnistlab.data.readers.label_tables.image_index import Index
from mnistlab.errors import DataError

TEXT = re.compile(rb"<(?:\w+:)?(?:t|v)(?: [^>]*)?>([^<>]{1,300})</(?:\w+:)?(?:t|v)>")
PARTS = re.compile(r"xl/(sharedStrings|worksheets/sheet[0-9]+)\.xml")
MAX_BYTES = 1 << 25
ENOUGH = 0.5  # of the images must be named, or so much of the cells that are no numbers


def is_called_so(path: Path) -> bool:
    """Whether it is called like a spreadsheet, and is not the lock of an open one."""
    return path.suffix.lower() in (".xlsx", ".xlsm") and not path.name.startswith("~$")


def check(path: Path, index: Index) -> None:
    """DataError with the line that converts it, if the spreadsheet lists image files of the set."""
    cells = _cells(path)
    named = {cell for cell in cells if not cell.isdigit() and index.find(cell).files}
    numbers = {cell for cell in cells if cell.isdigit() and index.find(cell).files}
    if named or len(numbers) >= ENOUGH * len(index.exact):
        some = min(named or numbers)
        raise DataError(
            f"{path}: lists image files ({some}, ...), but spreadsheets are not read; if it has "
            f"their labels save it as CSV: pandas.read_excel({path.name!a}).to_csv('labels.csv', "
            "index=False), else move it out of the folder"
        )


def is_one(path: Path) -> bool:
    """Whether the content is a spreadsheet, whatever the file is called."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except content.DAMAGE:
        return False


def _cells(path: Path) -> set[str]:
    found: set[str] = set()
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if PARTS.fullmatch(info.filename) and info.file_size <= MAX_BYTES:
                    with archive.open(info) as file:
                        raw = file.read(MAX_BYTES)
                    found |= {text.decode("utf-8", "replace").strip() for text in TEXT.findall(raw)}
    except content.DAMAGE:
        return set()
    return found
